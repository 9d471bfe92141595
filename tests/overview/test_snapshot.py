"""The state at one moment: plain, quick, and the same as the whole history says."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.overview import snapshot
from monitorlab.overview.steps import rule_interval

TIMES = pd.date_range("2026-01-01", periods=1200, freq="5s", tz="UTC")


def frame(**series: np.ndarray) -> ml.MonitoringFrame:
    made = ml.MonitoringFrame()
    for name, values in series.items():
        made.extend(name, TIMES[: len(values)], values)
    return made


def noise(seed: int = 0, size: int = 1200) -> np.ndarray:
    return np.random.default_rng(seed).normal(10, 1, size)


def test_every_series_has_every_figure() -> None:
    mf = frame(load=noise())
    mf.extend("hits_total", TIMES, np.cumsum(np.full(1200, 5.0)), type="counter")
    table = mf.snapshot("5m").to_frame()
    assert list(table.index) == ["hits_total", "load"]
    for column in (
        "current",
        "count",
        "min",
        "max",
        "mean",
        "std",
        "p95",
        "rate",
        "trend",
        "anomalies",
    ):
        assert column in table
    assert table.loc["hits_total", "rate"] == pytest.approx(1.0)
    assert table.loc["hits_total", "trend"] == "stable"  # a counter's trend is that of its rate
    assert table.loc["load", "count"] == 60
    row = mf.snapshot("5m").to_dict()["series"][1]
    assert row["series"] == "load"
    assert {type(value) for value in row.values()} <= {str, int, float, type(None)}


def test_trends_have_a_direction() -> None:
    slope = np.arange(1200) / 20
    table = frame(up_now=noise() + slope, down_now=noise() - slope, flat=noise(3)).snapshot().series
    assert table["trend"].to_dict() == {"up_now": "rising", "down_now": "falling", "flat": "stable"}


def test_a_spike_in_the_window_is_counted_and_one_before_is_not() -> None:
    late, early = noise(1), noise(2)
    late[1190] += 40
    early[900] += 40
    table = frame(late=late, early=early).snapshot("2m").series
    assert table.loc["late", "anomalies"] >= 1
    assert table.loc["early", "anomalies"] == 0


def test_many_unusual_series_at_once_are_a_reason() -> None:
    series = {f"s{i}": noise(i) for i in range(12)}
    for values in series.values():
        values[1185:] += 15
    found = frame(**series).snapshot("2m")
    assert found.status != "ok"
    assert "of 12 series unusual" in found.reasons[0]
    quiet = frame(**{f"s{i}": noise(i) for i in range(12)}).snapshot("2m")
    assert quiet.status == "ok"


def test_a_silent_series_is_told() -> None:
    found = frame(load=noise(), gone=noise(1, 600)).snapshot("5m")
    assert found.series.loc["gone", "age_seconds"] == 3000
    assert any("1 silent series: gone" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    "options",
    [
        {"for_": "10s"},
        {"for_": "2m"},
        {"for_": "10s", "keep_firing_for": "10m"},
        {"resolve_expr": "load < 5"},
        {"auto_resolve": False},
        {"m_of_n": (2, 5)},
    ],
)
@pytest.mark.parametrize("pulse", [(100, 130), (700, 1200), (1150, 1200), (1050, 1170)])
def test_what_fires_is_what_the_whole_history_says(
    options: dict[str, object], pulse: tuple[int, int]
) -> None:
    values = noise()
    values[slice(*pulse)] += 30
    mf = frame(load=values)
    mf.alert("High", "load > 25", **options)
    interval = rule_interval(mf.selection.series())
    whole = mf.backtest(incidents=[], interval=interval).firings
    expected = whole[whole["open"].astype(bool)]
    found = mf.snapshot("1m").alerts
    assert found["rule"].tolist() == expected["rule"].tolist()
    assert found["since"].tolist() == expected["start"].tolist()


def test_it_is_plain_json_even_without_numbers() -> None:
    mf = frame(load=np.array([1.0, np.nan, np.inf]))
    mf.record("single", 2.0, TIMES[0])
    plain = mf.snapshot("5m").to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    json.dumps(snapshot(ml.MonitoringFrame().selection).to_dict(), allow_nan=False)
