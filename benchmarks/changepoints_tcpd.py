"""Score change points on the Turing change point data.

Usage: ``python benchmarks/changepoints_tcpd.py PATH`` where PATH is a JSON file
``{name: {"values": [...], "annotations": {annotator: [first index of a regime, ...]}}}``
made from https://github.com/alan-turing-institute/TCPD. Writes
``benchmarks/results/changepoints_tcpd.json`` and prints one table: F1 (margin 5) and
covering against every annotator, processor seconds, and changes a series, with ruptures
beside where it is installed; then processor seconds for long series, and the share of series
of white and autoregressive noise in which a change is told.

The scores are those of van den Burg and Williams (2020), "An evaluation of change point
detection algorithms": precision against the union of the annotators, recall as the mean
over them; covering as the weighted Jaccard overlap of segments.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

RESULTS = pathlib.Path(__file__).parent / "results" / "changepoints_tcpd.json"
MARGIN = 5
Cases = dict[str, tuple[np.ndarray, list[list[int]]]]


def read_cases(path: str | pathlib.Path) -> Cases:
    """Read series (gaps drawn over by straight lines) and one list of changes an annotator."""
    given = pathlib.Path(path)
    raw = json.loads((given / "cases.json" if given.is_dir() else given).read_text())
    cases = {}
    for name, case in raw.items():
        values = np.array([np.nan if v is None else float(v) for v in case["values"]])
        have = np.flatnonzero(np.isfinite(values))
        values = np.interp(np.arange(len(values)), have, values[have])
        cases[name] = (values, [sorted(map(int, marks)) for marks in case["annotations"].values()])
    return cases


def matched(truth: Iterable[int], found: Iterable[int], margin: int = MARGIN) -> int:
    """Count truths that have a change within the margin, each change used once."""
    free = sorted(found)
    count = 0
    for mark in sorted(truth):
        best = min(free, key=lambda p: (abs(p - mark), p), default=None)
        if best is not None and abs(best - mark) <= margin:
            free.remove(best)
            count += 1
    return count


def f1_score(annotators: Sequence[Sequence[int]], found: Iterable[int]) -> float:
    """Harmonic mean of precision (union of annotators) and mean recall; 0 always counts."""
    points = {0, *found}
    sets = [{0, *marks} for marks in annotators]
    precision = matched(set().union(*sets), points) / len(points)
    recall = float(np.mean([matched(marks, points) / len(marks) for marks in sets]))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def covering(annotators: Sequence[Sequence[int]], found: Iterable[int], n: int) -> float:
    """Mean over annotators of the length-weighted best Jaccard overlap of their segments."""

    def cuts(marks: Iterable[int]) -> np.ndarray:
        return np.array([0, *sorted({m for m in marks if 0 < m < n}), n])

    guess = cuts(found)
    scores = []
    for marks in annotators:
        edges = cuts(marks)
        start, end = edges[:-1, None], edges[1:, None]
        shared = np.minimum(end, guess[1:]) - np.maximum(start, guess[:-1])
        joined = np.maximum(end, guess[1:]) - np.minimum(start, guess[:-1])
        overlap = np.where(shared > 0, shared / joined, 0.0).max(axis=1)
        scores.append(float((overlap * np.diff(edges)).sum() / n))
    return float(np.mean(scores))


def evaluate(cases: Cases, detect: Callable[[np.ndarray], Sequence[int]]) -> dict[str, float]:
    """Score one detector on all series."""
    f1, cover, count = [], [], []
    begun = time.process_time()
    for values, annotators in cases.values():
        found = [int(p) for p in detect(values)]
        f1.append(f1_score(annotators, found))
        cover.append(covering(annotators, found, len(values)))
        count.append(len(found))
    return {
        "f1": float(np.mean(f1)),
        "cover": float(np.mean(cover)),
        "changes_a_series": float(np.mean(count)),
        "seconds": time.process_time() - begun,
        "series": len(cases),
    }


def detectors() -> Mapping[str, Callable[[np.ndarray], Sequence[int]]]:
    """Give ours, nothing, one in the middle, and ruptures where it is installed."""
    from monitorlab.degradation import changepoints

    out: dict[str, Callable[[np.ndarray], Sequence[int]]] = {
        "monitorlab": changepoints,
        "nothing": lambda _: [],
        "one in the middle": lambda values: [len(values) // 2],
    }
    try:
        import ruptures
    except ImportError:
        return out

    def peer(kind: type) -> Callable[[np.ndarray], Sequence[int]]:
        def detect(values: np.ndarray) -> Sequence[int]:
            scaled = (values - values.mean()) / (values.std() or 1.0)
            model = kind(model="l2", min_size=2, jump=1).fit(scaled[:, None])
            return model.predict(pen=3 * np.log(len(values)))[:-1]

        return detect

    out["ruptures Binseg l2, 3 log n"] = peer(ruptures.Binseg)
    out["ruptures Pelt l2, 3 log n"] = peer(ruptures.Pelt)
    return out


def speed(sizes: Sequence[int] = (100_000, 1_000_000)) -> dict[str, float]:
    """Processor seconds for long series with four changes of level."""
    from monitorlab.degradation import changepoints

    changepoints(np.zeros(100))
    rng = np.random.default_rng(0)
    out = {}
    for size in sizes:
        values = rng.normal(size=size) + np.repeat([0.0, 1.0, 0.5, 2.0, 0.0], size // 5)
        begun = time.process_time()
        found = changepoints(values)
        out[str(size)] = time.process_time() - begun
        out[f"{size} off by at most"] = float(
            max((min(abs(p - k * size // 5) for k in range(1, 5)) for p in found), default=np.nan)
        )
    return out


def noise(count: int = 100, lengths: Sequence[int] = (100, 150, 300)) -> dict[str, float]:
    """Share of series of noise in which a change is found, by colour and length."""
    from monitorlab.degradation import segment

    out = {}
    for phi in (0.0, 0.5, 0.9):
        for length in lengths:
            rng = np.random.default_rng(7)
            told = significant = 0
            for _ in range(count):
                values = np.zeros(length + 200)
                for i, shock in enumerate(rng.normal(size=length + 200)):
                    values[i] = phi * values[i - 1] + shock
                cut = segment(values[200:])
                told += bool(cut.points)
                significant += bool(cut.points) and min(cut.p_values) < 0.01
            out[f"AR({phi:g}), n {length}, any change"] = told / count
            out[f"AR({phi:g}), n {length}, significant"] = significant / count
    return out


def main() -> None:
    """Run the benchmark from the command line."""
    import pandas as pd

    from monitorlab.display import text_table

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="JSON file with series and annotations")
    parser.add_argument("--each", action="store_true", help="print one line a series too")
    parser.add_argument("--noise", type=int, default=100, help="series of noise of each kind")
    options = parser.parse_args()
    cases = read_cases(options.path)
    rows = {name: evaluate(cases, detect) for name, detect in detectors().items()}
    print(text_table(pd.DataFrame(rows).T.rename_axis("method").reset_index(), index=False))
    if options.each:
        from monitorlab.degradation import changepoints

        for name, (values, annotators) in cases.items():
            found = changepoints(values)
            print(
                f"{name:22s} {f1_score(annotators, found):5.2f} "
                f"{covering(annotators, found, len(values)):5.2f} {found}"
            )
    seconds, false = speed(), noise(options.noise)
    print(text_table(pd.Series({**seconds, **false}, name="long series and noise").to_frame()))
    RESULTS.parent.mkdir(exist_ok=True)
    report = {
        "benchmark": "Turing change point data, univariate",
        "command": f"python benchmarks/changepoints_tcpd.py {pathlib.Path(options.path).name}"
        f" --noise {options.noise}",
        "python": platform.python_version(),
        "scores": rows,
        "processor_seconds": seconds,
        "share_of_noise_with_a_change": false,
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
