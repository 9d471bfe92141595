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
FARTHEST = 20.0  # units of surprise that a series may lie beyond its record
FLOOR = math.log(10.0)  # less surprise than this has no share in an event
WARMUP = 480  # moments before the first alarm: those of one series, and as many to learn from
MEMORY = 1_200  # moments after which what was usual for that count fades
CLIP = 3.0  # deviations above the usual at which a count is learned
RARER = 100.0  # within a spell only what is so many times rarer alarms again
SPELL = 0.995  # tail below which, three moments in a row, a spell is over
QUIET = 3
LEVEL = 36  # samples in a level
TINY = 2.0**-10  # keeps sums of the greatest numbers finite, and changes no digit
# median and upper fifth of the block maxima of ordinary systems: 20 series of white and of slow
# noise, of noise with a common part, and with heavy tails
_ALONE = (1.2, 3.3)
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
    Each series is ranked among its own last 3000 samples, so that its surprise means the same
    as that of any other: its strangeness from one side, beyond the record with an exponential
    tail, and its level (mean of 36 samples) from both. Four tests are made of that. *One*
    series alone may be very strange (Tippett: the rarest tail times the number of series).
    *Some* may alarm at once: their number within five moments against a Poisson distribution
    with the mean that it has had so far (half is forgotten after some 1200 moments, outliers
    are clipped). *Many* may be a little strange, or their *levels* be a little off, while none
    alarms: the statistic of Berk and Jones, how far the smallest tails together are from those
    of chance.

    Series depend on each other, so what chance is must be learned: in each test but that of
    the counts the block maxima of the system's own past (24 moments each) set an exponential
    tail by their median and their upper fifth, which few incidents do not move. At first it
    is that of ordinary systems; 20 blocks later it is half the system's own. The least of the
    tail probabilities, times the number of tests, is the joint one.

    After an alarm a spell must end (three moments with a tail below 0.995, and the refractory
    span) before the next can alarm, unless it is a hundred times rarer. Before 480 moments
    nothing alarms. No look ahead. Cost O(times x series), some 2 us for each.

    What it is bad at: of incidents that move one or two of very many series it finds those
    alone that are new to these series; ask for the single series too. A habit of all series
    (a restart of everything every so often) alarms at first.

    References
    ----------
    Tippett (1931), "The Methods of Statistics". Berk and Jones (1979), "Goodness-of-fit test
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
    fresh = _table({name: _recent(trace["score"] >= alarm) for name, trace in kept.items()})
    now = fresh.to_numpy() > 0.0
    values = strange.to_numpy()
    tail = np.zeros(len(values))
    by_level = np.zeros(len(values), dtype=bool)
    levels = np.zeros_like(values)
    if values.size:
        number = values.shape[1]
        chances = [
            _learned(values.max(axis=1) - math.log(number), _ALONE),
            _several(now.sum(axis=1).astype(float), number * SLACK * (1.0 - alarm)),
            _learned(_berk_jones(values), _MANY),
        ]
        if series is not None:
            found = _table({name: _level(series[name]) for name in kept})
            levels = found.reindex(strange.index).to_numpy()
            chances.append(_learned(_berk_jones(levels), _LEVELS))
        least = np.min(chances, axis=0)
        by_level = least < np.min(chances[:3], axis=0)
        tail = 1.0 - np.minimum(len(chances) * least, 1.0)
        tail[:WARMUP] = 0.0
    score = _barred(tail, threshold, refractory)
    recent = strange.rolling(SLACK, min_periods=1).max().to_numpy()
    spoken = np.where(by_level[:, None], levels, recent)
    part = np.maximum(spoken - FLOOR, 0.0)
    # where series alarm the event is theirs; what lingers of earlier ones has no share in it
    gated = now.any(axis=1, keepdims=True) & ~by_level[:, None]
    part = np.where(gated, part * now, part)
    part = np.where(part.any(axis=1, keepdims=True), part, np.maximum(spoken - 1.0, 0.0))
    whole = part.sum(axis=1, keepdims=True)
    shares = pd.DataFrame(
        part / np.where(whole > 0.0, whole, 1.0), index=strange.index, columns=strange.columns
    )
    return pd.DataFrame({"score": score, "tail": tail}, index=strange.index), shares


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
    end, quiet = alarm + 1, 0
    for row in range(alarm + 1, len(tail)):
        quiet = 0 if tail[row] >= SPELL else quiet + 1
        if quiet >= QUIET:
            break
        if tail[row] >= SPELL:
            end = row + 1
    return end


