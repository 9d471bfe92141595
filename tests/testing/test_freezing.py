"""Clock, seeds and display options are held, and given back."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab import wallclock
from monitorlab.errors import TimeError
from monitorlab.feed import QueueSource
from monitorlab.feed.clock import Clock
from monitorlab.times import to_ns

NOON = "2026-01-01T12:00:00Z"


def test_all_that_reads_the_wall_clock_is_held() -> None:
    frame = ml.MonitoringFrame()
    source = QueueSource()
    with ml.testing.freeze(NOON):
        frame.record("queue", 1)
        source.push("queue", 2)
        assert Clock().now_ns() == wallclock.now_ns() == to_ns(NOON)
    assert frame.series("queue").index[0] == pd.Timestamp(NOON)
    assert wallclock.now_ns() > to_ns(NOON)


def test_seeds_and_display_options_are_held_and_given_back() -> None:
    width = pd.get_option("display.width") + 1
    pd.set_option("display.width", width)
    random.seed(5)
    expected = random.random()
    random.seed(5)
    draws = []
    for _ in range(2):
        with ml.testing.freeze(seed=3):
            draws.append((random.random(), np.random.rand()))
            assert pd.get_option("display.width") == 100
    assert draws[0] == draws[1]
    assert pd.get_option("display.width") == width
    assert random.random() == expected
    pd.reset_option("display.width")


def test_a_plain_call_holds_until_released() -> None:
    frozen = ml.testing.freeze(NOON)
    assert wallclock.now_ns() == to_ns(NOON)
    frozen.release()
    frozen.release()
    assert wallclock.now_ns() > to_ns(NOON)


def test_an_error_in_the_block_releases_too() -> None:
    with pytest.raises(KeyError), ml.testing.freeze(NOON):
        raise KeyError
    assert wallclock.now_ns() > to_ns(NOON)


def test_one_within_another_gives_back_the_outer() -> None:
    with ml.testing.freeze(NOON):
        with ml.testing.freeze("2027-01-01T00:00Z"):
            assert wallclock.now_ns() == to_ns("2027-01-01T00:00Z")
        assert wallclock.now_ns() == to_ns(NOON)


def test_a_wrong_time_is_refused_and_nothing_is_held() -> None:
    with pytest.raises(TimeError):
        ml.testing.freeze("noon")
    assert wallclock.now_ns() > to_ns(NOON)
