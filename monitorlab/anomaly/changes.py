"""What changed: the level or the roughness; a step, a ramp, or a season unlike the usual one.

>>> import numpy as np
>>> name_of_change(np.r_[np.zeros(40), np.full(40, 5.0)], 40)
'level shift'
>>> name_of_change(np.r_[np.zeros(40), np.arange(40.0)], 40)
'trend change'
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "LEAST",
    "WINDOW",
    "Season",
    "equal_run",
    "moves",
    "name_of_change",
    "texture",
    "usual_move",
]

Floats = npt.NDArray[np.float64]

LEAST = 12  # samples: fewer say nothing of a regime
WINDOW = 12  # samples that a local level, slope or roughness is taken from
ROUGHER = 2.0  # a roughness so many times the usual, and beyond any before, is a change
EDGE = 6  # samples on each side of a cut
SURER = 6.0  # by so much a broken season must fit better than a step that is one; else may worse
COMMON = 12.0  # so much a ramp must fit better where values move no more than they always do
FLOOR = 1e-9  # of the variance, is noise at least


class Season(NamedTuple):
    """Values as they are, and what is usual then and some time before.

    Examples
    --------
    >>> wave = np.sin(np.arange(80) / 4.0)
    >>> odd = np.r_[wave[:40], np.zeros(40)]  # from the middle on the season is missing
    >>> season = Season(odd, np.array([wave]), moves=False, goes_on=True)
    >>> name_of_change(odd - wave, 40, season)
    'seasonal break'
    """

    values: Floats
    usual: Floats  # a row each time before, the first for none
    moves: bool  # whether the values themselves move as they never did
    goes_on: bool  # whether the values themselves do not step where the event begins


def name_of_change(rest: Floats, start: int, season: Season | None = None) -> str:
    """Name the change that fits best by the Bayesian information criterion.

    Parameters
    ----------
    rest : numpy.ndarray of float64, shape (n,)
        Samples before a change and after it, less what is usual at their time.
    start : int
        Number of those that are before it.
    season : Season, optional
        The same samples as they are, when there is a usual season.

    Returns
    -------
    str
        ``"level shift"``, ``"trend change"`` or ``"seasonal break"``.

    Notes
    -----
    Three fits compete: a step, two levels; a ramp, a level and a slope that begins; and,
    where there is a season, another one, which is a constant (the season is missing) or any
    sum of the usual season and the same some hours before (smaller, greater, inverted, moved).
    Cost O(n).

    Examples
    --------
    >>> name_of_change(np.r_[np.zeros(40), np.full(40, 5.0)], 40)
    'level shift'
    """
    if len(rest) < 2 * EDGE + 2:
        return "level shift"
    size = float(np.abs(rest).max()) or 1.0
    if season is not None:
        size = max(size, float(np.abs(season.values).max()), float(np.abs(season.usual).max()))
    piece = rest / size
    least = FLOOR * float(np.var(piece)) * len(piece) + 1e-280
    step_at, step = _step(piece)
    ramp_at, ramp = _ramp(piece)
    stepped = _criterion(step + least, len(piece), 3)
    ramped = _criterion(ramp + least, len(piece), 3)
    if season is not None:
        broken = min(_broken(piece, season, size, cut, least) for cut in {start, step_at, ramp_at})
        slow = ramped + (0.0 if season.moves else COMMON)
        bar = -SURER if season.goes_on else SURER
        if broken + bar < stepped and broken < slow:
            return "seasonal break"
    return "level shift" if stepped <= ramped else "trend change"


def moves(past: Floats, after: Floats) -> bool:
    """Tell whether the level moved, and stays, as it never did in the past.

    Parameters
    ----------
    past, after : numpy.ndarray of float64
        Samples before a change, and from it on.

    Returns
    -------
    bool

    Examples
    --------
    >>> moves(np.arange(90) % 7.0, np.arange(24) % 7.0 + 9.0)
    True
    """
    before = past[-WINDOW:]
    level = float(np.median(before))
    moved = float(np.median(after[-WINDOW:])) - level
    if abs(moved) <= usual_move(past, len(after)):
        return False
    far = (after[-WINDOW:] - level - 0.5 * moved) * np.sign(moved) > 0.0
    return bool(far.mean() >= 0.8)


def texture(past: Floats, after: Floats) -> str:
    """Name a roughness that is another than ever before.

    Parameters
    ----------
    past, after : numpy.ndarray of float64
        Samples before a change, and from it on.

    Returns
    -------
    str
        ``"variance change"``, or ``""`` for none.

    Examples
    --------
    >>> texture(np.arange(90) % 7.0, 9.0 * (np.arange(24) % 7.0))
    'variance change'
    """
    if len(after) < LEAST:
        return ""
    usual = _roughness(past)
    rough = float(np.median(np.abs(np.diff(after))))
    moving = usual[usual > 0.0]
    if len(moving) < WINDOW:
        return ""
    middle = float(np.median(moving))
    rougher = rough > max(ROUGHER * middle, float(np.quantile(usual, 0.99)))
    calmer = rough < min(middle / ROUGHER, float(np.quantile(usual, 0.01)))
    return "variance change" if rougher or calmer else ""


def usual_move(past: Floats, apart: int) -> float:
    """Give the greatest change of the local level over such a distance in the past.

    Parameters
    ----------
    past : numpy.ndarray of float64
        Samples, 24 and more.
    apart : int
        Samples between two levels.

    Returns
    -------
    float

    Examples
    --------
    >>> round(usual_move(np.arange(90) % 7.0, 12), 6)
    1.2
    """
    windows = np.lib.stride_tricks.sliding_window_view(past, WINDOW)
    level = np.median(windows, axis=1)
    if len(level) <= apart:
        return 3.0 * float(np.ptp(level))
    return 1.2 * float(np.abs(level[apart:] - level[:-apart]).max())


def equal_run(values: Floats, row: int) -> tuple[int, int]:
    """Give the rows, half-open, of the run of equal values that a row is in.

    Parameters
    ----------
    values : numpy.ndarray of float64
        The samples.
    row : int
        A row.

    Returns
    -------
    tuple of int and int

    Examples
    --------
    >>> equal_run(np.array([1.0, 2.0, 2.0, 2.0, 3.0]), 2)
    (1, 4)
    """
    ahead = _equal(values[row:], values[row])
    back = _equal(values[: row + 1][::-1], values[row])
    return row + 1 - back, row + ahead


def _criterion(squares: float, count: int, parameters: int) -> float:
    return float(count * np.log(squares / count) + parameters * np.log(count))


def _step(piece: Floats) -> tuple[int, float]:
    """Give the cut between the two levels that fit best, and the squares that they leave."""
    count = len(piece)
    centred = piece - piece.mean()
    sums = np.cumsum(centred)[EDGE - 1 : count - EDGE]
    left = np.arange(EDGE, count - EDGE + 1, dtype=np.float64)
    explained = sums**2 * (1.0 / left + 1.0 / (count - left))
    best = int(np.argmax(explained))
    return best + EDGE, max(float((centred**2).sum() - explained[best]), 0.0)


def _ramp(piece: Floats) -> tuple[int, float]:
    """Give where the slope begins that fits best after a level, and the squares that it leaves."""
    count = len(piece)
    centred = piece - piece.mean()
    after = np.cumsum(centred[::-1])[::-1]
    product = np.r_[np.cumsum(after[:0:-1])[::-1], 0.0]  # of (row - cut) above 0 and the values
    long = (count - 1.0) - np.arange(count)
    spread = (
        long * (long + 1.0) * (2.0 * long + 1.0) / 6.0 - (long * (long + 1.0) / 2.0) ** 2 / count
    )
    cuts = slice(EDGE, count - EDGE)
    explained = product[cuts] ** 2 / spread[cuts]
    best = int(np.argmax(explained))
    return best + EDGE, max(float((centred**2).sum() - explained[best]), 0.0)


def _broken(piece: Floats, season: Season, size: float, cut: int, least: float) -> float:
    """Give the criterion of the better of two other seasons from a cut on."""
    count = len(piece)
    if count - cut < EDGE:
        return np.inf
    before, values = piece[:cut], season.values[cut:] / size
    left = float(((before - before.mean()) ** 2).sum()) if cut else 0.0
    constant = float(((values - values.mean()) ** 2).sum())
    design = np.column_stack([np.ones(len(values)), *(season.usual[:, cut:] / size)])
    fitted = design @ np.linalg.lstsq(design, values, rcond=1e-9)[0]
    free = float(((values - fitted) ** 2).sum())
    return min(
        _criterion(left + constant + least, count, 3),
        _criterion(left + free + least, count, 2 + design.shape[1]),
    )


def _roughness(past: Floats) -> Floats:
    steps = np.abs(np.diff(past))
    windows = np.lib.stride_tricks.sliding_window_view(steps, WINDOW)
    rough: Floats = np.median(windows, axis=1)
    return rough


def _equal(values: Floats, value: float) -> int:
    """Count the equal values at the beginning, looking at twice as many each time."""
    size = 64
    while True:
        other = values[:size] != value
        if other.any():
            return int(np.argmax(other))
        if size >= len(values):
            return len(values)
        size *= 2