def _table(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Bring the series to common times; a sample holds until the next, five moments at most."""
    return pd.DataFrame(dict(columns)).sort_index().ffill(limit=SLACK).fillna(0.0)


def _recent(alarms: pd.Series) -> pd.Series:
    return alarms.astype(float).rolling(SLACK, min_periods=1).max()


def _ranks(values: Floats) -> Floats:
    from monitorlab.kernels.anomaly_joint import past_ranks

    ranks = np.empty((4, len(values)))
    past_ranks(values, ranks)
    return ranks


def _strangeness(trace: pd.DataFrame) -> pd.Series:
    """Give the surprise of each sample, by how strange those before it were."""
    surprise = -np.log1p(-np.minimum(trace["tail"].to_numpy(), 1.0 - 1e-15))
    below, equal, above, record = _ranks(surprise)
    held = below + equal + above
    beyond = np.clip(surprise - record, 0.0, FARTHEST)
    return pd.Series(beyond - np.log((equal + above + 0.5) / (held + 1.0)), index=trace.index)


def _level(series: pd.Series) -> pd.Series:
    """Give the surprise of the mean of the last samples, by the means before, from both sides."""
    _, values = series_arrays(series)
    there = np.isfinite(values) & ~np.asarray(series.index.duplicated(keep="last"))
    kept = values[there]
    means = pd.Series(kept * TINY, index=series.index[there]).rolling(LEVEL, min_periods=1).mean()
    below, equal, above, _ = _ranks(_rounded(means.to_numpy()))
    low = (below + 0.5 * equal + 0.5) / (below + equal + above + 1.0)
    return pd.Series(-np.log(2.0 * np.minimum(low, 1.0 - low)), index=means.index)


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


def _learned(statistic: Floats, ordinary: tuple[float, float]) -> Floats:
    """Give the chance of as much, by what was usual so far."""
    from monitorlab.kernels.anomaly_joint import own_chances

    chance = np.empty(len(statistic))
    own_chances(np.ascontiguousarray(statistic), *ordinary, chance)
    return chance


def _several(counts: Floats, mean: float) -> Floats:
    """Give the chance of so many strange series at once, by what was usual so far."""
    from scipy.special import gammainc

    fade = math.log(2.0) / MEMORY
    means = np.empty(len(counts))
    for row, count in enumerate(counts.tolist()):
        means[row] = mean
        usual = min(count, mean + CLIP * math.sqrt(mean) + 1.0)
        mean += max(fade, 1.0 / (MEMORY + row)) * (usual - mean)
        mean = max(mean, 1e-6)
    some = counts > 0.0
    chance = np.ones(len(counts))
    chance[some] = gammainc(counts[some], means[some])  # of so many and more
    return chance


def _barred(tail: Floats, threshold: float, refractory: int) -> Floats:
    """Lower what goes on after an alarm below the threshold."""
    score = tail.copy()
    cap = max(0.0, 1.0 - 10.0 * (1.0 - threshold))
    left, quiet, rarest = 0, QUIET, 1.0
    for row, value in enumerate(tail.tolist()):
        over = left <= 0 and quiet >= QUIET
        chance = 1.0 - value
        if value >= threshold:
            if over or chance * RARER <= rarest:
                left, rarest = refractory + 1, chance
            else:
                score[row] = cap
        left -= 1
        quiet = 0 if value >= SPELL else quiet + 1
    return score
