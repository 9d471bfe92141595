"""What every detector answers to, and the list of those there are.

>>> from monitorlab import anomaly
>>> detector = anomaly.make_detector("auto")
>>> detector.update(0.0, 1.0)
0.0
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.errors import InvalidSeriesError, UnknownNameError, did_you_mean

__all__ = ["Detector", "check_detector", "detectors", "make_detector", "register", "series_arrays"]

_REGISTRY: dict[str, Callable[..., Detector]] = {}


class Detector(ABC):
    """Score each sample of one series between 0 and 1 against that series' own past.

    A detector scores a sample first and learns it then, so that it never looks ahead. The
    score is apart from the decision: ``threshold`` is the cut at and above which a sample is
    called an anomaly, and can be changed at any time.

    Notes
    -----
    A missing sample (NaN, or an infinity) scores NaN and is not learned. A subclass keeps all
    that it has learned in bounded memory, can be pickled at any time, and its constructor
    only stores and checks parameters. ``name`` is what ``make_detector`` made it by.

    Examples
    --------
    >>> from monitorlab import anomaly
    >>> detector = anomaly.make_detector("robust_z", threshold=0.99)
    >>> [detector.update(60.0 * i, v) for i, v in enumerate([1.0, float("nan"), 2.0])]
    [0.0, nan, 0.0]
    >>> detector.clone().threshold
    0.99
    """

    name: str = ""
    threshold: float

    @abstractmethod
    def update(self, t_seconds: float, value: float) -> float:
        """Score the next sample in [0, 1], then learn it.

        Parameters
        ----------
        t_seconds : float
            Its time, in seconds since the epoch. A time that is not after the last one is
            taken as the next sample all the same.
        value : float
            Its value; NaN when missing.

        Returns
        -------
        float
            Higher is stranger; NaN for a missing sample.

        Raises
        ------
        InvalidSeriesError
            If the time is not a finite number.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget all that was learned; parameters and threshold stay."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Give the arguments that make a detector like this one."""

    def clone(self) -> Detector:
        """Give a detector with the same parameters that has learned nothing."""
        twin = type(self)(**self.parameters())
        twin.name = self.name
        return twin

    def score(self, series: pd.Series) -> pd.Series:
        """Score a whole series from a clean start; what this detector learned stays as it is.

        Parameters
        ----------
        series : pandas.Series, shape (n_samples,)
            Values on an increasing ``DatetimeIndex`` (a naive one is read as UTC), NaN where
            a sample is missing.

        Returns
        -------
        pandas.Series, shape (n_samples,)
            The numbers that ``update`` gives one by one, named ``"score"``.

        Raises
        ------
        InvalidSeriesError
            If the index is no ``DatetimeIndex`` or goes back in time, or the values are no
            numbers.
        """
        seconds, values = series_arrays(series)
        fresh = self.clone()
        found = [fresh.update(t, v) for t, v in zip(seconds, values, strict=True)]
        return pd.Series(found, index=series.index, name="score", dtype=np.float64)


def register(name: str, factory: Callable[..., Detector]) -> None:
    """Make a detector available to ``make_detector`` under a name.

    Parameters
    ----------
    name : str
        The name; an earlier detector of the same name is replaced.
    factory : callable
        Class or function that takes keyword options and gives a ``Detector``.

    Examples
    --------
    >>> from monitorlab import anomaly
    >>> anomaly.register("spikes", lambda: anomaly.make_detector("robust_z"))
    >>> "spikes" in anomaly.detectors()
    True
    """
    _REGISTRY[name] = factory


