"""What a stream is by nature: a walk, or noise with heavy tails (numba).

Both have records without end that mean nothing. They are known by how far samples are apart that
come 1, 4 and 36 after each other: on a walk the farther the later, in noise the same at all times.
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.compiled import njit

__all__ = ["DISTANCES", "lift"]

DISTANCES = 8  # numbers that are learned
# of the first of three, usual distances; their usual roots; the last two are of those next to
# each other alone: what both are without far samples
APART, ROOTS, TRIMMED, TRIMMED_ROOT = 0, 3, 6, 7
MEMORY = 1.0 / 2_000.0  # of what is usual
FAR = 4.7  # squared usual roots beyond which a distance counts as so many: four usual distances
WALK_RATIOS = (0.2, 0.9)  # variance ratios at which a stream is no walk, and one
NOISE_ERRORS = (1.5, 2.5)  # errors of chance by which distances differ in noise, and do not
CHANCE = 1.4  # of the logarithm of two usual roots, in deviations of one over the root of number
HEAVY_TAILS = (1.185, 1.225)  # mean over squared mean root: of normal noise, and with three degrees


@njit(cache=True)
def lift(
    usual: np.ndarray,
    seen: int,
    apart: tuple[float, float, float],
    for_walk: float,
    for_noise: float,
) -> float:
    """Learn the distances to the samples 1, 4 and 36 before; tell how much rarer to be.

    ``for_walk`` where the stream is a walk, ``for_noise`` where it cannot be told from
    independent samples of a law with heavy tails, parts of them between, otherwise zero.
    """
    rate = max(1.0 / (seen + 1.0), MEMORY)
    for k in range(3):
        usual[APART + k] += rate * (apart[k] - usual[APART + k])
        usual[ROOTS + k] += rate * (math.sqrt(apart[k]) - usual[ROOTS + k])
    near = min(apart[0], FAR * usual[ROOTS] * usual[ROOTS])
    usual[TRIMMED] += rate * (near - usual[TRIMMED])
    usual[TRIMMED_ROOT] += rate * (math.sqrt(near) - usual[TRIMMED_ROOT])
    if not 0.0 < usual[APART] < np.inf:
        return 0.0
    return for_walk * _like_walk(usual) + for_noise * _like_noise(usual, seen)


@njit(cache=True)
def _like_walk(usual: np.ndarray) -> float:
    """Tell whether distances grow at least as the root of the time, at short and long times.

    Those of a walk do (variance ratios of one and more); those of noise grow not at all, of a
    season with noise not at short times, of what forgets slowly not at long ones.
    """
    near = usual[APART]
    ratio = min(usual[APART + 1] / near / 2.0, usual[APART + 2] / near / 6.0)
    low, high = WALK_RATIOS
    return max(min((min(ratio, 1.0) ** 2 - low) / (high - low), 1.0), 0.0)


@njit(cache=True)
def _like_noise(usual: np.ndarray, seen: int) -> float:
    """Tell whether distances differ by no more than chance, and are heavy-tailed.

    Neither is moved by a few samples that are far from all others.
    """
    heavy = usual[TRIMMED] / (usual[TRIMMED_ROOT] * usual[TRIMMED_ROOT])
    low, high = HEAVY_TAILS
    if not heavy > low:
        return 0.0
    near = usual[ROOTS]
    differ = max(abs(math.log(usual[ROOTS + 1] / near)), abs(math.log(usual[ROOTS + 2] / near)))
    number = min(seen + 1.0, 2.0 / MEMORY)
    errors = differ * math.sqrt(number / (heavy - 1.0)) / CHANCE
    few, many = NOISE_ERRORS
    if not errors < many:
        return 0.0
    return min((heavy - low) / (high - low), 1.0) * min((many - errors) / (many - few), 1.0)
