"""The project's NAB scorer against a slow and obvious one."""

from __future__ import annotations

import importlib.util
import math
import os
from pathlib import Path

import numpy as np
import pytest

from tests.anomaly.builders import stamped

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "nab_scoring.py"
SPEC = importlib.util.spec_from_file_location("nab_scoring", PATH)
assert SPEC is not None
assert SPEC.loader is not None
nab = importlib.util.module_from_spec(SPEC)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    import sys

    sys.modules["nab_scoring"] = nab
    SPEC.loader.exec_module(nab)


def sigma(y: float) -> float:
    return -1.0 if y > 3.0 else 2.0 / (1.0 + math.exp(5.0 * y)) - 1.0


def naive(files: list, scores: dict, threshold: float, profile: str) -> float:
    w = nab.PROFILES[profile]
    raw = null = perfect = 0.0
    for file in files:
        n = len(file.series)
        head = min(math.floor(0.15 * n), 750.0)
        done = set()
        live = [k for k, (_, b) in enumerate(file.windows) if b - 1 >= head]
        for i in range(n):
            if i < head or scores[file.name][i] < threshold:
                continue
            inside = [k for k, (a, b) in enumerate(file.windows) if a <= i < b]
            if inside:
                k = inside[0]
                if k not in done:
                    a, b = file.windows[k]
                    raw += w["hit"] * sigma(-(b - i) / (b - a)) / sigma(-1.0)
                    done.add(k)
                continue
            past = [(a, b) for a, b in file.windows if b <= i]
            if past:
                a, b = past[-1]
                raw += w["false"] * sigma((i - (b - 1)) / max(b - a - 1, 1e-9))
            else:
                raw -= w["false"]
        raw -= w["miss"] * len([k for k in live if k not in done])
        null -= w["miss"] * len(live)
        perfect += w["hit"] * len(file.windows)
    return 100.0 * (raw - null) / (perfect - null)


@pytest.mark.parametrize("profile", ["standard", "reward_low_FP_rate", "reward_low_FN_rate"])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_naive_scorer(seed: int, profile: str) -> None:
    rng = np.random.default_rng(seed)
    files, scores = [], {}
    for k in range(4):
        n = int(rng.integers(60, 400))
        cuts = np.sort(rng.choice(np.arange(1, n), size=2 * int(rng.integers(0, 4)), replace=False))
        windows = tuple((int(a), int(b) + 1) for a, b in cuts.reshape(-1, 2))
        windows = tuple(w for j, w in enumerate(windows) if j == 0 or w[0] >= windows[j - 1][1])
        files.append(nab.LabelledFile(f"c{k}/f", stamped(rng.normal(size=n)), windows))
        scores[f"c{k}/f"] = rng.choice([0.1, 0.5, 0.9, 1.0], p=[0.9, 0.05, 0.03, 0.02], size=n)
    if not any(f.windows for f in files):
        pytest.skip("no window was drawn")
    expected = {t: naive(files, scores, t, profile) for t in (0.1, 0.5, 0.9, 1.0, 1.1)}
    for threshold, value in expected.items():
        assert nab.score_at(files, scores, threshold, profile) == pytest.approx(value, abs=1e-9)
    best, threshold = nab.score_best(files, scores, profile)
    assert best == pytest.approx(max(expected.values()), abs=1e-9)
    assert nab.score_at(files, scores, threshold, profile) == pytest.approx(best, abs=1e-9)


def test_false_rows_counts_only_scored_rows_outside() -> None:
    file = nab.LabelledFile("c/f", stamped(np.zeros(100)), ((50, 60),))
    scores = {"c/f": np.ones(100)}
    assert nab.false_rows([file], scores, 0.5) == (75, 75)


def test_agrees_with_the_reference_scorer_on_the_benchmark() -> None:
    """``MONITORLAB_NAB`` is a folder with data and labels, ``nab_score.py`` stands beside it."""
    root = os.environ.get("MONITORLAB_NAB")
    if not root:
        pytest.skip("MONITORLAB_NAB names no folder with the benchmark")
    path = Path(root).parent / "nab_score.py"
    spec = importlib.util.spec_from_file_location("nab_reference", path)
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    files = nab.load(root)
    corpus = reference.Corpus(root, [f.name for f in files])
    rng = np.random.default_rng(0)
    for rows in (1e-4, 1e-3, 1e-2):
        scores = {f.name: np.round(rng.random(len(f.series)) ** rows, 6) for f in files}
        for names in (None, [f.name for f in files[:9]]):
            chosen = [f for f in files if names is None or f.name in names]
            for profile, expected in corpus.score(scores, names).items():
                best, _ = nab.score_best(chosen, scores, profile)
                assert best == pytest.approx(expected["score"], abs=1e-6)
            for cut in (0.999, 0.99):
                for profile, expected in corpus.score(scores, names, cut).items():
                    got = nab.score_at(chosen, scores, cut, profile)
                    assert got == pytest.approx(expected["score"], abs=1e-6)
