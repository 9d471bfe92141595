"""A small shop's metrics, made of a seed: what the dashboard tests look at."""

from __future__ import annotations

import numpy as np

from monitorlab.frame import MonitoringFrame

SECOND = 1_000_000_000
START = 1_767_258_000 * SECOND


def shop(count: int = 900, *, step_seconds: int = 2, seed: int = 0) -> MonitoringFrame:
    rng = np.random.default_rng(seed)
    frame = MonitoringFrame()
    times = START + np.arange(count, dtype=np.int64) * step_seconds * SECOND
    day = 1 + 0.6 * np.sin(np.arange(count) / count * 4 * np.pi)
    surge = np.zeros(count)
    surge[count // 2 : count // 2 + count // 10] = 1.0
    for route, share in (("/", 0.5), ("/cart", 0.3), ("/search", 0.2)):
        hits = rng.poisson(40 * share * day * (1 + 1.5 * surge) * step_seconds)
        frame.store.extend("http_requests_total", times, np.cumsum(hits), {"route": route})
    seconds = rng.gamma(2.0, 0.02, (count, 20)) * (1 + 4 * surge[:, None])
    for limit in (0.01, 0.05, 0.1, 0.25, 0.5, np.inf):
        below = np.cumsum((seconds <= limit).sum(axis=1))
        name = "+Inf" if np.isinf(limit) else str(limit)
        frame.store.extend("http_request_duration_seconds_bucket", times, below, {"le": name})
    busy = np.clip(0.25 * day + 0.4 * surge + rng.normal(0, 0.03, count), 0, 1)
    frame.store.extend("cpu_busy_ratio", times, busy)
    frame.store.extend("memory_used_bytes", times, 2.1e9 + 3e5 * np.arange(count))
    frame.store.extend("queue_depth", times, rng.poisson(3 * day + 20 * surge))
    for state in ("active", "idle"):
        frame.store.extend("pg_connections", times, rng.poisson(8 * day), {"state": state})
    frame.store.extend("build_info", times, np.ones(count))
    frame.describe_metric("http_requests_total", type="counter")
    frame.describe_metric(
        "http_request_duration_seconds", type="histogram", unit="s", direction="up"
    )
    frame.describe_metric("cpu_busy_ratio", type="gauge", unit="ratio", direction="up")
    frame.describe_metric("memory_used_bytes", type="gauge", unit="bytes")
    begin, end = int(times[count // 2]), int(times[count // 2 + count // 10])
    frame.mark(begin, end, "traffic_surge", severity="warning")
    frame.alert("QueueLong", "queue_depth > 15", for_="20s", severity="critical")
    return frame
