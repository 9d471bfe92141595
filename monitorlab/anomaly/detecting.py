"""``detect``: find the anomalies of one series, or of many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.base import Detector, make_detector, series_arrays
from monitorlab.anomaly.events import EVENT_COLUMNS, find_events, find_gaps
from monitorlab.anomaly.joint import joint_scores
from monitorlab.anomaly.result import Anomalies

__all__ = ["detect"]

MAX_SHARES = 10


def detect(
    series: pd.Series | Mapping[Any, pd.Series],
    detector: str | Detector | None = "auto",
    *,
    together: bool = False,
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

    Notes
    -----
    Every score uses the past of its sample alone. Gaps of ten usual intervals and more are
    listed as events of kind ``"gap"`` beside what the scores say. Cost about 2 µs a sample
    for ``"auto"``.

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
    name = detector if isinstance(detector, str) else "auto"
    model = detector if isinstance(detector, Detector) else make_detector(name)
    if isinstance(detector, Detector):
        name = detector.name or type(detector).__name__
    single = not isinstance(series, Mapping)
    given = {_name_of(series): series} if single else {str(k): s for k, s in series.items()}
    traces = {key: _trace(model, s) for key, s in given.items()}
    stamped = {key: _aware(s) for key, s in given.items()}
    if together:
        joint, shares = joint_scores(traces, model.threshold)
        events = _joint_events(joint, shares, traces, stamped, model.threshold)
        scores: pd.Series | pd.DataFrame = joint["score"]
    else:
        found = [find_events(stamped[k], t, model.threshold, name=k) for k, t in traces.items()]
        found += [find_gaps(s, name=k) for k, s in stamped.items()]
        events = _join(found)
        scores = (
            next(iter(traces.values()))["score"]
            if single
            else pd.DataFrame(
                {k: t["score"][~t.index.duplicated(keep="last")] for k, t in traces.items()}
            )
        )
    return Anomalies(scores, events, model.threshold, name, together, stamped, traces)


def _trace(model: Detector, series: pd.Series) -> pd.DataFrame:
    tracer = getattr(model, "trace", None)
    aware = _aware(series)
    if tracer is not None:
        found: pd.DataFrame = tracer(aware)
        return found
    score = model.score(aware)
    missing = np.full(len(score), np.nan)
    return pd.DataFrame(
        {"score": score, "tail": score, "expected": missing, "lower": missing, "upper": missing},
        index=aware.index,
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


def _joint_events(
    joint: pd.DataFrame,
    shares: pd.DataFrame,
    traces: Mapping[str, pd.DataFrame],
    series: Mapping[str, pd.Series],
    threshold: float,
) -> pd.DataFrame:
    """Describe each joint alarm by the series with the greatest share in it."""
    alarms = joint.index[joint["score"].to_numpy() >= threshold]
    rows = []
    last = None
    for time in alarms:
        if last is not None and time < last:
            continue
        ranked = shares.loc[time].sort_values(ascending=False, kind="stable")
        ranked = ranked[ranked > 0.0].head(MAX_SHARES)
        lead = str(ranked.index[0])
        trace = traces[lead]
        upto = trace.index.searchsorted(time, side="right") - 1
        # the lead series may have spoken a few samples before the joint alarm
        window = trace["tail"].to_numpy()[max(0, upto - 3) : upto + 1]
        at = max(0, upto - 3) + int(np.nanargmax(window))
        forced = trace.copy()
        forced["score"] = 0.0
        forced.iloc[at, forced.columns.get_loc("score")] = 1.0
        row = find_events(series[lead], forced, 0.5, name=lead).iloc[0].to_dict()
        row["time"] = time
        row["score"] = float(joint["tail"].loc[time])
        row["end"] = max(row["end"], time)
        row["shares"] = {str(k): float(v) for k, v in ranked.items()}
        rows.append(row)
        last = row["end"]
    return pd.DataFrame(rows, columns=[*EVENT_COLUMNS, "shares"])
