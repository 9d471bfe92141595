r"""Read exposition text: OpenMetrics 1.0 and the Prometheus text format 0.0.4.

>>> text = '# TYPE hits counter\nhits_total{route="/"} 3 1767225600\n# EOF\n'
>>> exposition = parse_openmetrics(text)
>>> exposition.keys, exposition.metrics["hits_total"].type.value
((hits_total{route="/"},), 'counter')
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from monitorlab.errors import MonitorlabWarning, RecordingError
from monitorlab.io.exposition_check import BrokenRuleError, check_families
from monitorlab.io.exposition_numbers import sample_line
from monitorlab.io.exposition_scan import ExpositionScanner, Family
from monitorlab.io.files import read_all
from monitorlab.model import Metric, MetricType, SeriesKey
from monitorlab.storage import SeriesStore
from monitorlab.times import TimeLike, from_ns, to_ns

__all__ = ["Exposition", "ExpositionFormat", "parse_openmetrics", "read_openmetrics"]

ExpositionFormat: TypeAlias = Literal["auto", "openmetrics", "prometheus"]

_CHUNK = 1 << 24  # characters scanned at a time
_HEAD = 1 << 16  # characters looked at to tell OpenMetrics that was cut short
_ONLY_OPENMETRICS = re.compile(
    r"^# (?:UNIT .*|TYPE \S+ (?:unknown|info|stateset|gaugehistogram))$", re.MULTILINE
)
_EARLY_NS = 100_000_000_000_000_000  # March 1973: earlier times in milliseconds are a mix-up


@dataclass(frozen=True, slots=True)
class Exposition:
    r"""What a text exposed: series with samples, and what it says of their metrics.

    Parameters
    ----------
    keys : tuple of SeriesKey
        The series, in the order of the text.
    times : tuple of numpy.ndarray of int64
        Nanoseconds, strictly increasing, one array a series.
    values : tuple of numpy.ndarray of float64
        Values.
    metrics : dict of str to Metric
        Type, unit and description by metric name.
    exemplars : tuple of (int, int, dict)
        Series number, time of the sample, and the exemplar: labels, value, perhaps time_ns.

    Examples
    --------
    >>> parse_openmetrics("up 1 1767225600000\n").values[0].tolist()
    [1.0]
    """

    keys: tuple[SeriesKey, ...]
    times: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    metrics: dict[str, Metric]
    exemplars: tuple[tuple[int, int, dict[str, Any]], ...] = ()

    @property
    def sample_count(self) -> int:
        """Number of samples."""
        return sum(len(times) for times in self.times)

    def into(self, store: SeriesStore) -> None:
        """Add everything to a store; exemplars become metadata of their samples."""
        noted = {(number, time): note for number, time, note in self.exemplars}
        for number, (key, times, values) in enumerate(
            zip(self.keys, self.times, self.values, strict=True)
        ):
            at = [t for n, t in noted if n == number] if noted else []
            rest = ~np.isin(times, at) if at else slice(None)
            store.extend(key, times[rest], values[rest])
            for time in at:
                value = values[int(times.searchsorted(time))]
                store.record(key, value, from_ns(time), metadata={"exemplar": noted[number, time]})
        for name, metric in self.metrics.items():
            store.metrics.setdefault(name, metric)


def read_openmetrics(
    path: str | os.PathLike[str],
    *,
    format: ExpositionFormat = "auto",  # noqa: A002 - the usual word
    timestamp: TimeLike | None = None,
    strict: bool = True,
) -> SeriesStore:
    r"""Read a file of exposition text, plain or gzipped, into a store.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    format, timestamp, strict
        As in ``parse_openmetrics``.

    Returns
    -------
    SeriesStore
        Samples, types, units and descriptions; exemplars as sample metadata.

    Raises
    ------
    RecordingError
        If the file is empty or a line is malformed; names the line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.prom")
    >>> _ = path.write_text("up 1 1767225600000\nup 0 1767225601000\n")
    >>> read_openmetrics(path).sample_count
    2
    """
    name = os.fspath(path)
    data = read_all(name)
    if not data.strip():
        raise RecordingError("the file is empty", path=name)
    exposition = parse_openmetrics(
        data, format=format, timestamp=timestamp, strict=strict, path=name
    )
    if not exposition.sample_count:
        raise RecordingError("the file has no samples", path=name)
    store = SeriesStore()
    exposition.into(store)
    return store


def parse_openmetrics(
    text: str | bytes,
    *,
    format: ExpositionFormat = "auto",  # noqa: A002 - the usual word
    timestamp: TimeLike | None = None,
    strict: bool = True,
    path: str | None = None,
) -> Exposition:
    r"""Read exposition text.

    Parameters
    ----------
    text : str or bytes
        OpenMetrics 1.0 or Prometheus text 0.0.4; one exposition, or samples of many times.
    format : {"auto", "openmetrics", "prometheus"}
        Text whose last line is ``# EOF`` is OpenMetrics.
    timestamp : time, optional
        Time of samples that carry none, as a scraped page's do not.
    strict : bool
        Whether to check the rules of OpenMetrics for whole families too (order, grouping,
        buckets, kinds of value), not only each line.
    path : str, optional
        Named in errors.

    Returns
    -------
    Exposition
        Series and metrics.

    Raises
    ------
    RecordingError
        If a line is malformed, a rule is broken, the end is missing, or a sample carries no
        time and none is given; names the line.

    Warns
    -----
    MonitorlabWarning
        If times of the Prometheus format, which are milliseconds, look like seconds.

    Notes
    -----
    A family's type goes to its metrics: a counter's ``…_total`` and the ``_bucket``,
    ``_count`` and ``_sum`` of a histogram or summary are counters, the base name of a
    histogram is a histogram. Of two samples of one series at one time the first stays, as
    in Prometheus. Linear in the text: each label set is parsed once, then found by its own
    text; numbers are parsed together.

    References
    ----------
    OpenMetrics 1.0; Prometheus exposition formats, text format 0.0.4.

    Examples
    --------
    >>> parse_openmetrics('hits{route="/} 3\n')
    Traceback (most recent call last):
    ...
    monitorlab.errors.RecordingError: line 1: the label value must stand in double quotes
    """
    content = _decoded(text, path)
    if format not in ("auto", "openmetrics", "prometheus"):
        raise RecordingError(f"format={format!r} is not 'auto', 'openmetrics' or 'prometheus'")
    openmetrics = format == "openmetrics" or (format == "auto" and _looks_openmetrics(content))
    if not openmetrics and "\r" in content:
        content = content.replace("\r\n", "\n")
    scanner = ExpositionScanner(openmetrics=openmetrics, path=path)
    first_line = 1
    for lines in _chunks(content):
        scanner.feed(lines, first_line)
        first_line += len(lines)
    if openmetrics:
        _check_end(scanner)
    codes, times, values, timed = scanner.columns()
    if openmetrics and strict:
        try:
            check_families(scanner, codes, times, values, timed)
        except BrokenRuleError as error:
            line = error.line
            if error.index is not None:
                line = sample_line(content.split("\n"), error.index)
            raise RecordingError(str(error), path=path, line=line) from error
    if not timed.all():
        if timestamp is None:
            line = sample_line(content.split("\n"), int((~timed).argmax()))
            raise RecordingError(
                "the sample has no time; pass timestamp=… for all that have none",
                path=path,
                line=line,
            )
        times[~timed] = to_ns(timestamp)
    if not openmetrics and len(times) and int(np.abs(times[timed]).max(initial=0)) < _EARLY_NS:
        _warn_early(times, timed)
    return _exposition(scanner, codes, times, values)


def _warn_early(times: np.ndarray, timed: np.ndarray) -> None:
    if timed.any() and times[timed].any():
        warnings.warn(
            "times of the Prometheus text format are milliseconds, and these lie before 1973; "
            "if they are seconds, the text is OpenMetrics: pass format='openmetrics' and end "
            "it with '# EOF'",
            MonitorlabWarning,
            stacklevel=4,
        )


def _decoded(text: str | bytes, path: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return bytes(text).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = bytes(text).count(b"\n", 0, error.start) + 1
        raise RecordingError("the text is not UTF-8", path=path, line=line) from error


def _looks_openmetrics(text: str) -> bool:
    end = text[-64:].rstrip("\n")
    if end == "# EOF" or end.endswith("\n# EOF"):
        return True
    return _ONLY_OPENMETRICS.search(text[:_HEAD]) is not None


def _chunks(text: str) -> Iterator[list[str]]:
    """Give the lines in lists of moderate size, the empty end after the last break left out."""
    position = 0
    while position < len(text):
        end = text.find("\n", position + _CHUNK)
        end = len(text) if end < 0 else end + 1
        lines = text[position:end].split("\n")
        if text[end - 1] == "\n":
            lines.pop()
        yield lines
        position = end


def _check_end(scanner: ExpositionScanner) -> None:
    if scanner.eof_line is None:
        raise RecordingError(
            "the last line must be '# EOF'; the text may be cut short",
            path=scanner.path,
            line=scanner.last_line + 1,
        )
    if scanner.eof_line != scanner.last_line:
        raise RecordingError(
            "nothing may follow '# EOF'", path=scanner.path, line=scanner.eof_line + 1
        )


def _exposition(
    scanner: ExpositionScanner, codes: np.ndarray, times: np.ndarray, values: np.ndarray
) -> Exposition:
    exemplars = tuple(
        (int(codes[index]), int(times[index]), note) for index, note in scanner.exemplars
    )
    counts = np.bincount(codes, minlength=len(scanner.keys))
    small = codes.astype(np.uint16) if len(counts) <= 1 << 16 else codes
    order = np.argsort(small, kind="stable")
    ends = np.cumsum(counts).tolist()
    sorted_times, sorted_values = times[order], values[order]
    split_times, split_values = [], []
    for end, count in zip(ends, counts.tolist(), strict=True):
        part_times = sorted_times[end - count : end]
        part_values = sorted_values[end - count : end]
        if not (part_times[1:] > part_times[:-1]).all():
            part_times, first = np.unique(part_times, return_index=True)
            part_values = part_values[first]
        split_times.append(part_times)
        split_values.append(part_values)
    return Exposition(
        tuple(scanner.keys),
        tuple(split_times),
        tuple(split_values),
        _metrics(scanner.families, scanner.keys, scanner.family_of),
        exemplars,
    )


def _metrics(
    families: Sequence[Family], keys: Sequence[SeriesKey], family_of: Sequence[int]
) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {}
    for key, number in zip(keys, family_of, strict=True):
        family = families[number]
        name = key.metric
        if name in metrics or (family.type, family.help, family.unit) == (None, None, None):
            continue
        suffix = name[len(family.name) :]
        kind = family.type or "unknown"
        counts = kind == "counter" or (kind in ("histogram", "summary") and suffix)
        is_creation = suffix == "_created"
        unit = "" if suffix in ("_bucket", "_count", "_gcount") else family.unit or ""
        metrics[name] = Metric(
            name,
            MetricType.COUNTER if counts and not is_creation else MetricType.GAUGE,
            "seconds" if is_creation else unit,
            family.help or "",
        )
        if kind == "histogram" and family.name not in metrics:
            metrics[family.name] = Metric(
                family.name, MetricType.HISTOGRAM, family.unit or "", family.help or ""
            )
    return metrics
