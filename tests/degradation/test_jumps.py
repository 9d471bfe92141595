"""Walks: a step that stands out is a change, or a line that breaks and explains the rest."""

import numpy as np
import pytest

from monitorlab.degradation import changepoints, segment
from monitorlab.degradation.jumps import jumps
from monitorlab.degradation.lasting import lasting


@pytest.mark.parametrize("n", [100, 300, 1000])
def test_a_random_walk_hardly_ever_changes_and_never_significantly(n: int) -> None:
    rng = np.random.default_rng(n)
    cuts = [segment(np.cumsum(rng.normal(size=n))) for _ in range(40)]
    assert sum(bool(cut.points) for cut in cuts) <= 3
    assert not any(p < 0.01 for cut in cuts for p in cut.p_values)


def test_a_line_that_breaks_is_found_where_noise_returns_to_it() -> None:
    rng = np.random.default_rng(9)
    x, noise = np.arange(400.0), rng.normal(size=400)
    for i in range(1, 400):
        noise[i] += 0.85 * noise[i - 1]
    points = changepoints(0.02 * x + noise + (8.0 + 0.08 * (x - 250)) * (x >= 250))
    assert any(abs(p - 250) <= 10 for p in points)


def test_a_jump_of_a_walk_is_found_and_significant() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(20):
        cut = segment(np.cumsum(rng.normal(size=500)) + 40.0 * (np.arange(500) >= 300))
        near = [p for p, q in zip(cut.points, cut.p_values, strict=True) if q < 0.01]
        found += any(abs(p - 300) <= 2 for p in near)
    assert found >= 15


def test_heavy_tails_make_a_step_less_sure() -> None:
    rng = np.random.default_rng(1)
    normal, heavy = rng.normal(size=400), rng.standard_t(2, size=400)
    for steps in (normal, heavy):
        steps[200] = 12.0
    even, wild = (jumps(np.cumsum(steps), [200])[0] for steps in (normal, heavy))
    assert even.heavy < 0.001 < wild.heavy
    assert wild.chance <= wild.heavy


def test_a_flat_course_has_no_jump() -> None:
    assert jumps(np.zeros(50), [25])[0].chance == 1.0
    assert jumps(np.arange(12.0), []) == []


def test_level_and_unit_of_a_walk_do_not_matter() -> None:
    y = np.cumsum(np.random.default_rng(5).normal(size=300)) + 15.0 * (np.arange(300) >= 150)
    one, other = jumps(y, [150])[0], jumps(-1e6 * y + 3.0, [150])[0]
    assert one.at == other.at
    assert one.chance == pytest.approx(other.chance, rel=1e-6)


def test_a_burst_is_no_change() -> None:
    rng = np.random.default_rng(4)
    told = 0
    for _ in range(20):
        y = rng.normal(size=400)
        y[150:190] *= 6.0
        told += bool(lasting(y / y.std(), (150, 190), "level")[0])
    assert told == 0


def test_several_short_regimes_in_a_row_are_one_spell() -> None:
    y = np.random.default_rng(6).normal(size=1000)
    y[500:508] += 6.0
    y[508:516] += 12.0
    y[516:524] += 5.0
    assert lasting(y / y.std(), (500, 508, 516, 524), "level")[0] == ()
