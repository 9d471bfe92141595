"""Score a whole series from a clean start, channel by channel instead of step by step."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["score_all"]

WORTH_SHARING = 3_000  # samples from which on another thread saves more than it costs
SMALL_SHARED = 20_000  # the same for what costs a few nanoseconds a sample
MOST_THREADS = 4
DECIDED = 2  # rows of what is decided: score and tail


def score_all(
    state: np.ndarray, seconds: np.ndarray, values: np.ndarray, *, traced: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Give what a step for each sample finds: rows of scores, and of surprises.

    Parameters
    ----------
    state : numpy.ndarray
        The state of a detector that has seen nothing; it is used up.
    seconds, values : numpy.ndarray of float64, shape (n_samples,)
        The times do not go back. NaN and infinities are missing samples, NaN in every row.
    traced : bool
        Whether expected values and surprises are wanted too.

    Returns
    -------
    rows : numpy.ndarray, shape (4 or 2, n_samples)
        Score, tail and, traced, the expected value and its spread.
    surprises : numpy.ndarray, shape (n_statistics or 0, n_samples)
        Those of the statistics that take part, in the order of ``CHANNELS``.

    Notes
    -----
    Times and values of the future are sorted beside those of the past, but only what a step
    would have seen is asked. About 0.4 to 0.6 us a sample for the statistics of ``"auto"`` on two
    cores (from 3 000 samples on; 0.5 to 0.9 us on one), and 280 bytes of working memory. The
    threads that help are made once, and kept.

    Examples
    --------
    >>> from monitorlab.anomaly import Ensemble
    >>> state = Ensemble(["jump"])._fresh_state()
    >>> rows, surprises = score_all(state, np.arange(3.0), np.array([1.0, np.nan, 1.0]))
    >>> rows.tolist(), surprises.shape
    ([[0.0, nan, 0.0], [0.0, nan, 0.0]], (0, 3))
    """
    from monitorlab.kernels import anomaly_auto as auto
    from monitorlab.kernels.anomaly_decision import MASK

    there = np.isfinite(values)
    whole = bool(there.all())
    x = values if whole else values[there]
    mask = int(state[MASK])
    channels = [k for k in range(auto.N) if mask & (1 << k)]
    rows = np.empty((auto.FIRST if traced else 2, len(x)))
    surprises = np.empty((len(channels) if traced else 0, len(x)))
    if len(x):
        odds = np.empty((len(channels), len(x)))
        times = seconds if whole else seconds[there]
        _weigh((state, times, x), channels, odds, surprises)
        _decide((state, x), channels, odds, rows)
    if whole:
        return rows, surprises
    return _with_missing(rows, there), _with_missing(surprises, there)


