"""Events: each kind on made series with noise, separate spikes apart, every alarm in one event."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab import anomaly
from monitorlab.anomaly.events import find_events
from monitorlab.anomaly.kinds import KINDS, Shape
from monitorlab.anomaly.spans import _loudest
from tests.anomaly.builders import daily, noise, stamped

AT = 1_500
SEEDS = range(8)


def spike(series: pd.Series) -> None:
    series.iloc[AT : AT + 2] += 90.0


def dip(series: pd.Series) -> None:
    series.iloc[AT : AT + 2] -= 90.0


def level_up(series: pd.Series) -> None:
    series.iloc[AT:] += 60.0


def level_down(series: pd.Series) -> None:
    series.iloc[AT:] -= 60.0


def slope(series: pd.Series) -> None:
    series.iloc[AT:] += 3.0 * np.arange(len(series) - AT)


def rougher(series: pd.Series) -> None:
    series.iloc[AT:] = 50.0 + 6.0 * (series.iloc[AT:] - 50.0)


def stuck(series: pd.Series) -> None:
    series.iloc[AT : AT + 80] = series.iloc[AT - 1]


@pytest.mark.parametrize(
    ("kind", "change", "detector", "within"),
    [
        ("spike", spike, "auto", 2),
        ("dip", dip, "auto", 2),
        ("spike", spike, "robust_z", 2),
        ("level shift", level_up, "auto", 12),
        ("level shift", level_down, "auto", 12),
        ("level shift", level_up, "level_shift", 24),
        ("trend change", slope, "auto", 30),
        ("variance change", rougher, "auto", 40),
        ("flat-line", stuck, "stuck", 60),
    ],
)
def test_each_kind_is_told_from_noise(
    kind: str, change: Callable[[pd.Series], None], detector: str, within: int
) -> None:
    told = []
    for seed in SEEDS:
        series = noise(AT + 200, seed=100 + seed)
        change(series)
        events = anomaly.detect(series, detector).events
        rows = series.index.get_indexer(events["time"])
        near = events[(rows >= AT) & (rows < AT + within)]
        told.append(near["kind"].iloc[0] if len(near) else "missed")
    assert told.count(kind) >= 7, told


def seasonal(freq: str, day: int, days: int, seed: int) -> tuple[pd.Series, np.ndarray, int]:
    """Give a daily season of ten deviations, what is usual, and a row three days from the end."""
    rng = np.random.default_rng(seed)
    usual = 10.0 * np.sin(2 * np.pi * np.arange(day * days) / day)
    series = stamped(50.0 + usual + rng.normal(0.0, 1.0, day * days), freq)
    return series, usual, day * (days - 3) + int(rng.integers(0, day))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("level shift", lambda s, u, at: s.iloc[at:] + 10.0),
        ("trend change", lambda s, u, at: s.iloc[at:] + 0.2 * np.arange(len(s) - at)),
        ("seasonal break", lambda s, u, at: s.iloc[at:] - 2.0 * u[at:]),
        ("spike", lambda s, u, at: s.iloc[at:] + 25.0 * (np.arange(len(s) - at) < 1)),
    ],
)
@pytest.mark.parametrize(
    ("freq", "day", "days"), [("1min", 1_440, 7), ("5min", 288, 14), ("1h", 24, 50)]
)
def test_kinds_are_told_in_a_season(
    freq: str,
    day: int,
    days: int,
    kind: str,
    change: Callable[[pd.Series, np.ndarray, int], pd.Series],
) -> None:
    told = []
    for seed in range(6):
        series, usual, at = seasonal(freq, day, days, seed)
        if kind == "seasonal break":
            at -= (at - day // 4) % day  # at the top of the day, inverted
        series.iloc[at:] = change(series, usual, at)
        events = anomaly.detect(series).events
        rows = series.index.get_indexer(events["time"])
        near = events[(rows >= at) & (rows < at + 90)]
        told += near["kind"].iloc[:1].tolist()
    assert len(told) >= 4, told
    assert told.count(kind) >= len(told) - 1, told


@pytest.mark.parametrize("seed", range(6))
def test_a_slow_slope_is_a_change_of_the_trend(seed: int) -> None:
    series = noise(AT + 200, seed=300 + seed)
    series.iloc[AT:] += 0.5 * np.arange(200)  # a tenth of a deviation a sample
    events = anomaly.detect(series).events
    near = events[events["time"] >= series.index[AT]]
    assert near["kind"].iloc[0] == "trend change"


@pytest.mark.parametrize("seed", range(4))
def test_a_slope_that_ends_on_a_new_level_is_a_change_of_the_trend(seed: int) -> None:
    series, _, _ = seasonal("1min", 1_440, 5, seed)
    at = 1_440 * 4 - 200
    series.iloc[at:] += 0.15 * np.minimum(np.arange(len(series) - at), 300)
    events = anomaly.detect(series).events
    near = events[events["time"] >= series.index[at]]
    assert near["kind"].iloc[0] == "trend change"


def test_the_middle_of_an_outage_is_no_missing_season() -> None:
    series = daily(288 * 8, seed=5)
    at = 288 * 7 + 100
    rng = np.random.default_rng(5)
    series.iloc[at : at + 90] = rng.normal(5.0, 0.5, 90)  # no season, but no usual level either
    events = anomaly.detect(series).events
    assert events[events["time"] >= series.index[at]]["kind"].tolist() == ["level shift"]


def test_a_break_of_the_season_is_told() -> None:
    told = []
    phase = np.arange(288 * 9) % 288
    for seed in SEEDS:
        values = np.where((phase > 100) & (phase < 200), 80.0, 20.0)
        values[288 * 8 + 101 : 288 * 8 + 200] = 20.0  # the busy hours do not come
        values += np.random.default_rng(seed).normal(0.0, 1.0, len(values))
        series = stamped(values)
        events = anomaly.detect(series, "seasonal").events
        rows = series.index.get_indexer(events["time"])
        near = events[(rows > 288 * 8 + 100) & (rows < 288 * 8 + 130)]
        told.append(near["kind"].iloc[0] if len(near) else "missed")
    assert told.count("seasonal break") >= 7, told


def test_a_gap_is_told() -> None:
    series = noise(900, seed=5)
    events = anomaly.detect(series.drop(series.index[600:700])).events
    assert (events["kind"] == "gap").sum() >= 1


def test_the_daily_climb_is_no_change_of_the_level_or_trend() -> None:
    series = daily(288 * 8, seed=3)
    nothing = np.full(len(series), np.nan)
    kinds = {
        Shape(series.to_numpy(), row, row, nothing, nothing).kind({})
        for row in range(288 * 3, 288 * 7, 17)
    }
    assert kinds <= {"unusual pattern", "variance change"}, kinds


@pytest.mark.parametrize("apart", [6, 12, 30, 60])
def test_two_spikes_are_two_events(apart: int) -> None:
    found = []
    for seed in SEEDS:
        series = noise(AT + 200, seed=200 + seed)
        series.iloc[[AT, AT + apart]] = 150.0
        events = anomaly.detect(series).events
        rows = series.index.get_indexer(events["time"])
        spikes = rows[(events["kind"] == "spike").to_numpy()]
        found.append([AT in spikes, AT + apart in spikes])
    assert sum(all(f) for f in found) >= 7, found


def test_a_spike_in_the_tail_of_a_pattern_is_an_event_of_its_own() -> None:
    index = pd.date_range("2026-01-01", periods=400, freq="min", tz="UTC")
    rng = np.random.default_rng(1)
    series = pd.Series(rng.normal(0.0, 1.0, 400), index=index)
    series.iloc[250] = 20.0
    tail = np.full(400, 0.5)
    tail[200:330] = 0.995  # some pattern alarms, and its window stays strange for long
    tail[[200, 250]] = 0.9995
    score = np.where(tail > 0.999, tail, 0.0)
    trace = pd.DataFrame(
        {"score": score, "tail": tail, "expected": 0.0, "lower": -4.0, "upper": 4.0, "weekly": 7.0},
        index=index,
    )
    events = find_events(series, trace, 0.999)
    assert series.index.get_indexer(events["time"]).tolist() == [200, 250]
    assert events["kind"].tolist() == ["seasonal break", "spike"]
    assert events["end"].iloc[0] == index[250]
    assert (events["end"] - events["start"]).iloc[1] == pd.Timedelta("1min")


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**16),
    alarms=st.lists(st.integers(0, 299), max_size=12),
    level=st.sampled_from([0.0, 0.3, 0.9]),
    banded=st.booleans(),
)
def test_every_alarm_lies_in_exactly_one_event(
    seed: int, alarms: list[int], level: float, banded: bool
) -> None:
    rng = np.random.default_rng(seed)
    index = pd.date_range("2026-01-01", periods=300, freq="min", tz="UTC")
    values = rng.standard_t(2, 300)
    tail = np.where(rng.random(300) < level, 0.995, 0.3)
    tail[alarms] = 0.9999
    half = 3.0 if banded else np.nan
    trace = pd.DataFrame(
        {
            "score": np.where(tail > 0.999, tail, 0.0), "tail": tail, "expected": 0.0,
            "lower": -half, "upper": half, "jump": rng.exponential(3.0, 300), "trend": 2.0,
        },
        index=index,
    )  # fmt: skip
    events = find_events(pd.Series(values, index=index), trace, 0.999)
    for alarm in set(alarms):
        holds = (events["start"] <= index[alarm]) & (index[alarm] < events["end"])
        # the alarms of a return to what was usual are none of their own, and not in the event
        since = index[alarm] - events["end"]
        lasted = events["end"] - events["start"] > pd.Timedelta("12min")
        back = lasted & (since >= pd.Timedelta(0)) & (since < pd.Timedelta("48min"))
        assert holds.sum() == 1 or (back.any() and not holds.any()), (alarm, events)
    assert (events["start"] <= events["time"]).all()
    assert (events["start"] <= events["peak"]).all()
    assert (events["peak"] < events["end"]).all()
    assert (events["start"].iloc[1:].to_numpy() >= events["end"].iloc[:-1].to_numpy()).all()
    assert set(events["kind"]) <= set(KINDS)


def test_what_spoke_is_ranked() -> None:
    assert _loudest(["a", "b", "c"], np.array([1.0, 4.0, 8.0])) == {"c": 8.0, "b": 4.0}


def test_explanations_say_what_where_and_against_what() -> None:
    series = noise(AT + 200, seed=100)
    spike(series)
    result = anomaly.detect(series)
    rows = series.index.get_indexer(result.events["time"])
    text = result.explain(int(np.flatnonzero(rows == AT)[0]))
    assert text.startswith("metric: spike at 2026-01-10 05:00:00: ")
    assert " was expected; " in text
    assert "its own past" in text
    assert text.endswith(".")
