"""Several series as one system: what one alone, what several at once, and whose share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab import anomaly
from monitorlab.anomaly.joint import WARMUP, joint_scores, spell_end
from monitorlab.kernels.anomaly_joint import (
    DELAY,
    REMEMBERED,
    SETTLE,
    STRIDE,
    bar,
    beyond_usual,
    own_chances,
    past_ranks,
)
from tests.anomaly.builders import noise, rough_cases

INDEX = pd.date_range("2026-01-05", periods=900, freq="15s", tz="UTC")
AT = 700


def made(series: int, **peaks: float) -> dict[str, pd.DataFrame]:
    """Give traces of pure chance but for peaks of tail, by name of the series."""
    rng = np.random.default_rng(series)
    traces = {}
    for k in range(series):
        tail = rng.random(len(INDEX))
        tail[AT] = peaks.get(f"s{k}", tail[AT])
        traces[f"s{k}"] = pd.DataFrame({"score": np.minimum(tail, 0.99), "tail": tail}, index=INDEX)
        traces[f"s{k}"].iloc[AT, 0] = tail[AT]
    return traces


def alarmed(traces: dict[str, pd.DataFrame]) -> bool:
    trace, _ = joint_scores(traces)
    rows = np.flatnonzero(trace["score"].to_numpy() >= 0.999)
    assert set(rows) <= {AT}
    return len(rows) == 1


def test_one_very_strange_series_is_enough_and_a_little_strange_one_is_not() -> None:
    assert alarmed(made(10, s3=1.0 - 1e-6))
    assert not alarmed(made(10, s3=0.9993))
    assert not alarmed(made(300, s3=1.0 - 1e-5))


def test_several_that_alarm_at_once_are_stranger_than_one() -> None:
    assert alarmed(made(10, s1=0.9993, s4=0.9993, s7=0.9993))
    _, shares = joint_scores(made(10, s1=0.9993, s4=0.9993, s7=0.9999))
    top = shares.iloc[AT]
    assert set(top[top > 0.0].index) == {"s1", "s4", "s7"}
    assert top.idxmax() == "s7"


def test_what_always_alarms_together_is_learned() -> None:
    traces = made(6)
    for trace in traces.values():
        trace.iloc[::7] = 0.9995
    score, _ = joint_scores(traces)
    late = score["score"].to_numpy()[WARMUP + 400 :]
    assert (late >= 0.999).mean() < 0.005


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), cut=st.integers(1, 899), series=st.integers(1, 6))
def test_never_looks_ahead_and_shares_sum_to_one(seed: int, cut: int, series: int) -> None:
    rng = np.random.default_rng(seed)
    traces = {}
    for k in range(series):
        tail = 1.0 - rng.random(len(INDEX)) ** 3
        tail[rng.integers(0, len(INDEX), 3)] = np.nan
        score = np.where(rng.random(len(INDEX)) < 0.02, tail, np.minimum(tail, 0.99))
        traces[f"s{k}"] = pd.DataFrame({"score": score, "tail": tail}, index=INDEX)
    trace, shares = joint_scores(traces)
    early, _ = joint_scores({name: t.iloc[:cut] for name, t in traces.items()})
    pd.testing.assert_frame_equal(early, trace.iloc[:cut])
    sums = shares.sum(axis=1).to_numpy()
    assert np.all(np.isclose(sums, 1.0) | (sums == 0.0))
    assert trace["tail"].between(0.0, 1.0).all()
    assert (trace["score"] <= trace["tail"]).all()


def test_series_of_different_intervals_meet_in_time() -> None:
    fast = noise(2_400, seed=1, freq="15s")
    slow = noise(600, seed=2, freq="1min")
    fast.iloc[2_000] += 90.0
    slow.iloc[500] += 90.0
    result = anomaly.detect({"fast": fast, "slow": slow}, together=True)
    assert fast.index[2_000] == slow.index[500]
    near = result.events[(result.events["time"] - fast.index[2_000]).abs() < pd.Timedelta("2min")]
    assert len(near) == 1
    assert set(near["shares"].iloc[0]) == {"fast", "slow"}


def test_a_spell_is_one_event() -> None:
    series = {name: noise(1_500, seed=70 + k) for k, name in enumerate("abcd")}
    for values in series.values():
        values.iloc[1_000:1_010] += 70.0 + 10.0 * np.arange(10)
    result = anomaly.detect(series, together=True)
    index = series["a"].index
    inside = result.events[
        (result.events["time"] >= index[1_000]) & (result.events["time"] < index[1_030])
    ]
    assert len(inside) == 1
    assert len(inside["shares"].iloc[0]) >= 2


@pytest.mark.parametrize(
    ("tail", "alarm", "end"),
    [([0.999, 0.5, 0.5, 0.5, 0.999], 0, 1), ([0.999, 0.5, 0.5, 0.996], 0, 4), ([0.999], 0, 1)],
)
def test_where_a_spell_ends(tail: list[float], alarm: int, end: int) -> None:
    assert spell_end(np.array(tail), alarm) == end


def test_no_series_and_one_series() -> None:
    trace, shares = joint_scores({})
    assert len(trace) == len(shares) == 0
    alone = anomaly.detect({"a": noise(800, seed=3)}, together=True)
    assert len(alone.scores) == 800


def frames(seed: int, shift: float = 0.0) -> dict[str, pd.Series]:
    """Give twelve series of noise, eight of which move a little for an hour."""
    rng = np.random.default_rng(seed)
    series = {}
    for k in range(12):
        values = rng.normal(0.0, 1.0, 1_400)
        values[1_200:1_260] += shift * rng.choice([-1.0, 1.0]) if k < 8 else 0.0
        series[f"s{k}"] = pd.Series(values, noise(1_400, freq="1min").index)
    return series


def test_small_shifts_of_many_series_are_found_and_chance_is_not() -> None:
    found, alarms, single = 0, 0, 0
    for seed in range(4):
        quiet = anomaly.detect(frames(seed), together=True)
        alarms += int((quiet.scores >= 0.999).sum())
        moved = anomaly.detect(frames(seed, 0.4), together=True)
        index = moved.scores.index
        times = moved.events["time"]
        inside = (times >= index[1_200]) & (times < index[1_290])
        found += bool(inside.any())
        for name, trace in moved.traces.items():
            assert len(trace) == 1_400, name
            single += bool((trace["score"].iloc[1_200:1_290] >= 0.999).any())
        if inside.any():
            row = moved.events[inside].iloc[0]
            assert sum(row["shares"].get(f"s{k}", 0.0) for k in range(8)) > 0.6
    assert found == 4
    assert single <= 8  # of 48 series, 32 of which move
    assert alarms <= 4  # of 4 times 1 400 moments


def test_two_of_the_same_time_and_a_mean_that_comes_back_are_the_same() -> None:
    index = pd.date_range("2026-01-05", periods=1_000, freq="15s", tz="UTC")
    flat = pd.Series(1.0, index=index)
    flat.iloc[100:120] = 0.1 + 0.2
    result = anomaly.detect({"a": flat, "b": flat + 1.0}, together=True)
    assert (result.scores.iloc[700:] < 0.9).all()
    again = flat.set_axis(index.floor("1min"))
    assert len(anomaly.detect({"a": again}, together=True).scores) == 250


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), kinds=st.integers(2, 400))
def test_ranks_are_counts_of_what_was_before(seed: int, kinds: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, kinds, REMEMBERED + 400).astype(float)
    x[rng.integers(0, len(x), 50)] = np.nan
    ranks = np.empty((4, len(x)))
    past_ranks(x, ranks)
    for i in (0, SETTLE - 1, *rng.integers(SETTLE + 60, len(x), 10)):
        past = x[:i][~np.isnan(x[:i])][-REMEMBERED:]
        if np.isnan(x[i]) or len(past) < SETTLE:
            assert np.isnan(ranks[:, i]).all()
            continue
        counts = [(past < x[i]).sum(), (past == x[i]).sum(), (past > x[i]).sum(), past.max()]
        assert ranks[:, i].tolist() == counts


def test_a_few_incidents_do_not_move_what_chance_is() -> None:
    rng = np.random.default_rng(0)
    calm = rng.exponential(size=2_000)
    struck = calm.copy()
    struck[rng.choice(1_900, 8, replace=False)] += 50.0
    chances = np.empty((2, 2_000))
    for row, x in zip(chances, (calm, struck), strict=True):
        x[1_999] = 12.0
        own_chances(x, 1.0, 2.0, 0.0, row)
    assert chances[0, 1_999] < 2e-5
    # eight blocks of 76 have more; that a system shows more than ordinary ones is soon believed
    assert chances[1, 1_999] < 4e-4
    assert ((chances > 0.0) & (chances <= 1.0)).all()


def test_series_of_every_awkward_kind_make_a_score() -> None:
    found = anomaly.detect(rough_cases(), together=True)
    assert found.scores.notna().all()
    assert found.scores.between(0.0, 1.0).all()
    assert found.scores.index.is_monotonic_increasing
    for name, series in rough_cases().items():
        alone = anomaly.detect({name: series}, together=True)
        assert alone.scores.between(0.0, 1.0).all(), name


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("shift", [6.0, 8.0, 15.0])
def test_a_clear_shift_of_one_series_of_ten_is_found(seed: int, shift: float) -> None:
    rng = np.random.default_rng(100 + seed)
    index = noise(1_200, freq="1min").index
    series = {f"s{k}": pd.Series(rng.normal(size=1_200), index=index) for k in range(10)}
    series["s4"].iloc[1_000:1_060] += shift
    events = anomaly.detect(series, together=True).events
    inside = events[(events["time"] >= index[1_000]) & (events["time"] < index[1_060])]
    assert next(iter(inside["shares"].iloc[0])) == "s4"
    assert len(events) - len(inside) <= 1


def test_a_tail_that_climbs_over_several_moments_alarms() -> None:
    tail = np.array([0.5, 0.5, 0.5, 0.996, 0.9999, 0.9999, 0.5, 0.5, 0.5, 0.9995])
    score = np.empty(len(tail))
    bar(tail, 0.999, 3, score)
    assert np.flatnonzero(score >= 0.999).tolist() == [4, 9]
    bar(tail, 0.999, 24, score)
    assert np.flatnonzero(score >= 0.999).tolist() == [4]


def test_within_a_spell_only_something_far_rarer_alarms_again_but_not_at_once() -> None:
    tail = np.full(20, 0.5)
    tail[4] = 0.9999
    tail[[5, 9, 12]] = 1.0 - 1e-7  # a thousand times rarer
    score = np.empty(len(tail))
    bar(tail, 0.999, 24, score)
    # at first more and more series answer one fault
    assert np.flatnonzero(score >= 0.999).tolist() == [4, 12]


def test_an_alarm_of_a_series_that_goes_far_is_one_of_the_system() -> None:
    index = pd.date_range("2026-01-05", periods=900, freq="15s", tz="UTC")
    traces = {name: trace.set_axis(index) for name, trace in made(40, s3=0.9993).items()}
    rng = np.random.default_rng(5)
    series = {name: pd.Series(rng.normal(size=900), index=index) for name in traces}
    quiet, _ = joint_scores(traces, series=series)
    series["s3"].iloc[AT : AT + 30] += 60.0
    loud, shares = joint_scores(traces, series=series)
    called = np.flatnonzero(loud["score"] >= 0.999)
    assert (quiet["score"].iloc[AT : AT + 30] < 0.999).all()
    assert AT < called[0] < AT + 12
    assert shares.iloc[called[0]].idxmax() == "s3"
    series["s3"].iloc[AT : AT + 30] *= -1.0
    other, _ = joint_scores(traces, series=series)
    assert (other["score"].iloc[AT : AT + 30] >= 0.999).any()


def test_how_far_is_told_in_ranges_of_the_past() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=900)
    x[rng.integers(600, 900, 40)] += 30.0
    beyond = np.empty(len(x))
    beyond_usual(x, beyond)
    for i in (10, 135, 136, 700, *rng.integers(600, 900, 20)):
        past = np.sort(x[: max(i - DELAY + 1, 0) : STRIDE])
        if len(past) * STRIDE < SETTLE:
            assert beyond[i] == 0.0
            continue
        edge = int(0.05 * len(past))
        low, high = past[edge], past[-1 - edge]
        outside = max(x[i] - high, low - x[i], 0.0)
        assert beyond[i] == pytest.approx(np.log1p(outside / (high - low)))
    flat = np.empty(330)
    beyond_usual(np.r_[np.full(300, 2.0), np.full(30, 7.0)], flat)
    assert (flat == 0.0).all()  # what never moved has no range


def test_many_incidents_do_not_hide_the_next_where_what_is_rare_is_kept_out() -> None:
    rng = np.random.default_rng(1)
    x = rng.exponential(0.1, 3_000)
    for start in range(1_000, 2_900, 100):
        x[start : start + 24] += 3.0  # a block or two of four are struck
    x[2_999] = 3.0
    learned, kept = np.empty((2, 3_000))
    own_chances(x, 0.4, 0.6, 0.0, learned)
    own_chances(x, 0.4, 0.6, 0.5, kept)
    assert learned[2_999] > 1e-3
    assert kept[2_999] < 1e-5
    habit = np.where(np.arange(3_000) % 10 == 0, 3.0, 0.1)
    own_chances(habit, 0.4, 0.6, 0.5, kept)
    assert kept[2_990] > 1e-3  # what always comes again is learned all the same
