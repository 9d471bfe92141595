"""Gaps and sampling intervals that change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from monitorlab.anomaly.absences import find_gaps
from tests.anomaly.builders import noise


def sampled(*parts: tuple[int, str]) -> pd.Series:
    """Give noise sampled so many times at each interval."""
    steps = np.concatenate([np.full(n, pd.Timedelta(every).value) for n, every in parts])
    index = pd.to_datetime(np.cumsum(steps), utc=True)
    return pd.Series(np.random.default_rng(0).normal(size=len(index)), index=index)


@pytest.mark.parametrize(("before", "after"), [("15s", "5min"), ("15s", "10min"), ("1min", "1h")])
def test_an_interval_that_grows_for_good_is_one_gap(before: str, after: str) -> None:
    series = sampled((1_000, before), (1_000, after))
    gaps = find_gaps(series)
    assert gaps["start"].tolist() == [series.index[999]]
    for known in range(1, 40):  # while it happens
        assert len(find_gaps(series.iloc[: 1_000 + known])) <= 6


def test_intervals_that_change_to_and_fro_hide_no_gap() -> None:
    gap = (1, "3h")
    series = sampled((500, "15s"), (15, "5min"), gap, (60, "5min"), (45, "15s"), gap, (20, "15s"))
    gaps = find_gaps(series)
    hours = gaps["end"] - gaps["start"] == pd.Timedelta("3h")
    assert hours.sum() == 2
    assert len(gaps) <= 4


@pytest.mark.parametrize("between", [1, 2, 5])
def test_gaps_that_come_again_are_all_listed(between: int) -> None:
    series = sampled((300, "1min"), *[(1, "1h"), (between, "1min")] * 12)
    assert len(find_gaps(series)) == 12


def test_a_few_samples_in_a_long_outage_are_gaps_in_a_row() -> None:
    series = sampled((300, "1min"), (5, "1h"), (300, "1min"))
    assert len(find_gaps(series)) == 5


def test_the_detector_of_missing_samples_tells_a_gap_once() -> None:
    series = noise(900)
    gap = series.drop(series.index[500:600])
    result = anomaly.detect(gap, "missing")
    (kind,) = result.events["kind"]
    row = result.events.iloc[0]
    assert kind == "gap"
    assert (row["start"], row["end"]) == (series.index[499], series.index[600])
    assert row["score"] >= 0.999
    text = result.explain(0)
    assert text == "metric: no samples for 8h25m before 2026-01-07 02:00:00 (101 usual intervals)."


def test_a_short_gap_that_only_a_score_tells_has_its_bounds() -> None:
    series = noise(900)
    short = series.drop(series.index[500:505])
    result = anomaly.detect(short, "missing")
    row = result.events.iloc[0]
    assert (row["kind"], len(result.events)) == ("gap", 1)
    assert (row["start"], row["end"]) == (series.index[499], series.index[505])
    assert result.explain(0).startswith(
        "metric: no samples for 30m00s before 2026-01-06 18:05:00; "
    )
