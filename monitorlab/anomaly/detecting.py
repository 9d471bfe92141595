"""``detect``: find the anomalies of one series, or of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.absences import find_flat_lines, find_gaps
from monitorlab.anomaly.base import Detector, detectors, make_detector, series_arrays
from monitorlab.anomaly.events import EVENT_COLUMNS, find_events
from monitorlab.anomaly.feedback import Feedback
from monitorlab.anomaly.joint import joint_scores
from monitorlab.anomaly.likeness import heed
from monitorlab.anomaly.result import Anomalies
from monitorlab.anomaly.spells import joint_events
from monitorlab.anomaly.verdicts import verdicts
from monitorlab.model import Incident

__all__ = ["detect"]


def detect(
    series: pd.Series | Mapping[Any, pd.Series],
    detector: str | Detector | None = "auto",
    *,
    together: bool = False,
    marks: Iterable[Incident] = (),
) -> Anomalies:
    """Find when a series, or several, behaved unlike their own past.

    Parameters
    ----------
    series : pandas.Series or mapping of series key to pandas.Series
        Values on an increasing ``DatetimeIndex``, NaN where a sample is missing.
    detector : str or Detector, optional
        Name out of ``detectors()``, or a detector, whose parameters and threshold are taken
        (what it learned so far is not). ``None`` means ``"auto"``.
    together : bool
        Score all series as one system: a joint score, and for each event the series ranked
        by their share.
    marks : iterable of Incident
        Verdicts on earlier events (kind ``"expected"`` or ``"anomaly"``, as ``Anomalies.mark``
        makes them): the threshold of their series adapts, and what is like an event that was
        expected is information. ``mf.anomalies`` gives those that the frame keeps.

    Returns
    -------
    Anomalies
        ``.scores``, ``.events``, ``.explain()``, ``.plot()``.

    Raises
    ------
    InvalidSeriesError
        If an index goes back in time or is no ``DatetimeIndex``.
    UnknownNameError
        If there is no such detector.
    TypeError
        If the detector is neither a name nor a detector.

    Notes
    -----
    Every score uses the past of its sample alone. Gaps of ten usual intervals and more, and
    readings that stay the same for three times as long as ever (a dead sensor), are listed as
    events of kind ``"gap"`` and ``"flat-line"`` beside what the scores say; of series that are
    looked at together, one that several share is listed once. Intervals and kinds of events
    are made with hindsight. Cost O(n): that of the detector, and 1 to 2.5 ms an event.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
    >>> values = pd.Series(np.arange(600) % 10.0, index=index)
    >>> values.iloc[500] = 40.0
    >>> found = detect(values)
    >>> found
    Anomalies: 1 event in 600 samples (detector 'auto', threshold 0.999)
    >>> found.events["time"].tolist() == [index[500]]
    True
    """
    if detector is None or isinstance(detector, str):
        model = make_detector("auto" if detector is None else detector)
    elif isinstance(detector, Detector):
        model = detector
    else:
        msg = f"a detector is one of {', '.join(detectors())} or a Detector, not {detector!r}"
        raise TypeError(msg)
    name = model.name or type(model).__name__
    single = not isinstance(series, Mapping)
    given = {_name_of(series): series} if single else {str(k): s for k, s in series.items()}
    stamped = {key: _aware(s) for key, s in given.items()}
    said = verdicts(marks)
    thresholds: dict[str, float] = {}
    if together:
        traces = {key: _trace(model, s) for key, s in stamped.items()}
        joint, events = _look_together(model, traces, stamped, model.threshold)
        known = events
        feedback = Feedback(model.threshold)
        feedback.learn_events(events, joint, said)
        if feedback.threshold != model.threshold:
            thresholds[""] = feedback.threshold
            joint, events = _look_together(model, traces, stamped, feedback.threshold)
        bar = feedback.threshold_expected
        events = heed(events, known, said, bar, series=stamped, traces=traces)
        scores: pd.Series | pd.DataFrame = joint["score"]
    else:
        looked = {key: _look(model, key, s, said) for key, s in stamped.items()}
        traces = {key: found.trace for key, found in looked.items()}
        thresholds = {k: f.threshold for k, f in looked.items() if f.threshold != model.threshold}
        events = _join([f.events for f in looked.values()])
        scores = (
            next(iter(traces.values()))["score"]
            if single
            else pd.DataFrame(
                {k: t["score"][~t.index.duplicated(keep="last")] for k, t in traces.items()}
            )
        )
    return Anomalies(scores, events, model.threshold, name, together, thresholds, stamped, traces)


@dataclass(frozen=True)
class _Found:
    trace: pd.DataFrame
    events: pd.DataFrame
    threshold: float


def _look(model: Detector, name: str, series: pd.Series, said: list[Incident]) -> _Found:
    """Find the events of one series, with the threshold that verdicts on it ask for."""
    trace = _trace(model, series)
    events = known = find_events(series, trace, model.threshold, name=name)
    feedback = Feedback(model.threshold)
    feedback.learn_events(events, trace, said, name)
    threshold = feedback.threshold
    if threshold != model.threshold:
        again = model.clone()
        again.threshold = threshold
        trace = _trace(again, series)
        events = find_events(series, trace, threshold, name=name)
    absent = find_flat_lines(series, name=name), find_gaps(series, name=name)
    events, known = _with_absences(events, *absent), _with_absences(known, *absent)
    bar = feedback.threshold_expected
    events = heed(events, known, said, bar, series={name: series}, traces={name: trace})
    return _Found(trace, events, threshold)


def _with_absences(events: pd.DataFrame, flat: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Add flat lines and gaps that the scores have not told already."""
    flat = flat[~_overlap(flat, events[events["kind"] == "flat-line"])]
    gaps, told = _scored_gaps(gaps, events)
    return _join([events[~told], flat, gaps])


