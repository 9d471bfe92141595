"""Simulated futures: the forecast plus misses drawn in blocks from past origins.

A path's miss has a lasting part (the whole path runs high or low) and a passing part (blocks
of past misses, in their order, with a random sign). Their shares are those of the past
misses, and the whole is scaled so that the paths fill the calibrated intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from monitorlab.forecasting._engine import Run
    from monitorlab.forecasting._grid import Grid

__all__ = ["PATHS", "simulate"]

PATHS = 1_000
"""Paths drawn: quantiles of a time to capacity move by about one part in thirty."""
_BLOCK = 8
_LEVEL = 0.9
_MOST_LASTING = 0.95


def simulate(
    run: Run, grid: Grid, *, count: int = PATHS, seed: int = 0, lowest: bool = False
) -> np.ndarray:
    """Draw future paths of single samples.

    Parameters
    ----------
    run : Run
        The forecast.
    grid : Grid
        The series it was made from.
    count : int
        Paths.
    seed : int
        Of the random numbers; the same seed gives the same paths.
    lowest : bool
        Draw the lowest sample of each step of a coarse grid instead of the highest.

    Returns
    -------
    numpy.ndarray, shape (count, horizon)

    Notes
    -----
    O(count * horizon). On a grid coarser than the samples the highest sample of each step is
    drawn, with the excess over the step's mean taken from the same phase of the history.
    """
    rng = np.random.default_rng(seed)
    horizon = len(run.mean)
    season = run.plan.seasons[0] if run.plan.seasons else 1
    shapes = run.calibration.shapes
    miss = _misses(shapes, count, horizon, season, rng) if shapes.size else None
    if miss is None:
        steps = rng.standard_normal((count, horizon))
        walk = np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, horizon + 1))
        miss = walk
    widest = np.quantile(np.abs(miss), _LEVEL)
    half = run.calibration.half_width(_LEVEL)
    paths = run.mean + miss * (half / widest if widest > 0 else 0.0)
    if run.beyond is not None:
        paths = paths + run.beyond.draw(count, rng)
    beyond = grid.dip if lowest else grid.excess
    if beyond is not None:
        peak = _beyond(beyond, grid, count, horizon, season, rng)
        paths = paths + (peak if run.beyond is None else peak * run.beyond.swing)
    return np.asarray(np.maximum(paths, run.floor))


def _misses(
    shapes: np.ndarray, count: int, horizon: int, season: int, rng: np.random.Generator
) -> np.ndarray:
    known = ~np.isnan(shapes)
    filled = np.where(known, shapes, 0.0)
    rows = known.any(axis=1)
    filled, known = filled[rows], known[rows]
    origins, reach = filled.shape
    middle = filled.sum(axis=1) / known.sum(axis=1)
    total = float((filled**2).sum() / known.sum())
    lasting = min(float(np.mean(middle**2)) / total, _MOST_LASTING) if total > 0 else 0.0
    passing = np.where(known, filled - middle[:, None], 0.0)
    spread = float(np.sqrt((passing**2).sum() / known.sum()))
    passing = passing / spread if spread > 0 else rng.standard_normal(passing.shape)
    block = min(reach, max(_BLOCK, season))
    blocks = -(-horizon // block)
    origin = rng.integers(origins, size=(count, blocks))
    start = rng.integers(reach - block + 1, size=(count, blocks))
    if reach >= block + season and season > 1:  # keep each miss at its phase of the season
        at = (np.arange(blocks) * block) % season
        choices = (reach - block - at) // season + 1
        start = at + season * (rng.random((count, blocks)) * choices).astype(np.intp)
    sign = rng.choice(np.array([-1.0, 1.0]), size=(count, blocks))
    place = start[:, :, None] + np.arange(block)
    drawn = (passing[origin[:, :, None], place] * sign[:, :, None]).reshape(count, -1)
    level = rng.standard_normal((count, 1)) * np.sqrt(lasting)
    return np.asarray(level + np.sqrt(1.0 - lasting) * drawn[:, :horizon])


def _beyond(
    beyond: np.ndarray,
    grid: Grid,
    count: int,
    horizon: int,
    season: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw how far the furthest sample of a step was from its mean, at the same phase."""
    size = len(grid.values)
    known = np.flatnonzero(grid.observed)
    if season < 2 or size < 2 * season:
        picked = known[rng.integers(len(known), size=(count, horizon))]
    else:
        seasons = size // season
        back = rng.integers(1, seasons + 1, size=(count, horizon))
        picked = size - season * back + np.arange(horizon) % season
    return np.asarray(beyond[picked])
