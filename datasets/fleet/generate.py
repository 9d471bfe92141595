"""Make the synthetic `fleet` dataset anew: a year of capacity metrics with known truth.

Everything follows from one seed, so the files come out the same each time (same numpy
version). Run from the repository: ``.venv/bin/python datasets/fleet/generate.py``.

What is put in, and written to ``truth.json``: growth, day and week seasons, public holidays
with weekend-like traffic, level shifts, a slow memory leak, missing stretches, and for each
metric with a limit the day on which its noise-free mean reaches that limit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import monitorlab as ml

HERE = Path(__file__).resolve().parent
SEED = 20260101
START = pd.Timestamp("2025-01-01", tz="UTC")
END = pd.Timestamp("2026-01-01", tz="UTC")
BEYOND = pd.Timestamp("2027-07-01", tz="UTC")  # the mean is followed so far to date the truth
HOLIDAYS = pd.to_datetime(
    ["2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-05-29", "2025-06-09",
     "2025-08-01", "2025-12-25", "2025-12-26"], utc=True)  # fmt: skip
GIB = 2.0**30
DAY_SHAPE = np.array([
    .36, .30, .26, .24, .24, .28, .40, .60, .82, .96, 1.02, 1.05,
    1.00, .98, 1.02, 1.06, 1.08, 1.06, 1.02, .98, .90, .76, .60, .46])  # fmt: skip
WEEK_SHAPE = np.array([1.0, 1.03, 1.04, 1.02, 0.97, 0.66, 0.60])


@dataclass
class Truth:
    """What was put into one series."""

    metric: str
    labels: dict[str, str]
    monthly_growth_ratio: float = 0.0
    periods_hours: list[int] = field(default_factory=list)
    level_shifts: list[dict[str, object]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)
    limit_metric: str | None = None
    reaches_limit_at: str | None = None
    noise_ratio: float = 0.0


def traffic_shape(times: pd.DatetimeIndex) -> np.ndarray:
    """Give the expected traffic around 1: hour of day by weekday, holidays like Sundays."""
    hours = times.hour.to_numpy() + times.minute.to_numpy() / 60.0
    day = np.interp(hours, np.arange(25), np.append(DAY_SHAPE, DAY_SHAPE[0]))
    week = WEEK_SHAPE[times.day_of_week.to_numpy()]
    holiday = times.normalize().isin(HOLIDAYS)
    return day * np.where(holiday, WEEK_SHAPE[6], week)


def growth(times: pd.DatetimeIndex, monthly: float) -> np.ndarray:
    """Give exponential growth, 1 at the start, by ``1 + monthly`` every 30.44 days."""
    months = (times - START) / pd.Timedelta(days=30.44)
    return np.power(1.0 + monthly, np.asarray(months, dtype=float))


def red_noise(rng: np.random.Generator, size: int, memory: float = 0.7) -> np.ndarray:
    """Give autocorrelated noise of unit variance (order one)."""
    from scipy.signal import lfilter

    shocks = rng.standard_normal(size) * np.sqrt(1.0 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks))


class Fleet:
    """Collects the series, their truth and the incidents."""

    def __init__(self) -> None:
        self.frame = ml.MonitoringFrame()
        self.truth: list[Truth] = []
        self.rng = np.random.default_rng(SEED)

    def add(
        self, metric: str, labels: dict[str, str], mean: object, *, freq: str = "1h",
        noise: float = 0.02, digits: int = 0, shifts: tuple[tuple[str, float, str], ...] = (),
        missing: tuple[tuple[str, str], ...] = (), limit: float | None = None,
        limit_metric: str | None = None, monthly: float = 0.0, periods: tuple[int, ...] = (),
        upper: float = np.inf,
    ) -> None:  # fmt: skip
        """Add a series: ``mean(times) -> array`` with shifts, noise and holes."""
        times = pd.date_range(START, END, freq=freq, inclusive="left")
        truth = Truth(metric, labels, monthly, list(periods), noise_ratio=noise)

        def expected(at: pd.DatetimeIndex) -> np.ndarray:
            level = np.asarray(mean(at), dtype=float)  # type: ignore[operator]
            for when, ratio, _ in shifts:
                level = np.where(at >= pd.Timestamp(when, tz="UTC"), level * (1 + ratio), level)
            return level

        values = expected(times) * (1.0 + noise * red_noise(self.rng, len(times)))
        values = np.round(np.clip(values, 0.0, upper), digits)
        keep = np.ones(len(times), dtype=bool)
        for first, last in missing:
            keep &= ~(
                (times >= pd.Timestamp(first, tz="UTC")) & (times < pd.Timestamp(last, tz="UTC"))
            )
            truth.missing.append({"start": first, "end": last})
        for when, ratio, why in shifts:
            truth.level_shifts.append({"at": when, "ratio": ratio, "why": why})
            self.frame.mark(
                pd.Timestamp(when, tz="UTC"), pd.Timestamp(when, tz="UTC") + pd.Timedelta("1D"),
                kind="level_shift", severity="warning", metrics=(metric,), description=why,
            )  # fmt: skip
        if limit is not None:
            ahead = pd.date_range(START, BEYOND, freq="1h", inclusive="left")
            over = np.flatnonzero(expected(ahead) >= limit)
            truth.limit_metric = limit_metric
            truth.reaches_limit_at = ahead[over[0]].isoformat() if len(over) else None
        self.frame.extend(metric, times[keep], values[keep], labels=labels)
        self.truth.append(truth)


def build() -> Fleet:
    """Put the fleet together."""
    fleet = Fleet()
    days = lambda at: np.asarray((at - START) / pd.Timedelta(days=1), dtype=float)  # noqa: E731

    for host, first, per_day, size in (("db-1", 310, 0.71, 640), ("db-2", 120, 0.24, 640),
                                       ("log-1", 850, 0.0, 1024)):  # fmt: skip
        labels = {"host": host, "mount": "/data"}
        fleet.add(
            "disk_used_bytes", labels,
            lambda at, first=first, per_day=per_day, host=host: GIB * (
                first + per_day * days(at) + 4.0 * traffic_shape(at)
                + (60.0 * ((days(at) % 30) / 30) if host == "log-1" else 0.0)),
            noise=0.001, digits=-6, periods=(24, 168), limit=size * GIB,
            limit_metric="disk_size_bytes",
            monthly=per_day * 30.44 / first,
        )  # fmt: skip
        fleet.add("disk_size_bytes", labels, lambda at, size=size: np.full(len(at), size * GIB),
                  noise=0.0)  # fmt: skip
    for service, base, monthly in (
        ("web", 420.0, 0.03),
        ("api", 900.0, 0.045),
        ("batch", 60.0, 0.0),
    ):
        fleet.add(
            "requests_per_second", {"service": service},
            lambda at, base=base, monthly=monthly: base * growth(at, monthly) * traffic_shape(at),
            noise=0.04, digits=1, monthly=monthly, periods=(24, 168),
            shifts=(("2025-09-15T08:00", 0.25, "a new client joined"),) if service == "api" else (),
            missing=(("2025-03-03T02:00", "2025-03-04T10:00"),) if service == "web" else (),
        )  # fmt: skip
    fleet.add(
        "db_connections_in_use", {"database": "orders"},
        lambda at: 46 * growth(at, 0.035) * (0.45 + 0.55 * traffic_shape(at)),
        noise=0.03, monthly=0.035, periods=(24, 168), limit=120, limit_metric="db_connections_max",
    )  # fmt: skip
    fleet.add(
        "db_connections_max", {"database": "orders"}, lambda at: np.full(len(at), 120.0), noise=0.0
    )
    fleet.add(
        "memory_used_bytes", {"host": "cache-1"},
        lambda at: GIB * (9.0 + 0.8 * traffic_shape(at)),
        noise=0.006, digits=-6, periods=(24, 168),
        shifts=(("2025-06-11T13:00", 0.18, "release 4.2 keeps more sessions"),),
    )  # fmt: skip
    fleet.add(
        "memory_used_bytes", {"host": "queue-1"},
        lambda at: GIB * (3.0 + np.maximum(0.0, days(at) - 250.0) * 0.035),
        noise=0.008, digits=-6,
    )  # fmt: skip
    fleet.add(
        "queue_messages_per_second", {"queue": "mail"},
        lambda at: 35 * traffic_shape(at), noise=0.1, digits=1, periods=(24, 168),
    )  # fmt: skip
    fleet.add("licence_seats_used", {"product": "ide"},
              lambda at: 180 + 0.42 * days(at), noise=0.004, monthly=0.071, limit=400,
              limit_metric="licence_seats_max")  # fmt: skip
    fleet.add(
        "licence_seats_max", {"product": "ide"}, lambda at: np.full(len(at), 400.0), noise=0.0
    )
    for host, base in (("web-1", 0.30), ("web-2", 0.32)):
        fleet.add(
            "cpu_usage_ratio", {"host": host},
            lambda at, base=base: base * growth(at, 0.02) * (0.25 + 0.75 * traffic_shape(at)),
            freq="5min", noise=0.06, digits=3, monthly=0.02, periods=(24, 168), upper=1.0,
            shifts=((("2025-08-20T06:00", 0.20, "release 5.0 parses twice"),)
                    if host == "web-2" else ()),
            missing=(("2025-10-05T00:00", "2025-10-06T12:00"),) if host == "web-1" else (),
        )  # fmt: skip
    fleet.add(
        "network_transmit_bytes_per_second", {"host": "edge-1"},
        lambda at: 42e6 * growth(at, 0.025) * traffic_shape(at),
        freq="5min", noise=0.08, digits=-5, monthly=0.025, periods=(24, 168),
    )  # fmt: skip
    return fleet


DESCRIPTIONS = {
    "disk_used_bytes": ("gauge", "bytes", "Bytes used on the data disk."),
    "disk_size_bytes": ("gauge", "bytes", "Size of the data disk: the limit of disk_used_bytes."),
    "requests_per_second": ("rate", "1/s", "Requests served each second, hourly mean."),
    "db_connections_in_use": ("gauge", "", "Connections in use, hourly maximum."),
    "db_connections_max": ("gauge", "", "Connections allowed: the limit of db_connections_in_use."),
    "memory_used_bytes": ("gauge", "bytes", "Resident memory, hourly maximum."),
    "queue_messages_per_second": ("rate", "1/s", "Messages put into the queue each second."),
    "licence_seats_used": ("gauge", "", "Licence seats taken."),
    "licence_seats_max": ("gauge", "", "Licence seats bought: the limit of licence_seats_used."),
    "cpu_usage_ratio": ("gauge", "ratio", "Share of all processors in use, five-minute mean."),
    "network_transmit_bytes_per_second": ("rate", "bytes/s", "Bytes sent each second."),
}


def main() -> None:
    """Write ``fleet.parquet``, ``incidents.csv`` and ``truth.json`` beside this file."""
    fleet = build()
    for name, (kind, unit, text) in DESCRIPTIONS.items():
        fleet.frame.describe_metric(name, type=kind, unit=unit, description=text)
    fleet.frame.to_parquet(HERE / "fleet.parquet")
    incidents = fleet.frame.incidents
    incidents = incidents.assign(metrics=[";".join(m) for m in incidents["metrics"]])
    incidents.to_csv(HERE / "incidents.csv", index=False)
    truth = {
        "seed": SEED,
        "start": START.isoformat(),
        "end": END.isoformat(),
        "holidays": [day.date().isoformat() for day in HOLIDAYS],
        "series": [vars(item) for item in fleet.truth],
    }
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    print(fleet.frame)


if __name__ == "__main__":
    main()
