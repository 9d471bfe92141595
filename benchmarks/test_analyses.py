"""Speed of forecasts, change points, periods and decompositions, peers in the same run.

pytest benchmarks/test_analyses.py --benchmark-only

Ratios are of processor time, medians of alternating rounds, so that a busy machine does not
decide. Each test fails where the goal is missed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from monitorlab.degradation import changepoints
from monitorlab.forecasting import forecast, models
from monitorlab.seasonality import decompose, find_periods


def hourly(n: int = 960) -> np.ndarray:
    """A day and a week with noise, as long as a series of M4 Hourly."""
    place = np.arange(n)
    weekend = np.where(place // 24 % 7 >= 5, 0.6, 1.0)
    day = 100 + 30 * np.sin(2 * np.pi * place / 24) * weekend - 20 * (weekend < 1)
    return day + np.random.default_rng(0).normal(0, 4, n)


def levels(n: int) -> np.ndarray:
    """Four changes of level in white noise."""
    steps = np.repeat([0.0, 1.0, 0.5, 2.0, 0.0], n // 5)
    return steps + np.random.default_rng(0).normal(size=len(steps))


def alternating(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> float:
    """Give how many times the processor time of ours theirs takes."""
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, call in (("ours", ours), ("theirs", theirs)):
            begun = time.process_time()
            call()
            taken[name].append(time.process_time() - begun)
    return statistics.median(taken["theirs"]) / statistics.median(taken["ours"])


def test_changepoints_100k_against_binseg(benchmark: object) -> None:
    """At least twenty times ruptures' binary segmentation."""
    ruptures = pytest.importorskip("ruptures")
    values = levels(100_000)

    def peer() -> list[int]:
        model = ruptures.Binseg(model="l2").fit(values[:, None])  # its defaults
        return list(model.predict(pen=3 * np.log(len(values))))

    changepoints(values)
    benchmark.extra_info["times_faster_than_binseg"] = alternating(
        lambda: changepoints(values), peer, rounds=1
    )
    benchmark.pedantic(changepoints, args=(values,), rounds=3)
    assert benchmark.stats["median"] < 5.0
    assert benchmark.extra_info["times_faster_than_binseg"] >= 20


def test_changepoints_million(benchmark: object) -> None:
    """A million points in under ten seconds."""
    values = levels(1_000_000)
    found = benchmark.pedantic(changepoints, args=(values,), rounds=2)
    assert len(found) == 4
    assert benchmark.stats["median"] < 10.0


@pytest.mark.parametrize("peer", ["statsforecast_mstl", "mstl_ets"])
def test_forecast_960_against_a_library(benchmark: object, peer: str) -> None:
    """At least fifty times MSTL + AutoARIMA; MSTL + ETS of statsmodels is stated beside.

    The library makes one forecast here, without the past origins that give intervals.
    """
    values = hourly()
    forecast(values, horizon=48)
    if peer == "mstl_ets":
        from statsmodels.tsa.holtwinters import ExponentialSmoothing
        from statsmodels.tsa.seasonal import MSTL

        def theirs() -> object:
            parts = MSTL(values, periods=(24, 168)).fit()
            line = values - np.asarray(parts.seasonal).sum(axis=1)
            return ExponentialSmoothing(line, trend="add", damped_trend=True).fit().forecast(48)
    else:
        if peer not in models():
            pytest.skip("statsforecast is not installed")
        library = pytest.importorskip("statsforecast.models")

        def theirs() -> object:
            return library.MSTL(season_length=[24, 168]).forecast(y=values, h=48)

    theirs()
    ratio = alternating(lambda: forecast(values, horizon=48), theirs, rounds=3)
    benchmark.extra_info[f"times_faster_than_{peer}"] = ratio
    benchmark.pedantic(forecast, args=(values, 48), rounds=5)
    assert ratio >= (2 if peer == "mstl_ets" else 50)


def test_find_periods_960(benchmark: object) -> None:
    """Day and week of a series of M4 Hourly's length, in under half a second."""
    index = pd.date_range("2026-01-05", periods=960, freq="1h", tz="UTC")
    found = benchmark.pedantic(find_periods, args=(pd.Series(hourly(), index=index),), rounds=5)
    assert set(found) == {pd.Timedelta("1D"), pd.Timedelta("7D")}
    assert benchmark.stats["median"] < 0.5


def test_decompose_million(benchmark: object) -> None:
    """A million samples in seconds: on a coarser grid, which the result says."""
    n = 1_000_000
    index = pd.date_range("2024-01-01", periods=n, freq="1min", tz="UTC")
    day = np.sin(2 * np.pi * np.arange(n) / 1_440)
    series = pd.Series(day + np.random.default_rng(0).normal(0, 0.3, n), index=index)
    parts = benchmark.pedantic(decompose, args=(series, ["1d"]), rounds=1)
    assert "coarser grid" in parts.method
    assert parts.strength["1 day"] > 0.8
    assert benchmark.stats["median"] < 20.0
