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
    "value_novelty": "a value never seen before",
    "pattern_novelty": "a run of values never seen before",
    "ewma_slow": "far from the recent mean",
    "ewma_fast": "far from the last few samples",
    "jump": "an unusually large step",
    "level_short": "the mean of the last 12 samples has moved",
    "level_long": "the mean of the last 48 samples has moved",
    "daily": "unusual for this time of the day",
    "weekly": "unusual for this time of the week",
    "daily_long": "unusual for this time of the day for a while",
    "weekly_long": "unusual for this time of the week for a while",
    "variance": "the roughness has changed",
    "trend": "the slope has changed",
    "robust_z": "far from the recent median",
    "record": "a record high or low",
    "stuck": "unchanged for longer than ever",
    "missing": "samples are missing",
    "burst_short": "mild surprises for some minutes on end",
    "burst_long": "mild surprises for a long while",
}
AUTO_STATISTICS = (
    "value_novelty",
    "pattern_novelty",
    "ewma_slow",
    "ewma_fast",
    "jump",
    "level_short",
    "level_long",
    "daily",
    "variance",
)
WINDOW = 2048
BAND = 3.75  # mean absolute errors on each side of the expected value: 3 deviations of a normal


class Ensemble(Detector):
    """Call a sample strange when the most surprised of several statistics is unusually so.

    Parameters
    ----------
    statistics : iterable of str, optional
        Names out of ``STATISTICS``; by default those of ``"auto"``.
    threshold : float
        Score at and above which a sample is an anomaly, between 0 and 1. A score is one minus
        a tail probability: 0.999 is reached by about one sample in a thousand.
    warmup : int
        Samples at the start that never alarm.
    refractory : int
        Samples after an alarm in which only a clearly greater surprise alarms again.

    Notes
    -----
    Each statistic's logarithm is ranked among its own past (a histogram; beyond the record a
    Pareto tail, Hill's estimator); the greatest of these surprises is ranked once more among
    its own past. All is causal; one sample costs the same however long the stream is, and the
    state is one array of about 150 kB.

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
        warmup: int = 100,
        refractory: int = 200,
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
    def threshold(self) -> float:  # type: ignore[override]
        """The score at and above which a sample is called an anomaly."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        from monitorlab.kernels import anomaly_auto as kernel  # noqa: PLC0415 - numba

        self._threshold = _checked_threshold(value)
        self._state[kernel.THRESHOLD] = -math.log1p(-self._threshold)

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
        from monitorlab.kernels import anomaly_auto as kernel  # noqa: PLC0415 - numba

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
        from monitorlab.kernels import anomaly_auto as kernel  # noqa: PLC0415 - numba

        state = np.zeros(kernel.state_size(WINDOW))
        state[kernel.MASK] = sum(1 << kernel.CHANNELS.index(s) for s in set(self.statistics))
        state[kernel.WINDOW] = WINDOW
        state[kernel.WARMUP] = self.warmup
        state[kernel.THRESHOLD] = -math.log1p(-self._threshold)
        state[kernel.REFRACTORY] = self.refractory
        state[kernel.MARGIN] = 1.0
        state[kernel.FLOOR] = 0.05
        state[kernel.PRIOR] = 0.25
        state[kernel.PRIOR_FINAL] = 1.0
        kernel.reset(state)
        return state

    def _connect(self) -> None:
        from monitorlab.kernels import anomaly_auto as kernel  # noqa: PLC0415 - numba

        self._step = kernel.step
        self._out = np.empty(kernel.OUTPUTS)

    def _run(self, series: pd.Series) -> np.ndarray:
        from monitorlab.kernels import anomaly_auto as kernel  # noqa: PLC0415 - numba

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
    def make(
        *, threshold: float = 0.999, warmup: int = 100, refractory: int = 200
    ) -> Ensemble:
        return Ensemble(
            statistics, threshold=threshold, warmup=warmup, refractory=refractory
        )

    register(name, make)


register("auto", Ensemble)
for _name, _statistics in {
    "nearest": ("value_novelty", "pattern_novelty"),
    "ewma": ("ewma_slow", "ewma_fast"),
    "jump": ("jump",),
    "level_shift": ("level_short", "level_long"),
    "seasonal": ("daily", "weekly"),
    "variance_shift": ("variance",),
    "trend_change": ("trend",),
    "robust_z": ("robust_z",),
    "record": ("record",),
    "stuck": ("stuck",),
    "missing": ("missing",),
}.items():
    _single(_name, _statistics)
