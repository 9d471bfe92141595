"""What people get wrong: a clear error in bounded time, and a frame as it was."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest

import monitorlab as ml
from monitorlab.alerting import AlertRule
from monitorlab.errors import MonitorlabWarning, QueryError, RuleError, UnknownSeriesError
from tests.alerting.conftest import SECOND

EVIL = "(a+)+" * 10 + "$"


@pytest.fixture
def mf():
    frame = ml.MonitoringFrame()
    times = np.arange(200, dtype=np.int64) * 15 * SECOND
    frame.extend("latency_ms", times, 10 + np.sin(times / 60e9), {"route": "a" * 60 + "!"})
    frame.extend("hits_total", times, np.arange(200.0), type="counter")
    frame.describe_metric("latency_ms", type="gauge")
    frame.mark(600, 900, "slow")
    frame.alert("Slow", "latency_ms > 10.5")
    return frame


def state(frame):
    views = frame.selection.store.select()
    content = [(str(v.key), v.times.tolist(), v.values.tolist()) for v in views]
    return frame.selection.store.version, content, list(frame.rules), len(frame.incidents)


CASES = {
    "malformed expression in a query": (lambda f: f.query("sum(latency_ms"), QueryError, "sum"),
    "malformed expression in a rule": (lambda f: f.alert("X", "latency_ms >"), QueryError, ">"),
    "unknown function": (lambda f: f.query("rte(hits_total[5m])"), QueryError, "did you mean"),
    "unknown metric in a query": (lambda f: f.query("latency_m"), UnknownSeriesError, "latency_ms"),
    "unknown metric in a backtest": (
        lambda f: f.backtest(AlertRule("X", "latency_m > 1")), UnknownSeriesError, "latency_ms",
    ),
    "unknown metric in tuning": (
        lambda f: f.tune(AlertRule("X", "latency_m > 1")), UnknownSeriesError, "latency_ms",
    ),
    "a rule of the same name": (lambda f: f.alert("Slow", "latency_ms > 1"), RuleError, "two alert"),
    "a threshold that is a word": (
        lambda f: f.alert("X", "value > threshold", "latency_ms", threshold="high"), RuleError, "threshold",
    ),
    "a threshold that is NaN": (
        lambda f: f.alert("X", "value > threshold", "latency_ms", threshold=float("nan")), RuleError, "threshold",
    ),
    "an incident that ends before it starts": (
        lambda f: f.backtest(incidents=[(900, 600)]), RuleError, "not after",
    ),
    "tuning by such an incident": (
        lambda f: f.tune("Slow", [(900, 600)]), RuleError, "not after",
    ),
    "a split outside of the data": (
        lambda f: f.tune("Slow", split="2026-01-01T00:00Z"), RuleError, "inside the data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_clear_error_and_an_unchanged_frame(mf, case):
    act, error, words = CASES[case]
    before = state(mf)
    with pytest.raises(error, match=words):
        act(mf)
    assert state(mf) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda f, text: f.query(text),
        lambda f, text: f.backtest(AlertRule("X", text)),
        lambda f, text: f.tune(AlertRule("X", text)),
    ],
    ids=["query", "backtest", "tune"],
)
def test_a_label_regex_built_to_run_for_ever_ends_soon(mf, act):
    before, began = state(mf), time.perf_counter()
    with contextlib.suppress(ml.MonitorlabError):
        act(mf, f'latency_ms{{route=~"{EVIL}"}} > 3')
    assert time.perf_counter() - began < 120  # backtracking would take years
    assert state(mf) == before


def test_a_rate_of_a_gauge_and_a_raw_counter_are_warned_of(mf):
    with pytest.warns(MonitorlabWarning, match="is a gauge, not a counter"):
        mf.query("rate(latency_ms[5m])")
    with pytest.warns(MonitorlabWarning, match="compares a raw counter") as told:
        mf.query_range("hits_total > 5")
    assert told[0].filename == __file__


def test_a_backtest_notes_what_looks_doubtful(mf):
    rules = [AlertRule("Gauge", "rate(latency_ms[5m]) > 1"), AlertRule("Raw", "hits_total > 5")]
    notes = mf.backtest(rules).notes
    assert notes[0].startswith("Gauge: rate() of `latency_ms`: it is a gauge")
    assert notes[1].startswith("Raw: `hits_total > …` compares a raw counter")
