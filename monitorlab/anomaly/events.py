"""From scores to events: intervals with a kind, a severity and the statistics that spoke.

>>> import numpy as np, pandas as pd
>>> from monitorlab import anomaly
>>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
>>> values = pd.Series(np.arange(600) % 10.0, index=index)
>>> values.iloc[500] = 40.0
>>> anomaly.detect(values).events["kind"].tolist()
['spike']
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.display import format_number
from monitorlab.model import Severity

__all__ = ["EVENT_COLUMNS", "KINDS", "explain_event", "find_events", "find_gaps", "severity_of"]

EVENT_COLUMNS = (
    "series",
    "time",
    "start",
    "peak",
    "end",
    "value",
    "expected",
    "lower",
    "upper",
    "score",
    "kind",
    "severity",
    "statistics",
)
KINDS = (
    "spike",
    "dip",
    "level shift",
    "trend change",
    "variance change",
    "seasonal break",
    "flat-line",
    "gap",
    "unusual pattern",
)
STRANGE = 0.99  # tail at and above which a sample belongs to an event round an alarm
QUIET = 3  # usual samples in a row that end an event
SHIFT_SAMPLES = 20  # an event that stays out of the band so long is a level shift
GAP_INTERVALS = 10.0  # missing time, in usual intervals, that is worth an event
GAP_WARMUP = 20
LIFETIME = 4_000.0  # samples that every stream counts as having, as the kernel does
_BASE = ("score", "tail", "expected", "lower", "upper")
_SEASONAL = ("day_novelty", "day_level_novelty", "weekly")
_KIND_OF = {
    "variance": "variance change",
    "roughness_novelty": "variance change",
    "long_roughness_novelty": "variance change",
    "trend": "trend change",
    "stuck": "flat-line",
    "missing": "gap",
    "level_short": "level shift",
    "level_long": "level shift",
}


def find_events(
    series: pd.Series, trace: pd.DataFrame, threshold: float, *, name: str = ""
) -> pd.DataFrame:
    """Turn the alarms of one series into events.

    Parameters
    ----------
    series : pandas.Series
        The samples.
    trace : pandas.DataFrame
        What ``Ensemble.trace`` found for them.
    threshold : float
        Score at and above which a sample alarms.
    name : str
        Name of the series in the table.

    Returns
    -------
    pandas.DataFrame
        One row an event, columns ``EVENT_COLUMNS``. ``time`` is when it was called (known
        live); ``start`` the first strange sample of the run it stands in, ``end`` (exclusive)
        and ``kind`` may use the samples up to the end of the event.

    Notes
    -----
    An event is a run of samples with a tail of 0.99 and more round an alarm, three usual
    samples in a row end it. Cost O(n).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.anomaly.ensemble import Ensemble
    >>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
    >>> series = pd.Series(np.arange(600) % 10.0, index=index, name="queue")
    >>> series.iloc[500] = 40.0
    >>> found = find_events(series, Ensemble().trace(series), threshold=0.999)
    >>> found["kind"].tolist(), found["time"].tolist() == [index[500]]
    (['spike'], True)
    """
    present = ~np.isnan(trace["score"].to_numpy())
    rows = trace[present]
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)[present]
    score = rows["score"].to_numpy()
    strange = rows["tail"].to_numpy() >= STRANGE
    alarms = np.flatnonzero(score >= threshold)
    found: list[dict[str, Any]] = []
    end = 0
    for alarm in alarms.tolist():
        if alarm < end:
            continue
        start = alarm
        while start > end and strange[start - 1]:
            start -= 1
        end = _run_end(strange, alarm)
        found.append(_describe(rows, values, name, start, alarm, end))
    return _table(found)


def find_gaps(series: pd.Series, *, name: str = "") -> pd.DataFrame:
    """List the times in which samples are missing for much longer than usual.

    Parameters
    ----------
    series : pandas.Series
        The samples; NaN counts as missing.
    name : str
        Name of the series in the table.

    Returns
    -------
    pandas.DataFrame
        One row a gap of ten usual intervals and more (the median interval so far), kind
        ``"gap"``, severity info; score and expected value are missing, as the samples are.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.date_range("2026-01-01", periods=100, freq="min", tz="UTC")
    >>> find_gaps(pd.Series(1.0, index=index).drop(index[50:80]))["statistics"].tolist()
    [{'missing': 31.0}]
    """
    kept = series[np.isfinite(series.to_numpy(dtype=np.float64, na_value=np.nan))]
    times = kept.index
    found: list[dict[str, Any]] = []
    if len(kept) <= GAP_WARMUP:
        return _table(found)
    steps = np.diff(times.as_unit("ns").asi8) / 1e9
    before = pd.Series(steps).rolling(200, min_periods=GAP_WARMUP).median().shift(1).to_numpy()
    for row in np.flatnonzero((before > 0.0) & (steps >= GAP_INTERVALS * before)):
        usual = before[row]
        found.append(
            {
                "series": name, "time": times[row + 1], "start": times[row],
                "peak": times[row + 1], "end": times[row + 1], "value": math.nan,
                "expected": math.nan, "lower": math.nan, "upper": math.nan,
                "score": math.nan, "kind": "gap", "severity": Severity.INFO.value,
                "statistics": {"missing": float(steps[row] / usual)},
            }
        )  # fmt: skip
    return _table(found)


def severity_of(tail: float) -> Severity:
    """Give the severity of a score: one in 1 000, 10 000 and a million set the classes.

    Parameters
    ----------
    tail : float
        A score without the bar after an alarm.

    Returns
    -------
    Severity

    Examples
    --------
    >>> severity_of(0.9995).value, severity_of(0.99995).value
    ('warning', 'error')
    """
    chance = 1.0 - tail
    if chance <= 1e-6:
        return Severity.CRITICAL
    if chance <= 1e-4:
        return Severity.ERROR
    return Severity.WARNING


def explain_event(event: Any) -> str:
    """Say in one sentence what was found, against what, and what spoke.

    Parameters
    ----------
    event : mapping or pandas.Series
        A row of the table of events.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.date_range("2026-01-01", periods=100, freq="min", tz="UTC")
    >>> gaps = find_gaps(pd.Series(1.0, index=index).drop(index[50:80]), name="cpu")
    >>> explain_event(gaps.iloc[0])
    'cpu: no samples for 31m00s before 2026-01-01 01:20:00 (31 usual intervals).'
    """
    from monitorlab.anomaly.ensemble import STATISTICS

    name = f"{event['series']}: " if event["series"] else ""
    when = format_number(event["time"])
    if event["kind"] == "gap" and math.isnan(event["value"]):
        length = format_number(event["end"] - event["start"])
        times = format_number(event["statistics"]["missing"], digits=2)
        return f"{name}no samples for {length} before {when} ({times} usual intervals)."
    alike = round((1.0 - event["score"]) * LIFETIME - 0.5)  # see Ensemble: what a score counts
    rarity = (
        "nothing in this series' own past was as strange"
        if alike <= 0
        else f"{alike} spell{'s' * (alike != 1)} of this series' own past were as strange"
    )
    spoke = "; ".join(
        f"{STATISTICS.get(s, s)} (1 spell in {format_number(math.exp(min(v, 20.7)), digits=2)})"
        for s, v in event["statistics"].items()
    )
    return (
        f"{name}{event['kind']} at {when}: {format_number(event['value'])} where "
        f"{format_number(event['lower'])} to {format_number(event['upper'])} was expected, "
        f"{rarity}; {spoke}."
    )


def _run_end(strange: np.ndarray, alarm: int) -> int:
    end = alarm + 1
    quiet = 0
    for row in range(alarm + 1, len(strange)):
        quiet = 0 if strange[row] else quiet + 1
        if quiet >= QUIET:
            break
        if strange[row]:
            end = row + 1
    return end


def _describe(
    rows: pd.DataFrame, values: np.ndarray, name: str, start: int, alarm: int, end: int
) -> dict[str, Any]:
    times = rows.index
    tail = rows["tail"].to_numpy()
    peak = start + int(np.argmax(tail[start:end]))
    spoke = rows.iloc[alarm].drop(list(_BASE)).astype(float)
    spoke = spoke[spoke >= 0.5 * spoke.max()].sort_values(ascending=False)
    lower, upper = (float(rows[c].iloc[alarm]) for c in ("lower", "upper"))
    step = times[end - 1] - times[end - 2] if end >= 2 else pd.Timedelta(0)
    return {
        "series": name,
        "time": times[alarm],
        "start": times[start],
        "peak": times[peak],
        "end": times[end] if end < len(times) else times[end - 1] + step,
        "value": float(values[alarm]),
        "expected": float(rows["expected"].iloc[alarm]),
        "lower": lower,
        "upper": upper,
        "score": float(tail[start:end].max()),
        "kind": _kind(spoke, values, alarm, float(rows["expected"].iloc[alarm]), lower, upper),
        "severity": severity_of(float(tail[start:end].max())).value,
        "statistics": {str(k): float(v) for k, v in spoke.items()},
    }


def _kind(
    spoke: pd.Series, values: np.ndarray, alarm: int, expected: float, lower: float, upper: float
) -> str:
    value = values[alarm]
    after = values[alarm : alarm + SHIFT_SAMPLES]
    stays = len(after) == SHIFT_SAMPLES and (
        np.mean(after > upper) >= 0.9 or np.mean(after < lower) >= 0.9
    )
    if stays:
        return "level shift"
    if value > upper:
        return "spike"
    if value < lower:
        return "dip"
    first = str(spoke.index[0]) if len(spoke) else ""
    if first in _SEASONAL:
        return "seasonal break"
    if first in _KIND_OF:
        return _KIND_OF[first]
    if first in ("jump", "ewma_fast", "ewma_slow", "robust_z", "record"):
        return "spike" if value >= expected else "dip"
    return "unusual pattern"


def _table(found: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(found, columns=list(EVENT_COLUMNS))
    if not found:
        numbers = ("value", "expected", "lower", "upper", "score")
        moments = ("time", "start", "peak", "end")
        types = dict.fromkeys(numbers, "float64") | dict.fromkeys(moments, "datetime64[ns, UTC]")
        table = table.astype(types)
    return table
