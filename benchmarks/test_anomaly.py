"""Speed of the detectors, one sample at a time and in batch, beside river and pyod.

pytest benchmarks/test_anomaly.py --benchmark-only
"""

from __future__ import annotations

import pickle
import time

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly

N = 5_000


@pytest.fixture(scope="module")
def series() -> pd.Series:
    rng = np.random.default_rng(0)
    index = pd.date_range("2026-01-01", periods=N, freq="5min", tz="UTC")
    season = 30 * np.sin(2 * np.pi * np.arange(N) / 288)
    return pd.Series(100 + season + rng.normal(0, 3, N), index=index)


@pytest.mark.parametrize("name", anomaly.detectors())
def test_update(benchmark: object, series: pd.Series, name: str) -> None:
    detector = anomaly.make_detector(name)
    pairs = list(
        zip((series.index.as_unit("ns").asi8 / 1e9).tolist(), series.tolist(), strict=True)
    )
    detector.update(pairs[0][0] - 300.0, 100.0)

    def stream() -> None:
        for t, v in pairs:
            detector.update(t, v)

    benchmark.pedantic(stream, rounds=5, warmup_rounds=1)
    benchmark.extra_info["microseconds_per_sample"] = 1e6 * benchmark.stats["median"] / N


@pytest.mark.parametrize("name", anomaly.detectors())
def test_batch(benchmark: object, series: pd.Series, name: str) -> None:
    detector = anomaly.make_detector(name)
    benchmark.pedantic(detector.score, args=(series,), rounds=5, warmup_rounds=1)
    benchmark.extra_info["microseconds_per_sample"] = 1e6 * benchmark.stats["median"] / N


@pytest.mark.parametrize("times", [1, 10])
def test_batch_beside_update(series: pd.Series, record_property: object, times: int) -> None:
    """One sample, one by one through Python and in batch, in turns: by the clock, and by work."""
    detector = anomaly.make_detector("auto")
    n = times * N
    index = pd.date_range(series.index[0], periods=n, freq="5min")
    series = pd.Series(np.tile(series.to_numpy(), times), index=index)
    series += np.random.default_rng(1).normal(0, 1, n)
    pairs = list(
        zip((series.index.as_unit("ns").asi8 / 1e9).tolist(), series.tolist(), strict=True)
    )
    detector.score(series)
    best = {"update": (np.inf, np.inf), "batch": (np.inf, np.inf)}

    def stream() -> None:
        for t, v in pairs:
            detector.update(t, v)

    for _ in range(5):
        detector.reset()
        for name, work in (("update", stream), *[("batch", lambda: detector.score(series))] * 3):
            clock, processor = time.perf_counter(), time.process_time()
            work()
            spent = time.perf_counter() - clock, time.process_time() - processor
            best[name] = tuple(map(min, best[name], spent))
    (update, update_work), (batch, batch_work) = best["update"], best["batch"]
    figures = {
        "samples": n,
        "update_us": 1e6 * update / n,
        "batch_us": 1e6 * batch / n,
        "ratio": update / batch,
        "processor_ratio": update_work / batch_work,
    }
    record_property("figures", figures)
    print({name: round(value, 2) for name, value in figures.items()})
    assert 1e6 * update / n < 20.0


@pytest.mark.parametrize("name", anomaly.detectors())
def test_memory(series: pd.Series, name: str) -> None:
    """All that is learned, after five thousand samples, fits in a megabyte."""
    detector = anomaly.make_detector(name)
    for t, v in zip(series.index.as_unit("ns").asi8 / 1e9, series, strict=True):
        detector.update(t, v)
    size = len(pickle.dumps(detector))
    print(f"{name} {size} bytes")
    assert size <= 1_000_000


def test_thousand_series_live(benchmark: object) -> None:
    """One sample of each of a thousand series; must stay under a second."""
    detectors = [anomaly.make_detector("auto") for _ in range(1_000)]
    values = np.random.default_rng(1).normal(size=1_000).tolist()
    clock = iter(range(10_000_000))

    def tick() -> None:
        t = float(next(clock))
        for detector, value in zip(detectors, values, strict=True):
            detector.update(t, value)

    benchmark.pedantic(tick, rounds=20, warmup_rounds=20)
    assert benchmark.stats["median"] < 1.0


def test_river_half_space_trees(benchmark: object, series: pd.Series) -> None:
    river = pytest.importorskip("river.anomaly", reason="river is not installed")
    model = river.HalfSpaceTrees(seed=0)

    def stream() -> None:
        for v in series.iloc[:1_000].tolist():
            model.score_one({"x": v})
            model.learn_one({"x": v})

    benchmark.pedantic(stream, rounds=3)
    benchmark.extra_info["microseconds_per_sample"] = 1e6 * benchmark.stats["median"] / 1_000


def test_pyod_ecod(benchmark: object, series: pd.Series) -> None:
    pyod = pytest.importorskip("pyod.models.ecod", reason="pyod is not installed")
    lags = np.lib.stride_tricks.sliding_window_view(series.to_numpy(), 5)
    benchmark.pedantic(lambda: pyod.ECOD().fit(lags), rounds=3)
    benchmark.extra_info["microseconds_per_sample"] = 1e6 * benchmark.stats["median"] / len(lags)
