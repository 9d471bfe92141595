"""What a user can choose: ranges, labels, and back again from plain types."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from monitorlab.dashboard import DashboardState
from monitorlab.dashboard.state import parse_time
from monitorlab.errors import TimeError, UnknownNameError
from monitorlab.model import Labels, SeriesKey

MINUTE = 60_000_000_000
NOW = 1_767_258_000_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("NOW", NOW),
        ("now-15m", NOW - 15 * MINUTE),
        ("-15m", NOW - 15 * MINUTE),
        ("now - 1h30m", NOW - 90 * MINUTE),
        ("now+1m", NOW + MINUTE),
        ("2026-01-01 09:00", NOW),
        ("2026-01-01T10:00+01:00", NOW),
    ],
)
def test_times_as_people_type_them(text: str, expected: int) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["yesterday-ish", "now-", "now-15", "-", "15m"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(TimeError):
        parse_time(text, NOW)


def test_a_typed_time_wins_over_the_preset_and_the_zoom_over_both() -> None:
    state = DashboardState(span="15m")
    assert state.bounds(0, NOW) == (NOW - 15 * MINUTE, NOW)
    state.end = "now-5m"
    assert state.bounds(0, NOW) == (NOW - 20 * MINUTE, NOW - 5 * MINUTE)
    state.start = "now-6m"
    assert state.bounds(0, NOW) == (NOW - 6 * MINUTE, NOW - 5 * MINUTE)
    state.zoom = (NOW - 2 * MINUTE, NOW - MINUTE)
    assert state.visible(0, NOW) == (NOW - 2 * MINUTE, NOW - MINUTE)
    assert state.bounds(0, NOW) == (NOW - 6 * MINUTE, NOW - 5 * MINUTE)


def test_all_is_everything_and_one_sample_still_has_a_range() -> None:
    state = DashboardState()
    assert state.bounds(NOW - MINUTE, NOW) == (NOW - MINUTE, NOW)
    start, end = state.bounds(NOW, NOW)
    assert start < end == NOW


def test_a_range_that_ends_before_it_starts_is_said() -> None:
    state = DashboardState(start="now", end="now-1m")
    with pytest.raises(TimeError, match="not after"):
        state.bounds(0, NOW)


def test_labels_keep_alternatives_and_series_without_the_label() -> None:
    passes = DashboardState(labels=["route=/cart", "route=/", "code = 200"]).label_test()
    assert passes(SeriesKey("hits", Labels(route="/cart", code="200")))
    assert not passes(SeriesKey("hits", Labels(route="/search", code="200")))
    assert not passes(SeriesKey("hits", Labels(route="/", code="500")))
    assert passes(SeriesKey("cpu"))


@given(st.integers(1, 400 * 86_400 * 10**9), st.integers(1, 2000))
def test_steps_are_round_and_enough(length: int, points: int) -> None:
    step = DashboardState().step_ns(0, length, points=points)
    assert step * points >= length - points
    assert step % 50_000_000 == 0


def test_choices_go_to_json_and_back() -> None:
    state = DashboardState(metrics=["up"], zoom=(1, 2), theme="dark", columns=1)
    again = DashboardState()
    again.update(json.loads(json.dumps(state.to_dict())))
    assert again.to_dict() == state.to_dict()


def test_unknown_and_wrong_choices_are_said() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'theme'"):
        DashboardState().update({"them": "dark"})
    with pytest.raises(TraitError):
        DashboardState().update({"theme": "sepia"})
