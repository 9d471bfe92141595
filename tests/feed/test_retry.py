"""Waiting times grow, stay below their limit, and differ from feed to feed."""

from __future__ import annotations

import pytest

from monitorlab.errors import TimeError
from monitorlab.feed import Backoff


def test_waits_grow_to_the_limit() -> None:
    backoff = Backoff(first_seconds=1.0, most_seconds=10.0, jitter=0.0)
    assert [backoff.delay(n) for n in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert backoff.delay(10_000) == 10.0


def test_jitter_only_shortens_and_is_reproducible() -> None:
    first, second = (Backoff(jitter=0.5, seed=3) for _ in range(2))
    waits = [first.delay(4) for _ in range(50)]
    assert waits == [second.delay(4) for _ in range(50)]
    assert all(2.0 <= wait <= 4.0 for wait in waits)
    assert len(set(waits)) > 40


def test_giving_up() -> None:
    assert not Backoff().gives_up(10_000)
    assert [Backoff(attempts=2).gives_up(n) for n in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize(
    "wrong", [{"first_seconds": 0}, {"factor": 0.5}, {"jitter": 2}, {"most_seconds": 0.1}]
)
def test_wrong_numbers_are_said(wrong: dict[str, float]) -> None:
    with pytest.raises(TimeError):
        Backoff(**wrong)
