"""The highest and the lowest value ahead, in a day, a week, a month, a quarter (numpy).

Without a capacity the peak is compared with the highest sample seen; nothing is made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monitorlab.times import format_duration

if TYPE_CHECKING:
    from monitorlab.forecasting._grid import Grid

__all__ = ["peaks_of", "troughs_of"]

_SPANS = ("24h", "7d", "30d", "90d")
_HOUR = 3_600_000_000_000
_SPANS_NS = (24 * _HOUR, 168 * _HOUR, 720 * _HOUR, 2_160 * _HOUR)
_SHARES = (0.1, 0.5, 0.9)


def peaks_of(
    paths: np.ndarray, grid: Grid, record: float, limits: np.ndarray | None = None
) -> pd.DataFrame:
    """Give the highest value ahead within 24 h, 7 d, 30 d and 90 d.

    Parameters
    ----------
    paths : numpy.ndarray, shape (n_paths, horizon)
        Simulated futures.
    grid : Grid
        Gives the time of a step.
    record : float
        Highest sample of the history.
    limits : numpy.ndarray, shape (horizon,), optional
        Upper limit at each step.

    Returns
    -------
    pandas.DataFrame
        One row for each span that the horizon covers, and for the horizon itself: ``p10``,
        ``p50``, ``p90`` of the peak, ``probability_above_record`` and, with a capacity,
        ``probability_above_capacity``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.forecasting._grid import grid_from
    >>> index = pd.date_range("2026-01-01", periods=48, freq="1h", tz="UTC")
    >>> grid = grid_from(pd.Series(np.arange(48.0), index=index))
    >>> paths = np.array([[40.0, 45.0, 50.0], [40.0, 42.0, 44.0]])
    >>> peaks_of(paths, grid, record=47.0).loc["3h", ["p50", "probability_above_record"]].tolist()
    [47.0, 0.5]
    """
    return _table(paths, grid, record, limits, "above")


def troughs_of(
    paths: np.ndarray, grid: Grid, record: float, limits: np.ndarray | None = None
) -> pd.DataFrame:
    """Give the lowest value ahead within 24 h, 7 d, 30 d and 90 d.

    Parameters
    ----------
    paths, grid, limits
        As in `peaks_of`; ``limits`` are lower ones.
    record : float
        Lowest sample of the history.

    Returns
    -------
    pandas.DataFrame
        As from `peaks_of`, with ``probability_below_record`` and
        ``probability_below_capacity``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.forecasting._grid import grid_from
    >>> index = pd.date_range("2026-01-01", periods=48, freq="1h", tz="UTC")
    >>> grid = grid_from(pd.Series(np.arange(48.0), index=index))
    >>> paths = np.array([[4.0, 3.0, 2.0], [4.0, 5.0, 6.0]])
    >>> troughs_of(paths, grid, record=3.0).loc["3h", "probability_below_record"].item()
    0.5
    """
    return _table(paths, grid, record, limits, "below")


def _table(
    paths: np.ndarray, grid: Grid, record: float, limits: np.ndarray | None, side: str
) -> pd.DataFrame:
    sign = -1.0 if side == "below" else 1.0
    horizon = paths.shape[1]
    total = horizon * grid.step
    spans = [
        (label, length // grid.step)
        for label, length in zip(_SPANS, _SPANS_NS, strict=True)
        if length <= total and length >= grid.step
    ]
    if not spans or spans[-1][1] < horizon:
        spans.append((format_duration(total), horizon))
    rows = {}
    for label, steps in spans:
        part = sign * paths[:, :steps]
        furthest = part.max(axis=1)
        row = {
            f"p{round(100 * share)}": float(np.quantile(sign * furthest, share))
            for share in _SHARES
        }
        row[f"probability_{side}_record"] = float((furthest > sign * record).mean())
        if limits is not None:
            over = (part >= sign * limits[:steps]).any(axis=1)
            row[f"probability_{side}_capacity"] = float(over.mean())
        rows[label] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("span")
