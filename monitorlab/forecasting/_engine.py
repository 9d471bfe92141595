"""The run behind every forecast: look back from past origins, choose, forecast, calibrate.

One model or many, the steps are the same: forecasts from past origins are laid beside what
came; the seasonal naive forecast is the floor; misses set the widths of the intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from monitorlab.display import format_number
from monitorlab.forecasting._components import Component, SeasonalNaive
from monitorlab.forecasting._drift import Beyond, beyond_reach, drift_of
from monitorlab.forecasting._intervals import Calibration, calibrate, from_changes
from monitorlab.forecasting._numbers import normal_quantile, weighted_median
from monitorlab.forecasting._ridge import MAX_LOOP
from monitorlab.forecasting._shifts import lifted, shifts

if TYPE_CHECKING:
    from monitorlab.forecasting._grid import Grid

__all__ = ["ORIGINS", "Chooser", "Plan", "Run", "plan_origins", "run", "usable_seasons"]

Chooser = Callable[[np.ndarray, tuple[int, ...]], Mapping[str, Component]]
ORIGINS = 12
"""Past origins looked at by default; from the M4 Hourly training spans."""
_POWER = 2.0
_SHORT = 12
_FEW_ORIGINS = 3
_SURE = 3.0
_FAR = 8.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to forecast from, looking back.

    Parameters
    ----------
    cuts : numpy.ndarray of int, shape (n_origins,)
        Lengths of the training spans, increasing; may be empty.
    reach : int
        Steps ahead that can be checked from each.
    seasons : tuple of int
        Seasons that even the shortest of these spans holds twice.
    aligned : bool
        Whether all origins lie at the same phase of the season as the newest step.
    """

    cuts: np.ndarray
    reach: int
    seasons: tuple[int, ...]
    aligned: bool = False

    @property
    def spacing(self) -> float:
        """Steps between origins."""
        return float(self.cuts[-1] - self.cuts[-2]) if len(self.cuts) > 1 else 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """A forecast and what stands behind it.

    Parameters
    ----------
    mean : numpy.ndarray, shape (horizon,)
        The forecast.
    calibration : Calibration
        Widths of its intervals.
    plan : Plan
        Origins looked back from.
    weights : dict of str to float
        Share of each member of the model; sums to one.
    error, naive_error : float
        Mean absolute miss over the origins, of the model and of the seasonal naive one;
        NaN without origins.
    fallback : str or None
        Why the seasonal naive forecast stands in for the model.
    floor : float
        Nothing is forecast below (minus infinity for a history that went below zero).
    notes : tuple of str
        What the model has to say, for example fits that did not converge.
    beyond : Beyond or None
        Doubt added beyond the steps at which misses are measured.
    """

    mean: np.ndarray
    calibration: Calibration
    plan: Plan
    weights: dict[str, float]
    error: float
    naive_error: float
    fallback: str | None
    floor: float
    notes: tuple[str, ...] = ()
    beyond: Beyond | None = None

    def bounds(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Give lower and upper bounds of the interval of a level."""
        half = self.calibration.half_width(level)
        if self.beyond is not None:
            half = np.hypot(half, normal_quantile((1 + level) / 2) * self.beyond.sd())
        return np.maximum(self.mean - half, self.floor), self.mean + half

    def after(self, lead: int) -> Run:
        """Give the same without the first steps, whose time has passed without a sample."""
        if lead == 0:
            return self
        shapes = self.calibration.shapes
        if lead < self.plan.reach and shapes.shape[1] > lead:
            shapes = shapes[:, lead:]
        made = replace(self.calibration, scale=self.calibration.scale[lead:], shapes=shapes)
        beyond = None if self.beyond is None else self.beyond.after(lead)
        return replace(self, mean=self.mean[lead:], calibration=made, beyond=beyond)


def usable_seasons(seasons: Sequence[int], size: int) -> tuple[int, ...]:
    """Keep the seasons that a series holds at least twice, the shorter first."""
    kept = sorted({int(s) for s in seasons if 2 <= s <= size // 2})
    return tuple(kept[:1] + kept[-1:]) if len(kept) > 1 else tuple(kept)


def plan_origins(
    size: int, horizon: int, seasons: tuple[int, ...], *, count: int = ORIGINS
) -> Plan:
    """Choose the origins to look back from.

    Parameters
    ----------
    size : int
        Steps known.
    horizon : int
        Steps ahead.
    seasons : tuple of int
        Shorter first.
    count : int
        Origins at the most.

    Returns
    -------
    Plan
        Origins one season apart up to the newest one that can be checked over its whole
        reach; the shortest training span is half the series or more, or two seasons.

    Examples
    --------
    >>> plan = plan_origins(700, 48, (24, 168), count=4)
    >>> plan.cuts.tolist(), plan.reach
    ([580, 604, 628, 652], 48)
    """
    reach = max(1, min(horizon, MAX_LOOP, size // 3))
    kept = seasons
    while kept and size - 2 * kept[-1] < max(1, kept[0] // 4):
        kept = kept[:-1]
    if kept:
        reach = max(1, min(reach, size - 2 * kept[-1]))
    last = size - reach
    least = max(4, min(last, max(2 * kept[-1] if kept else 0, size // 2)))
    span = last - least
    if span < 0:
        return Plan(np.empty(0, dtype=np.intp), reach, kept)
    spacing = kept[0] if kept else 1
    if not kept or span < 3 * spacing:
        spacing = max(1, span // max(1, count - 1))
    elif spacing * (count - 1) < min(span, reach):
        spacing *= -(-min(span, reach) // (spacing * (count - 1)))
    back = np.arange(min(count, span // spacing + 1))
    cuts = (last - spacing * back)[::-1].astype(np.intp)
    aligned = bool(kept) and not ((size - cuts) % kept[0]).any()
    return Plan(cuts, reach, kept, aligned)


def run(
    grid: Grid,
    choose: Chooser,
    horizon: int,
    seasons: tuple[int, ...],
    *,
    origins: int = ORIGINS,
) -> Run:
    """Forecast a regular series with intervals.

    Parameters
    ----------
    grid : Grid
        The series.
    choose : callable
        Gives the members for the values and the seasons that will be used: one model, or
        several whose weighted median is taken.
    horizon : int
        Steps ahead.
    seasons : tuple of int
        Shorter first; those too long for the series are left out.
    origins : int
        Past origins at the most.

    Returns
    -------
    Run
    """
    top = float(np.abs(grid.values).max())
    floor = 0.0 if float(grid.values.min()) >= 0 else -np.inf
    if float(np.ptp(grid.values / (top or 1.0))) == 0:
        return _constant(grid, horizon, floor)
    y = grid.values / top
    plan = plan_origins(len(y), horizon, usable_seasons(seasons, len(y)), count=origins)
    target = plan.cuts[:, None] + np.arange(plan.reach)
    known = grid.observed[target]
    if len(y) < _SHORT or (known.any(axis=1)).sum() < _FEW_ORIGINS:
        return _short(grid, y, top, horizon, plan, floor)
    cuts = np.append(plan.cuts, len(y))
    fitted = y if grid.cleaned is None else grid.cleaned / top
    moved = shifts(fitted, plan.seasons)
    y, fitted = lifted(y, moved), lifted(fitted, moved)
    members = choose(fitted, plan.seasons)
    past, future = _forecasts(fitted, members, cuts, horizon, plan)
    weights, left_out = _weights(np.where(known, y[target] - past, np.nan))
    errors = np.where(known, y[target] - weighted_median(past, left_out[:, :, None]), np.nan)
    mean = weighted_median(future, weights[:, None])
    naive_past, naive_future = _forecasts(fitted, {"": SeasonalNaive()}, cuts, horizon, plan)
    naive = np.where(known, y[target] - naive_past[0], np.nan)
    error, naive_error = _mean_size(errors), _mean_size(naive)
    fallback = None
    if error >= naive_error and not _is_naive(members):
        fallback = (
            f"did not beat the seasonal naive forecast from {len(plan.cuts)} past origins "
            f"(mean miss {format_number(error * top)} against {format_number(naive_error * top)}),"
            " which stands in for it"
        )
        errors, mean = naive, naive_future[0]
    low, high = _range(fitted, horizon)
    notes = [note for m in members.values() for note in getattr(m, "notes", ())]
    notes += [
        f"the level moved by {format_number(shift.size * top)}, {len(y) - shift.at} steps ago, and "
        "stayed: what came before is set on the new level for fitting"
        for shift in moved
    ]
    if grid.cleaned is not None:
        lone = int((grid.cleaned != grid.values).sum())
        notes.append(f"{lone} single far samples are set aside for fitting; they count as misses")
        room = _FAR * float(np.nanmedian(np.abs(errors)))
        errors = np.clip(errors, -room, room)  # one far miss must not widen the steps about it
    longest = plan.seasons[-1] if plan.seasons else 1
    far = horizon > plan.reach
    drift = drift_of(fitted, plan.seasons) if far or not plan.seasons else None
    measured = plan.reach if far and drift is not None else horizon
    calibration = calibrate(errors, measured, seasonal=plan.aligned, spacing=plan.spacing)
    if drift is not None and not plan.seasons:
        calibration = calibration.at_least(drift.wandering(measured))
    beyond = None
    if drift is not None and far:
        mean, beyond = beyond_reach(mean, drift, plan.reach, longest)
        beyond = replace(beyond, tilt=beyond.tilt * top, walk_sd=beyond.walk_sd * top)
        calibration = calibration.held(horizon, longest if plan.aligned else 1, beyond.swing)
    return Run(
        mean=np.maximum(np.clip(mean, low, high) * top, floor),
        calibration=_scaled(calibration, top),
        plan=plan,
        weights=dict(zip(members, (weights / weights.sum()).tolist(), strict=True)),
        error=error * top,
        naive_error=naive_error * top,
        fallback=fallback,
        floor=floor,
        notes=tuple(notes),
        beyond=beyond,
    )


def _forecasts(
    y: np.ndarray, members: Mapping[str, Component], cuts: np.ndarray, horizon: int, plan: Plan
) -> tuple[np.ndarray, np.ndarray]:
    """Give what each member says from the past origins, and of the future."""
    count = len(cuts) - 1
    past = np.empty((len(members), count, plan.reach))
    future = np.empty((len(members), horizon))
    for k, member in enumerate(members.values()):
        if horizon <= plan.reach:
            out = member.paths(y, cuts, horizon, plan.seasons)
            past[k], future[k] = out[:-1], out[-1]
        else:
            past[k] = member.paths(y, cuts[:-1], plan.reach, plan.seasons)
            future[k] = member.paths(y, cuts[-1:], horizon, plan.seasons)[0]
    return past, future


def _weights(misses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weigh members by their misses; for each origin, by those of all the other origins."""
    total = np.nansum(np.abs(misses), axis=2)
    count = (~np.isnan(misses)).sum(axis=2)
    error = total.sum(axis=1) / np.maximum(count.sum(axis=1), 1)
    others = total.sum(axis=1)[:, None] - total
    left = others / np.maximum(count.sum(axis=1)[:, None] - count, 1)
    return _inverse(error), _inverse(left)


def _inverse(error: np.ndarray) -> np.ndarray:
    least = 1e-4 * error.max(axis=0) + 1e-12
    return np.asarray((error + least) ** -_POWER)


def _range(y: np.ndarray, horizon: int) -> tuple[float, float]:
    """Bounds that no forecast may leave, wide enough for a trend to go on twice as steep."""
    low, high = float(y.min()), float(y.max())
    room = (high - low) * (1.0 + 2.0 * horizon / len(y))
    return low - room, high + room


def _mean_size(misses: np.ndarray) -> float:
    known = ~np.isnan(misses)
    return float(np.abs(misses[known]).mean())


def _is_naive(members: Mapping[str, Component]) -> bool:
    return len(members) == 1 and isinstance(next(iter(members.values())), SeasonalNaive)


def _scaled(calibration: Calibration, top: float) -> Calibration:
    return replace(calibration, scale=calibration.scale * top)


def _constant(grid: Grid, horizon: int, floor: float) -> Run:
    nothing = np.empty(0)
    return Run(
        mean=np.full(horizon, float(grid.values[-1])),
        calibration=Calibration(np.zeros(horizon), nothing, nothing, np.empty((0, 0)), spare=1.0),
        plan=Plan(np.empty(0, dtype=np.intp), 1, ()),
        weights={"constant": 1.0},
        error=0.0,
        naive_error=0.0,
        fallback=None,
        floor=floor,
        notes=("every sample so far has the same value",),
    )


def _short(grid: Grid, y: np.ndarray, top: float, horizon: int, plan: Plan, floor: float) -> Run:
    """Go on from the last value, along the mean change where that is sure."""
    steps = np.diff(y)
    drift, spread = float(steps.mean()), float(steps.std(ddof=1))
    if abs(drift) < _SURE * spread / np.sqrt(len(steps)):
        drift = 0.0
    ahead = np.arange(1, horizon + 1)
    low, high = _range(y, horizon)
    mean = np.clip(y[-1] + drift * ahead, low, high)
    calibration = from_changes(y - drift * np.arange(len(y)), horizon)
    name = "drift" if drift else "naive"
    return Run(
        mean=np.maximum(mean * top, floor),
        calibration=_scaled(calibration, top),
        plan=Plan(np.empty(0, dtype=np.intp), plan.reach, ()),
        weights={name: 1.0},
        error=float("nan"),
        naive_error=float("nan"),
        fallback=(
            f"only {int(grid.observed.sum())} samples: too few to look back from past origins; "
            "the last value goes on" + (" along the mean change" if drift else "")
        ),
        floor=floor,
    )
