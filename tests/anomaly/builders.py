"""Small seeded series for the anomaly tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = "2026-01-05"


def stamped(values: np.ndarray, freq: str = "5min") -> pd.Series:
    index = pd.date_range(START, periods=len(values), freq=freq, tz="UTC")
    return pd.Series(np.asarray(values, dtype=float), index=index, name="metric")


def noise(n: int = 2_000, seed: int = 0, freq: str = "5min") -> pd.Series:
    return stamped(np.random.default_rng(seed).normal(50.0, 5.0, n), freq)


def daily(n: int = 4_032, seed: int = 0, sigma: float = 2.0) -> pd.Series:
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(n) / 288
    return stamped(100 + 30 * np.sin(phase) + 10 * np.sin(2 * phase) + rng.normal(0, sigma, n))


def walk(n: int = 4_000, seed: int = 0, drift: float = 0.05) -> pd.Series:
    return stamped(np.cumsum(np.random.default_rng(seed).normal(drift, 1.0, n)))


def rough_cases(seed: int = 0) -> dict[str, pd.Series]:
    """Give series of every awkward kind."""
    rng = np.random.default_rng(seed)
    plain = noise(700, seed)
    holes = plain.copy()
    holes.iloc[::7] = np.nan
    holes.iloc[300:340] = np.nan
    infinite = plain.copy()
    infinite.iloc[400] = np.inf
    infinite.iloc[401] = -np.inf
    changed = plain.copy()
    changed.index = changed.index[:350].append(
        pd.date_range(changed.index[350], periods=350, freq="1min", tz="UTC")
    )
    gap = pd.concat([plain.iloc[:300], plain.iloc[500:]])
    counter = stamped(np.concatenate([np.arange(400) * 3.0, np.arange(300) * 3.0]))
    step = np.full(700, 1e12)
    step[500:] += 1.0
    return {
        "plain": plain,
        "holes": holes,
        "infinite": infinite,
        "changed interval": changed,
        "gap": gap,
        "counter": counter,
        "constant": stamped(np.full(700, 3.0)),
        "zeros": stamped(np.zeros(700)),
        "nearly constant": stamped(5.0 + 1e-12 * rng.normal(size=700)),
        "step of one in 1e12": stamped(step),
        "integers": stamped(rng.poisson(0.1, 700)),
        "huge": stamped(1e300 * rng.normal(size=700)),
        "tiny": stamped(1e-300 * rng.normal(size=700)),
        "all missing": stamped(np.full(50, np.nan)),
        "five": plain.iloc[:5],
        "one": plain.iloc[:1],
        "none": plain.iloc[:0],
        "same time": plain.set_axis(plain.index.floor("15min")),
    }
