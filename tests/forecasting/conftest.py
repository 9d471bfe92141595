"""Small builders of series, each with a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def hourly_values(days: int = 28, *, noise: float = 2.0, slope: float = 0.0, seed: int = 0):
    """A day and a week of load with autocorrelated noise; 24 values a day."""
    rng = np.random.default_rng(seed)
    t = np.arange(24 * days)
    shape = 20 * np.sin(t / 24 * 2 * np.pi) + 6 * np.sin(t / 12 * 2 * np.pi)
    week = np.where((t // 24) % 7 >= 5, -12.0, 0.0)
    e = rng.normal(0, noise, len(t))
    for i in range(1, len(e)):
        e[i] += 0.5 * e[i - 1]
    return 100 + shape + week + slope * t + e


def timed(values, freq: str = "1h", name: str = "load", start: str = "2026-01-05") -> pd.Series:
    index = pd.date_range(start, periods=len(values), freq=freq, tz="UTC", name="timestamp")
    return pd.Series(np.asarray(values, dtype=float), index=index, name=name)


@pytest.fixture
def hourly() -> Callable[..., np.ndarray]:
    return hourly_values


@pytest.fixture
def as_timed() -> Callable[..., pd.Series]:
    return timed
