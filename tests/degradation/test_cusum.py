"""An arm of the CUSUM: its threshold in normal noise, and raised by noise that is not."""

import numpy as np
import pytest

from monitorlab.degradation.cusum import Arm, threshold


def alarms(steps: np.ndarray, allowance: float, limit: float, *, learn: bool) -> int:
    arm = Arm(1.0)
    arm.allow(allowance, limit)
    count = 0
    for t, step in enumerate(steps.tolist()):
        height = arm.add(step, float(t), step)
        if (height if learn else arm.height / limit) >= 1.0:
            count += 1
            arm.alarmed()
            arm.begin()
    return count


@pytest.mark.parametrize("allowance", [0.25, 0.5])
def test_the_run_length_of_normal_noise_is_as_asked_for(allowance: float) -> None:
    steps = np.random.default_rng(0).normal(size=200_000)
    found = alarms(steps, allowance, threshold(allowance, 500.0), learn=False)
    assert 100_000 / 500 * 0.8 < found < 200_000 / 500 * 0.7  # half of those of two sides


@pytest.mark.parametrize("name", ["skewed", "bursts", "remembers"])
def test_noise_that_is_not_normal_raises_the_threshold(name: str) -> None:
    rng = np.random.default_rng(1)
    steps = rng.normal(size=60_000)
    if name == "skewed":
        steps = np.clip(rng.exponential(size=60_000) - 1.0, -3.0, 3.0)
    elif name == "bursts":
        steps = steps * np.repeat(np.where(rng.random(600) < 0.1, 2.0, 0.85), 100)
    else:
        for i in range(1, len(steps)):
            steps[i] = 0.4 * steps[i - 1] + 0.9 * steps[i]
    limit = threshold(0.6, 4_000.0)
    plain = alarms(steps, 0.6, limit, learn=False)
    stated = len(steps) / 4_000 / 2  # one side of two
    assert plain > 3 * stated
    assert alarms(steps, 0.6, limit, learn=True) < 0.5 * plain


def test_normal_noise_hardly_raises_it() -> None:
    arm = Arm(1.0)
    arm.allow(0.5, 8.0)
    for step in np.random.default_rng(2).normal(size=20_000).tolist():
        arm.add(step, 0.0, step)
    assert 8.0 <= arm.limit < 9.5


def test_one_change_is_not_held_against_the_next() -> None:
    arm = Arm(1.0)
    arm.allow(0.5, 6.0)
    for _ in range(2):
        for step in (3.0, 3.0, 3.0):
            arm.add(step, 0.0, step)
        arm.alarmed()
        arm.begin()
    assert arm.limit == 6.0
    for step in (3.0, 3.0, 3.0):
        arm.add(step, 0.0, step)
    arm.alarmed()
    assert arm.limit > 6.0


def test_what_was_learned_outlives_a_new_beginning() -> None:
    arm = Arm(-1.0)
    arm.allow(0.5, 30.0)
    for step in (-9.0, -9.0, 9.0, 9.0):
        arm.add(step, 1.0, step)
    raised = arm.limit
    arm.begin()
    assert raised > 30.0
    assert (arm.limit, arm.height, arm.count) == (raised, 0.0, 0)
