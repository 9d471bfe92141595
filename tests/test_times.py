"""Times and durations: what people write comes out as UTC nanoseconds, or a clear error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.errors import MonitorlabWarning, TimeError
from monitorlab.times import format_duration, from_ns, parse_duration, to_index, to_ns

NOON = pd.Timestamp("2026-01-01T12:00:00Z").value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("1d", 86400), ("1w", 604800), ("250ms", 0.25), ("0", 0),
     (" 90s ", 90), (2.5, 2.5), (timedelta(minutes=2), 120), (np.timedelta64(3, "s"), 3),
     (pd.Timedelta("4s"), 4)],
)  # fmt: skip
def test_durations_are_read(text: object, seconds: float) -> None:
    assert parse_duration(text) == round(seconds * 1e9)


@pytest.mark.parametrize(
    "bad", ["", "5", "m5", "5m3h", "-5m", "5 m", "1.5h", None, True, float("nan"), -1]
)
def test_a_wrong_duration_is_named(bad: object) -> None:
    with pytest.raises(TimeError):
        parse_duration(bad)


@given(st.integers(min_value=0, max_value=10**15))
def test_a_duration_survives_writing_and_reading(milliseconds: int) -> None:
    nanoseconds = milliseconds * 1_000_000
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    "value",
    ["2026-01-01T12:00:00Z", "2026-01-01 13:00:00+01:00", "2026-01-01 12:00", 1767268800,
     1767268800000, 1767268800000000, 1767268800000000000, 1767268800.0,
     datetime(2026, 1, 1, 12, tzinfo=UTC), pd.Timestamp("2026-01-01T07:00", tz="America/New_York"),
     np.datetime64("2026-01-01T12:00")],
)  # fmt: skip
def test_every_form_of_a_time_is_read(value: object) -> None:
    assert to_ns(value) == NOON


def test_a_naive_time_is_utc_with_a_warning() -> None:
    with pytest.warns(MonitorlabWarning, match="no time zone"):
        assert to_ns(datetime(2026, 1, 1, 12)) == NOON


@pytest.mark.parametrize("bad", ["soon", pd.NaT, float("nan"), "3000-01-01", object()])
def test_a_wrong_time_is_named(bad: object) -> None:
    with pytest.raises(TimeError):
        to_ns(bad)


def test_an_index_shares_memory() -> None:
    times = np.arange(3) * 10**9
    index = to_index(times)
    assert str(index.tz) == "UTC"
    assert np.shares_memory(index.asi8, times)
    assert from_ns(times[1]) == index[1]