def detectors() -> list[str]:
    """List the names that ``make_detector`` knows.

    Returns
    -------
    list of str
        Sorted.

    Notes
    -----
    ``"auto"`` is for any metric. Each of the others looks for one thing:

    - ``"seasonal"``: a value, level or roughness never seen at this time of the day.
    - ``"weekly"``: far from what is usual in this half hour of the week, from the fourth week on:
      a Wednesday that behaves like a Sunday, which is no news to ``"seasonal"``.
    - ``"nearest"``: a value or level never seen. What a daily season covers is not new to it.
    - ``"nearest_pattern"``: four samples in a row unlike any four among the last 3000, as they
      are or in shape: spikes, dips and steps, on a season too.
    - ``"roughness"``, ``"variance_shift"``: more or less noise; never seen, or than lately.
    - ``"robust_z"``, ``"ewma"``, ``"jump"``: far from the median of the last 32 samples, from where
      their mean is going, from the sample before.
    - ``"level_shift"``: the mean of the last 12 and 20 samples has left the line of those before.
    - ``"trend_change"``: the slope of the last 48 samples has changed. A daily season of 288
      samples has slopes of its own, and hides all but steeper ones.
    - ``"record"``, ``"stuck"``, ``"missing"``: a new high or low, a value that stays the same for
      longer than ever, a gap.

    Examples
    --------
    >>> from monitorlab import anomaly
    >>> "auto" in anomaly.detectors()
    True
    """
    return sorted(_REGISTRY)


def check_detector(name: str) -> None:
    """Refuse the name of a detector that there is none of, without making one.

    Parameters
    ----------
    name : str
        The name.

    Raises
    ------
    UnknownNameError
        If there is no detector of that name.

    Examples
    --------
    >>> check_detector("robust_z")
    """
    if name not in _REGISTRY:
        msg = f"no detector {name!r}{did_you_mean(name, _REGISTRY)}"
        raise UnknownNameError(msg)


def make_detector(name: str = "auto", **options: Any) -> Detector:
    """Make a detector by name.

    Parameters
    ----------
    name : str
        One of ``detectors()``; ``"auto"`` needs no option on any metric.
    **options : object
        Parameters of that detector, for example ``threshold=0.9999``.

    Returns
    -------
    Detector
        One that has learned nothing yet.

    Raises
    ------
    UnknownNameError
        If there is no detector of that name.
    TypeError
        If the detector has no such option.

    Examples
    --------
    >>> from monitorlab import anomaly
    >>> anomaly.make_detector("auto").threshold
    0.999
    """
    check_detector(name)
    factory = _REGISTRY[name]
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        known = ", ".join(inspect.signature(factory).parameters)
        msg = f"detector {name!r}: {error}; its options are {known}"
        raise TypeError(msg) from error
    made = factory(**options)
    made.name = name
    return made


def series_arrays(series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Check a series and give its times in seconds and its values.

    Parameters
    ----------
    series : pandas.Series
        Numbers on a ``DatetimeIndex`` that does not go back in time.

    Returns
    -------
    seconds, values : numpy.ndarray of float64, shape (n_samples,)

    Raises
    ------
    InvalidSeriesError
        If the index or the values are of the wrong kind.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.date_range("1970-01-01", periods=3, freq="min")
    >>> seconds, values = series_arrays(pd.Series([4, 5, 6], index=index))
    >>> seconds.tolist(), values.tolist()
    ([0.0, 60.0, 120.0], [4.0, 5.0, 6.0])
    """
    if not isinstance(series, pd.Series) or not isinstance(series.index, pd.DatetimeIndex):
        got = (
            type(series.index).__name__ if isinstance(series, pd.Series) else type(series).__name__
        )
        msg = f"anomaly detection needs a pandas Series with a DatetimeIndex, got {got}"
        raise InvalidSeriesError(msg)
    index = series.index
    if index.hasnans or not index.is_monotonic_increasing:
        msg = (
            f"the index of series {series.name!r} goes back in time or has missing times; "
            "sort it with .sort_index() and drop NaT first"
        )
        raise InvalidSeriesError(msg)
    if pd.api.types.is_complex_dtype(series.dtype):
        msg = f"series {series.name!r} is complex; give the real part or the size"
        raise InvalidSeriesError(msg)
    if not pd.api.types.is_numeric_dtype(series.dtype):
        msg = f"series {series.name!r} holds {series.dtype}, not numbers; convert it first"
        raise InvalidSeriesError(msg)
    nanoseconds = index.as_unit("ns").asi8
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return nanoseconds / 1e9, np.ascontiguousarray(values)
