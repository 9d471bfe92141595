"""Which way is worse for a metric? Told by the user, else by type, unit and name.

>>> worse_direction(Metric("http_request_duration_seconds")).way
'up'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from monitorlab.model import Metric

__all__ = ["Direction", "worse_direction"]

# Read from top to bottom, first match wins; words are parts of a name between underscores
# or capitals. A ratio of hits is good although "ratio" says nothing.
_RULES: tuple[tuple[Literal["up", "down"], str, str], ...] = (
    ("down", "free or available capacity",
     r"(free|avail|available|availability|remaining|headroom|idle|spare|unused|allocatable)"),
    ("down", "success, hits or health",
     (r"(success|successes|successful|succeeded|ok|hit|hits|healthy|health|ready|alive|up|uptime|apdex|"
     r"attainment|satisfaction|conversion|conversions)")),
    ("up", "errors or failures",
     (r"(error|errors|err|errs|fail|fails|failed|failure|failures|exception|exceptions|5xx|4xx|"
     r"panic|panics|fault|faults|drop|drops|dropped|discard|discarded|lost|loss|retry|retries|"
     r"retransmit|retransmits|retrans|timeout|timeouts|reject|rejected|rejections|abort|aborted|"
     r"crash|crashes|restart|restarts|oom|evict|evicted|evictions|miss|misses|missed|throttled|"
     r"throttling|unavailable|unhealthy|violations|stale|anomalies|deadlock|deadlocks)")),
    ("up", "time taken or waited",
     (r"(latency|latencies|duration|delay|lag|wait|waiting|rtt|ping|elapsed|time|pause|"
     r"jitter|staleness|age|overrun|overruns|steal|iowait)")),
    ("up", "work that waits",
     r"(queue|queued|backlog|pending|inflight|blocked|backpressure|depth|congestion|contention)"),
    ("up", "use of something limited",
     (r"(usage|used|utilization|utilisation|util|busy|load|load1|load5|load15|cpu|memory|mem|heap|"
     r"rss|swap|swapped|saturation|pressure|occupancy|temperature|temp|cost|fds|fragmentation|leak|"
     r"leaked|consumed|consumption)")),
    ("down", "work done",
     (r"(throughput|requests|request|rps|qps|tps|ops|operations|orders|order|sales|checkouts|"
     r"logins|signups|users|sessions|visits|sent|received|processed|completed|served|transactions|"
     r"messages|records|rows|packets|events|jobs|revenue|bandwidth|goodput|speed|rate)")),
)  # fmt: skip
_TIME_UNITS = {"s", "ms", "us", "µs", "ns", "second", "seconds", "millisecond", "milliseconds",
               "microseconds", "nanoseconds", "minutes", "hours"}  # fmt: skip
_WORK_UNITS = {"rps", "qps", "tps", "req/s", "requests/s", "ops/s", "1/s", "hz", "/s"}


@dataclass(frozen=True, slots=True)
class Direction:
    """Which way is worse, and how that is known.

    Parameters
    ----------
    way : {"up", "down", None}
        None where nothing tells.
    reason : str
        One phrase.

    Examples
    --------
    >>> from monitorlab.degradation import worse_direction
    >>> from monitorlab.model import Metric
    >>> worse_direction(Metric("cache_hits"))
    Direction(way='down', reason="success, hits or health (name has 'hits')")
    """

    way: Literal["up", "down"] | None
    reason: str


def worse_direction(metric: Metric) -> Direction:
    """Say which way is worse for a metric.

    Parameters
    ----------
    metric : Metric
        Its ``direction`` decides when given; then words of its name, then its unit, then
        its type.

    Returns
    -------
    Direction
        With the reason; ``way`` is None when nothing tells, and is then never guessed.

    Examples
    --------
    >>> worse_direction(Metric("orders_total")).way, worse_direction(Metric("blorp")).way
    ('down', None)
    """
    if metric.direction == "up":
        return Direction("up", "given")
    if metric.direction == "down":
        return Direction("down", "given")
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", metric.name).lower()
    words = [w for w in re.split(r"[^a-z0-9]+", spaced) if w]
    for way, reason, pattern in _RULES:
        rule = re.compile(pattern)
        hit = next((w for w in words if rule.fullmatch(w)), None)
        if hit is not None:
            return Direction(way, f"{reason} (name has {hit!r})")
    unit = metric.unit.strip().lower()
    if unit in _TIME_UNITS:
        return Direction("up", f"time (unit {unit!r})")
    if unit in _WORK_UNITS:
        return Direction("down", f"work done (unit {unit!r})")
    if words and words[-1] in ("seconds", "milliseconds", "ms"):
        return Direction("up", f"time taken (name ends in {words[-1]!r})")
    if metric.type.value == "timer":
        return Direction("up", "time taken (type timer)")
    return Direction(None, "unknown: give the metric a direction")
