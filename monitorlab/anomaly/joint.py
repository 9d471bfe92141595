"""Several series together: one joint score, and the share of each series in an event."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.anomaly.base import series_arrays

__all__ = ["SLACK", "joint_scores", "spell_end"]

Floats = npt.NDArray[np.float64]

SLACK = 5  # samples within which the series may answer one fault
RECENT = 36  # samples after an alarm of one series within which it may be found to lie far out
FARTHEST = 20.0  # units of surprise that a series may lie beyond its record
FLOOR = math.log(10.0)  # less surprise than this has no share in an event
WARMUP = 480  # moments before the first alarm: those of one series, and as many to learn from
LEVEL = 36  # samples in a level
MIDDLE = 12  # samples whose median tells how far a series went
TINY = 2.0**-10  # keeps sums of the greatest numbers finite, and changes no digit
HABIT = 4e-3  # chance, by the past of the system, above which it is used to one such series
KEPT_OUT = 0.5  # moments of incidents far out that may go unlearned, for each that is learned
# what each test may spend of the chance of a false alarm; least those that add up small parts
SPENT = {"one": 0.25, "some": 0.25, "far": 0.25, "many": 0.125, "levels": 0.125}
# median and upper fifth of the block maxima of ordinary systems: 20 series of white and of slow
# noise, of noise with a common part, and with heavy tails
_ALONE = (4.2, 5.2)  # of one series; the logarithm of their number moves both
_ALONE_GROWS = 0.85
_FAR = (0.4, 0.6)
_MANY = (0.9, 4.3)
_LEVELS = (4.0, 6.2)


def joint_scores(
    traces: Mapping[str, pd.DataFrame],
    threshold: float = 0.999,
    *,
    alarm: float = 0.999,
    refractory: int = 24,
    series: Mapping[str, pd.Series] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score several series as one system.

    Parameters
    ----------
    traces : mapping of str to pandas.DataFrame
        What ``Ensemble.trace`` found for each series.
    threshold : float
        Score at and above which a moment alarms.
    alarm : float
        Score at and above which one series alarms: the threshold of its detector.
    refractory : int
        Moments after an alarm without another.
    series : mapping of str to pandas.Series, optional
        The samples; without them there is no test of their levels.

    Returns
    -------
    trace : pandas.DataFrame
        Columns ``score`` and ``tail`` (the score without the bar after an alarm) on the union
        of all times.
    shares : pandas.DataFrame
        For each time the share of each series in the joint surprise; rows sum to one, or are
        zero where nothing was strange.

    Notes
    -----
    Five tests are made of the series. *One* may be very strange: the smallest tail probability
    of those that alarmed within five moments, times the number of series (Bonferroni, whatever
    depends on what), unless the system is used to as much. *Some* may alarm at once: their
    number within five moments against a Poisson distribution with the mean that it has had so
    far (half is forgotten after some 1200 moments, outliers are clipped). One that alarmed
    within 36 moments may be *far* out: the median of its last 12 samples, beyond where nine of
    ten such medians were, in units of their range; that grows on where ranks have reached their
    end. *Many* may be a little strange, or their *levels* be a little off, while none alarms:
    the statistic of Berk and Jones, how far the smallest tails together are from those of
    chance. For these two each series is ranked among its own last 3000 samples, its strangeness
    from one side, beyond the record with an exponential tail, and its level (mean of 36
    samples) from both.

    Series depend on each other, so what chance is must be learned: in the last three tests the
    block maxima of the system's own past (24 moments each) set an exponential tail by their
    median and their upper fifth, which few incidents do not move. At first it is that of
    ordinary systems; 20 blocks later it is half the system's own, 4 blocks later if that is
    higher. Of what lies far out a third of the blocks may go unlearned. The least of the tail
    probabilities, each over the part that its test may spend, is the joint one.

    After an alarm a spell must end (three moments with a tail below 0.995, and the refractory
    span) before the next can alarm, unless it is a hundred times rarer, and six moments and
    more later, when no more series answer the same fault. Before 480 moments nothing alarms. No
    look ahead. Cost O(times x series), some 3 us for each.

    What it is bad at: one of very many series is found only if it goes far or is much rarer
    than its own alarms are (one of 150 some 600 times); ask for the single series too. A habit
    of all series (a restart of everything every so often) alarms at first. Where many series
    share most of what they do (a common load of five times the variance of their own noise)
    0.1 to 0.2 % of the moments alarm; of other noise less than 0.06 %.

    References
    ----------
    Dunn (1961), "Multiple Comparisons among Means". Berk and Jones (1979), "Goodness-of-fit test
    statistics that dominate the Kolmogorov statistics". Donoho and Jin (2004), "Higher
    criticism for detecting sparse heterogeneous mixtures".

    Examples
    --------
    >>> from monitorlab.anomaly.ensemble import Ensemble
    >>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
    >>> queue = pd.Series(np.arange(600) % 10.0, index=index)
    >>> disk = queue.where(index != index[500], 400.0)
    >>> traces = {"queue": Ensemble().trace(queue), "disk": Ensemble().trace(disk)}
    >>> trace, shares = joint_scores(traces)
    >>> bool(trace["score"].iloc[500] >= 0.999), shares.iloc[500].idxmax()
    (True, 'disk')
    """
    kept = {name: t[~t.index.duplicated(keep="last")] for name, t in traces.items()}
    strange = _table({name: _strangeness(trace) for name, trace in kept.items()})
    shares = np.zeros(strange.shape)
    tail = np.zeros(len(strange))
    if strange.size:
        surprise = _table({name: _surprise(trace) for name, trace in kept.items()}).to_numpy()
        fresh = {name: _recent(trace["score"] >= alarm, SLACK) for name, trace in kept.items()}
        now = _table(fresh).to_numpy() > 0.0
        parts = {"many": _parts(strange.to_numpy())}
        chances = {
            "one": _one(surprise, now),
            "some": _some(now, 1.0 - alarm),
            "many": _learned(_berk_jones(strange.to_numpy()), _MANY),
        }
        if series is not None:
            samples = {name: _samples(series[name]) for name in kept}
            levels = _like({name: _level(s) for name, s in samples.items()}, strange)
            far = _like({name: _far(s) for name, s in samples.items()}, strange)
            called = {n: _recent(t["score"] >= alarm, RECENT) for n, t in kept.items()}
            far = far * (_table(called).to_numpy() > 0.0)
            parts |= {"levels": _parts(levels), "far": far}
            chances["levels"] = _learned(_berk_jones(levels), _LEVELS)
            chances["far"] = _learned(far.max(axis=1), _FAR, KEPT_OUT)
        spent = sum(SPENT[test] for test in chances)
        odds = {test: spent / SPENT[test] * chance for test, chance in chances.items()}
        least = np.min(list(odds.values()), axis=0)
        tail = 1.0 - np.minimum(least, 1.0)
        tail[:WARMUP] = 0.0
        shares = _recent_parts(strange, now)
        for test, part in parts.items():
            spoke = (odds[test] == least) & part.any(axis=1)
            shares = np.where(spoke[:, None], part, shares)
        whole = shares.sum(axis=1, keepdims=True)
        shares = shares / np.where(whole > 0.0, whole, 1.0)
    score = _barred(tail, threshold, refractory)
    return (
        pd.DataFrame({"score": score, "tail": tail}, index=strange.index),
        pd.DataFrame(shares, index=strange.index, columns=strange.columns),
    )


