"""Events of several series as one system: spells, shares, and what is not there."""

from __future__ import annotations

import pandas as pd
import pytest

from monitorlab import anomaly
from monitorlab.anomaly.spells import joint_events
from tests.anomaly.builders import noise

INDEX = noise(900, freq="1min").index


def quiet(number: int) -> dict[str, pd.Series]:
    return {f"s{k}": noise(900, seed=200 + k, freq="1min") for k in range(number)}


def silences(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["score"].isna()]


def test_a_gap_in_all_series_is_listed_once_with_those_that_share_it() -> None:
    series = {name: values.drop(INDEX[600:720]) for name, values in quiet(4).items()}
    series["s1"] = series["s1"].drop(INDEX[720:725])  # comes back later
    series["s3"] = noise(900, seed=203, freq="1min")
    found = anomaly.detect(series, together=True)
    (gap,) = silences(found.events).to_dict("records")
    assert gap["kind"] == "gap"
    assert gap["series"] == "s1"
    assert gap["shares"] == pytest.approx({"s1": 1 / 3, "s0": 1 / 3, "s2": 1 / 3})
    assert (gap["start"], gap["end"]) == (INDEX[599], INDEX[725])
    assert "1 gap" in repr(found)
    assert "Shares: s1 33 %" in found.explain()


def test_gaps_at_other_times_and_much_longer_ones_are_events_of_their_own() -> None:
    series = quiet(3)
    series["s0"] = series["s0"].drop(INDEX[600:700])
    series["s1"] = series["s1"].drop(INDEX[640:660])
    series["s2"] = series["s2"].drop(INDEX[300:400])
    found = silences(anomaly.detect(series, together=True).events)
    assert found["series"].tolist() == ["s2", "s1", "s0"]
    assert found["shares"].tolist() == [{"s2": 1.0}, {"s1": 1.0}, {"s0": 1.0}]


def test_a_sensor_that_stands_still_is_listed() -> None:
    series = quiet(5)
    series["s2"].iloc[600:700] = series["s2"].iloc[600]
    found = anomaly.detect(series, together=True).events
    flat = found[found["kind"] == "flat-line"]
    assert len(flat) == 1
    assert flat["shares"].iloc[0] == {"s2": 1.0}
    assert flat["start"].iloc[0] == INDEX[600]


def test_who_asks_for_gaps_is_told_of_no_levels() -> None:
    series = quiet(4)
    for values in series.values():
        values.iloc[600:700] += 300.0
    assert len(anomaly.detect(series, together=True).events)
    assert not len(anomaly.detect(series, "missing", together=True).events)


def test_shares_of_many_series_sum_to_one() -> None:
    series = quiet(30)
    for k in range(25):
        series[f"s{k}"].iloc[600:610] += 100.0
    found = anomaly.detect(series, together=True)
    row = found.events[found.events["time"] >= INDEX[600]].iloc[0]
    assert len(row["shares"]) > 10
    assert sum(row["shares"].values()) == pytest.approx(1.0)
    assert list(row["shares"].values()) == sorted(row["shares"].values(), reverse=True)
    assert f"{len(row['shares']) - 10} more" in found.explain()


def test_what_none_of_the_series_of_a_spell_takes_part_in_is_another_event() -> None:
    series = {name: noise(900, seed=k, freq="1min") for k, name in enumerate("ab")}
    traces = {name: anomaly.Ensemble().trace(values) for name, values in series.items()}
    joint = pd.DataFrame({"score": 0.0, "tail": 0.5}, index=INDEX)
    joint.loc[INDEX[700:720], "tail"] = 0.999
    joint.loc[INDEX[710], "tail"] = 0.9999999
    joint.loc[INDEX[[700, 710]], "score"] = joint["tail"]
    shares = pd.DataFrame({"a": 1.0, "b": 0.0}, index=INDEX)
    same = joint_events(joint, shares, traces, series, 0.999)
    assert same["time"].tolist() == [INDEX[700]]
    assert same["severity"].tolist() == ["critical"]
    shares.loc[INDEX[710]] = [0.0, 1.0]
    other = joint_events(joint, shares, traces, series, 0.999)
    assert other["time"].tolist() == [INDEX[700], INDEX[710]]
    assert other["series"].tolist() == ["a", "b"]
    assert other["severity"].tolist() == ["warning", "critical"]
    shares.loc[INDEX[710]] = [0.3, 0.7]
    assert len(joint_events(joint, shares, traces, series, 0.999)) == 1


def test_several_events_of_one_leading_series_are_each_described() -> None:
    values = noise(900, seed=1, freq="1min")
    values.iloc[[500, 650, 800]] += [80.0, -90.0, 120.0]
    joint = pd.DataFrame({"score": 0.0, "tail": 0.5}, index=INDEX)
    joint.iloc[[500, 652, 800]] = 0.9999  # the second is called two moments late
    shares = pd.DataFrame({"a": 1.0}, index=INDEX)
    traces = {"a": anomaly.Ensemble().trace(values)}
    found = joint_events(joint, shares, traces, {"a": values}, 0.999)
    assert found["kind"].tolist() == ["spike", "dip", "spike"]
    assert found["time"].tolist() == [INDEX[500], INDEX[652], INDEX[800]]
    assert found["value"].tolist() == values.iloc[[500, 650, 800]].tolist()
    assert found["start"].tolist() == [INDEX[500], INDEX[650], INDEX[800]]
