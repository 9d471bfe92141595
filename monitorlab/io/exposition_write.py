r"""Write exposition text: OpenMetrics 1.0, or the Prometheus text format 0.0.4.

>>> view = SeriesView.make("up", [1_767_225_600_000_000_000], [1.0])
>>> print("".join(exposition_text([view], {"up": Metric("up", description="Is it up?")})), end="")
# TYPE up gauge
# HELP up Is it up?
up 1 1767225600
# EOF
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from monitorlab.errors import MonitorlabWarning
from monitorlab.io.exposition_numbers import number_texts, time_texts
from monitorlab.io.exposition_scan import SUFFIXES
from monitorlab.io.files import write_text
from monitorlab.io.labels import escape
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.storage import SeriesView

__all__ = ["TextFormat", "exposition_text", "write_openmetrics"]

TextFormat: TypeAlias = Literal["openmetrics", "prometheus"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PIECE = 1 << 14  # samples in a piece of text
_SPLIT_LABEL = {"histogram": "le", "summary": "quantile"}


@dataclass(frozen=True, slots=True)
class _Family:
    """A family to be written: its type, and the series of each of its endings."""

    name: str
    type: str
    metric: Metric
    members: dict[str, list[SeriesView]]


def write_openmetrics(
    path: str | os.PathLike[str],
    views: Sequence[SeriesView],
    metrics: Mapping[str, Metric] | None = None,
    *,
    format: TextFormat = "openmetrics",  # noqa: A002 - the usual word
) -> None:
    r"""Write series as exposition text with times, gzipped when the name ends in ``.gz``.

    Parameters
    ----------
    path : str or os.PathLike
        The file to make or replace.
    views, metrics, format
        As in ``exposition_text``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.prom")
    >>> write_openmetrics(path, [SeriesView.make("up", [0], [1.0])], format="prometheus")
    >>> path.read_text()
    'up 1 0\n'
    """
    write_text(path, exposition_text(views, metrics, format=format))


def exposition_text(
    views: Sequence[SeriesView],
    metrics: Mapping[str, Metric] | None = None,
    *,
    format: TextFormat = "openmetrics",  # noqa: A002 - the usual word
) -> Iterator[str]:
    """Give series as exposition text, in pieces.

    Parameters
    ----------
    views : sequence of SeriesView
        The series.
    metrics : mapping of str to Metric, optional
        Type, unit and description by metric name.
    format : {"openmetrics", "prometheus"}
        OpenMetrics 1.0 (times in seconds, exact), or text 0.0.4 (whole milliseconds).

    Yields
    ------
    str
        Some lines.

    Warns
    -----
    MonitorlabWarning
        If times are cut to milliseconds, or a counter has to lose its type because
        OpenMetrics wants its name to end in ``_total`` and its values whole.

    Notes
    -----
    The text cannot hold stale markers: they are left out. Types timer and rate become gauge.
    A histogram or summary is written as one when it is complete (every bucket, sum and count
    at every time, as OpenMetrics demands); otherwise its parts stand alone.

    References
    ----------
    OpenMetrics 1.0; Prometheus exposition formats, text format 0.0.4.

    Examples
    --------
    >>> view = SeriesView.make("hits_total", [0], [3.0], {"route": "/"})
    >>> text = exposition_text([view], {"hits_total": Metric("hits_total", MetricType.COUNTER)})
    >>> "".join(text).splitlines()
    ['# TYPE hits counter', 'hits_total{route="/"} 3 0', '# EOF']
    """
    openmetrics = format == "openmetrics"
    kept = [view for view in map(_without_stale, views) if len(view)]
    lossy = [] if openmetrics else [v for v in kept if (v.times % 1_000_000).any()]
    if lossy:
        warnings.warn(
            f"times of {lossy[0].key} are cut to milliseconds, as the Prometheus text format "
            "wants; format='openmetrics' keeps them",
            MonitorlabWarning,
            stacklevel=2,
        )
    for family in _families(kept, metrics or {}, openmetrics=openmetrics):
        yield _head(family, openmetrics=openmetrics)
        if family.type in _SPLIT_LABEL or len(family.members) > 1:
            yield from _groups(family, openmetrics=openmetrics)
        else:
            for view in next(iter(family.members.values())):
                yield from _series(view, family.type, openmetrics=openmetrics)
    if openmetrics:
        yield "# EOF\n"


def _without_stale(view: SeriesView) -> SeriesView:
    stale = view.stale
    if not stale.any():
        return view
    return SeriesView(view.key, view.times[~stale], view.values[~stale], view.metadata)


def _families(
    views: Sequence[SeriesView], metrics: Mapping[str, Metric], *, openmetrics: bool
) -> list[_Family]:
    by_name: dict[str, list[SeriesView]] = {}
    for view in sorted(views, key=lambda v: v.key):
        by_name.setdefault(view.key.metric, []).append(view)
    families: list[_Family] = []
    taken: set[str] = set()
    for base, kind in _compound(by_name, metrics):
        endings = [s for s in SUFFIXES[kind] if openmetrics or s != "_created"]
        members = {s: by_name[base + s] for s in endings if base + s in by_name}
        names = {base + s for s in members}
        clash = any(base + s in by_name for s in (*endings, "") if s not in members)
        if names & taken or clash or (openmetrics and not _is_complete(kind, members)):
            continue
        families.append(_Family(base, kind, metrics.get(base, Metric(base)), members))
        taken |= names
    counters = [n for n in by_name if n not in taken and _simple_type(metrics.get(n)) == "counter"]
    untyped = set()
    for name in counters if openmetrics else ():
        family = _total_family(metrics[name], by_name, taken)
        if family is None:
            untyped.add(name)
        else:
            families.append(family)
            taken |= {family.name + suffix for suffix in family.members}
    for name, series in by_name.items():
        if name not in taken:
            known = metrics.get(name)
            kind = "unknown" if name in untyped else _simple_type(known)
            families.append(_Family(name, kind, known or Metric(name), {"": series}))
    if untyped:
        warnings.warn(
            f"{min(untyped)!r}{' and others' * (len(untyped) > 1)} loses its type: a counter of "
            "OpenMetrics ends in '_total' and is never negative or NaN; "
            "format='prometheus' keeps it",
            MonitorlabWarning,
            stacklevel=4,
        )
    return sorted(families, key=lambda f: f.name)


def _compound(
    by_name: Mapping[str, Sequence[SeriesView]], metrics: Mapping[str, Metric]
) -> Iterator[tuple[str, str]]:
    """Find the base names of histograms and summaries."""
    for name, series in by_name.items():
        base = name.removesuffix("_bucket")
        if base != name and all("le" in view.key.labels for view in series):
            yield base, "histogram"
        counted = f"{name}_sum" in by_name and f"{name}_count" in by_name
        if counted and all("quantile" in view.key.labels for view in series):
            known = metrics.get(name)
            if known is None or known.type is MetricType.GAUGE:
                yield name, "summary"


def _is_complete(kind: str, members: Mapping[str, Sequence[SeriesView]]) -> bool:
    """Tell whether the parts obey OpenMetrics at every time."""
    groups: dict[Labels, dict[str, list[SeriesView]]] = {}
    for suffix, series in members.items():
        for view in series:
            labels = view.key.labels.without(_SPLIT_LABEL[kind])
            groups.setdefault(labels, {}).setdefault(suffix, []).append(view)
    return all(_is_complete_group(kind, group) for group in groups.values())


def _is_complete_group(kind: str, group: Mapping[str, list[SeriesView]]) -> bool:
    if not {"_count", "_sum"}.issubset(group):
        return False
    every = [view for series in group.values() for view in series]
    if not all(np.array_equal(view.times, every[0].times) for view in every[1:]):
        return False
    count = group["_count"][0].values
    if not (_whole(count) and (group["_sum"][0].values >= 0).all()):
        return False
    if kind == "summary":
        return all(_is_quantile(view) and not (view.values < 0).any() for view in group.get("", []))
    buckets = sorted(group.get("_bucket", []), key=_bound)
    if not buckets or buckets[-1].key.labels["le"] != "+Inf":
        return False
    if any(not np.isfinite(_bound(b)) or _bound(b) < 0 for b in buckets[:-1]):
        return False
    table = np.array([view.values for view in buckets])
    rising = bool((np.diff(table, axis=0) >= 0).all())
    bounds = [_bound(b) for b in buckets]
    return (
        rising
        and all(_whole(row) for row in table)
        and len(set(bounds)) == len(bounds)
        and np.array_equal(table[-1], count)
    )


def _whole(values: np.ndarray) -> bool:
    return bool((np.isfinite(values) & (values >= 0) & (values == np.floor(values))).all())


def _bound(view: SeriesView) -> float:
    text = view.key.labels.get("le", view.key.labels.get("quantile", "nan"))
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _is_quantile(view: SeriesView) -> bool:
    return 0 <= _bound(view) <= 1


def _simple_type(known: Metric | None) -> str:
    if known is None:
        return "unknown"
    return "counter" if known.type is MetricType.COUNTER else "gauge"


def _total_family(
    known: Metric, by_name: Mapping[str, list[SeriesView]], taken: set[str]
) -> _Family | None:
    """Make a counter of OpenMetrics, or None where its name or values do not allow it."""
    base = known.name.removesuffix("_total")
    if base == known.name or base in by_name:
        return None
    series = by_name[known.name]
    if any(not (view.values >= 0).all() for view in series):
        return None
    members = {"_total": series}
    created = by_name.get(f"{base}_created")
    if created is not None:
        times = {view.key.labels: view.times for view in series}
        none = np.empty(0)
        fits = all(np.array_equal(times.get(v.key.labels, none), v.times) for v in created)
        if not fits or f"{base}_created" in taken:
            return None
        members["_created"] = created
    return _Family(base, "counter", known, members)


def _head(family: _Family, *, openmetrics: bool) -> str:
    name = _quoted_name(family.name)
    metric = family.metric
    lines = []
    if family.type != "unknown":
        lines.append(f"# TYPE {name} {family.type}\n")
    elif metric.description or metric.unit:
        lines.append(f"# TYPE {name} {'unknown' if openmetrics else 'untyped'}\n")
    if openmetrics and metric.unit and family.name.endswith(f"_{metric.unit}"):
        lines.append(f"# UNIT {name} {metric.unit}\n")
    if metric.description:
        text = metric.description.replace("\\", "\\\\").replace("\n", "\\n")
        text = text.replace('"', '\\"') if openmetrics else text
        lines.append(f"# HELP {name} {text}\n")
    return "".join(lines)


def _series(view: SeriesView, kind: str, *, openmetrics: bool) -> Iterator[str]:
    prefix = _prefix(view.key)
    exemplars = _exemplars(view) if openmetrics and kind == "counter" else {}
    for start in range(0, len(view), _PIECE):
        part = slice(start, start + _PIECE)
        values = number_texts(view.values[part])
        times = time_texts(view.times[part], openmetrics=openmetrics)
        lines = [f"{prefix} {v} {t}" for v, t in zip(values, times, strict=True)]
        for position, t in enumerate(view.times[part].tolist() if exemplars else ()):
            if t in exemplars:
                lines[position] += exemplars[t]
        yield "\n".join(lines) + "\n"


def _groups(family: _Family, *, openmetrics: bool) -> Iterator[str]:
    """Write the parts of each label set together, time by time."""
    split = _SPLIT_LABEL.get(family.type, "")
    groups: dict[Labels, list[SeriesView]] = {}
    for series in family.members.values():
        for view in sorted(series, key=_bound) if split else series:
            labels = view.key.labels.without(split) if split else view.key.labels
            groups.setdefault(labels, []).append(view)
    for group in groups.values():
        rows: list[tuple[int, int, str]] = []
        for number, view in enumerate(group):
            noted = view.key.metric.endswith(("_bucket", "_total"))
            exemplars = _exemplars(view) if openmetrics and noted else {}
            prefix = _prefix(view.key)
            texts = zip(
                view.times.tolist(),
                number_texts(view.values),
                time_texts(view.times, openmetrics=openmetrics),
                strict=True,
            )
            rows.extend(
                (t, number, f"{prefix} {v} {text}{exemplars.get(t, '')}\n") for t, v, text in texts
            )
        rows.sort()
        for start in range(0, len(rows), _PIECE):
            yield "".join(line for _, _, line in rows[start : start + _PIECE])


def _prefix(key: SeriesKey) -> str:
    pairs = ",".join(
        f'{name if _LABEL_NAME.fullmatch(name) else _quote(name)}="{escape(value)}"'
        for name, value in key.labels.items()
    )
    if not _NAME.fullmatch(key.metric):
        return "{" + _quote(key.metric) + ("," + pairs if pairs else "") + "}"
    return f"{key.metric}{{{pairs}}}" if pairs else key.metric


def _quote(text: str) -> str:
    return f'"{escape(text)}"'


def _quoted_name(name: str) -> str:
    return name if _NAME.fullmatch(name) else _quote(name)


def _exemplars(view: SeriesView) -> dict[int, str]:
    found = {}
    for time, note in view.metadata.items():
        exemplar = note.get("exemplar")
        if not isinstance(exemplar, Mapping) or "value" not in exemplar:
            continue
        pairs = ",".join(
            f'{name}="{escape(str(value))}"' for name, value in exemplar.get("labels", {}).items()
        )
        text = f" # {{{pairs}}} {number_texts(np.array([float(exemplar['value'])]))[0]}"
        if exemplar.get("time_ns") is not None:
            stamp = np.array([int(exemplar["time_ns"])], np.int64)
            text += f" {time_texts(stamp, openmetrics=True)[0]}"
        found[time] = text
    return found
