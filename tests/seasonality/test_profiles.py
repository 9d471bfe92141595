"""Profiles, heat maps, and the result for a set of series."""

import json

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import NotEnoughDataError
from monitorlab.model import Labels, SeriesKey
from monitorlab.seasonality import analyze, heatmap, profile, weekly_table

DAY, WEEK = pd.Timedelta("1D"), pd.Timedelta("7D")


def office(n: int = 24 * 28, tz: str = "UTC", seed: int = 0) -> pd.Series:
    index = pd.date_range("2026-03-02", periods=n, freq="1h", tz="UTC")
    local = index.tz_convert(tz)
    busy = (local.hour >= 9) & (local.hour < 17) & (local.day_of_week < 5)
    rng = np.random.default_rng(seed)
    return pd.Series(10.0 + 20 * busy + rng.normal(size=n), index=index, name="load")


def test_profile_by_hour_has_bands_and_a_peak() -> None:
    shape = profile(office(), by="hour")
    table = shape.to_frame()
    assert table.index.tolist() == list(range(24))
    assert (table["low"] <= table["q25"]).all()
    assert (table["q25"] <= table["median"]).all()
    assert (table["median"] <= table["q75"]).all()
    assert (table["q75"] <= table["high"]).all()
    assert 9 <= shape.peak < 17
    assert not 9 <= shape.trough < 17


def test_the_clock_follows_daylight_saving() -> None:
    # Zurich changes to summer time on 2026-03-29, inside the span
    series = office(24 * 56, tz="Europe/Zurich")
    weekdays = series[series.index.tz_convert("Europe/Zurich").day_of_week < 5]
    by_local = profile(weekdays, by="hour", tz="Europe/Zurich").to_frame()
    assert by_local.loc[9, "low"] > 25
    assert by_local.loc[8, "high"] < 15
    by_utc = profile(weekdays, by="hour").to_frame()
    assert by_utc.loc[7, "high"] - by_utc.loc[7, "low"] > 15


def test_weekday_month_and_free_periods() -> None:
    assert profile(office(), by="weekday").trough in ("Sat", "Sun")
    index = pd.date_range("2023-01-01", periods=3 * 365, freq="1D", tz="UTC")
    year = pd.Series(np.where(index.month == 7, 5.0, 1.0), index=index)
    assert profile(year, by="month").peak == "Jul"
    shape = profile(office(), by="8h")
    assert len(shape.table) == 8
    assert shape.by == "8h"


@pytest.mark.parametrize(("by", "hours"), [("hour", 40), ("weekday", 300), ("month", 9_000)])
def test_refusal_under_two_periods(by: str, hours: int) -> None:
    index = pd.date_range("2026-01-05", periods=hours, freq="1h", tz="UTC")
    with pytest.raises(NotEnoughDataError, match="two periods"):
        profile(pd.Series(1.0, index=index), by=by)


def test_heat_map() -> None:
    table = weekly_table(office())
    assert table.shape == (7, 24)
    assert table.loc["Mon", 12] > 25 > table.loc["Sun", 12]
    figure = heatmap(office())
    assert figure.data[0].z.shape == (7, 24)
    with pytest.raises(NotEnoughDataError):
        heatmap(office(24 * 10))


def test_analyze_many_series() -> None:
    flat = pd.Series(
        np.random.default_rng(0).normal(size=100),
        index=pd.date_range("2026-01-05", periods=100, freq="1min", tz="UTC"),
    )
    key = SeriesKey("load", Labels(host="a"))
    result = analyze({key: office(), SeriesKey("flat"): flat})
    assert set(result[key].periods) == {DAY, WEEK}
    assert set(result[key].profiles) == {"hour", "weekday"}
    assert result["flat"].periods == ()
    assert set(result["flat"].refused) == {"hour", "weekday"}
    assert repr(result) == "Seasonality: 1 of 2 series have a season"
    frame = result.to_frame()
    assert frame["series"].tolist() == [str(key), str(key), "flat"]
    json.dumps(result.to_dict(), allow_nan=False)
    assert "<table>" in result._repr_html_()
    assert len(result.plot(key).data) == 5
    assert len(result.plot("flat").data) == 1
    assert result.heatmap(key).data
    assert DAY in result.decompose(key).seasonal
    with pytest.raises(KeyError):
        result["nothing"]