def spell_end(tail: Floats, alarm: int) -> int:
    """Give where the spell of an alarm ends: three moments with a tail below 0.995.

    Parameters
    ----------
    tail : numpy.ndarray of float64
        Joint tails.
    alarm : int
        Row of the alarm.

    Returns
    -------
    int
        The row after the last of the spell.

    Examples
    --------
    >>> spell_end(np.array([0.5, 0.999, 0.997, 0.5, 0.996, 0.5, 0.5, 0.5, 0.999]), 1)
    5
    """
    from monitorlab.kernels import anomaly_joint as kernel

    return int(kernel.spell_end(tail, alarm))


def _table(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Bring the series to common times; a sample holds until the next, five moments at most."""
    return pd.DataFrame(dict(columns)).sort_index().ffill(limit=SLACK).fillna(0.0)


def _like(columns: Mapping[str, pd.Series], table: pd.DataFrame) -> Floats:
    """Bring the series to the times of a table."""
    found: Floats = _table(columns).reindex(table.index).fillna(0.0).to_numpy()
    return found


def _recent(alarms: pd.Series, samples: int) -> pd.Series:
    return alarms.astype(float).rolling(samples, min_periods=1).max()


def _parts(surprise: Floats) -> Floats:
    """Give what is strange of each surprise; where nothing is, what stands out at all."""
    part = np.maximum(surprise - FLOOR, 0.0)
    return np.where(part.any(axis=1, keepdims=True), part, np.maximum(surprise - 1.0, 0.0))


def _recent_parts(strange: pd.DataFrame, now: npt.NDArray[np.bool_]) -> Floats:
    """Give the part of each series by how strange it was of late.

    Where series alarm the event is theirs; what lingers of earlier ones has no share in it.
    """
    recent = strange.rolling(SLACK, min_periods=1).max().to_numpy()
    part = np.maximum(recent - FLOOR, 0.0)
    part = np.where(now.any(axis=1, keepdims=True), part * now, part)
    return np.where(part.any(axis=1, keepdims=True), part, np.maximum(recent - 1.0, 0.0))


def _one(surprise: Floats, now: npt.NDArray[np.bool_]) -> Floats:
    """Give the chance of the rarest series that alarmed, by its own tail; habits are excused."""
    number = surprise.shape[1]
    grown = _ALONE_GROWS * math.log(number)
    own = _learned(surprise.max(axis=1), (_ALONE[0] + grown, _ALONE[1] + grown))
    chance = np.minimum(number * np.exp(-np.where(now, surprise, 0.0).max(axis=1)), 1.0)
    return np.where(own <= HABIT, chance, 1.0)


def _ranks(values: Floats) -> Floats:
    from monitorlab.kernels.anomaly_joint import past_ranks

    ranks = np.empty((4, len(values)))
    past_ranks(values, ranks)
    return ranks


def _surprise(trace: pd.DataFrame) -> pd.Series:
    """Give minus the logarithm of the tail probabilities."""
    return -np.log1p(-trace["tail"].clip(upper=1.0 - 1e-15))


def _strangeness(trace: pd.DataFrame) -> pd.Series:
    """Give the surprise of each sample, by how strange those before it were."""
    surprise = _surprise(trace).to_numpy()
    below, equal, above, record = _ranks(surprise)
    held = below + equal + above
    beyond = np.clip(surprise - record, 0.0, FARTHEST)
    return pd.Series(beyond - np.log((equal + above + 0.5) / (held + 1.0)), index=trace.index)


def _samples(series: pd.Series) -> pd.Series:
    """Give the samples that are there, the last of each time, in a unit that can be summed."""
    _, values = series_arrays(series)
    there = np.isfinite(values) & ~np.asarray(series.index.duplicated(keep="last"))
    return pd.Series(values[there] * TINY, index=series.index[there])


def _level(samples: pd.Series) -> pd.Series:
    """Give the surprise of the mean of the last samples, by the means before, from both sides."""
    means = samples.rolling(LEVEL, min_periods=1).mean()
    below, equal, above, _ = _ranks(_rounded(means.to_numpy()))
    low = (below + 0.5 * equal + 0.5) / (below + equal + above + 1.0)
    return pd.Series(-np.log(2.0 * np.minimum(low, 1.0 - low)), index=means.index)


def _far(samples: pd.Series) -> pd.Series:
    """Give how far the median of the last samples lies beyond where most of them were."""
    from monitorlab.kernels.anomaly_joint import beyond_usual

    medians = samples.rolling(MIDDLE, min_periods=1).median()
    beyond = np.empty(len(medians))
    beyond_usual(medians.to_numpy(), beyond)
    return pd.Series(beyond, index=medians.index)


def _rounded(values: Floats) -> Floats:
    """Round to 40 bits: of means that should be the same no more need agree."""
    bits = np.ascontiguousarray(values).view(np.int64)
    rounded: Floats = ((bits + 0x800) & ~0xFFF).view(np.float64)
    return rounded


def _berk_jones(surprise: Floats) -> Floats:
    """Give how far the smallest tails of each row are from those of chance."""
    number = surprise.shape[1]
    share = np.arange(1, number + 1) / number
    chance = np.exp(np.sort(-surprise, axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.where(share < 1.0, (1.0 - share) * np.log((1.0 - share) / (1.0 - chance)), 0.0)
        far = np.where(chance < share, share * np.log(share / chance) + beyond, 0.0)
    farthest: Floats = number * far.max(axis=1)
    return farthest


def _learned(statistic: Floats, ordinary: tuple[float, float], kept_out: float = 0.0) -> Floats:
    """Give the chance of as much, by what was usual so far."""
    from monitorlab.kernels.anomaly_joint import own_chances

    chance = np.empty(len(statistic))
    own_chances(np.ascontiguousarray(statistic), *ordinary, kept_out, chance)
    return chance


def _some(now: npt.NDArray[np.bool_], chance: float) -> Floats:
    """Give the chance of so many series that alarm at once, by what was usual so far."""
    from scipy.special import gammainc

    from monitorlab.kernels.anomaly_joint import usual_counts

    counts = now.sum(axis=1).astype(np.float64)
    means = np.empty(len(counts))
    usual_counts(counts, now.shape[1] * SLACK * chance, means)
    some = counts > 0.0
    found = np.ones(len(counts))
    found[some] = gammainc(counts[some], means[some])  # of so many and more
    return found


def _barred(tail: Floats, threshold: float, refractory: int) -> Floats:
    """Lower what goes on after an alarm below the threshold."""
    from monitorlab.kernels.anomaly_joint import bar

    score = np.empty(len(tail))
    bar(tail, threshold, refractory, score)
    return score
