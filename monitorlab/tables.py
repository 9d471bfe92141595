"""The tables that a frame shows: metrics, incidents; and reading incidents back from tables.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("up", [1767225600, 1767225601], [1.0, 0.0])
>>> metrics_table(store.selection()).loc["up", ["series", "samples"]].tolist()
[1, 2]
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.errors import InvalidSeriesError, RecordingError, RuleError, TimeError
from monitorlab.model import Incident
from monitorlab.times import from_ns

if TYPE_CHECKING:
    from monitorlab.storage import Selection

__all__ = ["as_incidents", "headline_text", "incidents_table", "metrics_table", "read_incidents"]

_INCIDENT_COLUMNS = ("start", "end", "kind", "severity", "metrics", "description")
_METRIC_COLUMNS = ("type", "unit", "series", "samples", "first", "last", "description")


def metrics_table(selection: Selection) -> pd.DataFrame:
    """Give one row for each metric: what it is and what there is of it.

    Parameters
    ----------
    selection : Selection
        What is seen.

    Returns
    -------
    pandas.DataFrame
        Indexed by metric: type, unit, series, samples, first, last, description. Described
        metrics whose series are kept under other names (the base of a histogram) are in it
        with 0 series of their own when a part of theirs is seen.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> metrics_table(SeriesStore().selection()).columns.tolist()
    ['type', 'unit', 'series', 'samples', 'first', 'last', 'description']
    """
    rows: dict[str, list[Any]] = {}
    for view in selection.series():
        name = view.key.metric
        first, last = int(view.times[0]), int(view.times[-1])
        row = rows.setdefault(name, [0, 0, first, last])
        row[0] += 1
        row[1] += len(view)
        row[2], row[3] = min(row[2], first), max(row[3], last)
    described = []
    for name in sorted(rows.keys() | _bases(selection, rows)):
        known = selection.metric(name)
        series, samples, *span = rows.get(name, (0, 0))
        described.append(
            (
                known.type.value,
                known.unit,
                series,
                samples,
                *(map(from_ns, span) if span else (pd.NaT, pd.NaT)),
                known.description,
            )
        )
    index = pd.Index(sorted(rows.keys() | _bases(selection, rows)), name="metric", dtype=object)
    return pd.DataFrame(described, index=index, columns=list(_METRIC_COLUMNS))


def headline_text(selection: Selection, rules: int = 0) -> str:
    """Say in one line what is there.

    Parameters
    ----------
    selection : Selection
        What is seen.
    rules : int
        Number of rules.

    Returns
    -------
    str
        Series, metrics, samples, span, incidents and rules.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> headline_text(SeriesStore().selection())
    'empty'
    """
    views = selection.series()
    more = [_count(len(selection.incidents), "incident")] if selection.incidents else []
    more += [_count(rules, "rule")] if rules else []
    if not views:
        return ", ".join(["empty", *more])
    metrics = len({view.key.metric for view in views})
    samples = sum(len(view) for view in views)
    first = from_ns(min(int(view.times[0]) for view in views))
    last = from_ns(max(int(view.times[-1]) for view in views))
    parts = [
        f"{len(views)} series of {_count(metrics, 'metric')}",
        _count(samples, "sample"),
        f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC",
    ]
    return ", ".join([*parts, *more])


def incidents_table(incidents: Iterable[Incident]) -> pd.DataFrame:
    """Give incidents as a table.

    Parameters
    ----------
    incidents : iterable of Incident
        Labelled truth.

    Returns
    -------
    pandas.DataFrame
        One row each, in order of their start: start, end, kind, severity, metrics,
        description.

    Examples
    --------
    >>> incident = Incident.make("2026-01-01T00:00Z", "2026-01-01T00:05Z", "cpu_hog")
    >>> incidents_table([incident])["kind"].tolist()
    ['cpu_hog']
    """
    ordered = sorted(incidents, key=lambda i: (i.start, i.end))
    table = pd.DataFrame(
        [(i.start, i.end, i.kind, i.severity.value, i.metrics, i.description) for i in ordered],
        columns=list(_INCIDENT_COLUMNS),
    )
    for column in ("start", "end"):
        table[column] = pd.to_datetime(table[column], utc=True).astype("datetime64[ns, UTC]")
    return table


def as_incidents(incidents: Any) -> list[Incident]:
    """Read incidents from a table or a list.

    Parameters
    ----------
    incidents : pandas.DataFrame, path, or iterable of Incident
        A table as ``mf.incidents`` gives it (only start and end are needed), or a CSV file
        of such a table.

    Returns
    -------
    list of Incident
        The same.

    Raises
    ------
    InvalidSeriesError
        If a column is missing or a row is wrong.

    Examples
    --------
    >>> incident = Incident.make("2026-01-01T00:00Z", "2026-01-01T00:05Z", "cpu_hog")
    >>> as_incidents(incidents_table([incident])) == [incident]
    True
    """
    if isinstance(incidents, (str, os.PathLike)):
        return read_incidents(incidents)
    if not isinstance(incidents, pd.DataFrame):
        return list(incidents)
    missing = {"start", "end"} - set(incidents.columns)
    if missing:
        raise InvalidSeriesError(f"a table of incidents needs the column {min(missing)!r}")
    found = []
    for number, row in enumerate(incidents.to_dict("records")):
        try:
            found.append(_incident({str(k): v for k, v in row.items()}))
        except (RuleError, TimeError) as error:
            raise InvalidSeriesError(f"row {number} of the incidents: {error}") from error
    return found


def read_incidents(path: str | os.PathLike[str]) -> list[Incident]:
    r"""Read a CSV file of incidents.

    Parameters
    ----------
    path : str or os.PathLike
        Columns start, end, and perhaps kind, metrics (separated by ``;``), severity,
        description.

    Returns
    -------
    list of Incident
        In the order of the file.

    Raises
    ------
    RecordingError
        If a column is missing or a row is wrong; names the line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "incidents.csv")
    >>> _ = path.write_text("start,end,kind\n2026-01-01T00:00Z,2026-01-01T00:05Z,leak\n")
    >>> read_incidents(path)[0].kind
    'leak'
    """
    import csv

    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = {"start", "end"} - set(reader.fieldnames or ())
        if missing:
            raise RecordingError(f"the column {min(missing)!r} is missing", path=path, line=1)
        found = []
        for row in reader:
            try:
                found.append(_incident(row))
            except (RuleError, TimeError) as error:
                raise RecordingError(str(error), path=path, line=reader.line_num) from error
    return found


def _incident(row: dict[str, Any]) -> Incident:
    metrics = row.get("metrics")
    if isinstance(metrics, str):
        metrics = tuple(name.strip() for name in metrics.split(";") if name.strip())
    given = {
        name: row[name]
        for name in ("severity", "description")
        if isinstance(row.get(name), str) and row[name]
    }
    kind = row.get("kind")
    return Incident.make(
        row["start"],
        row["end"],
        kind if isinstance(kind, str) and kind else "incident",
        metrics=tuple(metrics) if isinstance(metrics, (tuple, list)) else (),
        **given,
    )


def _bases(selection: Selection, rows: Iterable[str]) -> set[str]:
    """Find described metrics of which only parts are kept as series."""
    known = selection.store.metrics
    stems = {name.removesuffix(p) for name in rows for p in ("_bucket", "_sum", "_count")}
    return {stem for stem in stems if stem in known}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