@cache
def _helpers() -> tuple[Executor | None, int]:
    """Give the threads that help with all that is scored, and how many they are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    helpers = min(cores or 1, MOST_THREADS) - 1
    return ThreadPoolExecutor(helpers, "monitorlab-scores") if helpers else None, helpers


if hasattr(os, "register_at_fork"):  # threads do not live on in a child
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def _share(samples: int, tasks: Iterable[Callable[[], Any]], *, least: int = WORTH_SHARING) -> None:
    """Do all tasks, here and on the helping threads, each by whoever is free first.

    Fewer samples than ``least`` are not worth the waking of a thread. Help that comes too late is
    not waited for, so that it does no harm when many threads score at once.
    """
    waiting = deque(tasks)

    def work() -> None:
        while waiting:
            try:
                task = waiting.popleft()
            except IndexError:  # another was faster
                return
            task()

    pool, helpers = _helpers() if samples >= least and len(waiting) > 1 else (None, 0)
    others = [pool.submit(work) for _ in range(helpers)] if pool is not None else []
    try:
        work()
    finally:
        for other in others:
            if not other.cancel():
                other.result()


def _weigh(
    series: tuple[np.ndarray, np.ndarray, np.ndarray],
    channels: list[int],
    odds: np.ndarray,
    surprises: np.ndarray,
) -> None:
    """Fill a row of ``odds`` and, unless there are none, of ``surprises`` for each channel.

    What is written does not depend on who does which part, or when.
    """
    from monitorlab.kernels import anomaly_auto as auto
    from monitorlab.kernels import anomaly_batch as batch
    from monitorlab.kernels.anomaly_days import day_novelty
    from monitorlab.kernels.anomaly_evidence import calibrate as calibrate_all
    from monitorlab.kernels.anomaly_memory import SUMMARIES

    state, seconds, x = series
    ever = [k for k in channels if k < auto.BY_DAY]
    by_day = [k - auto.BY_DAY for k in channels if 0 <= k - auto.BY_DAY < SUMMARIES]
    novel = len(ever) + len(by_day)
    found = np.empty((SUMMARIES, len(x)))
    least = np.empty(len(x))
    unwanted = np.empty(0)

    def calibrate(row: int) -> None:
        surprise = surprises[row] if len(surprises) else unwanted
        calibrate_all(odds[row], surprise, channels[row] < 2 * SUMMARIES)

    def remember(row: int) -> None:
        k = channels[row]
        memory = (auto.WIDTHS[k], auto.STRIDES[k], auto.SIZES[k])
        _novelty(found[k], least, memory, odds[row])
        calibrate(row)

    share = partial(_share, len(x))
    tasks: list[Callable[[], Any]] = []
    later: list[Callable[[], Any]] = []

    def compare_days() -> None:
        if len(by_day) == SUMMARIES:
            day_novelty(seconds, found, least, odds[len(ever) : novel])
        else:
            near = np.empty((SUMMARIES, len(x)))
            day_novelty(seconds, found, least, near)
            odds[len(ever) : novel] = near[by_day]
        later.extend(partial(calibrate, row) for row in range(len(ever), novel))

    def step_through() -> None:
        rest = sum(1 << k for k in channels[novel:])
        batch.others(state, seconds, x, rest, odds[novel:])
        later.extend(partial(calibrate, row) for row in range(novel, len(channels)))

    if novel:
        share(partial(batch.summaries, x, *cut, found, least) for cut in _halves(len(x)))
    tasks.extend([compare_days] if by_day else [])
    tasks.extend([step_through] if novel < len(channels) else [])
    tasks.extend(partial(remember, row) for row in range(len(ever)))
    share(tasks)
    share(later)


def _decide(
    series: tuple[np.ndarray, np.ndarray],
    channels: list[int],
    odds: np.ndarray,
    rows: np.ndarray,
) -> None:
    """Fuse the odds and fill ``rows``; only what must go in order of time does."""
    from monitorlab.kernels import anomaly_auto as auto
    from monitorlab.kernels import anomaly_batch as batch
    from monitorlab.kernels.anomaly_decision import NOISE, ROAMING
    from monitorlab.kernels.anomaly_memory import SUMMARIES

    state, x = series
    n = len(x)
    share = partial(_share, n, least=SMALL_SHARED)
    fused, lifted, weights = np.empty(n), np.empty(n), np.empty((2, n))
    ever = sum(k < auto.BY_DAY for k in channels)
    novel = sum(k < auto.BY_DAY + SUMMARIES for k in channels)
    days = (ever, novel) if ever else (0, 0)
    tasks: list[Callable[[], Any]] = [
        partial(batch.fuse, odds, days, *cut, fused) for cut in _halves(n)
    ]
    tasks.append(partial(batch.lifts, x, state[ROAMING], state[NOISE], lifted))
    if len(rows) > DECIDED:
        tasks.append(partial(batch.expect, state, x, rows))
    share(tasks)
    batch.decide(state, fused, lifted, weights, rows)
    share(partial(batch.chances, weights, *cut, rows) for cut in _halves(n))


def _halves(n: int) -> Iterable[tuple[int, int]]:
    """Cut so many samples in two where that is worth it, for what costs little a sample."""
    parts = 2 if n >= SMALL_SHARED else 1
    return pairwise(n * part // parts for part in range(parts + 1))


def _novelty(
    x: np.ndarray, least: np.ndarray, memory: tuple[int, int, int], raw: np.ndarray
) -> None:
    """Fill ``raw`` block by block; each begins as far back as the memory reaches."""
    from monitorlab.kernels import anomaly_batch as batch
    from monitorlab.kernels import ranks

    delay, stride, size = memory
    keys = np.empty(min(len(x), ranks.LARGEST_BLOCK), np.int64)
    begin = 0
    while begin < len(x):
        start = max(begin - delay - stride * size, 0)
        end = min(start + ranks.LARGEST_BLOCK, len(x))
        window = (start, begin, end)
        order = keys[: end - start]
        ranks.sort_keys(x[start:end], order)
        order.sort()
        if not batch.novelty(x, least, window, memory, order, raw):
            batch.novelty(x, least, window, memory, np.argsort(x[start:end]), raw)
        begin = end


def _with_missing(rows: np.ndarray, there: np.ndarray) -> np.ndarray:
    spread = np.full((len(rows), len(there)), np.nan)
    spread[:, there] = rows
    return spread
