"""What is not there: samples that are missing, and changes that fail to come.

No value is strange in a gap or in the readings of a dead sensor, so no score speaks of them;
they are told by time alone, beside the events of any detector.

>>> import pandas as pd
>>> index = pd.date_range("2026-01-01", periods=100, freq="min", tz="UTC")
>>> find_gaps(pd.Series(1.0, index=index).drop(index[50:80]))["kind"].tolist()
['gap']
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.events import event_table
from monitorlab.model import Severity

__all__ = ["find_flat_lines", "find_gaps"]

GAP_INTERVALS = 10.0  # missing time, in usual intervals, that is worth an event
GAP_WARMUP = 20
GAP_PAST = 60  # intervals whose median is the usual one
RHYTHM = 10  # intervals on either side of which most are as long where that has become usual
ALIKE = 0.5  # an interval is as long as another from this part of it on
FLAT_WARMUP = 240  # samples before a run of equal ones means anything
FLAT_RUNS = 10  # runs that must have ended before
FLAT_LEAST = 24  # samples: a shorter run is never an event
FLAT_LONGER = 3.0  # times the longest run before


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
        One row a gap of ten usual intervals and more (the median of the last 60), kind
        ``"gap"``, severity info; score and expected value are missing, as the samples are.

    Notes
    -----
    A series that is sampled ten times less often from some time on has one gap, the first
    long interval: of those that follow, none is one while most of the ten before or after it
    are half as long and longer. At the end of the data, where it cannot be known yet, up to
    six are listed. Cost O(n).

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.date_range("2026-01-01", periods=100, freq="min", tz="UTC")
    >>> find_gaps(pd.Series(1.0, index=index).drop(index[50:80]))["statistics"].tolist()
    [{'missing': 31.0}]
    """
    times, _ = _kept(series)
    if len(times) <= GAP_WARMUP:
        return event_table([])
    steps = np.diff(times.as_unit("ns").asi8) / 1e9
    past = pd.Series(steps).rolling(GAP_PAST, min_periods=GAP_WARMUP).median()
    before = past.shift(1).to_numpy()
    long = np.flatnonzero((before > 0.0) & (steps >= GAP_INTERVALS * before))
    return event_table(
        [
            {
                **_nothing_expected(name),
                "time": times[row + 1], "start": times[row],
                "peak": times[row + 1], "end": times[row + 1], "value": math.nan,
                "kind": "gap", "severity": Severity.INFO.value,
                "statistics": {"missing": float(steps[row] / before[row])},
            }
            for row in long[~_is_rhythm(steps, long)]
        ]
    )  # fmt: skip


def _is_rhythm(steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Tell which long steps are but the usual ones by now: they follow, and are among, such."""
    padded = np.r_[np.zeros(RHYTHM), steps, np.zeros(RHYTHM)]
    round_ = np.lib.stride_tricks.sliding_window_view(padded, 2 * RHYTHM + 1)[rows]
    alike = round_ >= ALIKE * steps[rows, None]
    before, after = alike[:, :RHYTHM], alike[:, RHYTHM + 1 :]
    many = np.maximum(before.mean(axis=1), after.mean(axis=1)) > ALIKE
    is_rhythm: np.ndarray = before[:, -1] & many
    return is_rhythm


def find_flat_lines(series: pd.Series, *, name: str = "") -> pd.DataFrame:
    """List the times in which a series that moves stood still for much longer than ever.

    Parameters
    ----------
    series : pandas.Series
        The samples; NaN is left out.
    name : str
        Name of the series in the table.

    Returns
    -------
    pandas.DataFrame
        One row a run of equal samples that is 24 and more long and three times as long as any
        before it; kind ``"flat-line"``, severity warning. ``time`` is the sample at which the
        run got so long (known live), ``start`` its first and ``end`` (exclusive) the first
        that differs. Nothing in the first 240 samples, nor before ten runs have ended.

    Notes
    -----
    Of independent samples that repeat with probability ``p`` the longest run in ``n`` grows as
    ``log n / log(1/p)``, so one three times as long has a chance of about ``1 / n**2``. Cost
    O(n).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> values = np.r_[np.arange(300) % 7.0, np.full(40, 3.0), np.arange(9) % 7.0]
    >>> index = pd.date_range("2026-01-01", periods=len(values), freq="min", tz="UTC")
    >>> found = find_flat_lines(pd.Series(values, index=index))
    >>> (found["time"] - found["start"]).dt.total_seconds().tolist(), found["statistics"].tolist()
    ([1380.0], [{'stuck': 40.0}])
    """
    times, values = _kept(series)
    if len(times) <= FLAT_WARMUP:
        return event_table([])
    first = np.r_[0, np.flatnonzero(np.diff(values) != 0.0) + 1]
    length = np.diff(np.r_[first, len(values)])
    longest = np.r_[1, np.maximum.accumulate(length)[:-1]]
    bar = np.maximum(FLAT_LEAST, np.ceil(FLAT_LONGER * longest)).astype(int)
    flat = (length >= bar) & (first >= FLAT_WARMUP)
    flat[:FLAT_RUNS] = False
    return event_table(
        [
            {
                **_nothing_expected(name),
                "time": times[first[run] + bar[run] - 1], "start": times[first[run]],
                "peak": times[first[run] + length[run] - 1],
                "end": _after(times, first[run] + length[run]),
                "value": float(values[first[run]]),
                "kind": "flat-line", "severity": Severity.WARNING.value,
                "statistics": {"stuck": float(length[run] / longest[run])},
            }
            for run in np.flatnonzero(flat)
        ]
    )  # fmt: skip


def _kept(series: pd.Series) -> tuple[pd.DatetimeIndex, np.ndarray]:
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.isfinite(values)
    return pd.DatetimeIndex(series.index[finite]), values[finite]


def _nothing_expected(name: str) -> dict[str, Any]:
    blank = dict.fromkeys(("expected", "lower", "upper", "score"), math.nan)
    return {"series": name, "verdict": "", **blank}


def _after(times: pd.DatetimeIndex, row: int) -> pd.Timestamp:
    """Time of a row, one step beyond the last when there is none."""
    return times[row] if row < len(times) else times[-1] + (times[-1] - times[-2])
