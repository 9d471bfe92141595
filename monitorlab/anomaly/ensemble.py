"""Detectors made of statistics, each calibrated to a tail probability of its own past.

>>> import numpy as np
>>> detector = Ensemble()
>>> values = np.random.default_rng(1).normal(size=400)
>>> scores = [detector.update(60.0 * i, v) for i, v in enumerate(values)]
>>> detector.update(60.0 * 400, 25.0) >= detector.threshold
True
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from monitorlab.anomaly.base import Detector, register, series_arrays
from monitorlab.errors import InvalidSeriesError, UnknownNameError, did_you_mean

__all__ = ["AUTO_STATISTICS", "STATISTICS", "Ensemble"]

STATISTICS = {
    "value_novelty": "a value (mean of 4 samples) never seen before",
    "level_novelty": "a level (mean of 12 samples) never seen before",
    "roughness_novelty": "a roughness over 12 samples never seen before",
    "long_roughness_novelty": "a roughness over 36 samples never seen before",
    "day_novelty": "a value never seen at this time of the day",
    "day_level_novelty": "a level never seen at this time of the day",
    "robust_z": "far from the recent median",
    "ewma_slow": "far from the recent mean",
    "ewma_fast": "far from the last few samples",
    "jump": "an unusually large step",
    "level_short": "the mean of the last 12 samples has moved",
    "level_long": "the mean of the last 48 samples has moved",
    "variance": "the roughness has changed",
    "trend": "the slope has changed",
    "weekly": "unusual for this time of the week",
    "record": "a record high or low",
    "stuck": "unchanged for longer than ever",
    "missing": "samples are missing",
}
AUTO_STATISTICS = (
    "value_novelty",
    "level_novelty",
    "roughness_novelty",
    "long_roughness_novelty",
    "day_novelty",
    "day_level_novelty",
)
BAND = 3.75  # mean absolute errors on each side of the expected value: 3 deviations of a normal


class Ensemble(Detector):
    """Call a sample strange when several statistics are together more surprised than ever.

    Parameters
    ----------
    statistics : iterable of str, optional
        Names out of ``STATISTICS``; by default those of ``"auto"``.
    threshold : float
        Score at and above which a sample is an anomaly, between 0 and 1.
    warmup : int
        Samples at the start that never alarm.
    refractory : int
        Samples after an alarm without another.

    Notes
    -----
    The statistics of ``"auto"`` ask one question in three ways at two scales: how far are the
    value, the roughness, and the value at this time of the day from the nearest ever seen?
    What was seen once is no longer news, so that a habit of spikes is learned like any other.

    Each statistic is ranked among the maxima of its past blocks of 24 samples (beyond the
    record an exponential tail of its logarithm goes on); the mean of the surprises, each
    ``-ln`` of a share, is ranked in the same way. Where ``c`` past blocks were as strange, the
    score is about ``1 - (c + 1/2) / 4000``: 0.999 says that no more than three spells of all
    the past were, and for a stream of 4000 samples that about one sample in a thousand is. A
    shorter stream is given that much uneventful past; a longer one alarms ever more rarely.
    Within a spell only a new peak can alarm; in the refractory span it must be a hundred
    times rarer than the last alarm.

    All is causal. One sample costs the same however long the stream is, and the state is one
    array of about 450 kB. The last 18 000 samples are ranked among, the last 3 000 (and three
    weeks of days) compared with.

    References
    ----------
    Coles (2001), "An Introduction to Statistical Modeling of Extreme Values" (block maxima).

    Examples
    --------
    >>> Ensemble(["robust_z"], threshold=0.99).threshold
    0.99
    """

    name: ClassVar[str] = "auto"

    def __init__(
        self,
        statistics: Iterable[str] | None = None,
        *,
        threshold: float = 0.999,
        warmup: int = 150,
        refractory: int = 24,
    ) -> None:
        self.statistics = tuple(AUTO_STATISTICS if statistics is None else statistics)
        for statistic in self.statistics:
            if statistic not in STATISTICS:
                msg = f"no statistic {statistic!r}{did_you_mean(statistic, STATISTICS)}"
                raise UnknownNameError(msg)
        if not self.statistics:
            msg = "an ensemble needs at least one statistic"
            raise ValueError(msg)
        for label, number in (("warmup", warmup), ("refractory", refractory)):
            if number < 0:
                msg = f"{label} must be zero or more samples, got {number}"
                raise ValueError(msg)
        self.warmup = int(warmup)
        self.refractory = int(refractory)
        self._threshold = _checked_threshold(threshold)
        self.reset()

    @property
    def threshold(self) -> float:
        """The score at and above which a sample is called an anomaly."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        from monitorlab.kernels import anomaly_auto as kernel

        self._threshold = _checked_threshold(value)
        self._state[kernel.THRESHOLD] = 1.0 - self._threshold

    @property
    def memory_bytes(self) -> int:
        """Size of all that is learned; it does not grow."""
        return int(self._state.nbytes)

    def parameters(self) -> dict[str, Any]:
        """Give the arguments that make a detector like this one."""
        return {
            "statistics": self.statistics,
            "threshold": self.threshold,
            "warmup": self.warmup,
            "refractory": self.refractory,
        }

    def reset(self) -> None:
        """Forget all that was learned; parameters and threshold stay."""
        self._state = self._fresh_state()
        self._connect()

    def update(self, t_seconds: float, value: float) -> float:
        """Score the next sample in [0, 1], then learn it (see ``Detector.update``)."""
        seconds = float(t_seconds)
        if not math.isfinite(seconds):
            msg = f"the time of a sample must be finite seconds since the epoch, got {t_seconds!r}"
            raise InvalidSeriesError(msg)
        return float(self._step(self._state, seconds, float(value), self._out))

    def score(self, series: pd.Series) -> pd.Series:
        """Score a whole series from a clean start (see ``Detector.score``)."""
        return pd.Series(self._run(series)[:, 0], index=series.index, name="score")

    def trace(self, series: pd.Series) -> pd.DataFrame:
        """Score a whole series from a clean start and keep what led to the scores.

        Parameters
        ----------
        series : pandas.Series, shape (n_samples,)
            As for ``score``.

        Returns
        -------
        pandas.DataFrame
            Columns ``score``, ``tail`` (the score without the bar after an alarm),
            ``expected``, ``lower``, ``upper`` and the surprise (minus the natural logarithm of
            the tail probability) of each statistic.
        """
        from monitorlab.kernels import anomaly_auto as kernel

        found = self._run(series)
        columns = {
            "score": found[:, 0],
            "tail": found[:, 1],
            "expected": found[:, 2],
            "lower": found[:, 2] - BAND * found[:, 3],
            "upper": found[:, 2] + BAND * found[:, 3],
        }
        for k, channel in enumerate(kernel.CHANNELS):
            if channel in self.statistics:
                columns[channel] = found[:, kernel.FIRST + k]
        return pd.DataFrame(columns, index=series.index)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.statistics)}; threshold {self.threshold:g})"

    def __getstate__(self) -> dict[str, Any]:
        kept = {k: v for k, v in self.__dict__.items() if k not in ("_step", "_out")}
        return {**kept, "_state": self._state.copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()

    def _fresh_state(self) -> np.ndarray:
        from monitorlab.kernels import anomaly_auto as kernel

        state = np.zeros(kernel.STATE_SIZE)
        state[kernel.MASK] = sum(1 << kernel.CHANNELS.index(s) for s in set(self.statistics))
        state[kernel.WARMUP] = self.warmup
        state[kernel.THRESHOLD] = 1.0 - self._threshold
        state[kernel.REFRACTORY] = self.refractory
        kernel.reset(state)
        return state

    def _connect(self) -> None:
        from monitorlab.kernels import anomaly_auto as kernel

        self._step = kernel.step
        self._out = np.empty(kernel.OUTPUTS)

    def _run(self, series: pd.Series) -> np.ndarray:
        from monitorlab.kernels import anomaly_auto as kernel

        seconds, values = series_arrays(series)
        found = np.empty((len(values), kernel.OUTPUTS))
        kernel.run(self._fresh_state(), seconds, values, found)
        return found


def _checked_threshold(value: float) -> float:
    if not 0.0 < value < 1.0:
        msg = f"a threshold must lie between 0 and 1, got {value!r}"
        raise ValueError(msg)
    return float(value)


def _single(name: str, statistics: tuple[str, ...]) -> None:
    def make(*, threshold: float = 0.999, warmup: int = 150, refractory: int = 24) -> Ensemble:
        return Ensemble(statistics, threshold=threshold, warmup=warmup, refractory=refractory)

    register(name, make)


register("auto", Ensemble)
for _name, _statistics in {
    "nearest": ("value_novelty", "level_novelty"),
    "roughness": ("roughness_novelty", "long_roughness_novelty"),
    "seasonal": ("day_novelty", "day_level_novelty", "weekly"),
    "robust_z": ("robust_z",),
    "ewma": ("ewma_slow", "ewma_fast"),
    "jump": ("jump",),
    "level_shift": ("level_short", "level_long"),
    "variance_shift": ("variance",),
    "trend_change": ("trend",),
    "record": ("record",),
    "stuck": ("stuck",),
    "missing": ("missing",),
}.items():
    _single(_name, _statistics)
