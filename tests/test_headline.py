"""The type of a metric decides how it is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from monitorlab.headline import auto_window, base_name, headlines
from monitorlab.model import MetricType
from monitorlab.storage import SeriesStore

TIMES = pd.date_range("2026-01-01", periods=60, freq="15s", tz="UTC")


def store() -> SeriesStore:
    made = SeriesStore()
    rising = np.arange(60.0)
    for route in ("/", "/cart"):
        made.extend("requests_total", TIMES, rising, labels={"route": route})
        for le in ("0.1", "+Inf"):
            made.extend("latency_bucket", TIMES, rising, labels={"route": route, "le": le})
        made.extend("latency_sum", TIMES, rising, labels={"route": route})
        made.extend("latency_count", TIMES, rising, labels={"route": route})
    made.extend("load", TIMES, np.sin(rising))
    made.extend("limit", TIMES, np.ones(60))
    made.extend("job_seconds", TIMES, rising % 7)
    for host in range(20):
        made.extend("cpu", TIMES, np.cos(rising + host), labels={"host": str(host)})
    made.describe("requests_total", type="counter")
    made.describe("latency", type="histogram", unit="seconds")
    made.describe("job_seconds", type="timer")
    return made


def test_each_type_gets_its_expression() -> None:
    found = {head.metric: head for head in headlines(store())}
    assert found["requests_total"].expr == "sum by (route) (rate(requests_total[1m]))"
    assert (
        found["latency"].expr == "histogram_quantile(0.95, sum by (le) (rate(latency_bucket[1m])))"
    )
    assert [name for name, _ in found["latency"].expressions] == ["p50", "p95", "p99"]
    assert found["job_seconds"].expr == "quantile_over_time(0.95, job_seconds[1m])"
    assert found["load"].expr == "load"
    assert found["cpu"].expr == "avg(cpu)"


def test_distributions_come_first_and_constants_last() -> None:
    names = [head.metric for head in headlines(store())]
    assert names[0] == "latency"
    assert names[-1] == "limit"
    assert set(names) == {"latency", "job_seconds", "requests_total", "cpu", "load", "limit"}


def test_the_window_follows_the_sampling_interval() -> None:
    hourly = SeriesStore()
    hourly.extend("x", pd.date_range("2026-01-01", periods=5, freq="1h", tz="UTC"), np.arange(5.0))
    assert auto_window(hourly.select()) == "4h"
    assert auto_window([]) == "1m"


def test_a_part_belongs_to_its_histogram_only_when_it_is_one() -> None:
    types = {"a": MetricType.HISTOGRAM, "b": MetricType.GAUGE}
    assert base_name("a_count", types) == "a"
    assert base_name("b_count", types) == "b_count"