def _overlap(events: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    """Tell which events overlap one of some others, which are in order and apart."""
    starts, ends = others["start"].to_numpy(), others["end"].to_numpy()
    before = np.searchsorted(starts, events["end"].to_numpy())
    after = np.searchsorted(ends, events["start"].to_numpy(), side="right")
    overlap: np.ndarray = before > after
    return overlap


def _scored_gaps(gaps: pd.DataFrame, events: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Give gaps the score of the events that say the same, and tell which of those do."""
    told = ((events["kind"] == "gap") & events["time"].isin(gaps["time"])).to_numpy()
    if not told.any():
        return gaps, told
    by_time = events[told].drop_duplicates("time").set_index("time")
    scores = gaps["time"].map(by_time["score"])
    severities = gaps["time"].map(by_time["severity"])
    return gaps.assign(score=scores, severity=severities.fillna(gaps["severity"])), told


def _trace(model: Detector, series: pd.Series) -> pd.DataFrame:
    tracer = getattr(model, "trace", None)
    if tracer is not None:
        found: pd.DataFrame = tracer(series)
        return found
    score = model.score(series)
    missing = np.full(len(score), np.nan)
    return pd.DataFrame(
        {"score": score, "tail": score, "expected": missing, "lower": missing, "upper": missing},
        index=series.index,
    )


def _aware(series: pd.Series) -> pd.Series:
    series_arrays(series)
    index = series.index
    stamped = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    return pd.Series(
        series.to_numpy(dtype=np.float64, na_value=np.nan), index=stamped.as_unit("ns"),
        name=series.name,
    )  # fmt: skip


def _name_of(series: Any) -> str:
    name = getattr(series, "name", None)
    return "" if name is None else str(name)


def _join(found: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in found if len(table)]
    if not filled:
        return found[0] if found else pd.DataFrame(columns=list(EVENT_COLUMNS))
    table = pd.concat(filled, ignore_index=True)
    return table.sort_values(["time", "series"], kind="stable", ignore_index=True)


def _look_together(
    model: Detector,
    traces: Mapping[str, pd.DataFrame],
    series: Mapping[str, pd.Series],
    threshold: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the events of all series as one system."""
    # who asks for gaps alone does not ask where the levels are
    blind = getattr(model, "statistics", None) == ("missing",)
    joint, shares = joint_scores(
        traces, threshold, alarm=model.threshold, series=None if blind else series
    )
    return joint, joint_events(joint, shares, traces, series, threshold)
