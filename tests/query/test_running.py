"""Columns of series as their samples come: the same numbers in whatever pieces."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.query import RunningColumn
from monitorlab.storage import SeriesView
from monitorlab.windows import counter_increase

SECOND = 10**9
READINGS = st.one_of(st.integers(0, 9).map(float), st.just(float("nan")))


@given(
    values=st.lists(READINGS, min_size=1, max_size=40),
    steps=st.lists(st.integers(1, 90 * SECOND), min_size=40, max_size=40),
    pieces=st.lists(st.integers(1, 5), min_size=40, max_size=40),
)
def test_the_rates_of_a_counter_are_the_same_however_its_samples_come(
    values: list[float], steps: list[int], pieces: list[int]
) -> None:
    times = np.cumsum(np.array(steps[: len(values)], dtype=np.int64))
    given_on: list[np.ndarray] = []

    def keep(_: np.ndarray, rates: np.ndarray) -> np.ndarray:
        given_on.append(rates.copy())
        return rates

    running = RunningColumn(keep, cumulative=True)
    for end in np.cumsum(pieces).tolist():
        running.advance(SeriesView.make("requests_total", times[:end], values[:end]))
    whole = counter_increase(times, np.array(values), per_second=True, through_resets=False)
    np.testing.assert_array_equal(np.concatenate(given_on), whole)
