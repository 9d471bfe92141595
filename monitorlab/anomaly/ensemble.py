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
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.base import Detector, register, series_arrays
from monitorlab.anomaly.batch import score_all
from monitorlab.errors import InvalidSeriesError, UnknownNameError, did_you_mean

__all__ = ["AUTO_STATISTICS", "STATISTICS", "Ensemble"]

STATISTICS = {
    "value_novelty": "a value never seen before",
    "short_level_novelty": "a level (mean of 4 samples) never seen before",
    "level_novelty": "a level (mean of 12 samples) never seen before",
    "long_level_novelty": "a level (mean of 36 samples) never seen before",
    "roughness_novelty": "a roughness over 12 samples never seen before",
    "long_roughness_novelty": "a roughness over 36 samples never seen before",
    "day_novelty": "a value never seen at this time of the day",
    "day_short_level_novelty": "a level (4 samples) never seen at this time of the day",
    "day_level_novelty": "a level (12 samples) never seen at this time of the day",
    "day_long_level_novelty": "a level (36 samples) never seen at this time of the day",
    "day_roughness_novelty": "a roughness (12 samples) never seen at this time of the day",
    "day_long_roughness_novelty": "a roughness (36 samples) never seen at this time of the day",
    "robust_z": "far from the recent median",
    "ewma_slow": "far from where the recent mean is going",
    "ewma_fast": "far from the last few samples",
    "jump": "an unusually large step",
    "level_short": "the mean of the last 12 samples has left the line of those before",
    "level_long": "the mean of the last 20 samples has left the line of those before",
    "variance": "the roughness has changed",
    "trend": "the slope has changed",
    "weekly": "unusual for this time of the week",
    "record": "a record high or low",
    "stuck": "unchanged for longer than ever",
    "missing": "samples are missing",
    "pattern_novelty": "four samples in a row unlike any four before",
    "shape_novelty": "four samples in a row of a shape never seen, whatever their level",
}
AUTO_STATISTICS = (
    "value_novelty",
    "short_level_novelty",
    "level_novelty",
    "long_level_novelty",
    "roughness_novelty",
    "long_roughness_novelty",
    "day_novelty",
    "day_short_level_novelty",
    "day_level_novelty",
    "day_long_level_novelty",
    "day_roughness_novelty",
    "day_long_roughness_novelty",
)
WARMUP = 240  # samples before the first alarm: ten blocks of the calibration
REFRACTORY = 24
# what blocks of clean streams (synthetic ones of ten kinds, and a quiet shop) reach in the fused
# log odds, by the number of statistics: where the tail begins, and by how much it falls e-fold;
# for many statistics with 0.3 to spare, for the heavier tails among the clean streams; for one,
# two and six so high that what single detectors call strange of noise is about one in a thousand
_ORDINARY = {1: (1.0, 0.87), 2: (-0.3, 0.9), 6: (-3.6, 1.35)}
_ORDINARY_MANY = (-4.1, 1.28)
# records without end: the ordinary blocks of a walk, and of many statistics of noise with heavy
# tails, lie higher by so many falls
_ROAMING = 1.0
_NOISE = 2.6
_MANY = 3  # statistics
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
    **Statistics.** Those of ``"auto"`` ask one question: how far is this from the nearest ever
    seen? They ask it of six summaries (the value; the level over 4, 12 and 36 samples; the
    roughness over 12 and 36), and of the same six among the samples at this time of other
    days. What was seen once is no longer news, so that a habit of spikes is learned like any
    other.

    **Fusion.** Each statistic is ranked among the maxima of its past blocks of 24 samples,
    with a predictive Pareto tail near and beyond the record: the exponential tail of the
    logarithm, averaged over what few blocks leave open of its scale. The mean of the log odds
    against these shares is the fused statistic; a dull one counts against a surprised one. But
    what is usual at other times of the day does not silence those by the time of the day: less
    2.5, their own mean is the least that the fused one can be. A statistic that has nothing to
    compare with yet (the time of the day on the first day) is left out and learns nothing.

    **Score.** The fused statistic is ranked in the same way among its own past and 120 blocks
    of an *ordinary* one, measured on clean streams: at first a sample must be strange by that
    measure, later by the stream's own. Where the middle block of a stream lies far above the
    ordinary one, the ordinary past is moved up with it, and so it is for two kinds of streams
    that see new values all the time and mean nothing by it. A random walk is one whose steps
    add up, over 4 samples and over 36. Noise is what cannot be told from independent samples:
    the usual distances of samples 1, 4 and 36 apart differ by no more than chance; the heavier
    its tails are (the mean of those distances against the square of their mean root), the
    rarer a single sample must be, while a shift of several soon is. A share
    ``p`` of the blocks stands for ``p / 48`` of the samples, as an alarm stands for its block and
    the refractory span, and the score is one minus that: at a threshold of 0.999 at most about
    one sample in a thousand alarms. After 4000 samples, the ordinary ones included, alarms get
    ever rarer, as the count of equals is held instead of the share; and a stream that has
    spent three alarms and one in 2500 samples needs more for the next.

    A spell alarms once: it must end (three samples in a row that are more than five times as
    frequent as an alarm), and the refractory span be over, before the next alarm, unless that
    is a hundred times rarer than the last. Before ``warmup`` samples nothing alarms.

    **What is ordinary.** Every sample is learned as seen. But while a spell that has alarmed
    goes on (for 144 samples at most) its surprise is not counted among those that ordinary
    samples reach, so that a second incident is not excused by the first; a stream that has
    spent its allowance is strange by habit, and is excused.

    **False alarms** (``benchmarks/anomaly_noise.py``). Of the rows after the warm-up of streams
    of 1000 and more samples (40 of each kind) there alarm: normal and uniform noise 0.02 %,
    exponential 0.01 %, log-normal and Student's t with three degrees 0.05 %, counts (Poisson)
    0.01 to 0.06 %, autoregressive noise up to 0.09 %, noise that comes in bursts (GARCH) up to
    0.10 %, random walks with and without a drift 0.06 %, clean days 0.001 %. Of the first 500
    samples, of which 260 count, counts, bursts and slowly forgetting noise have 0.13 to 0.18 %.

    What it is bad at: noise with heavy tails whose size goes with the time of the day (a day of
    traffic times log-normal noise) 0.15 % of the first 1000 and 0.06 % of the first 20 000; in
    heavy-tailed noise a single sample must be far out to be told, and on a random walk only
    what is many steps large is: detect on its differences.

    All is causal. One sample costs the same however long the stream is, and the state is one
    array of about 740 kB. The last 18 000 samples are ranked among; compared with are the
    last 3 000 (three weeks for the times of the day).

    References
    ----------
    Coles (2001), "An Introduction to Statistical Modeling of Extreme Values" (block maxima).
    Smith (1999), "Bayesian and Frequentist Approaches to Parametric Predictive Inference"
    (predictive tails). Mudholkar and George (1979), "The Logit Statistic for Combining
    Probabilities". Lo and MacKinlay (1988), "Stock Market Prices Do Not Follow Random Walks"
    (variance ratios).

    Examples
    --------
    >>> Ensemble(["robust_z"], threshold=0.99).threshold
    0.99
    """

    def __init__(
        self,
        statistics: Iterable[str] | None = None,
        *,
        threshold: float = 0.999,
        warmup: int = WARMUP,
        refractory: int = REFRACTORY,
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
        self.name = "auto" if self.statistics == AUTO_STATISTICS else "ensemble"
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
        from monitorlab.kernels import anomaly_decision as decision

        self._threshold = _checked_threshold(value)
        self._state[decision.THRESHOLD] = 1.0 - self._threshold

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
        rows, _ = score_all(self._fresh_state(), *series_arrays(series))
        return pd.Series(rows[0], index=series.index, name="score")

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

        rows, surprises = score_all(self._fresh_state(), *series_arrays(series), traced=True)
        score, tail, expected, spread = rows
        with np.errstate(over="ignore"):  # no number is so great: a band ends at the greatest
            lower, upper = expected - BAND * spread, expected + BAND * spread
        greatest = np.finfo(np.float64).max
        columns = {
            "score": score,
            "tail": tail,
            "expected": expected,
            "lower": np.maximum(lower, -greatest),
            "upper": np.minimum(upper, greatest),
        }
        chosen = [channel for channel in kernel.CHANNELS if channel in self.statistics]
        columns.update(zip(chosen, surprises, strict=True))
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
        from monitorlab.kernels import anomaly_decision as decision

        chosen = set(self.statistics)
        state = np.zeros(kernel.state_size(len(chosen)))
        state[decision.MASK] = sum(1 << kernel.CHANNELS.index(s) for s in chosen)
        state[decision.USUAL], state[decision.SPREAD] = _ORDINARY.get(len(chosen), _ORDINARY_MANY)
        state[decision.ROAMING] = _ROAMING if chosen.intersection(AUTO_STATISTICS[:4]) else 0.0
        state[decision.NOISE] = _NOISE if len(chosen) >= _MANY else 0.0
        state[decision.WARMUP] = self.warmup
        state[decision.THRESHOLD] = 1.0 - self._threshold
        state[decision.REFRACTORY] = self.refractory
        kernel.reset(state)
        return state

    def _connect(self) -> None:
        from monitorlab.kernels import anomaly_auto as kernel

        self._step = kernel.step
        self._out = np.empty(kernel.OUTPUTS)


def _checked_threshold(value: float) -> float:
    if not 0.0 < value < 1.0:
        msg = f"a threshold must lie between 0 and 1, got {value!r}"
        raise ValueError(msg)
    return float(value)


def _single(name: str, statistics: tuple[str, ...]) -> None:
    def make(
        *, threshold: float = 0.999, warmup: int = WARMUP, refractory: int = REFRACTORY
    ) -> Ensemble:
        return Ensemble(statistics, threshold=threshold, warmup=warmup, refractory=refractory)

    register(name, make)


register("auto", Ensemble)
for _name, _statistics in {
    "nearest": AUTO_STATISTICS[:4],
    "roughness": ("roughness_novelty", "long_roughness_novelty"),
    "nearest_pattern": ("pattern_novelty", "shape_novelty"),
    "seasonal": AUTO_STATISTICS[6:],
    "weekly": ("weekly",),
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
