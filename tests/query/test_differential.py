"""The engine against a real Prometheus: random series, random expressions of tier 1.

No point may be present in one and absent in the other; values agree to 1e-9. The program of
the distribution is Prometheus 2, whose windows are closed: ``prom_compat="2"`` then.
"""

from __future__ import annotations

import math
import random
import re
import struct
import subprocess

import numpy as np
import pytest

from monitorlab.errors import QueryError
from monitorlab.model import Labels, SeriesKey
from monitorlab.query import evaluate_range
from monitorlab.storage import STALE_NAN, SeriesStore
from tests.query.build import random_samples
from tests.query.prometheus_server import running
from tests.query.reference import STALE

pytestmark = pytest.mark.prometheus

T0 = 1_600_000_000_000  # milliseconds
STALE_BYTES = struct.pack("<Q", 0x7FF0000000000002)
START, END, STEP = 60, 2400, 23
QUESTIONS = 300


def make_series() -> dict[SeriesKey, list[tuple[int, object]]]:
    """Give gauges, counters, whole numbers and a histogram, in milliseconds from T0."""
    series = {}
    for number, job in enumerate("abc"):
        for instance in "01":
            labels = Labels(job=job, instance=instance)
            seed = 10 * number + int(instance)
            kinds = {
                "gauge": random_samples(seed, length=110),
                "requests_total": random_samples(seed + 100, length=110, counter=True),
                "level": random_samples(seed + 200, length=110, whole=True),
            }
            for name, samples in kinds.items():
                series[SeriesKey(name, labels)] = [(t // 10**6, v) for t, v in samples]
        series[SeriesKey("limit", Labels(job=job))] = [
            (15_000 * i, 10.0 * number) for i in range(160)
        ]
        rng = random.Random(number)
        totals = [0.0] * 4
        rows = {bound: [] for bound in ("0.1", "1", "5", "+Inf")}
        for i in range(100):
            for bucket in range(rng.randint(0, 3), 4):
                totals[bucket] += rng.randint(0, 5)
            totals = [max(totals[: b + 1]) for b in range(4)]
            for bound, total in zip(rows, totals, strict=True):
                rows[bound].append((20_000 * i, total))
        for bound, samples in rows.items():
            series[SeriesKey("lat_bucket", Labels(job=job, le=bound))] = samples
    return series


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Give the same series in a store of ours and in a running server."""
    series = make_series()
    store = SeriesStore()
    for key, samples in series.items():
        times = np.array([(T0 + t) * 10**6 for t, _ in samples], np.int64)
        values = np.array([STALE_NAN if v is STALE else v for _, v in samples], float)
        store.extend(key, times, values)
    version = subprocess.run(
        ["prometheus", "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"version (\d+)\.", version.stdout + version.stderr)
    compat = "2" if found is None or int(found.group(1)) < 3 else "3"
    moments: dict[int, list] = {}
    for key, samples in series.items():
        labels = {"__name__": key.metric, **key.labels}
        for when, value in samples:
            moments.setdefault(when // 600_000, []).append((labels, when, value))
    with running(tmp_path_factory.mktemp("prometheus")) as server:
        for part in sorted(moments):
            rows: dict[tuple, list] = {}
            for labels, when, value in sorted(moments[part], key=lambda row: row[1]):
                bits = STALE_BYTES if value is STALE else float(value)
                rows.setdefault(tuple(labels.items()), []).append((T0 + when, bits))
            server.write((dict(labels), samples) for labels, samples in rows.items())
        yield store, server, compat


class Writer:
    """Writes random expressions of tier 1."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def pick(self, text: str) -> str:
        return self.rng.choice(text.split())

    def selector(self, metric: str | None = None) -> str:
        name = metric or self.pick("gauge requests_total level")
        matchers = self.rng.choice(
            ["", "", '{job="a"}', '{job!="b"}', '{instance=~"0|9"}', '{job!~"a.*"}']
        )
        return name + matchers

    def modifiers(self) -> str:
        at = self.rng.choice(["", "", "", "", f" @ {T0 // 1000 + 700}", " @ end()"])
        return at + self.rng.choice(["", "", "", " offset 1m", " offset -40s"])

    def window(self, metric: str | None = None) -> str:
        width = self.pick("30s 1m 97s 5m 20m")
        if self.rng.random() < 0.2:
            return f"{self.selector(metric)}[{width}:{self.pick('10s 30s 1m')}]{self.modifiers()}"
        return f"{self.selector(metric)}[{width}]{self.modifiers()}"

    def over(self) -> str:
        name = self.pick(
            "rate increase irate resets delta idelta deriv changes sum_over_time avg_over_time "
            "min_over_time max_over_time count_over_time last_over_time present_over_time "
            "stddev_over_time quantile predict"
        )
        if name == "quantile":
            return (
                f"quantile_over_time({self.pick('0 0.3 0.5 0.99 1 -1 2')}, {self.window('gauge')})"
            )
        if name == "predict":
            # No "@": Prometheus moves the window of a function that looks at the step's time.
            window = f"{self.selector('gauge')}[{self.pick('1m 5m 20m')}] offset 30s"
            return f"predict_linear({window}, {self.pick('0 60 600')})"
        counters = ("rate", "increase", "irate", "resets")
        return f"{name}({self.window('requests_total' if name in counters else None)})"

    def vector(self, depth: int = 2) -> str:
        rng = self.rng
        if depth == 0:
            return rng.choice([self.selector() + self.modifiers(), self.over()])
        inner = self.vector(depth - 1)
        number = self.pick("0 1 2.5 -3 20 100 NaN Inf")
        makers = [
            lambda: inner,
            lambda: (
                f"{self.pick('abs ceil floor sgn sqrt exp ln log2 log10 round sin cos deg')}({inner})"
            ),
            lambda: (
                f"{self.pick('minute hour day_of_week day_of_month days_in_month month year day_of_year')}"
                f"({self.selector('requests_total')} * 1e5)"
            ),
            lambda: f"clamp({inner}, {self.pick('0 -10')}, {self.pick('5 50 -20')})",
            lambda: f"round({inner}, {self.pick('0.1 5')})",
            lambda: f"({inner}) {self.pick('+ - * / % ^')} {number}",
            lambda: f"{number} {self.pick('+ - * /')} ({inner})",
            lambda: (
                f"({inner}) {self.pick('== != > < >= <=')} {self.pick(' bool _').replace('_', '')} {number}"
            ),
            lambda: (
                f"{self.pick('sum avg min max count group stddev stdvar')} "
                f"{rng.choice(['', 'by (job)', 'without (job)', 'by (instance, nothing)'])} ({inner})"
            ),
            lambda: f"quantile by (job) ({self.pick('0 0.4 1')}, {inner})",
            lambda: f"topk({self.pick('1 2 4')}, {self.selector('gauge')})",
            lambda: f"bottomk by (job) (1, {self.selector('gauge')})",
            lambda: (
                f"({self.selector()}) {self.pick('+ - * / > <= ==')} on (job, instance) ({self.selector()})"
            ),
            lambda: f"{self.selector()} {self.pick('* / >')} on (job) group_left () limit",
            lambda: f"limit {self.pick('- + <')} on (job) group_right () {self.selector()}",
            lambda: (
                f"({inner}) {self.pick('and or unless')} {rng.choice(['', 'on (job)', 'ignoring (instance)'])} ({self.vector(0)})"
            ),
            lambda: f"absent({self.selector('gauge')})",
            lambda: f"absent_over_time({self.selector('level')}[1m])",
            lambda: f"timestamp({self.selector()})",
            lambda: f"-({inner})",
            lambda: f'label_replace({inner}, "new", "$1-x", "job", "(.)")',
            lambda: f'label_join({inner}, "both", "/", "job", "instance")',
            lambda: f"histogram_quantile({self.pick('0.1 0.5 0.95')}, rate(lat_bucket[5m]))",
            lambda: f"vector(scalar({self.selector('gauge')}))",
            lambda: f'count_values by (job) ("v", {self.selector("level")})',
        ]
        return rng.choice(makers)()


def differences(expr, store, server, compat) -> str:
    theirs = server.query_range(expr, T0 / 1000 + START, T0 / 1000 + END, STEP)
    try:
        result = evaluate_range(
            store,
            expr,
            f"{np.datetime64(T0 + START * 1000, 'ms')}Z",
            f"{np.datetime64(T0 + END * 1000, 'ms')}Z",
            STEP,
            prom_compat=compat,
            unknown="empty",
        )
    except QueryError as error:
        return "" if isinstance(theirs, str) else f"only we fail: {error}"
    if isinstance(theirs, str):
        # Two series with one label set: Prometheus 2 looks at this earlier than 3 does.
        return "" if "same labelset" in theirs else f"only they fail: {theirs}"
    ours = {}
    for key, row, mask in zip(result.keys, result.values, result.present, strict=True):
        labels = {**key.labels, **({"__name__": key.metric} if key.metric else {})}
        times = (result.times_ns[mask] // 10**6).tolist()
        ours[tuple(sorted(labels.items()))] = dict(zip(times, row[mask].tolist(), strict=True))
    if set(ours) != set(theirs):
        return f"series: only ours {set(ours) - set(theirs)}, only theirs {set(theirs) - set(ours)}"
    for labels, points in theirs.items():
        mine = ours[labels]
        if set(points) != set(mine):
            return f"{labels}: only ours {set(mine) - set(points)}, only theirs {set(points) - set(mine)}"
        for when, want in points.items():
            got = mine[when]
            same = got == want or (math.isnan(got) and math.isnan(want))
            if not same and not math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-12):
                return f"{labels} at {when - T0}: ours {got!r}, theirs {want!r}"
    return ""


@pytest.mark.parametrize("seed", [1, 2026])
def test_random_expressions_agree(pair, seed):
    store, server, compat = pair
    writer = Writer(seed)
    found = []
    for _ in range(QUESTIONS):
        expr = writer.vector(writer.rng.choice((0, 1, 2)))
        why = differences(expr, store, server, compat)
        if why:
            found.append(f"{expr}\n    {why}")
    assert not found, "\n".join(found)
