"""Events, explanations, several series together, feedback and pictures."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from monitorlab.anomaly.absences import find_flat_lines, find_gaps
from monitorlab.anomaly.events import EVENT_COLUMNS, KINDS
from monitorlab.errors import UnknownSeriesError
from monitorlab.model import Labels, SeriesKey
from tests.anomaly.builders import daily, noise, rough_cases, stamped


def spiked(seed: int = 21) -> pd.Series:
    series = noise(1_500, seed=seed)
    series.iloc[1_200] = 150.0
    return series


def test_a_spike_is_described() -> None:
    result = anomaly.detect(spiked())
    event = result.events[result.events["time"] == spiked().index[1_200]].iloc[0]
    assert event["kind"] == "spike"
    assert event["value"] == 150.0
    assert event["lower"] < event["expected"] < event["upper"] < 150.0
    assert event["start"] <= event["time"] < event["end"]
    assert event["start"] <= event["peak"] < event["end"]
    assert event["score"] >= 0.999
    assert event["severity"] in ("warning", "error", "critical")
    text = result.explain(int(event.name))
    assert text.count(".") >= 1
    assert "spike at 2026-01-09" in text
    assert "150" in text


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("dip", lambda s: s.iloc.__setitem__(1_200, -60.0)),
        ("level shift", lambda s: s.iloc.__setitem__(slice(1_200, None), s.iloc[1_200:] + 60.0)),
    ],
)
def test_kinds(kind: str, change: object) -> None:
    series = noise(1_500, seed=22)
    change(series)  # type: ignore[operator]
    events = anomaly.detect(series).events
    near = events[(events["time"] >= series.index[1_200]) & (events["time"] <= series.index[1_215])]
    assert kind in near["kind"].tolist()


def test_gaps_are_events_of_their_own() -> None:
    series = noise(600)
    gap = pd.concat([series.iloc[:300], series.iloc[400:]])
    events = anomaly.detect(gap).events
    row = events[events["kind"] == "gap"].iloc[0]
    assert row["start"] == series.index[299]
    assert row["end"] == series.index[400]
    assert row["severity"] == "info"
    assert "no samples for 8h25m" in anomaly.detect(gap).explain(int(row.name))
    assert len(find_gaps(series.iloc[:5])) == 0
    holes = series.copy()
    holes.iloc[300:400] = np.nan
    assert len(find_gaps(holes)) == 1


def test_a_dead_sensor_is_an_event_and_rests_of_a_quiet_one_are_not() -> None:
    series = noise(1_500, seed=23)
    series.iloc[1_200:1_260] = series.iloc[1_200]
    result = anomaly.detect(series)
    row = result.events[result.events["kind"] == "flat-line"].iloc[0]
    assert row["start"] == series.index[1_200]
    assert row["end"] == series.index[1_260]
    assert row["time"] <= series.index[1_223]
    assert "60 times as long as ever" in result.explain(int(row.name))
    json.dumps(result.to_dict(), allow_nan=False)
    states = stamped(np.repeat(np.arange(60) % 2.0, 25))  # equal for 25 samples, always
    assert len(find_flat_lines(states)) == 0
    assert len(find_flat_lines(series.iloc[:200])) == 0
    assert len(find_flat_lines(stamped(np.full(2_000, 7.0)))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_runs_of_counts_by_chance_are_no_flat_lines(seed: int) -> None:
    counts = np.random.default_rng(seed).poisson(0.2, 5_000).astype(float)
    assert len(find_flat_lines(stamped(counts))) == 0


def test_what_goes_on_is_no_spike() -> None:
    series = noise(1_500, seed=24)
    series.iloc[1_000:] += np.arange(500) * 2.0
    events = anomaly.detect(series).events
    late = events[events["time"] >= series.index[1_000]]
    assert "trend change" in late["kind"].tolist()
    long = late[late["end"] - late["start"] > pd.Timedelta("5h")]
    assert not set(long["kind"]) & {"spike", "dip"}


@pytest.mark.parametrize("case", sorted(rough_cases()))
@pytest.mark.parametrize("name", anomaly.detectors())
def test_every_case_gives_a_whole_result(case: str, name: str) -> None:
    series = rough_cases()[case]
    result = anomaly.detect(series, name)
    assert list(result.events.columns) == list(EVENT_COLUMNS)
    assert set(result.events["kind"]) <= set(KINDS)
    assert len(result.scores) == len(series)
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.summary() in repr(result)
    assert "<table" in result._repr_html_()
    assert len(str(result)) > 10
    assert len(result.explain().splitlines()) == len(result.events)
    assert (result.events["start"] <= result.events["end"]).all()


def test_plot_draws_series_band_events_and_score() -> None:
    result = anomaly.detect(spiked())
    figure = result.plot()
    names = [trace.name for trace in figure.data]
    assert names[:4] == ["usual", "usual", "expected", "metric"]
    assert names[-1] == "score"
    assert set(names[4:-1]) == set(result.events["kind"])
    assert sum(len(trace.x) for trace in figure.data[4:-1]) == len(result.events)
    spans = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert len(spans) == len(result.events)
    assert any("threshold 0.999" in (note.text or "") for note in figure.layout.annotations)
    (spike,) = (trace for trace in figure.data if trace.name == "spike")
    assert any("was expected" in text.replace("<br>", " ") for text in spike.text)
    rarity = figure.data[-1]
    assert max(rarity.y) >= 3.0  # three nines
    with pytest.raises(UnknownSeriesError):
        result.plot("other")


@pytest.mark.parametrize("case", sorted(rough_cases()))
def test_every_case_can_be_drawn(case: str) -> None:
    figure = anomaly.detect(rough_cases()[case]).plot()
    assert figure.data[-1].name == "score"
    json.dumps(figure.to_dict()["layout"], default=str)


def test_many_series_at_once() -> None:
    keys = [SeriesKey("latency", Labels(route=r)) for r in ("/a", "/b")]
    result = anomaly.detect({keys[0]: spiked(), keys[1]: noise(1_500, seed=30)})
    assert list(result.scores.columns) == [str(k) for k in keys]
    assert str(keys[0]) in set(result.events["series"])
    assert "score" in result.trace(str(keys[0]))
    with pytest.raises(UnknownSeriesError, match="name one series"):
        result.trace()
    with pytest.raises(UnknownSeriesError, match="did you mean"):
        result.trace("latency{route=/a}")
    with pytest.raises(IndexError):
        result.explain(1_000)
    lines = [trace.name for trace in result.plot().data if trace.mode == "lines"]
    assert lines.count(str(keys[0])) == lines.count(str(keys[1])) == 2  # value and score
    assert str(keys[1]) not in [trace.name for trace in result.plot(str(keys[0])).data]


def test_together_ranks_the_series_by_their_share() -> None:
    series = {name: noise(2_000, seed=40 + k) for k, name in enumerate("abcd")}
    for name in "ab":
        series[name].iloc[1_500:1_505] += 40.0
    series["a"].iloc[1_500:1_505] += 60.0
    result = anomaly.detect(series, together=True)
    assert isinstance(result.scores, pd.Series)
    index = series["a"].index
    hit = result.events[
        (result.events["time"] >= index[1_500]) & (result.events["time"] < index[1_506])
    ]
    assert len(hit) >= 1
    shares = hit.iloc[0]["shares"]
    assert set(list(shares)[:2]) == {"a", "b"}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert "Shares: " in result.explain(int(hit.index[0]))
    json.dumps(result.to_dict(), allow_nan=False)
    assert len(result.plot().data) > 4


def test_together_is_quiet_on_clean_series_and_never_looks_ahead() -> None:
    series = {name: daily(4_000, seed=60 + k) for k, name in enumerate("abc")}
    result = anomaly.detect(series, together=True)
    assert (result.scores >= result.threshold).mean() < 0.001
    cut = anomaly.detect({k: s.iloc[:2_000] for k, s in series.items()}, together=True)
    np.testing.assert_array_equal(cut.scores, result.scores.iloc[:2_000])


def test_a_detector_object_brings_its_threshold() -> None:
    detector = anomaly.make_detector("robust_z", threshold=0.99)
    result = anomaly.detect(spiked(), detector)
    assert result.threshold == 0.99


class Half(anomaly.Detector):
    """A foreign detector that knows nothing of traces."""

    name = "half"
    threshold = 0.5

    def update(self, t_seconds: float, value: float) -> float:
        return float("nan") if np.isnan(value) else float(value > 100.0)

    def reset(self) -> None:
        """Nothing was learned."""

    def parameters(self) -> dict[str, object]:
        return {}


def test_a_foreign_detector_works() -> None:
    result = anomaly.detect(spiked(), Half())
    assert len(result.events) == 1
    assert "150" in result.explain(0)
    anomaly.register("half", Half)
    assert anomaly.make_detector("half").threshold == 0.5
    anomaly.base._REGISTRY.pop("half")


def test_constant_series_then_a_change_is_called() -> None:
    values = np.full(1_000, 4.0)
    values[700:] = 5.0
    events = anomaly.detect(stamped(values)).events
    assert stamped(values).index[700] in events["time"].tolist()
