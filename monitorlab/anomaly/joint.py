"""Several series together: one joint score, and the share of each series in an event."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["SLACK", "joint_scores", "spell_end"]

Floats = npt.NDArray[np.float64]

SLACK = 5  # samples within which the series may answer one fault
CEILING = 30.0  # one series may not speak louder than this many units of surprise
FLOOR = math.log(10.0)  # less surprise than this has no share in an event
WARMUP = 240  # moments before the first alarm, as every detector has them
MEMORY = 600  # moments after which what was usual for that count fades
CLIP = 3.0  # deviations above the usual at which a count is learned
RARER = 100.0  # within a spell only what is so many times rarer alarms again
SPELL = 0.99  # tail below which, three moments in a row, a spell is over
QUIET = 3


def joint_scores(
    traces: Mapping[str, pd.DataFrame],
    threshold: float = 0.999,
    *,
    alarm: float = 0.999,
    refractory: int = 24,
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
    Two tests are made, each of what the last five samples of every series show. One series
    alone may be very strange: Tippett's test, the rarest tail times the number of series. Or
    several may be strange at once: the number of series that alarm, against a Poisson
    distribution with the mean that this number has had so far (what the threshold promises at
    first; half is forgotten after some 600 moments, outliers are clipped). The rarer
    of the two, times two, is the joint tail probability. After an alarm a spell must end
    (three moments with a tail below 0.99, and the refractory span) before the next can alarm,
    unless it is a hundred times rarer. No look ahead. Cost O(times x series).

    Every series that is added makes one strange series alone count for less: with a hundred
    it takes a tail of one in 200 000.

    References
    ----------
    Tippett (1931), "The Methods of Statistics".

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
    columns, fresh = {}, {}
    for name, trace in traces.items():
        kept = trace[~trace.index.duplicated(keep="last")]
        surprise = -np.log1p(-np.minimum(kept["tail"].to_numpy(), 1.0 - 1e-15))
        recent = pd.Series(np.minimum(surprise, CEILING), index=kept.index)
        columns[name] = recent.rolling(SLACK, min_periods=1).max()
        alarms = (kept["score"] >= alarm).astype(float)
        fresh[name] = alarms.rolling(SLACK, min_periods=1).max()
    table = pd.DataFrame(columns).sort_index().ffill(limit=SLACK).fillna(0.0)
    values = table.to_numpy()
    now = pd.DataFrame(fresh).sort_index().ffill(limit=SLACK).fillna(0.0).to_numpy()
    chance = np.ones(len(values))
    if values.size:
        alone = values.shape[1] * np.exp(-values.max(axis=1))
        several = _several(now.sum(axis=1), values.shape[1] * SLACK * (1.0 - alarm))
        chance = np.minimum(1.0, 2.0 * np.minimum(alone, several))
        chance[:WARMUP] = 1.0
    tail = 1.0 - chance
    score = _barred(tail, threshold, refractory)
    part = np.maximum(values - FLOOR, 0.0)
    # where series alarm the event is theirs; what lingers of earlier ones has no share in it
    part = np.where(now.any(axis=1, keepdims=True), part * now, part)
    whole = part.sum(axis=1, keepdims=True)
    shares = pd.DataFrame(
        part / np.where(whole > 0.0, whole, 1.0), index=table.index, columns=table.columns
    )
    return pd.DataFrame({"score": score, "tail": tail}, index=table.index), shares


def spell_end(tail: Floats, alarm: int) -> int:
    """Give where the spell of an alarm ends: three moments with a tail below 0.99.

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
    >>> spell_end(np.array([0.5, 0.999, 0.995, 0.5, 0.992, 0.5, 0.5, 0.5, 0.999]), 1)
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
