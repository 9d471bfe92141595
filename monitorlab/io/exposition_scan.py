r"""A scanner of exposition text: each label set is read once, then found by its own text.

>>> scanner = ExpositionScanner(openmetrics=False)
>>> scanner.feed(['hits{route="/"} 3 1000', 'hits{route="/"} 4 2000'], 1)
>>> scanner.keys, scanner.columns()[2].tolist()
([hits{route="/"}], [3.0, 4.0])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from monitorlab.errors import RecordingError
from monitorlab.io.exposition_numbers import (
    BadTailError,
    read_number,
    read_numbers,
    read_seconds,
    sample_line,
)
from monitorlab.io.labels import unescape
from monitorlab.model import Labels, SeriesKey

__all__ = ["SUFFIXES", "ExpositionScanner", "Family"]

# Endings that the samples of a family may have, by type.
SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "summary": ("", "_count", "_sum", "_created"),
    "info": ("_info",),
    "stateset": ("",),
    "unknown": ("",),
}
_TEXT_SUFFIXES = {
    "counter": ("", "_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created", ""),
    "untyped": ("",),
}
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_BLANK = re.compile(r"[ \t]*")
_OPENMETRICS_META = re.compile(
    r'# (HELP|TYPE|UNIT) ("(?:[^"\\]|\\.)*"|[a-zA-Z_:][a-zA-Z0-9_:]*) (.*)'
)
_TEXT_META = re.compile(r'#[ \t]+(HELP|TYPE)[ \t]+("(?:[^"\\]|\\.)*"|[^\s"]+)(?:[ \t]+(.*))?')
_HELP_ESCAPED = re.compile(r"\\[\\n]")
_EXEMPLAR_LIMIT = 128


@dataclass(slots=True)
class Family:
    """What the text says of one metric family.

    Parameters
    ----------
    name : str
        Name without the endings of its samples.
    line : int
        Where it begins.

    Examples
    --------
    >>> Family("hits", 1).type is None
    True
    """

    name: str
    line: int
    type: str | None = None
    help: str | None = None
    unit: str | None = None
    has_samples: bool = False


@dataclass(slots=True)
class ExpositionScanner:
    """Reads lines of OpenMetrics 1.0, or of the Prometheus text format 0.0.4.

    Parameters
    ----------
    openmetrics : bool
        Which of the two.
    path : str, optional
        Named in errors.

    Notes
    -----
    A line whose label text was seen before costs one split and one look-up; numbers are
    parsed together by pyarrow. Whatever is out of the ordinary goes through a strict
    reader, which either copes or names the line.

    Examples
    --------
    >>> ExpositionScanner(openmetrics=True, path="x").feed(["a{b=1} 2"], 7)
    Traceback (most recent call last):
    ...
    monitorlab.errors.RecordingError: x, line 7: the label value must stand in double quotes
    """

    openmetrics: bool
    path: str | None = None
    keys: list[SeriesKey] = field(default_factory=list)
    family_of: list[int] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    exemplars: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    eof_line: int | None = None
    last_line: int = 0
    count: int = 0
    _labelled: dict[str, int] = field(default_factory=dict)
    _bare: dict[str, int] = field(default_factory=dict)
    _by_key: dict[tuple[str, tuple[tuple[str, str], ...]], int] = field(default_factory=dict)
    _by_name: dict[str, int] = field(default_factory=dict)
    _owners: dict[str, int] = field(default_factory=dict)
    _current: int | None = None
    _parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(
        default_factory=list
    )

    def feed(self, lines: Sequence[str], first_line: int) -> None:
        """Read some lines; ``first_line`` is the number of the first of them."""
        codes: list[int] = []
        tails: list[str] = []
        add_code, add_tail = codes.append, tails.append
        labelled, bare = self._labelled.get, self._bare.get
        for number, line in enumerate(lines, first_line):
            head, mark, tail = line.partition("} ")
            if mark:
                code = labelled(head)
            else:
                head, mark, tail = line.partition(" ")
                code = bare(head)
            if code is None:
                found = self._unusual(line, number)
                if found is None:
                    continue
                code, tail = found
            add_code(code)
            add_tail(tail)
        self.last_line = first_line + len(lines) - 1
        if not codes:
            return
        try:
            values, times, timed = self._numbers(tails)
        except BadTailError as error:
            raise RecordingError(
                str(error), path=self.path, line=sample_line(lines, error.index, first_line)
            ) from error
        self._parts.append((np.array(codes, np.int32), times, values, timed))
        self.count += len(codes)

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give series numbers, times in nanoseconds, values, and which samples had a time."""
        if not self._parts:
            return (np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, bool))
        codes, times, values, timed = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        return codes, times, values, timed

    # -- lines out of the ordinary -------------------------------------------------------

    def _unusual(self, line: str, number: int) -> tuple[int, str] | None:
        if self.openmetrics:
            if line.startswith("#"):
                self._openmetrics_meta(line, number)
                return None
            if not line:
                self._fail(number, "a blank line is not allowed in OpenMetrics")
            return self._sample(line, number)
        stripped = line.strip()
        if stripped.startswith("#"):
            self._text_meta(stripped, number)
        return self._sample(stripped, number) if stripped and stripped[0] != "#" else None

    def _sample(self, line: str, number: int) -> tuple[int, str]:
        """Read a line strictly; remember its label text when that can be found by a split."""
        name, pairs, end, has_braces = self._head(line, number)
        rest = line[end:]
        code = self._series(name, pairs, number)
        if rest.startswith(" "):
            if has_braces and line.find("} ") == end - 1:
                self._labelled[line[: end - 1]] = code
            elif not has_braces:
                self._bare[name] = code
            return code, rest[1:]
        if self.openmetrics or not (rest[:1] == "\t" or (has_braces and rest)):
            self._fail(number, "a space and a value must follow the name and labels")
        return code, rest

    def _head(self, line: str, number: int) -> tuple[str, dict[str, str], int, bool]:
        match = _NAME.match(line)
        name = match.group() if match else ""
        end = len(name)
        if not self.openmetrics:
            brace = _BLANK.match(line, end).end()  # type: ignore[union-attr]
            end = brace if line[brace : brace + 1] == "{" else end
        if line[end : end + 1] != "{":
            if not name or (end < len(line) and line[end] not in " \t"):
                self._fail(number, f"{line.partition(' ')[0]!r} is not a metric name")
            return name, {}, end, False
        pairs, end = self._pairs(line, end + 1, number)
        quoted = pairs.pop("__name__", "")
        if bool(name) == bool(quoted):
            self._fail(number, "the metric name is missing, or given twice")
        return name or quoted, pairs, end, True

    def _pairs(self, line: str, at: int, number: int) -> tuple[dict[str, str], int]:
        """Read label pairs from after the opening to after the closing brace."""
        pairs: dict[str, str] = {}
        fresh = True  # whether a pair may come next
        while True:
            at = _BLANK.match(line, at).end()  # type: ignore[union-attr]
            if line[at : at + 1] == "}":
                if pairs and fresh and self.openmetrics:
                    self._fail(number, "a comma must not stand before the closing brace")
                return pairs, at + 1
            if not fresh:
                self._fail(number, "a comma or a closing brace must follow a label")
            name, value, at = self._pair(line, at, number)
            if name in pairs:
                self._fail(number, f"the label {name!r} is given twice")
            pairs[name] = value
            at = _BLANK.match(line, at).end()  # type: ignore[union-attr]
            fresh = line[at : at + 1] == ","
            at += fresh

    def _pair(self, line: str, at: int, number: int) -> tuple[str, str, int]:
        quoted = _QUOTED.match(line, at)
        plain = None if quoted else _LABEL_NAME.match(line, at)
        found = quoted or plain
        if found is None:
            self._fail(number, "a label name or the closing brace is missing")
        name = unescape(found.group(1)) if quoted else found.group()
        at = _BLANK.match(line, found.end()).end()  # type: ignore[union-attr]
        if line[at : at + 1] != "=":
            if quoted:
                return "__name__", name, at
            self._fail(number, f"'=' must follow the label name {name!r}")
        at = _BLANK.match(line, at + 1).end()  # type: ignore[union-attr]
        value = _QUOTED.match(line, at)
        if value is None:
            self._fail(number, "the label value must stand in double quotes")
        return name, unescape(value.group(1)), value.end()

    def _series(self, name: str, pairs: dict[str, str], number: int) -> int:
        key = (name, tuple(sorted(pairs.items())))
        known = self._by_key.get(key)
        if known is not None:
            return known
        owner = self._owner(name, number)
        self.families[owner].has_samples = True
        self._by_key[key] = len(self.keys)
        self.keys.append(SeriesKey(name, Labels(pairs)))
        self.family_of.append(owner)
        return self._by_key[key]

    def _owner(self, name: str, number: int) -> int:
        """Find the family of a sample by its name, or begin one of unknown type."""
        owner = self._owners.get(name)
        if owner is not None:
            self._current = owner
            return owner
        if self.openmetrics and name in self._by_name:
            self._fail(number, f"{name!r} is not a sample of its family, nor a family of its own")
        return self._family(name, number)

    def _family(self, name: str, number: int) -> int:
        self.families.append(Family(name, number))
        self._current = len(self.families) - 1
        self._by_name[name] = self._current
        self._owners.setdefault(name, self._current)
        return self._current

    # -- metadata ------------------------------------------------------------------------

    def _openmetrics_meta(self, line: str, number: int) -> None:
        if line == "# EOF":
            self.eof_line = self.eof_line or number
            return
        match = _OPENMETRICS_META.fullmatch(line)
        if match is None:
            self._fail(number, "expected '# HELP|TYPE|UNIT name text' or '# EOF'")
        what, raw, text = match.groups()
        name = unescape(raw[1:-1]) if raw.startswith('"') else raw
        place = self._by_name.get(name)
        if place is None:
            if name in self._owners:
                self._fail(number, f"the name {name!r} clashes with that of an earlier family")
            place = self._family(name, number)
        family = self.families[place]
        if family.has_samples or place != self._current:
            self._fail(number, f"{what} of {name!r} stands after its samples")
        if what == "HELP":
            self._once(family.help, what, name, number)
            family.help = unescape(text)
        elif what == "UNIT":
            self._once(family.unit, what, name, number)
            family.unit = text
        else:
            self._once(family.type, what, name, number)
            if text not in SUFFIXES:
                self._fail(number, f"unknown type {text!r}; use one of {', '.join(SUFFIXES)}")
            family.type = text
            del self._owners[name]
            for suffix in SUFFIXES[text]:
                if name + suffix in self._owners:
                    self._fail(number, f"the name {name + suffix!r} clashes with another family")
                self._owners[name + suffix] = place

    def _once(self, known: str | None, what: str, name: str, number: int) -> None:
        if known is not None:
            self._fail(number, f"{what} of {name!r} is given twice")

    def _text_meta(self, line: str, number: int) -> None:
        match = _TEXT_META.fullmatch(line)
        if match is None:
            return  # any other comment
        what, raw, text = match.groups()
        name = unescape(raw[1:-1]) if raw.startswith('"') else raw
        if not raw.startswith('"') and not _NAME.fullmatch(name):
            self._fail(number, f"{name!r} is not a metric name")
        place = self._by_name.get(name)
        family = self.families[self._family(name, number) if place is None else place]
        place = self._by_name[name]
        if what == "HELP":
            family.help = _HELP_ESCAPED.sub(
                lambda m: "\n" if m.group() == "\\n" else "\\", text or ""
            )
            return
        kind = (text or "").strip()
        if kind not in SUFFIXES and kind != "untyped":
            self._fail(number, f"unknown type {kind!r}; use one of {', '.join(SUFFIXES)}")
        if family.type not in (None, kind):
            self._fail(number, f"{name!r} is {kind} here and was {family.type} before")
        family.type = kind
        for suffix in _TEXT_SUFFIXES.get(kind, SUFFIXES.get(kind, ("",))):
            self._owners.setdefault(name + suffix, place)

    def _fail(self, number: int, message: str) -> NoReturn:
        raise RecordingError(message, path=self.path, line=number)

    # -- numbers -------------------------------------------------------------------------

    def _numbers(self, tails: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read values and times; exemplars are cut off and kept on the way."""
        for index, tail in enumerate(tails):
            if "#" in tail:
                tails[index] = self._without_exemplar(tail, index)
        return read_numbers(tails, openmetrics=self.openmetrics)

    def _without_exemplar(self, tail: str, index: int) -> str:
        plain, mark, text = tail.partition(" # ")
        if not mark or not self.openmetrics:
            raise BadTailError(
                index, "an exemplar is written ' # {labels} value', and only in OpenMetrics"
            )
        if not text.startswith("{"):
            raise BadTailError(index, "the exemplar has no labels in braces")
        try:
            pairs, end = self._pairs(text, 1, 0)
        except RecordingError as error:
            message = str(error).rpartition(": ")[2]
            raise BadTailError(index, f"in the exemplar {message}") from error
        if sum(len(k) + len(v) for k, v in pairs.items()) > _EXEMPLAR_LIMIT:
            raise BadTailError(index, "the exemplar's labels are longer than 128 characters")
        if text[end : end + 1] != " ":
            raise BadTailError(index, "the exemplar has no value")
        parts = text[end + 1 :].split(" ")
        if not 1 <= len(parts) <= 2:
            raise BadTailError(index, "the exemplar has more than a value and a time")
        exemplar: dict[str, Any] = {"labels": pairs, "value": read_number(parts[0], index)}
        if len(parts) == 2:
            exemplar["time_ns"] = read_seconds(parts[1], index)
        self.exemplars.append((self.count + index, exemplar))
        return plain
