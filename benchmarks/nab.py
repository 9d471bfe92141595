"""Measure a detector on the Numenta Anomaly Benchmark.

    python benchmarks/nab.py PATH [--detector auto] [--stream]

PATH holds ``data/<category>/*.csv`` and ``labels/combined_windows.json`` as published. Prints
the three profiles at the detector's own threshold and at the best one, the figures of each
category and with each category left out, and the share of false rows; writes
``benchmarks/results/nab.json``.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nab_scoring as nab

from monitorlab.anomaly import detectors, make_detector

RESULTS = Path(__file__).resolve().parent / "results" / "nab.json"


def run(path: str, name: str, *, stream: bool = False) -> dict[str, object]:
    """Score every file and sum the scores up."""
    files = nab.load(path)
    detector = make_detector(name)
    detector.score(files[0].series.iloc[:50])  # compile
    scores = {}
    started = time.perf_counter()
    for file in files:
        if stream:
            one = detector.clone()
            seconds = file.series.index.as_unit("ns").asi8 / 1e9
            pairs = zip(seconds, file.series, strict=True)
            scores[file.name] = np.array([one.update(t, v) for t, v in pairs])
        else:
            scores[file.name] = detector.score(file.series).to_numpy()
    seconds_used = time.perf_counter() - started
    rows = sum(len(f.series) for f in files)
    threshold = detector.threshold
    categories = sorted({f.category for f in files})
    alarmed, usual = nab.false_rows(files, scores, threshold)
    windows = sum(len(f.windows) for f in files)
    return {
        "detector": name,
        "threshold": threshold,
        "files": len(files),
        "rows": rows,
        "windows": windows,
        "windows_found": sum(
            bool((scores[f.name][max(a, f.head) : b] >= threshold).any())
            for f in files
            for a, b in f.windows
        ),
        "microseconds_per_row": 1e6 * seconds_used / rows,
        "profiles": {
            p: {
                "fixed": nab.score_at(files, scores, threshold, p),
                "best": nab.score_best(files, scores, p)[0],
                "best_threshold": nab.score_best(files, scores, p)[1],
            }
            for p in nab.PROFILES
        },
        "categories": {
            c: {
                "files": sum(f.category == c for f in files),
                "windows": sum(len(f.windows) for f in files if f.category == c),
                "standard": _finite(
                    nab.score_at([f for f in files if f.category == c], scores, threshold)
                ),
                "false_rows": nab.false_rows(
                    [f for f in files if f.category == c], scores, threshold
                )[0],
                "standard_without_it": nab.score_at(
                    [f for f in files if f.category != c], scores, threshold
                ),
            }
            for c in categories
        },
        "lowest_without_a_category": min(
            nab.score_at([f for f in files if f.category != c], scores, threshold)
            for c in categories
        ),
        "false_rows": alarmed,
        "usual_rows": usual,
        "false_row_percent": 100.0 * alarmed / usual,
    }


def main() -> None:
    """Read the arguments, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("path", help="folder with data/ and labels/")
    parser.add_argument("--detector", default="auto", help=f"one of {', '.join(detectors())}")
    parser.add_argument("--stream", action="store_true", help="one by one instead of in batch")
    arguments = parser.parse_args()
    found = run(arguments.path, arguments.detector, stream=arguments.stream)
    print(
        f"{found['detector']} at threshold {found['threshold']}: {found['windows_found']} of "
        f"{found['windows']} windows in {found['files']} files, {found['rows']} rows, "
        f"{found['microseconds_per_row']:.2f} us a row"
    )
    print(f"{'profile':22s}{'fixed':>8s}{'best':>8s}  best threshold")
    for name, p in found["profiles"].items():
        print(f"{name:22s}{p['fixed']:8.2f}{p['best']:8.2f}  {p['best_threshold']:.6f}")
    print(f"{'category':24s}{'files':>6s}{'windows':>8s}{'alone':>8s}{'without':>9s}{'false':>7s}")
    for name, c in found["categories"].items():
        alone = "-" if c["standard"] is None else f"{c['standard']:.1f}"
        print(
            f"{name:24s}{c['files']:6d}{c['windows']:8d}{alone:>8s}"
            f"{c['standard_without_it']:9.1f}{c['false_rows']:7d}"
        )
    print(
        f"lowest standard score with a category left out {found['lowest_without_a_category']:.2f}"
    )
    print(
        f"false rows {found['false_rows']} of {found['usual_rows']} "
        f"({found['false_row_percent']:.3f} %)"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    command = shlex.join(["python", "benchmarks/nab.py", "PATH", *sys.argv[2:]])
    RESULTS.write_text(json.dumps({"command": command, **found}, indent=1) + "\n")


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


if __name__ == "__main__":
    main()
