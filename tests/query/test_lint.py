"""Findings about expressions that are allowed and probably not meant."""

from __future__ import annotations

import pytest

from monitorlab.query import lint, load_notation


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("rate(temperature[5m])", "may not be a counter"),
        ("rate(described_gauge_total[5m])", "is a gauge"),
        ("requests_total > 5", "raw counter"),
        ("5 < sum(requests_total)", "raw counter"),
        ("deriv(requests_total[5m]) > 1", "resets; use increase"),
        ("rate(requests_total[20s])", "samples are 30s apart"),
        ("histogram_quantile(0.9, sum by (job) (rate(l_bucket[5m])))", "add it: by (…, le)"),
        ("histogram_quantile(0.9, sum without (le) (rate(l_bucket[5m])))", "leave it out"),
    ],
)
def test_findings(expr, words):
    store = load_notation([("requests_total", "0+1x20")], "30s")
    store.describe("described_gauge_total", type="gauge")
    found = lint(expr, store)
    assert any(words in finding for finding in found), found


@pytest.mark.parametrize(
    "expr",
    [
        "rate(requests_total[5m]) > 1",
        "temperature > 30",
        "requests_total > 0",
        "delta(temperature[5m])",
        "rate(named_by_us[5m])",
        "histogram_quantile(0.9, sum by (le) (rate(l_bucket[5m])))",
        "histogram_quantile(0.9, rate(l_bucket[5m]))",
        "avg_over_time(requests_total[5m])",
    ],
)
def test_nothing_to_say(expr):
    store = load_notation([("requests_total", "0+1x20")], "30s")
    store.describe("named_by_us", type="counter")
    assert lint(expr, store) == []
    assert lint(expr, store.selection()) == []
