"""Measure which periods are found, and how often noise is taken for a season.

Usage: ``python benchmarks/periods.py [--m4 PATH_TO_Hourly-train.csv] [--series 200]``.
Writes ``benchmarks/results/periods.json`` and prints one table. Without ``--m4`` only
made series are used: day, week, day and week, cron jobs, and noise of several colours.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import pathlib
import platform
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

RESULTS = pathlib.Path(__file__).parent / "results" / "periods.json"
Maker = Callable[[np.random.Generator, int], np.ndarray]


def autoregressive(phi: float) -> Maker:
    """Noise that keeps a share of its last value."""

    def make(rng: np.random.Generator, n: int) -> np.ndarray:
        shocks = rng.normal(size=n + 200)
        out = np.empty(n + 200)
        last = 0.0
        for i, shock in enumerate(shocks):
            last = phi * last + shock
            out[i] = last
        return out[200:]

    return make


def day(rng: np.random.Generator, n: int) -> np.ndarray:
    """A skewed day with two peaks, in autoregressive noise."""
    shape = np.interp(np.arange(24), [0, 5, 9, 13, 19, 23], [1.0, 0.0, 3.0, 2.0, 4.0, 1.0])
    return shape[np.arange(n) % 24] * rng.uniform(0.7, 1.5) + 0.5 * autoregressive(0.6)(rng, n)


def week(rng: np.random.Generator, n: int) -> np.ndarray:
    """A weekend that is lower, nothing by the hour."""
    return np.where(np.arange(n) // 24 % 7 >= 5, -2.0, 0.0) + 0.5 * autoregressive(0.6)(rng, n)


def day_and_week(rng: np.random.Generator, n: int) -> np.ndarray:
    """A day that is quieter at weekends."""
    quiet = np.where(np.arange(n) // 24 % 7 >= 5, rng.uniform(0.3, 0.7), 1.0)
    level = np.where(np.arange(n) // 24 % 7 >= 5, -rng.uniform(0.5, 2.0), 0.0)
    return (day(rng, n)) * quiet + level


def job(rng: np.random.Generator, n: int) -> np.ndarray:
    """A job every six slots, in white noise."""
    return 4.0 * (np.arange(n) % 6 == 0) + rng.normal(size=n)


CASES: dict[str, tuple[Maker, list[int]]] = {
    "white noise": (lambda rng, n: rng.normal(size=n), []),
    "random walk": (lambda rng, n: np.cumsum(rng.normal(size=n)), []),
    "AR(0.9)": (autoregressive(0.9), []),
    "AR(0.5)": (autoregressive(0.5), []),
    "heavy tails": (lambda rng, n: rng.standard_t(3, size=n), []),
    "one step": (lambda rng, n: rng.normal(size=n) + 5.0 * (np.arange(n) > n // 2), []),
    "day": (day, [24]),
    "week": (week, [168]),
    "day and week": (day_and_week, [24, 168]),
    "job each 6 h": (job, [6]),
}


def run_made(count: int, n: int) -> dict[str, dict[str, object]]:
    """Count how often exactly the true periods come back."""
    from monitorlab.seasonality import find_periods

    index = pd.date_range("2026-01-05", periods=n, freq="1h", tz="UTC")
    out: dict[str, dict[str, object]] = {}
    for name, (make, truth) in CASES.items():
        rng = np.random.default_rng(abs(hash_of(name)))
        wanted = {pd.Timedelta(hours=h) for h in truth}
        exact, seen = 0, collections.Counter[str]()
        begun = time.perf_counter()
        for _ in range(count):
            found = find_periods(pd.Series(make(rng, n), index=index))
            exact += set(found) == wanted
            seen.update(["+".join(sorted(f"{p / pd.Timedelta('1h'):g}" for p in found)) or "none"])
        out[name] = {
            "exact": exact / count,
            "milliseconds": 1e3 * (time.perf_counter() - begun) / count,
            "answers": dict(seen.most_common(5)),
        }
    return out


def hash_of(name: str) -> int:
    """Give a stable seed for a name."""
    return sum((i + 1) * ord(c) for i, c in enumerate(name))


def run_m4(path: str, limit: int | None) -> dict[str, object]:
    """Count the answers on the hourly series of the M4 competition."""
    from monitorlab.seasonality import find_periods

    answers = collections.Counter[str]()
    with pathlib.Path(path).open(newline="") as file:
        rows = list(csv.reader(file))[1:][:limit]
    begun = time.perf_counter()
    for row in rows:
        values = np.array([float(v) for v in row[1:] if v != ""])
        index = pd.date_range("2026-01-05", periods=len(values), freq="1h", tz="UTC")
        found = find_periods(pd.Series(values, index=index))
        answers[
            "+".join(sorted((f"{p / pd.Timedelta('1h'):g}" for p in found), key=float)) or "none"
        ] += 1
    has_day = sum(n for a, n in answers.items() if "24" in a.split("+"))
    has_week = sum(n for a, n in answers.items() if "168" in a.split("+"))
    other = sum(n for a, n in answers.items() if set(a.split("+")) - {"24", "168", "none"})
    return {
        "series": len(rows),
        "with 24": has_day / len(rows),
        "with 168": has_week / len(rows),
        "exactly 24 and 168": answers["24+168"] / len(rows),
        "with any other": other / len(rows),
        "milliseconds": 1e3 * (time.perf_counter() - begun) / len(rows),
        "answers": dict(answers.most_common(10)),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--m4", help="Hourly-train.csv of the M4 competition")
    parser.add_argument("--series", type=int, default=100, help="made series of each kind")
    parser.add_argument("--length", type=int, default=720, help="samples of a made series")
    parser.add_argument("--limit", type=int, default=None, help="series of M4 at the most")
    options = parser.parse_args()
    made = run_made(options.series, options.length)
    for name, row in made.items():
        print(
            f"{name:16s} exact {row['exact']:.3f}  {row['milliseconds']:.1f} ms  {row['answers']}"
        )
    report: dict[str, object] = {"python": platform.python_version(), "made": made}
    if options.m4:
        report["m4_hourly"] = run_m4(options.m4, options.limit)
        print("M4 hourly", report["m4_hourly"])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
