"""Verdicts on events: the threshold adapts, and the marks stay with the frame."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import monitorlab as ml
from monitorlab import anomaly
from monitorlab.anomaly.verdicts import verdicts, verdicts_on
from monitorlab.model import Incident
from monitorlab.storage import SeriesStore
from tests.anomaly.builders import noise


def spiked(seed: int = 21, *heights: float) -> pd.Series:
    series = noise(1_500, seed=seed)
    for n, height in enumerate(heights or (100.0,)):
        series.iloc[700 + 120 * n] += height
    return series


def frame(*heights: float) -> ml.MonitoringFrame:
    mf = ml.MonitoringFrame()
    for n, host in enumerate("ab"):
        series = spiked(21 + n, *(heights or (60.0, 90.0, 140.0)))
        mf.extend("load", series.index, series.to_numpy(), {"host": host})
    return mf


def test_verdicts_move_the_threshold_and_come_back_from_incidents() -> None:
    result = anomaly.detect(spiked(), anomaly.make_detector("auto", threshold=0.995))
    feedback = anomaly.Feedback(result.threshold)
    assert feedback.threshold == result.threshold
    weakest = int(result.events["score"].idxmin())
    incident = feedback.mark(result, weakest, "expected")
    assert incident.kind == "expected"
    assert incident.is_expected
    assert incident.metrics == ("metric",)
    assert feedback.threshold > result.events["score"].min() - 1e-12 or len(result.events) == 1
    again = anomaly.Feedback(result.threshold)
    again.learn(result, [incident])
    assert again.threshold == feedback.threshold


def test_a_missed_anomaly_lowers_the_threshold() -> None:
    lower = anomaly.Feedback(0.999)
    lower.add(0.99, expected=False)
    assert lower.threshold <= 0.99
    assert lower.marks == ((0.99, False),)
    series = noise(1_500, seed=4)
    result = anomaly.detect(series)
    tails = result.trace()["tail"].iloc[400:]
    at = tails[tails < 0.995].idxmax()
    missed = Incident.make(at, at + pd.Timedelta("5min"), "anomaly", metrics=("metric",))
    again = anomaly.detect(series, marks=[missed])
    assert again.thresholds["metric"] < result.threshold
    assert len(again.events) >= len(result.events)


@given(
    marks=st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=40),
    start=st.sampled_from([0.99, 0.999, 0.9999]),
)
def test_the_threshold_stays_in_bounds_and_follows_verdicts(
    marks: list[tuple[float, bool]], start: float
) -> None:
    feedback = anomaly.Feedback(start)
    for score, expected in marks:
        before = feedback.threshold
        feedback.add(score, expected=expected)
        after = feedback.threshold
        assert after >= before - 1e-9 if expected else after <= before + 1e-9
        assert 0.98 - 1e-12 <= after <= 1.0 - 1e-8 + 1e-12


def test_one_great_spike_that_was_expected_makes_no_series_deaf() -> None:
    feedback = anomaly.Feedback(0.999)
    feedback.add(1.0, expected=True)
    assert feedback.threshold < 0.99999


def test_nonsense_is_refused() -> None:
    feedback = anomaly.Feedback()
    with pytest.raises(ValueError, match="between 0 and 1"):
        feedback.add(1.5, expected=True)
    with pytest.raises(ValueError, match="between 0 and 1"):
        anomaly.Feedback(2.0)
    result = anomaly.detect(spiked())
    with pytest.raises(ValueError, match="'expected' or 'anomaly'"):
        feedback.mark(result, 0, "maybe")  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        feedback.mark(result, 999, "anomaly")
    with pytest.raises(IndexError):
        result.mark(999, "anomaly")


def test_marks_are_kept_with_the_frame_and_heeded(tmp_path: Path) -> None:
    mf = frame()
    first = mf.anomalies("load")
    mine = first.events[first.events["series"] == 'load{host="a"}']
    weakest = int(mine["score"].idxmin())
    kept = first.mark(weakest, "expected")
    assert mf.incidents["kind"].tolist() == ["expected"]
    assert kept.metrics == ('load{host="a"}',)
    again = mf.anomalies("load")
    assert list(again.thresholds) == ['load{host="a"}']
    assert again.thresholds['load{host="a"}'] > first.threshold
    a, b = (again.events["series"] == f'load{{host="{h}"}}' for h in "ab")
    assert a.sum() < len(mine)
    pd.testing.assert_frame_equal(
        again.events[b].reset_index(drop=True),
        first.events[first.events["series"] == 'load{host="b"}'].reset_index(drop=True),
    )
    assert "moved in 1 of them by verdicts" in repr(again)
    mf.to_parquet(tmp_path / "x.parquet")
    read = ml.read_parquet(tmp_path / "x.parquet")
    assert read.incidents["kind"].tolist() == ["expected"]
    same = read.anomalies("load")
    assert dict(same.thresholds) == dict(again.thresholds)
    pd.testing.assert_frame_equal(same.events, again.events)
    assert read.anomalies("load", marks=[]).thresholds == {}


def test_an_event_that_is_too_strange_stays_and_bears_its_verdict() -> None:
    mf = frame(400.0)
    found = mf.anomalies('load{host="a"}')
    strongest = int(found.events["score"].idxmax())
    time = found.events["time"].iloc[strongest]
    found.mark(strongest, "expected")
    again = mf.anomalies('load{host="a"}')
    row = again.events[again.events["time"] == time].iloc[0]
    assert row["verdict"] == "expected"
    assert row["severity"] == "info"
    assert "verdict" in again.to_frame()
    assert "verdict" not in found.to_frame()


def test_the_last_verdict_on_an_event_counts() -> None:
    mf = frame(400.0)
    found = mf.anomalies('load{host="a"}')
    strongest = int(found.events["score"].idxmax())
    found.mark(strongest, "expected")
    found.mark(strongest, "anomaly")
    again = mf.anomalies('load{host="a"}')
    assert "expected" not in set(again.events["verdict"])
    assert "anomaly" in set(again.events["verdict"])
    assert len(verdicts(mf.store.incidents)) == 1
    assert verdicts_on(found.events, mf.store.incidents)[strongest] == "anomaly"


def test_what_was_expected_is_no_truth_to_score_rules_by() -> None:
    mf = frame(400.0)
    found = mf.anomalies('load{host="a"}')
    found.mark(int(found.events["score"].idxmax()), "expected")
    mf.alert("High", 'load{host="a"} > 200')
    assert mf.backtest(interval="5m").score.incidents == 0
    found.mark(int(found.events["score"].idxmax()), "anomaly")
    assert mf.backtest(interval="5m").score.incidents == 1


def test_joint_events_can_be_judged() -> None:
    store = SeriesStore()
    for n, host in enumerate("abc"):
        series = spiked(50 + n, 90.0)
        store.extend("load", series.index, series.to_numpy(), {"host": host})
    mf = ml.MonitoringFrame(store)
    found = mf.anomalies(together=True)
    assert len(found.events) >= 1
    weakest = int(found.events["score"].idxmin())
    kept = found.mark(weakest, "expected")
    assert set(kept.metrics) == set(found.events["shares"].iloc[weakest])
    again = mf.anomalies(together=True)
    assert again.thresholds[""] > found.threshold
    assert not math.isclose(again.thresholds[""], found.threshold)
    assert np.count_nonzero(again.scores >= again.thresholds[""]) <= np.count_nonzero(
        found.scores >= found.threshold
    )


FAULTS = {  # at, how long, how high
    "spike": (1_300, 1, 20.0), "shift": (1_600, 60, 10.0), "dip": (1_900, 1, -12.0),
    "repeat": (2_100, 3, 11.0),
}  # fmt: skip


def faulty(seed: int = 3) -> pd.Series:
    """Noise with a spike of 12 deviations, and what comes after it."""
    index = pd.date_range("2026-01-01", periods=2_400, freq="min", tz="UTC")
    series = pd.Series(10.0 + np.random.default_rng(seed).normal(size=2_400), index, name="metric")
    series.iloc[900:903] += 12.0
    for at, length, height in FAULTS.values():
        series.iloc[at : at + length] += height
    return series


def heard(result: anomaly.Anomalies, series: pd.Series) -> set[str]:
    """Which faults an event was told of that is not as expected."""
    told = result.events[result.events["verdict"] != "expected"]
    return {
        name
        for name, (at, length, _) in FAULTS.items()
        if told["time"].between(series.index[at - 2], series.index[at + length + 5]).any()
    }


def first_of(result: anomaly.Anomalies, when: pd.Timestamp) -> int:
    away = (result.events["time"] - when).abs()
    assert away.min() < pd.Timedelta("30min")
    return int(away.idxmin())


@pytest.mark.parametrize("seed", [3, 5, 6])
def test_one_expected_event_quiets_what_is_like_it_and_nothing_else(seed: int) -> None:
    series = faulty(seed)
    before = anomaly.detect(series)
    assert heard(before, series) == set(FAULTS)
    mark = before.mark(first_of(before, series.index[900]), "expected")
    after = anomaly.detect(series, marks=[mark])
    assert heard(after, series) == {"spike", "shift", "dip"}
    assert after.thresholds["metric"] > before.threshold


def test_what_is_as_large_as_an_anomaly_is_not_like_what_was_expected() -> None:
    series = faulty()
    before = anomaly.detect(series)
    marks = [
        before.mark(first_of(before, series.index[900]), "expected"),
        before.mark(first_of(before, series.index[2_100]), "anomaly"),
    ]
    assert "repeat" in heard(anomaly.detect(series, marks=marks), series)
    assert "repeat" not in heard(anomaly.detect(series, marks=marks[:1]), series)


def test_a_mark_over_several_events_says_nothing_of_others() -> None:
    series = faulty(7)
    ends = series.index[850], series.index[1_350]
    before = anomaly.detect(series)
    assert before.events["time"].between(*ends).sum() == 2
    wide = Incident.make(*ends, "expected", metrics=("metric",))
    near = before.mark(first_of(before, series.index[900]), "expected")
    verdict = {}
    for mark in (wide, near):
        found = anomaly.detect(series, marks=[mark])
        verdict[mark] = found.events["verdict"].iloc[first_of(found, series.index[2_100])]
    assert verdict == {wide: "", near: "expected"}


def test_many_marks_move_the_threshold_further_than_one() -> None:
    feedback, moved = anomaly.Feedback(0.999), []
    for _ in range(9):
        feedback.add(0.9999999, expected=True)
        moved.append((1.0 - 0.999) / (1.0 - feedback.threshold))
    assert moved == sorted(moved)
    assert 2.0 < moved[0] < 4.5
    assert 8.0 < moved[-1] < 15.0
    assert 1.0 - feedback.threshold_expected < (1.0 - 0.999) / 20.0


def test_gaps_like_an_expected_one_bear_its_verdict_and_longer_ones_do_not() -> None:
    series = noise(3_000, seed=2)
    lost = [range(at, at + n) for at, n in ((1_000, 60), (1_500, 60), (2_000, 200))]
    series = series.drop(series.index[[n for gap in lost for n in gap]])
    found = anomaly.detect(series)
    gaps = found.events[found.events["kind"] == "gap"]
    mark = found.mark(int(gaps.index[0]), "expected")
    after = anomaly.detect(series, marks=[mark])
    told = after.events[after.events["kind"] == "gap"]
    assert told["verdict"].tolist() == ["expected", "expected", ""]
    assert "2 of them expected" in repr(after)


def test_to_confirm_a_clear_event_moves_no_threshold() -> None:
    found = anomaly.detect(spiked())
    mark = found.mark(int(found.events["score"].idxmax()), "anomaly")
    again = anomaly.detect(spiked(), marks=[mark])
    assert again.thresholds == {}
    assert "moved" not in repr(again)


def test_a_detector_that_expects_no_value_is_compared_by_rarity() -> None:
    class High(anomaly.Detector):
        threshold = 0.9

        def update(self, t_seconds: float, value: float) -> float:
            return 1.0 - 1.0 / max(value, 1.0)

        def reset(self) -> None: ...

        def parameters(self) -> dict[str, object]:
            return {}

    values = np.ones(200)
    values[[50, 100, 150]] = [1_000.0, 1_100.0, 1_000_000.0]
    series = pd.Series(values, index=pd.date_range("2026-01-01", periods=200, freq="min", tz="UTC"))
    found = anomaly.detect(series, High())
    after = anomaly.detect(series, High(), marks=[found.mark(0, "expected")])
    assert after.events["time"].tolist()[-1] == series.index[150]
    assert after.events["verdict"].tolist()[-1] == ""
    assert (after.events["verdict"].tolist()[:-1]) == ["expected"] * (len(after.events) - 1)


def test_a_rise_is_not_like_an_expected_fall() -> None:
    index = pd.date_range("2026-01-01", periods=2_400, freq="min", tz="UTC")
    series = pd.Series(np.random.default_rng(1).normal(size=2_400), index, name="metric")
    series.iloc[900:] += 6.0
    series.iloc[1_600:] -= 8.0
    before = anomaly.detect(series)
    assert before.events["kind"].tolist() == ["level shift", "level shift"]
    after = anomaly.detect(series, marks=[before.mark(1, "expected")])
    assert after.events["verdict"].iloc[first_of(after, index[900])] == ""
