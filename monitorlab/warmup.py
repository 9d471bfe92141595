"""Compile every loop once, so that the first real question is as quick as the second.

The compiled loops are kept beside the package (or where ``NUMBA_CACHE_DIR`` says) and used by
every later process. ``make demo`` and ``make test`` run this after installation.

>>> warm_up() > 0
True
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

__all__ = ["warm_up"]

_QUESTIONS = (
    "rate(hits_total[1m])",
    "irate(hits_total[1m])",
    "deriv(load[1m])",
    "changes(load[1m]) + resets(hits_total[1m])",
    *(f"{name}_over_time(load[1m])" for name in ("avg", "min", "max", "sum", "count", "stddev")),
    "quantile_over_time(0.5, load[1m])",
    "quantile by (job) (0.9, load)",
    "topk(1, load)",
)


def warm_up() -> float:
    """Ask one small question of each part that has compiled loops.

    Returns
    -------
    float
        Seconds that it took: some tens the first time on a machine, a few after that.

    Examples
    --------
    >>> warm_up() > 0
    True
    """
    from monitorlab.frame import MonitoringFrame

    began = time.monotonic()
    times = pd.date_range("2026-01-01", periods=400, freq="5s", tz="UTC")
    load = np.sin(np.arange(400) / 9.0) + np.random.default_rng(0).normal(0, 0.1, 400)
    frame = MonitoringFrame()
    frame.extend("load", times, load, labels={"job": "a"})
    frame.extend("hits_total", times, np.arange(400.0), type="counter")
    for question in _QUESTIONS:
        frame.query_range(question, times[0], times[-1], "10s")
    frame.stats("5m")
    frame.anomalies("load")
    frame.anomalies(together=True)
    frame.degradation("load")
    frame.forecast("load", horizon="2m")
    return time.monotonic() - began


if __name__ == "__main__":
    print(f"compiled loops are ready ({warm_up():.0f} s)", file=sys.stderr)  # noqa: T201
