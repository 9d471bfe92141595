"""Even grids: gaps, jitter, moving means."""

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import InvalidSeriesError, NotEnoughDataError
from monitorlab.seasonality.grid import check_series, coarsen, fill_gaps, moving_mean, regular_grid


def hourly(values: np.ndarray) -> pd.Series:
    index = pd.date_range("2026-01-05", periods=len(values), freq="1h", tz="UTC")
    return pd.Series(values, index=index, name="x")


def test_a_gap_is_nan_not_a_shift() -> None:
    series = hourly(np.arange(10.0)).drop(hourly(np.arange(10.0)).index[3:5])
    grid = regular_grid(series)
    assert np.isnan(grid.values[3:5]).all()
    assert grid.values[5] == 5.0
    assert not grid.resampled


def test_jitter_is_named() -> None:
    index = pd.to_datetime([0, 60, 131, 180, 240], unit="s", utc=True)
    grid = regular_grid(pd.Series(np.arange(5.0), index=index))
    assert grid.resampled
    assert grid.values.tolist() == [0, 1, 2, 3, 4]


def test_bursts_do_not_explode_the_grid() -> None:
    times = np.concatenate([np.arange(50) * 1_000_000 + k * 86_400_000_000_000 for k in range(9)])
    series = pd.Series(1.0, index=pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC"))
    assert len(regular_grid(series).values) < 20 * len(series)


@pytest.mark.parametrize(
    "bad",
    [
        [1.0, 2.0],
        pd.Series([1.0, 2.0]),
        pd.Series([1.0, 2.0], index=pd.date_range("2026", periods=2)),
        pd.Series([1.0, 2.0], index=pd.to_datetime([1, 0], unit="s", utc=True)),
        pd.Series([1.0, 2.0], index=pd.to_datetime([1, 1], unit="s", utc=True)),
        pd.Series(["a", "b"], index=pd.to_datetime([0, 1], unit="s", utc=True)),
    ],
)
def test_wrong_series_are_refused(bad: object) -> None:
    with pytest.raises(InvalidSeriesError):
        check_series(bad)  # type: ignore[arg-type]


def test_too_short_for_a_grid() -> None:
    with pytest.raises(NotEnoughDataError) as caught:
        regular_grid(hourly(np.array([1.0, np.nan, 2.0])))
    assert (caught.value.needed, caught.value.got) == (3, 2)


def test_moving_mean_is_the_plain_mean_in_the_middle() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    x[rng.random(200) < 0.2] = np.nan
    smooth = moving_mean(x, 11)
    for at in range(5, 195):
        assert smooth[at] == pytest.approx(np.nanmean(x[at - 5 : at + 6]))


@pytest.mark.parametrize("window", [2, 7, 24, 99, 100])
def test_moving_mean_takes_a_whole_season_out(window: int) -> None:
    x = np.tile(np.random.default_rng(1).normal(size=window), 5)
    smooth = moving_mean(x, window)
    assert len(smooth) == len(x)
    assert np.allclose(smooth, x[:window].mean())


def test_coarsen_and_fill() -> None:
    grid = regular_grid(hourly(np.arange(12.0)))
    assert coarsen(grid, 4).values.tolist() == [1.5, 5.5, 9.5]
    assert coarsen(grid, 1) is grid
    assert fill_gaps(np.array([1.0, np.nan, 3.0])).tolist() == [1, 2, 3]
