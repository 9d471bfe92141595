"""How many faults put into recorded metrics a detector finds, and how often it is wrong.

    python benchmarks/injected_faults.py [--m4 PATH] [--nab PATH] [--detector auto]

Backgrounds: the quiet half hour of ``shop``; the hourly series of the M4 competition (PATH holds
``Hourly-train.csv``); the files of the Numenta benchmark outside their labelled windows (PATH as
for ``nab.py``). Each gets one fault of one of nine kinds at a random place, of 4 to 16 times the
usual size of its steps, so that about half can be found: hundreds of labelled windows of many
metrics, where a benchmark has tens. Prints what is found within the fault and 12 samples after,
by background and by kind, and the alarms elsewhere in percent of the rows; writes
``benchmarks/results/injected_faults.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nab_scoring as nab
from false_changes import CLEAN

import monitorlab as ml
from monitorlab import analysis_input
from monitorlab.anomaly import detectors, make_detector

RESULTS = Path(__file__).resolve().parent / "results" / "injected_faults.json"
KINDS = (
    "spike", "dip", "burst", "level shift", "variance", "stuck", "season break", "dropout", "ramp",
)  # fmt: skip
HEAD = 300  # samples that are not judged
AFTER = 12  # samples after a fault that still find it
NEAR = 24  # samples after a fault where an alarm is neither right nor wrong
TRIES = 50


@dataclass
class Background:
    """A recorded series, the length of its day, and what is known to be wrong in it."""

    source: str
    series: pd.Series
    day: int
    faults: int = 1
    known: list[tuple[int, int]] = field(default_factory=list)


def backgrounds(m4: str | None, numenta: str | None) -> Iterator[Background]:
    """Give every series that there is."""
    quiet = ml.load_dataset("shop").between(*CLEAN)
    for series in analysis_input.prepare_all(quiet.selection, None).values():
        if series.notna().sum() > 800:
            yield Background("shop", series.dropna(), 48)
    if m4:
        with (Path(m4) / "Hourly-train.csv").open() as file:
            for row in list(csv.reader(file))[1:]:
                values = [float(v) for v in row[1:] if v not in ("", "NA")]
                index = pd.date_range("2026-01-01", periods=len(values), freq="1h", tz="UTC")
                yield Background("m4", pd.Series(values, index=index), 24)
    for file in nab.load(numenta) if numenta else []:
        step = file.series.index.to_series().diff().median().total_seconds()
        day = max(int(86_400 // step), 24)
        yield Background("nab", file.series, day, 18, list(file.windows))


def with_fault(
    x: np.ndarray, kind: str, at: int, day: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Give the values with a fault in them, and its length."""
    steps = np.diff(x)
    size = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2.0)
    size = max(size if size > 0.0 else steps.std() / np.sqrt(2.0), 1e-9)
    factor = np.exp(rng.uniform(np.log(4.0), np.log(16.0)))
    sign = rng.choice([-1.0, 1.0])
    y = x.copy()
    length = {"spike": 1, "dip": 1, "level shift": 48, "ramp": 48, "dropout": 20}.get(kind, 40)
    if kind == "burst":
        length = int(rng.integers(4, 12))
    elif kind == "season break":
        length = max(day // 4, 24)
    part = slice(at, min(at + length, len(x)))
    n = part.stop - at
    if kind in ("spike", "dip"):
        y[at] += factor * size * (1.0 if kind == "spike" else -1.0)
    elif kind == "burst":
        y[part] += 0.7 * sign * factor * size
    elif kind == "level shift":
        y[at:] += 0.5 * sign * factor * size
    elif kind == "variance":
        usual = pd.Series(x).rolling(13, center=True, min_periods=1).mean().to_numpy()[part]
        rough = rng.normal(0.0, size, n) * factor / 4.0
        y[part] = usual + (x[part] - usual) * (factor / 3.0 + 1.0) + rough
    elif kind == "stuck":
        y[part] = x[at - 1]
    elif kind == "season break":
        y[part] = x[at - day // 2 : at - day // 2 + n]
    elif kind == "dropout":
        low = 0.0 if x.min() >= 0.0 else x.min() - 2.0 * size
        y[part] = low if low < x[part].mean() - 3.0 * size else low - 3.0 * size
    else:
        y[part] += sign * factor * size * np.linspace(0.0, 1.0, n)
        y[part.stop :] += sign * factor * size
    return y, length


def run(name: str, m4: str | None, numenta: str | None) -> dict[str, object]:
    """Put faults into every background twice, and count what is found."""
    detector = make_detector(name)
    found: dict[tuple[str, str], list[bool]] = {}
    false: dict[str, list[int]] = {}
    for number, background in enumerate(backgrounds(m4, numenta)):
        values = background.series.to_numpy(dtype=float)
        n = len(values)
        for seed in range(2):
            rng = np.random.default_rng([seed, number, n])
            for turn in range(background.faults):
                kind = KINDS[(turn + int(rng.integers(len(KINDS)))) % len(KINDS)]
                if kind == "season break" and background.source == "shop":
                    kind = "level shift"  # half an hour has no season
                for _ in range(TRIES):
                    at = int(rng.integers(int(0.35 * n), n - 60))
                    if all(at + 120 < a or at - 60 > b for a, b in background.known):
                        break
                else:
                    continue
                y, length = with_fault(values, kind, at, background.day, rng)
                scores = detector.score(pd.Series(y, index=background.series.index)).to_numpy()
                alarms = scores >= detector.threshold
                judged = np.ones(n, dtype=bool)
                judged[: max(HEAD, int(0.15 * n) if background.known else 0)] = False
                for a, b in background.known:
                    judged[a:b] = False
                judged[at : at + length + NEAR] = False
                hit = bool(alarms[at : at + length + AFTER].any())
                found.setdefault((background.source, kind), []).append(hit)
                counted = false.setdefault(background.source, [0, 0])
                counted[0] += int((alarms & judged).sum())
                counted[1] += int(judged.sum())
    kinds = [k for k in KINDS if any(kind == k for _, kind in found)]
    return {
        "backgrounds": {
            source: {
                "faults": sum(len(v) for (s, _), v in found.items() if s == source),
                "found": round(_share(v for (s, _), v in found.items() if s == source), 4),
                "false rows in percent": round(100.0 * alarms / rows, 4),
            }
            for source, (alarms, rows) in false.items()
        },
        "kinds": {
            k: round(_share(v for (_, kind), v in found.items() if kind == k), 4) for k in kinds
        },
    }


def _share(hits: Iterator[list[bool]]) -> float:
    return float(np.mean([hit for some in hits for hit in some]))


def main() -> None:
    """Read the arguments, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--m4", help="folder with Hourly-train.csv; left out where not given")
    parser.add_argument("--nab", help="folder with data/ and labels/; left out where not given")
    parser.add_argument("--detector", default="auto", help=f"one of {', '.join(detectors())}")
    arguments = parser.parse_args()
    figures = run(arguments.detector, arguments.m4, arguments.nab)
    print(pd.DataFrame(figures["backgrounds"]).T.to_string())
    print(pd.Series(figures["kinds"]).to_string())
    RESULTS.parent.mkdir(exist_ok=True)
    options = [f"--{k} PATH" for k in ("m4", "nab") if getattr(arguments, k)]
    options.append(shlex.join(["--detector", arguments.detector]))
    command = " ".join(["python benchmarks/injected_faults.py", *options])
    RESULTS.write_text(json.dumps({"command": command, **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
