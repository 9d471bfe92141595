"""Small builders of series with gaps, resets and stale markers, from a seed."""

from __future__ import annotations

import random

import numpy as np

from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore
from tests.query.reference import STALE

SECOND = 10**9


def random_samples(
    seed: int, *, length: int = 60, counter: bool = False, step: float = 15.0, whole: bool = False
) -> list[tuple]:
    """Give (time, value) pairs about a step apart; some are missing, some are stale markers."""
    rng = random.Random(seed)
    time, value, samples = 0.0, float(rng.randint(0, 50)), []
    for _ in range(length):
        time += step * rng.choice((1, 1, 1, 1, 1, 1, 3, 30)) + rng.choice((0, 0, 0, 0.25, -0.25))
        chance = rng.random()
        if chance < 0.04:
            samples.append((round(time * SECOND), STALE))
            continue
        if counter:
            value = float(rng.randint(0, 3)) if chance < 0.1 else value + rng.randint(0, 9)
        else:
            value = round(rng.uniform(-50, 100), 0 if whole else 3)
        samples.append((round(time * SECOND), value))
    return samples


def store_of(series: dict[str, list[tuple]], metric: str = "x", label: str = "s") -> SeriesStore:
    """Put samples into a store, one series a name."""
    store = SeriesStore()
    for name, samples in series.items():
        times = np.array([t for t, _ in samples], np.int64)
        values = np.array([STALE_NAN if v is STALE else v for _, v in samples], float)
        store.extend(SeriesKey(metric, Labels({label: name})), times, values)
    return store
