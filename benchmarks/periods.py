"""Measure which periods are found, and how often noise is taken for a season.

Usage: ``python benchmarks/periods.py [--m4 PATH_TO_Hourly-train.csv] [--series 100]``.
Writes ``benchmarks/results/periods.json`` and prints one table: the share of series whose
periods come back exactly, ours beside two plain peers (the highest line of the periodogram
after a straight line; the highest peak of the autocorrelation above 0.2), and milliseconds a
series. Without ``--m4`` only made series are used: day, week, day and week, cron jobs, and
noise of several colours.

Not every hourly series of M4 has a week. One is taken to be there where the mean of the other
weeks foretells a left-out week better than the mean of all other days by a tenth of the
squared error (``GAIN``), and to be absent where it foretells it worse.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import pathlib
import platform
import shlex
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

RESULTS = pathlib.Path(__file__).parent / "results" / "periods.json"
Maker = Callable[[np.random.Generator, int], np.ndarray]
Finder = Callable[[np.ndarray], set[float]]
GAIN = 0.1
STANDS_OUT = 12.0  # log(power / median) of the highest line, white noise: 1 in 1 000 series
LEAST_ACF = 0.2


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


def ours(values: np.ndarray) -> set[float]:
    """Find periods with the library, in hours."""
    from monitorlab.seasonality import find_periods

    index = pd.date_range("2026-01-05", periods=len(values), freq="1h", tz="UTC")
    return {round(p / pd.Timedelta("1h"), 2) for p in find_periods(pd.Series(values, index=index))}


def by_fft(values: np.ndarray) -> set[float]:
    """Take the highest line of the periodogram after a straight line, if it stands out."""
    n = len(values)
    power = np.abs(np.fft.rfft(detrended(values)))[1:] ** 2
    top = int(power.argmax()) + 1
    typical = float(np.median(power)) / np.log(2.0)
    if top < 2 or power[top - 1] < STANDS_OUT * typical:
        return set()
    return {float(round(n / top))}


def by_acf(values: np.ndarray) -> set[float]:
    """Take the highest peak of the autocorrelation after a straight line, if above 0.2."""
    x = detrended(values)
    n, power = len(x), float(x @ x)
    if power == 0.0:
        return set()
    acf = np.correlate(x, x, "full")[n - 1 : n - 1 + n // 2] / power
    lags = np.arange(2, len(acf) - 1)
    peaks = lags[(acf[lags] >= acf[lags - 1]) & (acf[lags] > acf[lags + 1])]
    peaks = peaks[acf[peaks] > LEAST_ACF]
    return {float(peaks[acf[peaks].argmax()])} if len(peaks) else set()


FINDERS: dict[str, Finder] = {"monitorlab": ours, "fft peak": by_fft, "acf peak": by_acf}


def detrended(values: np.ndarray) -> np.ndarray:
    """Take a straight line off."""
    place = np.arange(len(values)) - (len(values) - 1) / 2
    x = values - values.mean()
    return x - place * float(place @ x) / float(place @ place)


def run_made(count: int, n: int, find: Finder) -> dict[str, dict[str, object]]:
    """Count how often exactly the true periods come back."""
    out: dict[str, dict[str, object]] = {}
    for name, (make, truth) in CASES.items():
        rng = np.random.default_rng(abs(hash_of(name)))
        cases = [make(rng, n) for _ in range(count)]
        begun = time.process_time()
        found = [find(values) for values in cases]
        seconds = time.process_time() - begun
        out[name] = {
            "exact": sum(f == set(map(float, truth)) for f in found) / count,
            "milliseconds": 1e3 * seconds / count,
            "answers": dict(collections.Counter(map(spelt, found)).most_common(5)),
        }
    return out


def spelt(found: set[float]) -> str:
    """Write periods as one word."""
    return "+".join(f"{p:g}" for p in sorted(found)) or "none"


def hash_of(name: str) -> int:
    """Give a stable seed for a name."""
    return sum((i + 1) * ord(c) for i, c in enumerate(name))


def week_gain(values: np.ndarray) -> float:
    """Say how much of the squared error of a left-out week its weekdays save."""
    from monitorlab.seasonality.grid import moving_mean

    count = len(values) // 168
    weeks = (values - moving_mean(values, 168))[: count * 168].reshape(count, 7, 24)
    by_day = by_week = 0.0
    for i in range(count):
        others = np.delete(weeks, i, axis=0)
        by_day += float(((weeks[i] - others.mean(axis=(0, 1))) ** 2).sum())
        by_week += float(((weeks[i] - others.mean(axis=0)) ** 2).sum())
    return 1.0 - by_week / by_day if by_day > 0 else 0.0


def read_m4(path: str, limit: int | None) -> list[np.ndarray]:
    """Read the hourly series of the M4 competition."""
    with pathlib.Path(path).open(newline="") as file:
        rows = list(csv.reader(file))[1:][:limit]
    return [np.array([float(v) for v in row[1:] if v != ""]) for row in rows]


def run_m4(series: list[np.ndarray], find: Finder) -> dict[str, object]:
    """Count the answers on hourly series, with a week and without one apart."""
    begun = time.process_time()
    found = [find(values) for values in series]
    seconds = time.process_time() - begun
    gains = np.array([week_gain(values) for values in series])
    weeks, days = (np.array([p in f for f in found]) for p in (168.0, 24.0))
    both = np.array([f == {24.0, 168.0} for f in found])
    there, absent = gains >= GAIN, gains < 0.0
    return {
        "series": len(series),
        "with 24": float(days.mean()),
        "with 168": float(weeks.mean()),
        "with any other": float(np.mean([bool(f - {24.0, 168.0}) for f in found])),
        "series with a week": int(there.sum()),
        "exactly 24 and 168 of those": float(both[there].mean()),
        "series without": int(absent.sum()),
        "168 named of those": float(weeks[absent].mean()),
        "milliseconds": 1e3 * seconds / len(series),
        "answers": dict(collections.Counter(map(spelt, found)).most_common(10)),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    from monitorlab.display import text_table

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--m4", help="Hourly-train.csv of the M4 competition")
    parser.add_argument("--series", type=int, default=100, help="made series of each kind")
    parser.add_argument("--length", type=int, default=720, help="samples of a made series")
    parser.add_argument("--limit", type=int, default=None, help="series of M4 at the most")
    options = parser.parse_args()
    made = {name: run_made(options.series, options.length, f) for name, f in FINDERS.items()}
    table = {
        f"{case}: exact": {name: rows[case]["exact"] for name, rows in made.items()}
        for case in CASES
    }
    table["milliseconds, day and week"] = {
        name: rows["day and week"]["milliseconds"] for name, rows in made.items()
    }
    report: dict[str, object] = {
        "benchmark": f"periods of {options.series} made series of {options.length} samples each",
        "command": shlex.join(["python", "benchmarks/periods.py", *named(sys.argv[1:])]),
        "python": platform.python_version(),
        "made": made,
    }
    if options.m4:
        series = read_m4(options.m4, options.limit)
        real = {name: run_m4(series, find) for name, find in FINDERS.items()}
        for key in real["monitorlab"]:
            if key != "answers":
                table[f"M4 hourly: {key}"] = {name: row[key] for name, row in real.items()}
        report["m4_hourly"] = real
    print(text_table(pd.DataFrame(table).T))
    print({case: row["answers"] for case, row in made["monitorlab"].items()})
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def named(arguments: list[str]) -> list[str]:
    """Leave out where the files of this machine lie."""
    return [pathlib.Path(a).name if "/" in a else a for a in arguments]


if __name__ == "__main__":
    main()
