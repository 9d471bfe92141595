"""The column ``anomaly_score``: what rules, queries and live feeds see of a detector.

>>> import numpy as np
>>> column = ScoreColumn("auto")
>>> times, values = np.arange(3) * 60_000_000_000, np.array([1.0, 2.0, np.nan])
>>> column.whole(times, values).tolist(), column.extend(times, values).tolist()
([0.0, 0.0, nan], [0.0, 0.0, nan])
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.anomaly.base import check_detector, make_detector
from monitorlab.times import to_index

__all__ = ["ScoreColumn", "check_option", "score_column"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class ScoreColumn:
    """The anomaly scores of one series, all at once or as its samples come.

    Parameters
    ----------
    detector : str
        Name out of ``monitorlab.anomaly.detectors()``.

    Raises
    ------
    UnknownNameError
        If there is no such detector.

    Notes
    -----
    Both ways give the same numbers, as every detector must. ``extend`` costs one update of
    the detector a sample.

    Examples
    --------
    >>> column = ScoreColumn("robust_z")
    >>> column.extend(np.array([0, 60_000_000_000]), np.array([1.0, 2.0])).tolist()
    [0.0, 0.0]
    """

    def __init__(self, detector: str = "auto") -> None:
        self._detector = make_detector(detector)

    def whole(self, times: Ints, values: Floats) -> Floats:
        """Score a whole series from a clean start (see ``monitorlab.columns.Column``)."""
        series = pd.Series(values, index=to_index(times), copy=False)
        scores: Floats = self._detector.score(series).to_numpy(dtype=np.float64)
        return scores

    def extend(self, times: Ints, values: Floats) -> Floats:
        """Score the next samples and learn them (see ``monitorlab.columns.Column``)."""
        update = self._detector.update
        pairs = zip(times.tolist(), values.tolist(), strict=True)
        return np.array([update(t / 1e9, value) for t, value in pairs], dtype=np.float64)


def score_column(option: str = "") -> ScoreColumn:
    """Make the column for one series.

    Parameters
    ----------
    option : str
        Name of a detector; ``""`` means ``"auto"``.

    Returns
    -------
    ScoreColumn

    Raises
    ------
    UnknownNameError
        If there is no such detector.

    Examples
    --------
    >>> isinstance(score_column(), ScoreColumn)
    True
    """
    return ScoreColumn(option or "auto")


def check_option(option: str) -> None:
    """Refuse an option of the column that names no detector.

    Parameters
    ----------
    option : str
        Name of a detector; ``""`` means ``"auto"``.

    Raises
    ------
    UnknownNameError
        If there is no such detector.

    Examples
    --------
    >>> check_option("robust_z")
    """
    check_detector(option or "auto")
