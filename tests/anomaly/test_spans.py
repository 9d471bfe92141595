"""Where events start and end: changes that come back, flat lines, and what is no return."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from tests.anomaly.builders import daily, noise, stamped

AT = 1_500
Told = list[tuple[str, int, int]]


def told(series: pd.Series, first: int = AT - 5, last: int = 10**9) -> Told:
    """Give kind, start and end of the events called in some rows, counted from ``AT``."""
    events = anomaly.detect(series).events
    step = series.index[1] - series.index[0]
    zero = series.index[AT]
    near = events[(events["time"] >= series.index[first])]
    near = near[near["time"] < zero + step * (last - AT)] if last < 10**9 else near
    return [
        (kind, int((start - zero) / step), int((end - zero) / step))
        for kind, start, end in zip(near["kind"], near["start"], near["end"], strict=True)
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("far", "count"), [(100.0, 120), (-60.0, 300), (75.0, 20)])
def test_a_level_that_comes_back_is_one_event_until_it_is_back(
    far: float, count: int, seed: int
) -> None:
    series = noise(AT + count + 60, seed=400 + seed)
    series.iloc[AT : AT + count] += far
    assert told(series) == [("level shift", 0, count)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [30, 120, 300])
def test_an_outage_is_one_flat_line_with_the_bounds_of_its_readings(count: int, seed: int) -> None:
    series = noise(AT + count + 60, seed=410 + seed)
    series.iloc[AT : AT + count] = 0.0
    assert told(series) == [("flat-line", 0, count)]


@pytest.mark.parametrize("seed", range(6))
def test_a_flat_line_that_a_score_tells_has_the_bounds_of_its_readings(seed: int) -> None:
    series = noise(AT + 300, seed=420 + seed)
    series.iloc[AT : AT + 120] = series.iloc[AT]
    flat = [event for event in told(series) if event[0] == "flat-line"]
    assert flat == [("flat-line", 0, 120)]


@pytest.mark.parametrize("seed", range(3))
def test_a_ramp_that_falls_back_ends_there(seed: int) -> None:
    series = noise(AT + 250, seed=430 + seed)
    series.iloc[AT : AT + 150] += np.arange(150.0)
    ((kind, start, end),) = told(series)
    assert kind == "trend change"
    assert 0 <= start < 30
    assert 150 <= end <= 155


def test_a_change_for_good_ends_when_the_band_has_followed() -> None:
    series = noise(AT + 900, seed=440)
    series.iloc[AT:] += 100.0
    ((kind, start, end),) = told(series, last=AT + 100)
    assert (kind, start) == ("level shift", 0)
    assert end < 300


def test_what_stands_out_of_a_change_that_lasts_is_an_event_of_its_own() -> None:
    series = noise(AT + 300, seed=441)
    series.iloc[AT : AT + 200] += 40.0
    series.iloc[AT + 120] += 400.0
    (shift, spike, *_) = told(series)
    assert shift == ("level shift", 0, 120)
    assert spike[:2] == ("spike", 120)


@pytest.mark.parametrize("seed", range(4))
def test_a_surge_within_a_slow_event_is_an_event_of_its_own(seed: int) -> None:
    """A first trough of a wave is news and comes back; what surges before it is back is other."""
    at = np.arange(900)
    wave = 0.25 + 0.15 * np.sin(at / 900.0 * 4.0 * np.pi)
    values = np.random.default_rng(seed).normal(wave, 0.03)
    values[450:540] += 0.4
    series = stamped(values, "2s")
    events = anomaly.detect(series).events
    assert events["start"].isin([series.index[450]]).any()


@pytest.mark.parametrize("day", [288, 1_440])
def test_a_season_that_goes_on_draws_no_event_out(day: int) -> None:
    wave = 30.0 * np.sin(2 * np.pi * np.arange(2_400) / day)  # of a minute: still new at first
    found = []
    for seed, at in enumerate(range(830, 2_300, 130)):
        values = wave + np.random.default_rng(seed).normal(0.0, 1.0, len(wave))
        values[at] += 90.0
        series = stamped(values, "5min" if day == 288 else "1min")
        found += [event for event in told(series, first=at) if event[1] == at - AT]
    assert len(found) >= 8
    # in the first day the wave itself can alarm while the spike is still in the last samples
    drawn_out = [e for e in found if not (e[0] == "spike" and e[2] - e[1] < 48)]
    assert len(drawn_out) <= 1, drawn_out


def test_bounds_in_a_season_are_those_of_the_change() -> None:
    series = daily(AT + 700, seed=3)
    series.iloc[AT : AT + 100] += 40.0
    assert told(series)[0] == ("level shift", 0, 100)
