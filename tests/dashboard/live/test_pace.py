from __future__ import annotations

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from monitorlab.dashboard.live.pace import Pace


def go(pace: Pace, arrival: float, cost: float = 0.001) -> float:
    """Give when an update goes that is ready at a time."""
    at = max(arrival, pace.ready_at)
    pace.begun(at, cost=cost)
    return at


def test_samples_that_come_at_the_rate_go_at_once() -> None:
    pace = Pace(10.0)
    for beat in range(200):
        assert go(pace, beat / 10.0) == beat / 10.0


@pytest.mark.parametrize("delay", [0.03, 0.06, 0.099, 0.35, 2.0])
def test_a_delay_is_made_good_within_a_second(delay: float) -> None:
    pace = Pace(10.0)
    go(pace, 0.0)
    at = go(pace, 0.1 + delay)  # one that came late; the others keep their beat
    first = int(at * 10) + 1
    waits = [go(pace, beat / 10.0) - beat / 10.0 for beat in range(first, first + 50)]
    assert max(waits) <= 0.05 + 1e-9
    assert waits[10:] == [0.0] * 40


@given(
    rate=st.floats(1.0, 60.0),
    gaps=st.lists(st.floats(0.0, 0.4), min_size=1, max_size=200),
    cost=st.floats(0.0, 0.05),
)
def test_no_more_than_the_rate_and_a_twentieth(rate: float, gaps: list[float], cost: float) -> None:
    pace = Pace(rate)
    now, sent = 0.0, []
    for gap in gaps:
        now += gap
        if now >= pace.ready_at:
            pace.begun(now, cost=cost)
            sent.append(now)
    for first in range(len(sent)):
        for last in range(first + 1, len(sent)):
            allowed = (sent[last] - sent[first]) * rate / 0.95 + 1.6
            assert last - first <= allowed
    assert all(b - a >= 4.0 * cost - 1e-9 for a, b in itertools.pairwise(sent))
