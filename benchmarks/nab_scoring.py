"""Scores of the Numenta Anomaly Benchmark (NAB 1.1 rules) for anomaly scores of its files.

The rules, as the benchmark applies them: the first ``min(0.15 n, 750)`` rows of a file are
not scored. In a labelled window only the first detection counts; it is worth more the earlier
it comes, by a sigmoid over the window, and a window without one costs. Every detection outside
a window is a false positive; just behind a window it costs little, far from it the whole
weight. The total is set between that of a detector that never speaks (0) and a perfect one
(100), with one threshold for all files.

References
----------
Lavin and Ahmad (2015), "Evaluating Real-time Anomaly Detection Algorithms: the Numenta
Anomaly Benchmark".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["PROFILES", "LabelledFile", "false_rows", "load", "score_at", "score_best"]

PROFILES = {
    "standard": {"hit": 1.0, "false": 0.11, "miss": 1.0},
    "reward_low_FP_rate": {"hit": 1.0, "false": 0.22, "miss": 1.0},
    "reward_low_FN_rate": {"hit": 1.0, "false": 0.11, "miss": 2.0},
}
HEAD_SHARE = 0.15
HEAD_ROWS = 750
FAR = 3.0  # window widths behind a window from which a false positive costs its whole weight


@dataclass(frozen=True)
class LabelledFile:
    """One data file with its windows as half-open row ranges."""

    name: str
    series: pd.Series
    windows: tuple[tuple[int, int], ...]

    @property
    def category(self) -> str:
        return self.name.split("/", 1)[0]

    @property
    def head(self) -> int:
        """Number of rows at the start that are not scored."""
        return math.ceil(min(math.floor(HEAD_SHARE * len(self.series)), HEAD_ROWS))

    @property
    def outside(self) -> np.ndarray:
        """Mask of the scored rows that are in no window."""
        mask = np.ones(len(self.series), dtype=bool)
        mask[: self.head] = False
        for start, end in self.windows:
            mask[start:end] = False
        return mask


def load(path: str | Path) -> list[LabelledFile]:
    """Read a folder in the public layout: ``data/<category>/*.csv`` and ``labels``."""
    root = Path(path)
    labels = json.loads((root / "labels" / "combined_windows.json").read_text())
    files = []
    for name in sorted(labels):
        file = root / "data" / name
        if not file.exists():
            continue
        frame = pd.read_csv(file)
        times = pd.to_datetime(frame["timestamp"])
        series = pd.Series(
            frame["value"].to_numpy(dtype=float),
            index=pd.DatetimeIndex(times, tz="UTC"),
            name=name,
        )
        first = pd.Series(np.arange(len(times)), index=times)
        first = first[~first.index.duplicated()]
        windows = tuple(
            (int(first[pd.Timestamp(start)]), int(first[pd.Timestamp(end)]) + 1)
            for start, end in labels[name]
        )
        files.append(LabelledFile(name, series, windows))
    if not files:
        msg = (
            f"no data file of {root / 'labels' / 'combined_windows.json'} is under {root / 'data'}"
        )
        raise FileNotFoundError(msg)
    return files


def score_at(
    files: Iterable[LabelledFile],
    scores: Mapping[str, np.ndarray],
    threshold: float,
    profile: str = "standard",
) -> float:
    """Score of all rows at or above one threshold being detections."""
    weights = PROFILES[profile]
    total = 0.0
    chosen = list(files)
    for file in chosen:
        detected = np.nan_to_num(np.asarray(scores[file.name], float), nan=-1.0) >= threshold
        detected[: file.head] = False
        total += weights["false"] * float(_false_values(file)[detected & file.outside].sum())
        for start, end in _live(file):
            hits = np.flatnonzero(detected[start:end])
            if len(hits):
                total += weights["hit"] * float(_hit_values(start, end)[hits[0]])
            else:
                total -= weights["miss"]
    return _scaled(chosen, total, weights)


def score_best(
    files: Iterable[LabelledFile], scores: Mapping[str, np.ndarray], profile: str = "standard"
) -> tuple[float, float]:
    """Best score over all thresholds, and the threshold."""
    weights = PROFILES[profile]
    chosen = list(files)
    cuts: list[np.ndarray] = []
    gains: list[np.ndarray] = []
    base = 0.0
    for file in chosen:
        s = np.nan_to_num(np.asarray(scores[file.name], float), nan=-1.0)
        outside = file.outside
        cuts.append(s[outside])
        gains.append(weights["false"] * _false_values(file)[outside])
        for start, end in _live(file):
            live_start = max(start, file.head)
            inside = s[live_start:end]
            value = weights["hit"] * _hit_values(start, end)[live_start - start :]
            base -= weights["miss"]
            # lowering the threshold, the first detection jumps back from record to record
            before = np.concatenate(([-np.inf], np.maximum.accumulate(inside)[:-1]))
            records = np.flatnonzero(inside > before)[::-1]
            cuts.append(inside[records])
            gains.append(np.diff(value[records], prepend=-weights["miss"]))
    cut, gain = np.concatenate(cuts), np.concatenate(gains)
    order = np.argsort(-cut, kind="stable")
    cut, total = cut[order], base + np.cumsum(gain[order])
    last = np.append(cut[1:] != cut[:-1], True)
    cut, total = cut[last], total[last]
    best = int(np.argmax(total))
    if total[best] < base:
        return _scaled(chosen, base, weights), math.inf
    return _scaled(chosen, float(total[best]), weights), float(cut[best])


def false_rows(
    files: Iterable[LabelledFile], scores: Mapping[str, np.ndarray], threshold: float
) -> tuple[int, int]:
    """Count the alarmed rows in no window, and all scored rows in no window."""
    alarmed = rows = 0
    for file in files:
        outside = file.outside
        s = np.nan_to_num(np.asarray(scores[file.name], float), nan=-1.0)
        alarmed += int((s[outside] >= threshold).sum())
        rows += int(outside.sum())
    return alarmed, rows


def _sigmoid(y: np.ndarray) -> np.ndarray:
    return 2.0 / (1.0 + np.exp(5.0 * y)) - 1.0


def _hit_values(start: int, end: int) -> np.ndarray:
    """Worth of a first detection at each row of a window, 1 at its first row and falling."""
    width = end - start
    place = -(end - np.arange(start, end)) / width
    return _sigmoid(place) / _sigmoid(np.array([-1.0]))


def _false_values(file: LabelledFile) -> np.ndarray:
    """Cost (negative) of a detection at each row, by its distance behind the last window."""
    n = len(file.series)
    value = np.full(n, -1.0)
    for k, (start, end) in enumerate(file.windows):
        until = file.windows[k + 1][0] if k + 1 < len(file.windows) else n
        rows = np.arange(end, until)
        place = (rows - (end - 1)) / max(end - start - 1, 1e-9)
        value[end:until] = np.where(place > FAR, -1.0, _sigmoid(np.minimum(place, FAR)))
    return value


def _live(file: LabelledFile) -> list[tuple[int, int]]:
    """Windows that are not wholly inside the part that is not scored."""
    return [(start, end) for start, end in file.windows if end > file.head]


def _scaled(files: list[LabelledFile], total: float, weights: Mapping[str, float]) -> float:
    silent = -weights["miss"] * sum(len(_live(f)) for f in files)
    perfect = weights["hit"] * sum(len(f.windows) for f in files)
    return 100.0 * (total - silent) / (perfect - silent) if perfect != silent else math.nan
