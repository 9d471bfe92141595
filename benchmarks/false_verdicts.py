"""How often does a comparison of two spans tell a difference that is not there?

Usage: ``python benchmarks/false_verdicts.py [--pairs 80]``. Pairs of neighbouring spans of one
noise (white, heavy tails, autoregressive, long memory, bursts) at four lengths, by the median and
by the mean, at a level of 95 %: the share that is called different as it is, and with a step of
one standard deviation between the spans. Then both halves of the clean half hour of the bundled
recording ``shop``, where not all that differs is false (caches that fill, files written). Writes
``benchmarks/results/false_verdicts.json``.
"""

from __future__ import annotations

import argparse
import json
import pathlib

import numpy as np
import pandas as pd
from false_changes import CLEAN, Noise, autoregressive, fractional, volatile
from tqdm.auto import tqdm

import monitorlab as ml
from monitorlab import analysis_input
from monitorlab.degradation import compare

RESULTS = pathlib.Path(__file__).parent / "results" / "false_verdicts.json"
LENGTHS = (30, 60, 200, 1000)
KINDS: dict[str, Noise] = {
    "white": lambda rng, n: rng.normal(size=n),
    "Student t, 3 degrees": lambda rng, n: rng.standard_t(3, size=n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    **{
        f"AR({phi:g})": lambda rng, n, phi=phi: autoregressive(rng, n, phi)
        for phi in (0.5, 0.7, 0.9, 0.97)
    },
    **{
        f"Hurst {hurst:g}": lambda rng, n, hurst=hurst: fractional(rng, n, hurst)
        for hurst in (0.8, 0.9)
    },
    "GARCH": volatile,
}


def called_different(make: Noise, n: int, statistic: str, step: float, pairs: int) -> float:
    """Share of pairs of spans with a verdict."""
    rng = np.random.default_rng([n, int(10 * step)])
    index = pd.date_range("2026-01-01", periods=2 * n, freq="37s", tz="UTC")
    told = 0
    for _ in range(pairs):
        values = make(rng, 2 * n)
        values = values + step * values.std() * (np.arange(2 * n) >= n)
        series = pd.Series(values, index, name="noise")
        result = compare(series[:n], series[n:], statistic=statistic, resamples=400)
        told += result.verdict != "no clear change"
    return told / pairs


def in_recording() -> dict[str, object]:
    """Compare both halves of the clean part of ``shop``."""
    clean = ml.load_dataset("shop").between(*CLEAN)
    series = analysis_input.prepare_all(clean.selection, None)
    told = []
    compared = 0
    for key, values in series.items():
        half = len(values) // 2
        try:
            result = compare(values.iloc[:half], values.iloc[half:])
        except ml.errors.NotEnoughDataError:
            continue
        compared += 1
        if result.verdict != "no clear change":
            told.append(str(key))
    return {"series": compared, "different": len(told), "which": told}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=80, help="pairs of each kind")
    pairs = parser.parse_args().pairs
    cells = [(s, n, k) for s in ("median", "mean") for n in LENGTHS for k in KINDS]
    shares = {
        f"{statistic}, n {n}, {kind}": {
            "no change": called_different(KINDS[kind], n, statistic, 0.0, pairs),
            "one deviation": called_different(KINDS[kind], n, statistic, 1.0, pairs),
        }
        for statistic, n, kind in tqdm(cells)
    }
    for name, found in shares.items():
        print(f"{name:36} {found['no change']:6.1%} {found['one deviation']:6.0%}")
    recording = in_recording()
    print(json.dumps(recording, indent=1))
    report = {
        "benchmark": "false verdicts of compare()",
        "command": f"python benchmarks/false_verdicts.py --pairs {pairs}",
        "level": 0.95,
        "share_called_different": shares,
        "halves_of_the_clean_half_hour_of_shop": recording,
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
