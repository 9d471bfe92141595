"""Small pictures: shapes, gaps, escaping, round ticks."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.report import charts
from monitorlab.report.numbers import percent, series_html
from monitorlab.report.summary import headline_of, sentences

numbers = st.none() | st.floats(-1e12, 1e12)


@given(st.lists(numbers, max_size=60))
def test_a_sparkline_is_always_xml(values: list[float | None]) -> None:
    drawn = charts.sparkline(values)
    known = [v for v in values if v is not None]
    assert bool(drawn) is (len(known) >= 2)
    if drawn:
        assert ET.fromstring(drawn).tag == "svg"
        assert "nan" not in drawn


@given(st.lists(st.none() | st.floats(0, 1), max_size=40), st.floats(0.5, 0.9999))
def test_a_strip_has_a_cell_for_each_part(shares: list[float | None], target: float) -> None:
    drawn = charts.strip(shares, target)
    assert drawn.count("<rect") == len(shares)
    assert drawn.count('class="none"') == shares.count(None)
    assert drawn.count('class="kept"') == sum(
        s is not None and (1 - s) / (1 - target) <= 1 + 1e-9 for s in shares
    )


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_and_inside(low: float, span: float) -> None:
    found = charts.ticks(low, low + span)
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert all(low - slack <= tick <= low + span + slack for tick in found)
    assert len(found) <= 5


@pytest.mark.parametrize("span", ["30s", "10min", "3h", "2D", "40D", "200D", "900D"])
def test_time_ticks_are_few_and_inside(span: str) -> None:
    start = pd.Timestamp("2026-01-31T10:07:13Z")
    end = start + pd.Timedelta(span)
    found = charts.time_ticks(start, end)
    assert 1 <= len(found) <= 12
    assert all(start <= tick <= end for tick in found)
    assert len({charts.tick_label(t, end - start) for t in found}) >= 1


def test_a_gap_lifts_the_pen() -> None:
    drawn = charts.paths(np.arange(4.0), np.array([1.0, math.nan, 2.0, 3.0]))
    assert drawn == "M0.0 1.0M2.0 2.0L3.0 3.0"


def test_words_are_escaped() -> None:
    assert "<b>" not in charts.text(0, 0, "<b>")
    assert "<b>" not in series_html('m{a="<b>"}')


def test_a_change_of_many_times_is_told_in_times() -> None:
    assert percent(3200.0) == "×33"
    assert percent(None) == "–"


def test_the_summary_speaks_of_what_was_recorded() -> None:
    sections = [{"horizon": "1h", "covered_ratio": 1.0}, {"horizon": "7d", "covered_ratio": 0.01}]
    assert headline_of(sections)["horizon"] == "1h"
    assert headline_of([]) is None
    assert sentences({"horizons": [], "as_of": None}) == ["Nothing is recorded."]
