"""Builders of small sources, seeded."""

import numpy as np
import pytest

from monitorlab.storage import STALE_NAN, SeriesStore

SECOND = 1_000_000_000


def make_store(seed=0, *, series=3, samples=240, step=15, gaps=0.1, stale=0.02, reset=0.0):
    """Give gauges ``x{i=…}`` in 0..9 and counters ``c_total{i=…}``, with gaps and stale markers."""
    rng = np.random.default_rng(seed)
    store = SeriesStore()
    times = np.arange(samples, dtype=np.int64) * step * SECOND
    for i in range(series):
        runs = np.repeat(rng.integers(0, 10, samples), rng.integers(1, 9, samples))[:samples]
        values = runs.astype(float)
        values[rng.random(samples) < stale] = STALE_NAN
        kept = rng.random(samples) >= gaps
        if gaps:
            hole = rng.integers(0, max(samples - 40, 1))
            kept[hole : hole + rng.integers(0, 40)] = False
        store.extend("x", times[kept], values[kept], {"i": str(i)})
        counts = np.cumsum(rng.integers(0, 5, samples)).astype(float)
        store.extend("c_total", times[kept], counts[kept], {"i": str(i)})
    return store


@pytest.fixture
def store():
    return make_store()


@pytest.fixture
def spikes():
    """A flat series with a spike of 5 minutes each hour, and the incidents."""
    store = SeriesStore()
    n = 5 * 240
    index = np.arange(n)
    bad = (index % 240 >= 100) & (index % 240 < 120)
    wave = np.sin(index / 9.0)
    times = index.astype(np.int64) * 15 * SECOND
    store.extend("latency", times, np.where(bad, 50.0, 10.0) + wave, {"route": "/cart"})
    starts = np.flatnonzero(bad & ~np.roll(bad, 1))
    truth = [
        (int(times[s]) / 1e9, int(times[s + 20]) / 1e9, f"fault {k}") for k, s in enumerate(starts)
    ]
    return store, [(_time(a), _time(b), kind) for a, b, kind in truth]


def _time(seconds):
    import pandas as pd

    return pd.Timestamp(seconds, unit="s", tz="UTC")
