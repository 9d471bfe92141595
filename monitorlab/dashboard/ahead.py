"""Panels that analyse: the fan of a forecast, the score of an anomaly detector.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> minutes = np.arange(300) * 60_000_000_000
>>> store.extend("load", minutes, 5.0 + np.sin(np.arange(300) / 10.0))
>>> found = fan(Panel("load", kind="forecast", horizon="20m"), store, 0, int(minutes[-1]))
>>> len(found.content.mean)
20
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.analysis_input import prepare
from monitorlab.dashboard.answers import Answer, Line, ask, short_names, thin
from monitorlab.dashboard.bands import Span
from monitorlab.dashboard.panels import Panel
from monitorlab.errors import MatcherError, MonitorlabError
from monitorlab.model import SeriesKey, Severity
from monitorlab.storage import is_stale, parse_selector
from monitorlab.times import parse_duration, to_index

__all__ = ["Fan", "Score", "fan", "found_anomalies", "prepared", "score"]

STEPS = 2_000  # of an expression over the whole time
MOST_SAMPLES = 20_000  # that a detector or a forecaster is given; more are averaged
MOST_SERIES = 3
LEVELS = (0.95, 0.8, 0.5)
LEAST_STEPS = 12
MOST_STEPS = 400
_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fan:
    """A forecast for the screen.

    Parameters
    ----------
    times : numpy.ndarray of int64
        Future steps in nanoseconds.
    mean : numpy.ndarray
        The forecast.
    bands : tuple of (level, lower, upper)
        The widest first.
    said : str
        The forecast in one line.

    Examples
    --------
    >>> Fan(np.array([1]), np.array([2.0]), ()).said
    ''
    """

    times: npt.NDArray[np.int64]
    mean: _Array
    bands: tuple[tuple[float, _Array, _Array], ...]
    said: str = ""


@dataclass(frozen=True, eq=False)
class Score:
    """Where an anomaly detector's line is drawn.

    Parameters
    ----------
    threshold : float
        Score at and above which a sample was called an anomaly.

    Examples
    --------
    >>> Score(0.999).threshold
    0.999
    """

    threshold: float


def prepared(
    source: Any, expr: str, start_ns: int, end_ns: int, *, most: int = MOST_SAMPLES
) -> list[tuple[SeriesKey, pd.Series]]:
    """Give the series of an expression as analyses want them.

    Parameters
    ----------
    source : source
        Where the samples are.
    expr : str
        PromQL; a plain selector gives samples, counters as their rate.
    start_ns, end_ns : int
        The range.
    most : int
        Samples of one series at the most; of more, means of equal stretches are given.

    Returns
    -------
    list of (SeriesKey, pandas.Series)

    Raises
    ------
    QueryError
        If the expression is wrong.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", [1, 2], [1.0, 1.0])
    >>> len(prepared(store, "up", 0, 3 * 10**9))
    1
    """
    try:
        matchers = parse_selector(expr).matchers
    except MatcherError:
        matchers = None
    if matchers is not None:
        views = source.select(matchers, start_ns, end_ns + 1)
        if len(views):
            return [
                (v.key, _averaged(prepare(v, source.metric(v.key.metric)), most)) for v in views
            ]
    step = max(1_000_000_000, (end_ns - start_ns) // STEPS)
    found = []
    for key, times, values in ask(source, expr, start_ns, end_ns, step):
        clean = np.where(is_stale(values), np.nan, values)
        found.append((key, pd.Series(clean, index=to_index(times), name=str(key))))
    return found


def fan(panel: Panel, source: Any, start_ns: int, end_ns: int) -> Answer:
    """Forecast the first series of a question.

    Parameters
    ----------
    panel : Panel
        The question; its ``horizon`` is a third of the range by default.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The history that is learned from.

    Returns
    -------
    Answer
        The history as its line, a ``Fan`` as its ``content``.

    Notes
    -----
    As ``monitorlab.forecasting.forecast_series``; about 20 ms a thousand samples.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> fan(Panel("up", kind="forecast"), SeriesStore(), 0, 60).problem != ""
    True
    """
    from monitorlab.forecasting import forecast_series

    ahead = parse_duration(panel.horizon) if panel.horizon else max(1, (end_ns - start_ns) // 3)
    try:
        series = prepared(source, panel.expr, start_ns, end_ns, most=STEPS)
        if not series:
            return Answer(panel, problem="no samples in this range")
        key, history = series[0]
        result = forecast_series(history, pd.Timedelta(ahead, unit="ns"), capacity=panel.capacity)
    except MonitorlabError as error:
        return Answer(panel, problem=str(error))
    times = pd.DatetimeIndex(result.mean.index).as_unit("ns").asi8
    bands = []
    for level in LEVELS:
        bounds = result.interval(level)
        bands.append((level, bounds["lower"].to_numpy(), bounds["upper"].to_numpy()))
    past = Line(key.labels, "history", history.index.as_unit("ns").asi8, history.to_numpy())
    content = Fan(times, result.mean.to_numpy(), tuple(bands), result.summary())
    return Answer(panel, (thin(past, 800),), len(series), content=content)


def score(panel: Panel, source: Any, start_ns: int, end_ns: int) -> Answer:
    """Score how unlike their own past the series of a question are.

    Parameters
    ----------
    panel : Panel
        The question.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The range, its history included.

    Returns
    -------
    Answer
        Scores as lines, the anomalies as spans.

    Notes
    -----
    At most three series, of at most 20 000 samples each (means of equal stretches of more);
    about 2 µs a sample.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("queue", np.arange(600) * 60_000_000_000, np.arange(600) % 10.0)
    >>> score(Panel("queue", kind="anomaly"), store, 0, 10**14).found
    1
    """
    from monitorlab.anomaly import make_detector

    try:
        series = prepared(source, panel.expr, start_ns, end_ns)
    except MonitorlabError as error:
        return Answer(panel, problem=str(error))
    if not series:
        return Answer(panel, problem="no samples in this range")
    detector = make_detector("auto")
    kept = series[:MOST_SERIES]
    lines, spans = [], []
    for (key, values), name in zip(kept, short_names([k for k, _ in kept]), strict=True):
        scores, events = _detected(key, values, panel.expr)
        lines.append(
            Line(key.labels, name or key.metric or panel.expr, scores.index.as_unit("ns").asi8,
                 scores.to_numpy())
        )  # fmt: skip
        spans += events
    return Answer(
        panel, tuple(lines), len(series), spans=tuple(spans), content=Score(detector.threshold)
    )


def found_anomalies(
    source: Any,
    expr: str,
    start_ns: int,
    end_ns: int,
    *,
    most: int = MOST_SAMPLES,
    title: str = "",
) -> list[Span]:
    """Give when the series of an expression behaved unlike their own past.

    Parameters
    ----------
    source : source
        Where the samples are.
    expr : str
        The series.
    start_ns, end_ns : int
        The range, its history included.
    most : int
        Samples looked at of each series at the most.
    title : str
        Name of what the expression makes; the expression by default.

    Returns
    -------
    list of Span
        Each with the detector's own words; empty where the expression is wrong.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> values = np.arange(600) % 10.0
    >>> values[500] = 40.0
    >>> store.extend("queue", np.arange(600) * 60_000_000_000, values)
    >>> [span.label for span in found_anomalies(store, "queue", 0, 10**14)]
    ['queue: spike']
    """
    try:
        series = prepared(source, expr, start_ns, end_ns, most=most)
    except MonitorlabError:
        return []  # the panel that asks the same says why
    spans: list[Span] = []
    for key, values in series[:MOST_SERIES]:
        spans += _detected(key, values, title or expr)[1]
    return spans


def _detected(key: SeriesKey, values: pd.Series, title: str) -> tuple[pd.Series, list[Span]]:
    from monitorlab.anomaly import detect

    name = str(key) if key.metric else f"{title} {key}".strip()
    found = detect(values.rename(name))
    spans = []
    for number, event in enumerate(found.events.itertuples()):
        if event.kind == "gap":
            continue
        start = int(event.start.as_unit("ns").value)
        end = max(int(event.end.as_unit("ns").value), start + 1_000_000)
        severity = Severity.parse(event.severity)
        spans.append(
            Span(start, end, "anomaly", f"{name}: {event.kind}", severity, found.explain(number))
        )
    return found.scores.dropna(), spans


def _averaged(series: pd.Series, most: int) -> pd.Series:
    """Give means of equal stretches where there are too many samples."""
    if len(series) <= most:
        return series
    stamps = series.index.as_unit("ns").asi8
    values = series.to_numpy(dtype=np.float64)
    width = -(-int(stamps[-1] - stamps[0] + 1) // most)
    cell = (stamps - stamps[0]) // width
    good = np.isfinite(values)
    count = np.bincount(cell[good], minlength=1)
    total = np.bincount(cell[good], weights=values[good], minlength=1)
    full = np.flatnonzero(count)
    times = stamps[0] + full * width + width - 1
    return pd.Series(total[full] / count[full], index=to_index(times), name=series.name)
