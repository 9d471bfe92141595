"""Share of the rows of clean streams that a detector calls anomalies, after its warm-up.

    python benchmarks/anomaly_noise.py [--detector auto] [--streams 40]

Streams of 28 kinds (independent noise with light and heavy tails, counts, slowly forgetting
noise, bursts, walks, counters, days) of 500 to 20 000 samples, every other one of one-minute and
of five-minute samples; of the longest a quarter as many. Then systems of 3, 10 and 40 such streams,
each 4000 samples of 15 seconds, looked at together. Prints tables in percent of the rows and of
the moments, and writes ``benchmarks/results/anomaly_noise.json``.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from false_changes import autoregressive, volatile

from monitorlab.anomaly import detect, detectors, make_detector

RESULTS = Path(__file__).resolve().parent / "results" / "anomaly_noise.json"
LENGTHS = (500, 1_000, 2_000, 5_000, 20_000)
LONGEST = 20_000
DAY = 288

Make = Callable[[np.random.Generator, int], np.ndarray]


def _forgetting(memory: float) -> Make:
    return lambda r, n: autoregressive(r, n, memory)


def _day(n: int, period: int = DAY) -> np.ndarray:
    return 30.0 + 29.0 * np.sin(2.0 * np.pi * np.arange(n) / period)


KINDS: dict[str, Make] = {
    "normal": lambda r, n: r.normal(size=n),
    "uniform": lambda r, n: r.uniform(size=n),
    "Laplace": lambda r, n: r.laplace(size=n),
    "exponential": lambda r, n: r.exponential(size=n),
    "gamma, shape 2": lambda r, n: r.gamma(2.0, size=n),
    "log-normal": lambda r, n: r.lognormal(size=n),
    "log-normal, sigma 0.5": lambda r, n: r.lognormal(0.0, 0.5, size=n),
    "t, 3 degrees": lambda r, n: r.standard_t(3, size=n),
    "t, 5 degrees": lambda r, n: r.standard_t(5, size=n),
    "Poisson 0.1": lambda r, n: r.poisson(0.1, size=n),
    "Poisson 1": lambda r, n: r.poisson(1.0, size=n),
    "Poisson 5": lambda r, n: r.poisson(5.0, size=n),
    "Poisson 50": lambda r, n: r.poisson(50.0, size=n),
    "one in a hundred": lambda r, n: r.random(n) < 0.01,
    "AR(0.5)": _forgetting(0.5),
    "AR(0.9)": _forgetting(0.9),
    "AR(0.99)": _forgetting(0.99),
    "bursts": volatile,
    "walk": lambda r, n: np.cumsum(r.normal(0.0, 1.0, n)),
    "walk, drift 0.1": lambda r, n: np.cumsum(r.normal(0.1, 1.0, n)),
    "walk, drift 1": lambda r, n: np.cumsum(r.normal(1.0, 1.0, n)),
    "counter": lambda r, n: np.cumsum(r.poisson(5.0, n)),
    "line with noise": lambda r, n: 0.01 * np.arange(n) + r.normal(size=n),
    "day with noise": lambda r, n: _day(n) + r.normal(0.0, 3.0, n),
    "day of counts": lambda r, n: r.poisson(_day(n)),
    "day of 24 counts": lambda r, n: r.poisson(_day(n, 24)),
    "day times exponential": lambda r, n: _day(n) * r.exponential(size=n),
    "day times log-normal": lambda r, n: _day(n) * r.lognormal(0.0, 0.5, size=n),
}


SYSTEM_SIZES = (3, 10, 40)
SYSTEM_LENGTH = 4_000
SYSTEM_WARMUP = 480
SYSTEMS = ("normal", "AR(0.5)", "t, 3 degrees", "log-normal", "a common factor")


def together(name: str, systems: int) -> dict[str, dict[str, float]]:
    """Give the percentage of moments that alarm in systems of streams, by kind and size."""
    index = pd.date_range("2026-01-01", periods=SYSTEM_LENGTH, freq="15s", tz="UTC")
    found: dict[str, dict[str, float]] = {}
    for kind in SYSTEMS:
        found[kind] = {}
        for size in SYSTEM_SIZES:
            alarms = 0
            for seed in range(systems):
                rng = np.random.default_rng([seed, size])
                common = 2.3 * autoregressive(rng, SYSTEM_LENGTH, 0.9)
                make = KINDS.get(kind, lambda r, n, common=common: common + r.normal(size=n))
                series = {
                    f"s{k}": pd.Series(make(rng, SYSTEM_LENGTH), index=index) for k in range(size)
                }
                result = detect(series, name, together=True)
                alarms += int((result.scores >= result.threshold).sum())
            moments = systems * (SYSTEM_LENGTH - SYSTEM_WARMUP)
            found[kind][str(size)] = round(100.0 * alarms / moments, 4)
    return found


def run(name: str, streams: int) -> dict[str, dict[str, float]]:
    """Give the percentage of rows for each kind and length."""
    detector = make_detector(name)
    warmup = int(detector.parameters().get("warmup", 0))
    found: dict[str, dict[str, float]] = {}
    for kind, make in KINDS.items():
        found[kind] = {}
        for n in LENGTHS:
            alarms = rows = 0
            for seed in range(max(streams // 4, 3) if n == LONGEST else streams):
                values = np.asarray(make(np.random.default_rng(1_000 + seed), n), dtype=float)
                step = "5min" if seed % 2 else "1min"
                index = pd.date_range("2026-01-01", periods=n, freq=step)
                scores = detector.score(pd.Series(values, index=index)).to_numpy()
                alarms += int((scores >= detector.threshold).sum())
                rows += n - warmup
            found[kind][str(n)] = round(100.0 * alarms / rows, 4)
    return found


def main() -> None:
    """Read the arguments, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--detector", default="auto", help=f"one of {', '.join(detectors())}")
    parser.add_argument("--streams", type=int, default=40, help="of each kind and length")
    arguments = parser.parse_args()
    found = run(arguments.detector, arguments.streams)
    print(pd.DataFrame(found).T.to_string(float_format="{:.3f}".format))
    systems = together(arguments.detector, max(arguments.streams // 4, 2))
    print(pd.DataFrame(systems).T.to_string(float_format="{:.3f}".format))
    RESULTS.parent.mkdir(exist_ok=True)
    command = shlex.join(["python", "benchmarks/anomaly_noise.py", *sys.argv[1:]])
    written = {"command": command, "detector": arguments.detector, "percent of rows": found}
    written["percent of moments of systems of 3, 10 and 40"] = systems
    RESULTS.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
