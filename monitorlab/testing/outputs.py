"""Compare the outputs of a cell with the stored ones, and say readably what differs.

Works on plain dictionaries, as a notebook file holds them; nbval's own comparison runs on
what ``forgive`` gives back.

>>> stored = [{"output_type": "stream", "name": "stdout", "text": "p95 12.0 ms"}]
>>> now = [{"output_type": "stream", "name": "stdout", "text": "p95 13.0 ms"}]
>>> print(differences(stored, now)[0])
stdout, line 1
  stored  p95 12.0 ms
  now     p95 13.0 ms
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitorlab.testing.figures import PLOTLY, differing_leaves, plain_figure
from monitorlab.testing.numbers import STRICT, Tolerance, same_text
from monitorlab.testing.tables import read_tables

__all__ = ["Difference", "differences", "forgive", "normalise"]

Output = Mapping[str, Any]
ROUNDING = 1e-9  # share of a number in a figure that nobody sees, and processors round as they do
_SHOWN = 6  # differences told of one output
_WIDTH = 400  # characters told of one value
_LINE = 120  # characters told of one changed line
_NOTHING = "(nothing)"
# Random, or a picture whose bytes depend on the drawing library; nbval leaves them out too.
_UNCOMPARED = frozenset({"application/vnd.jupyter.widget-view+json", "image/png", "image/jpeg"})


@dataclass(frozen=True)
class Difference:
    """One place where an output is not what is stored.

    Parameters
    ----------
    where : str
        The output, and the place in it.
    stored, now : str
        What the notebook holds there, and what running it gives.

    Examples
    --------
    >>> Difference("stdout, line 1", "1", "2").now
    '2'
    """

    where: str
    stored: str
    now: str

    def __str__(self) -> str:
        stored, now = (_indented(text) for text in (self.stored, self.now))
        return f"{self.where}\n  stored  {stored}\n  now     {now}"


def normalise(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """Give outputs with figures as plain data, so that only what they show is compared.

    Parameters
    ----------
    outputs : sequence of mapping
        Outputs of one cell.

    Returns
    -------
    list of dict
        Changed copies; the given ones stay as they are.

    Examples
    --------
    >>> normalise([{"data": {"application/vnd.plotly.v1+json": {"uid": "x"}}}])
    [{'data': {'application/vnd.plotly.v1+json': {}}}]
    """
    changed = []
    for output in outputs:
        copy = dict(output)
        data = copy.get("data")
        if isinstance(data, Mapping):
            copy["data"] = {
                kind: plain_figure(value) if kind == PLOTLY else value
                for kind, value in data.items()
            }
        changed.append(copy)
    return changed


def forgive(
    stored: Sequence[Output], now: Sequence[Output], tolerance: Tolerance
) -> list[dict[str, Any]]:
    """Put the stored value in the place of each one that is near enough to it.

    Parameters
    ----------
    stored, now : sequence of mapping
        Normalised outputs of one cell.
    tolerance : Tolerance
        How near is near enough.

    Returns
    -------
    list of dict
        ``now``, in which what lies within the tolerance is what is stored; a strict
        comparison with ``stored`` then finds only what matters.

    Examples
    --------
    >>> forgive([{"text": "1.00"}], [{"text": "1.01"}], Tolerance(atol=0.1))
    [{'text': '1.00'}]

    What a figure is drawn from has sixteen digits, and the last few are those of the machine:

    >>> now = [{"data": {"figure": {"y": [0.1 + 0.2]}}}]
    >>> forgive([{"data": {"figure": {"y": [0.3]}}}], now, STRICT)
    [{'data': {'figure': {'y': [0.3]}}}]
    """
    changed = [dict(output) for output in now]
    for old, new in zip(stored, changed, strict=False):
        for key in ("text", "evalue"):
            if isinstance(old.get(key), str) and isinstance(new.get(key), str):
                new[key] = _forgiven(old[key], new[key], tolerance)
        if isinstance(old.get("data"), Mapping) and isinstance(new.get("data"), Mapping):
            new["data"] = {
                kind: _forgiven(old["data"][kind], value, tolerance)
                if kind in old["data"]
                else value
                for kind, value in new["data"].items()
            }
    return changed


def differences(
    stored: Sequence[Output], now: Sequence[Output], tolerance: Tolerance = STRICT
) -> list[Difference]:
    """Name the places where the outputs of a cell are not what is stored.

    Parameters
    ----------
    stored, now : sequence of mapping
        Outputs of one cell, sanitised and normalised.
    tolerance : Tolerance
        For numbers.

    Returns
    -------
    list of Difference
        Empty if they are the same; of one output at most a few places and a count.

    Examples
    --------
    >>> differences([], [{"output_type": "stream", "name": "stderr", "text": "oh"}])[0].where
    'stderr'
    """
    found: list[Difference] = []
    left, right = _by_kind(stored), _by_kind(now)
    for kind in dict.fromkeys((*left, *right)):
        if kind == "text/plain" and any(d.where.startswith("table") for d in found):
            continue  # the same table as text
        old, new = left.get(kind, []), right.get(kind, [])
        for i in range(max(len(old), len(new))):
            name = _name(kind) + (f" {i + 1}" if max(len(old), len(new)) > 1 else "")
            if i >= len(old) or i >= len(new):
                a = _NOTHING if i >= len(old) else _short(old[i])
                b = _NOTHING if i >= len(new) else _short(new[i])
                found.append(Difference(name, a, b))
            else:
                found += _told(name, old[i], new[i], tolerance)
    return found


def _forgiven(stored: Any, now: Any, tolerance: Tolerance) -> Any:
    if isinstance(stored, str) and isinstance(now, str):
        return stored if same_text(stored, now, tolerance) else now
    return stored if next(differing_leaves(stored, now, _rounded(tolerance)), None) is None else now


def _rounded(tolerance: Tolerance) -> Tolerance:
    """Let numbers that are not printed differ by what other processors round otherwise."""
    return Tolerance(max(tolerance.rtol, ROUNDING), tolerance.atol)


def _by_kind(outputs: Sequence[Output]) -> dict[str, list[Any]]:
    """Group the values of all outputs by what they are, HTML before text."""
    found: dict[str, list[Any]] = {}
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            found.setdefault(str(output.get("name")), []).append(output.get("text", ""))
        elif kind == "error":
            text = f"{output.get('ename')}: {output.get('evalue')}"
            found.setdefault("exception", []).append(text)
        else:
            data = output.get("data", {})
            for mime in sorted(data, key=lambda m: (m != "text/html", m)):
                if mime not in _UNCOMPARED:
                    found.setdefault(mime, []).append(data[mime])
    return found


def _name(kind: str) -> str:
    return {PLOTLY: "figure", "text/html": "HTML", "text/plain": "text"}.get(kind, kind)


def _told(name: str, stored: Any, now: Any, tolerance: Tolerance) -> list[Difference]:
    """Say how one output differs: by leaf of a figure, cell of a table, or line of a text."""
    if not (isinstance(stored, str) and isinstance(now, str)):
        pairs = differing_leaves(stored, now, _rounded(tolerance))
        return _limited(
            Difference(f"{name}: {p}", *_around(_short(a), _short(b))) for p, a, b in pairs
        )
    if same_text(stored, now, tolerance):
        return []
    cells = list(_table_cells(stored, now, tolerance)) if name.startswith("HTML") else []
    return _limited(iter(cells or _lines(name, stored, now, tolerance)))


def _limited(found: Iterator[Difference]) -> list[Difference]:
    kept: list[Difference] = []
    more = 0
    for difference in found:
        if len(kept) < _SHOWN:
            kept.append(difference)
        else:
            more += 1
    if more:
        last = kept[-1]
        kept[-1] = Difference(f"{last.where} (and {more} more places)", last.stored, last.now)
    return kept


def _table_cells(stored: str, now: str, tolerance: Tolerance) -> Iterator[Difference]:
    old, new = read_tables(stored), read_tables(now)
    if [[len(row) for row in table] for table in old] != [
        [len(row) for row in table] for table in new
    ]:
        shapes = [
            " and ".join(f"{len(t)} rows" for t in tables) or "no table" for tables in (old, new)
        ]
        if shapes[0] != shapes[1]:
            yield Difference("table", *shapes)
        return
    for before, after in zip(old, new, strict=True):
        head = before[0] if before else []
        for row, (a_row, b_row) in enumerate(zip(before, after, strict=True)):
            for column, (a, b) in enumerate(zip(a_row, b_row, strict=True)):
                if not same_text(a, b, tolerance):
                    title = head[column] if column < len(head) and head[column] else str(column)
                    label = f" ({a_row[0]})" if column and a_row[0] else ""
                    yield Difference(f"table, row {row}{label}, column {title!r}", a, b)


def _lines(name: str, stored: str, now: str, tolerance: Tolerance) -> Iterator[Difference]:
    old, new = stored.splitlines(), now.splitlines()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = list(zip(old[i:j], new[k:m], strict=True)) if j - i == m - k else []
        for offset, (before, after) in enumerate(pairs):
            if not same_text(before, after, tolerance):
                yield Difference(f"{name}, line {i + offset + 1}", *_around(before, after))
        if pairs:
            continue
        before, after = "\n".join(old[i:j]), "\n".join(new[k:m])
        line = f"{i + 1}" if j - i <= 1 else f"{i + 1}-{j}"
        yield Difference(
            f"{name}, line {line}", _short(before or _NOTHING), _short(after or _NOTHING)
        )


def _around(stored: str, now: str) -> tuple[str, str]:
    """Cut two long lines to what stands around their first difference."""
    if max(len(stored), len(now)) <= _LINE:
        return stored, now
    first = next(
        (i for i, (a, b) in enumerate(zip(stored, now, strict=False)) if a != b),
        min(len(stored), len(now)),
    )
    start = max(0, first - _LINE // 3)
    cut = [
        ("…" if start else "")
        + text[start : start + _LINE]
        + ("…" if len(text) > start + _LINE else "")
        for text in (stored, now)
    ]
    return cut[0], cut[1]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}… ({len(text)} characters)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n          ")
