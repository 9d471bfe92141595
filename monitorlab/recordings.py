r"""Open recordings as frames: CSV, Parquet, exposition text, a Prometheus server.

>>> import pathlib, tempfile
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.csv")
>>> _ = path.write_text("time,cpu\n2026-01-01T00:00:00Z,0.5\n")
>>> read_csv(path).series("cpu").tolist()
[0.5]
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from monitorlab import io
from monitorlab.frame import MonitoringFrame
from monitorlab.times import DurationLike, TimeLike

__all__ = ["read_csv", "read_openmetrics", "read_parquet", "read_prometheus"]


def read_csv(path: str | os.PathLike[str], **options: Any) -> MonitoringFrame:
    r"""Open a CSV file, wide or long, plain or gzipped.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    **options : object
        Arguments of ``monitorlab.io.read_csv``: layout, timestamp, metric, value, labels,
        tz, time_format, delimiter, duplicates.

    Returns
    -------
    MonitoringFrame
        The samples.

    Raises
    ------
    RecordingError
        If the file cannot be read; names path, line and column.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.csv")
    >>> _ = path.write_text("ts,metric,value,host\n1767225600,cpu,0.5,a\n")
    >>> read_csv(path).selection.keys
    [cpu{host="a"}]
    """
    return MonitoringFrame(io.read_csv(path, **options))


def read_parquet(
    path: str | os.PathLike[str], select: str | None = None, **options: Any
) -> MonitoringFrame:
    """Open a Parquet file, ours or a foreign one.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    select : str, optional
        PromQL selector: only these series are read.
    **options : object
        Arguments of ``monitorlab.io.read_parquet``: start, end, layout, labels, tz,
        duplicates.

    Returns
    -------
    MonitoringFrame
        Samples, metrics, incidents and sample metadata.

    Raises
    ------
    RecordingError
        If the file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
    >>> mf = MonitoringFrame()
    >>> mf.record("up", 1, "2026-01-01T00:00Z"); mf.to_parquet(path)
    >>> read_parquet(path).series("up").tolist()
    [1.0]
    """
    return MonitoringFrame(io.read_parquet(path, select, **options))


def read_openmetrics(path: str | os.PathLike[str], **options: Any) -> MonitoringFrame:
    r"""Open a file of exposition text: OpenMetrics, or the Prometheus text format.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    **options : object
        Arguments of ``monitorlab.io.read_openmetrics``: format, timestamp, strict.

    Returns
    -------
    MonitoringFrame
        Samples, types, units, descriptions; exemplars as sample metadata.

    Raises
    ------
    RecordingError
        If a line is malformed; names it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.om")
    >>> _ = path.write_text("# TYPE hits counter\nhits_total 3 1767225600\n# EOF\n")
    >>> read_openmetrics(path).metrics.loc["hits_total", "type"]
    'counter'
    """
    return MonitoringFrame(io.read_openmetrics(path, **options))


def read_prometheus(
    url: str,
    match: str | Sequence[str],
    start: TimeLike,
    end: TimeLike,
    step: DurationLike = "15s",
    **options: Any,
) -> MonitoringFrame:
    """Read series from a Prometheus server over a range of time.

    Parameters
    ----------
    url : str
        Address of the server.
    match : str or sequence of str
        Selectors.
    start, end : time
        First and last step, both included.
    step : duration
        Distance of the samples.
    **options : object
        Arguments of ``monitorlab.io.read_prometheus``: timeout, headers, auth, max_bytes,
        metadata, client.

    Returns
    -------
    MonitoringFrame
        Samples at the steps, with types, units and descriptions.

    Raises
    ------
    SourceError
        If the server does not answer as it should.
    MissingExtraError
        If httpx is not installed.

    Examples
    --------
    >>> read_prometheus("http://localhost:9090", ["up"], 60, 0)
    Traceback (most recent call last):
    ...
    monitorlab.errors.TimeError: the range 60 to 0 ends before it starts
    """
    return MonitoringFrame(io.read_prometheus(url, match, start, end, step, **options))
