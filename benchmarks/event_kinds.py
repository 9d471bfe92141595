"""Whether anomaly events are named for what happened: a confusion table on synthetic scenes.

    python benchmarks/event_kinds.py [--seeds 12]

Eight backgrounds (white noise, autoregressive noise, a small walk, and a daily season in samples
of 15 seconds, 1 and 5 minutes and an hour) get one change each of up to 23 sorts, at a random time
late in them. The first event that begins at the change or after it is judged by its kind. Prints
what is right by background and the kinds told beside the true ones, and writes
``benchmarks/results/event_kinds.json``.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from tqdm.auto import tqdm

from monitorlab.anomaly import detect
from monitorlab.anomaly.kinds import KINDS

RESULTS = Path(__file__).resolve().parent / "results" / "event_kinds.json"
LEVEL = 50.0
FOR_GOOD = 10**9  # samples
NOT_FOUND = "not found"


class Background(NamedTuple):
    """Step, samples of a day, samples in all, and half the height of the season."""

    step: str
    day: int
    length: int
    season: float = 0.0


BACKGROUNDS = {
    "noise": Background("1min", 1440, 5760),
    "AR(0.5)": Background("1min", 1440, 5760),
    "small walk": Background("1min", 1440, 5760),
    "day, 15 s": Background("15s", 5760, 5760 * 5, 10.0),
    "day, 1 min": Background("1min", 1440, 1440 * 6, 10.0),
    "day, 5 min": Background("5min", 288, 288 * 18, 10.0),
    "greater day, 5 min": Background("5min", 288, 288 * 14, 13.3),
    "day, 1 h": Background("1h", 24, 24 * 75, 10.0),
}


class Moment(NamedTuple):
    """What a change is made from: the values and the season without noise from its start on."""

    values: np.ndarray
    usual: np.ndarray
    noise: np.ndarray
    phase: np.ndarray  # radians of the day
    season: float
    day: int


Change = Callable[[Moment], np.ndarray]


class Scene(NamedTuple):
    """Kinds that are right, samples that it lasts, what it does, and the time of day it begins."""

    kinds: tuple[str, ...]
    length: int
    change: Change
    begins: float = -1.0  # share of the day; at any time where negative


def _plus(size: float) -> Change:
    return lambda m: m.values + size


def _slope(quarters: float) -> Change:
    """Climb so much in an hour of one-minute samples, or in a quarter of another day."""

    def change(m: Moment) -> np.ndarray:
        per_sample = quarters / 60.0 if m.day == 1440 else 6.0 * quarters / max(m.day // 4, 40)
        return m.values + per_sample * np.arange(len(m.values))

    return change


def scenes(background: Background) -> dict[str, Scene]:
    """Give what can happen to a background."""
    great = 25.0 if background.season else 10.0
    day = background.day
    shift, trend = ("level shift",), ("trend change",)
    found = {
        "spike": Scene(("spike",), 1, _plus(great)),
        "spike of 4": Scene(("spike",), 4, _plus(great)),
        "dip": Scene(("dip",), 1, _plus(-great)),
        "dip of 4": Scene(("dip",), 4, _plus(-great)),
        "+10 for good": Scene(shift, FOR_GOOD, _plus(10.0)),
        "-10 for good": Scene(shift, FOR_GOOD, _plus(-10.0)),
        "+6 for good": Scene(shift, FOR_GOOD, _plus(6.0)),
        "+20 for 120": Scene(shift, 120, _plus(20.0)),
        "-10 for 60": Scene(shift, 60, _plus(-10.0)),
        "+15 for 20": Scene(("level shift", "spike"), 20, _plus(15.0)),
        "rough outage": Scene(shift, 100, lambda m: 5.0 + 0.5 * m.noise),
        "outage": Scene(("flat-line",), 120, lambda m: 0.0 * m.values),
        "stuck": Scene(("flat-line",), 120, lambda m: np.full(len(m.values), m.values[0])),
        "slope of 5": Scene(trend, FOR_GOOD, _slope(5.0)),
        "slope of 10": Scene(trend, FOR_GOOD, _slope(10.0)),
        "slope and back": Scene(trend, 150, lambda m: m.values + 0.2 * np.arange(len(m.values))),
        "rough for 100": Scene(("variance change",), 100, lambda m: m.values + 5.0 * m.noise),
        "rough for good": Scene(("variance change",), FOR_GOOD, lambda m: m.values + 5.0 * m.noise),
    }
    if background.season:
        broken = ("seasonal break",)
        found |= {
            "no day": Scene(broken, day // 3, lambda m: LEVEL + m.noise, 1 / 12),
            "night all day": Scene(broken, day, lambda m: LEVEL - m.season + m.noise, 0.75),
            "moved by a quarter": Scene(
                broken,
                day,
                lambda m: LEVEL + m.season * np.sin(m.phase - np.pi / 2) + m.noise,
                0.0,
            ),
            "upside down": Scene(broken, day // 2, lambda m: 2 * LEVEL - m.usual + m.noise),
            "two fifths": Scene(
                broken, day, lambda m: LEVEL + 0.4 * (m.usual - LEVEL) + m.noise, 0.0
            ),
        }
    return found


def made(name: str, scene: Scene, seed: int) -> tuple[pd.Series, int]:
    """Give a series with a change in it, and where that begins."""
    step, day, n, season = BACKGROUNDS[name]
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=n)
    if name == "AR(0.5)":
        noise = lfilter([1.0], [1.0, -0.5], noise) * np.sqrt(0.75)
    if name == "small walk":
        noise = noise + np.cumsum(0.03 * rng.normal(size=n))
    phase = 2.0 * np.pi * np.arange(n) / day
    usual = LEVEL + season * np.sin(phase)
    values = usual + noise
    room = min(day, 2880) + max(day, 150) + 250
    at = n - 400 + int(rng.integers(0, 48)) if day == 24 else n - room + int(rng.integers(0, day))
    if scene.begins >= 0.0:
        at = at // day * day + int(scene.begins * day) - (day if scene.begins > 0.5 else 0)
    at = min(at, n - 60)
    part = slice(at, min(at + scene.length, n))
    fresh = rng.normal(size=part.stop - at)
    moment = Moment(values[part].copy(), usual[part], fresh, phase[part], season, day)
    values[part] = scene.change(moment)
    index = pd.date_range("2026-03-02", periods=n, freq=step, tz="UTC")
    return pd.Series(values, index=index), at


def told(series: pd.Series, at: int, length: int) -> str:
    """Give the kind of the first event at a change, or after it."""
    events = detect(series).events
    last = min(max(at + 30, min(at + length + 30, at + 400)), len(series) - 1)
    when = events["time"]
    near = events[(when >= series.index[at]) & (when <= series.index[last])]
    return str(near["kind"].iloc[0]) if len(near) else NOT_FOUND


def run(seeds: int) -> dict[str, object]:
    """Judge every scene on every background."""
    right: dict[str, list[int]] = {}
    table: dict[str, Counter[str]] = {}
    cases = [(b, s) for b, background in BACKGROUNDS.items() for s in scenes(background).items()]
    for name, (_, scene) in tqdm(cases, unit="scene"):
        for kind in (told(*made(name, scene, s), scene.length) for s in range(seeds)):
            good = kind in scene.kinds
            counted = right.setdefault(name, [0, 0])
            counted[0] += good
            counted[1] += 1
            table.setdefault(scene.kinds[0], Counter())[scene.kinds[0] if good else kind] += 1
    return {
        "right": sum(good for good, _ in right.values()),
        "of": sum(number for _, number in right.values()),
        "by background": {name: f"{good} of {number}" for name, (good, number) in right.items()},
        "told for true": {kind: dict(_in_order(counted)) for kind, counted in table.items()},
    }


def _in_order(counted: Counter[str]) -> Iterator[tuple[str, int]]:
    return ((kind, counted[kind]) for kind in (*KINDS, NOT_FOUND) if counted[kind])


def main() -> None:
    """Read the arguments, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=12, help="of each scene and background")
    arguments = parser.parse_args()
    found = run(arguments.seeds)
    print(pd.DataFrame(found["told for true"]).T.fillna(0).astype(int).to_string())
    print(pd.Series(found["by background"]).to_string())
    print(f"right {found['right']} of {found['of']}")
    RESULTS.parent.mkdir(exist_ok=True)
    command = shlex.join(["python", "benchmarks/event_kinds.py", *sys.argv[1:]])
    RESULTS.write_text(json.dumps({"command": command, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
