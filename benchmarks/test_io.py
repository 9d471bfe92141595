"""Reading and writing beside the peers, in one run: ``pytest benchmarks/test_io.py -s``.

The CSV test writes a file of ``MONITORLAB_CSV_ROWS`` rows (10 million unless set) and reads
it in processes of their own, alternating, with the peak memory of each. Wall time is what
counts there, because using both cores is part of the work; the text parsers run on one.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families
from pyarrow import csv as arrow

from monitorlab.io import (
    exposition_text,
    parse_openmetrics,
    read_parquet,
    write_parquet,
)
from monitorlab.model import Metric, MetricType
from monitorlab.storage import SeriesStore

T0 = 1_767_225_600_000_000_000
ROWS = int(os.environ.get("MONITORLAB_CSV_ROWS", "10000000"))
SERIES = 200

_PROGRAM = """
import json, resource, sys, time
{imports}
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
{work}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(dict(wall=wall, cpu=cpu, megabytes=(peak - base) / 1024, series=count)))
"""
_OURS = _PROGRAM.format(
    imports="import pyarrow, pyarrow.csv, pandas\nfrom monitorlab.io import read_csv",
    work="store = read_csv(sys.argv[1])\ncount = len(store)",
)
_PANDAS = _PROGRAM.format(
    imports="import pandas",
    work=(
        "table = pandas.read_csv(sys.argv[1], parse_dates=['timestamp'])\n"
        "groups = {k: g for k, g in table.groupby(['metric', 'labels'])}\ncount = len(groups)"
    ),
)


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """A long CSV file: every series once a second, as a recorder writes it."""
    path = tmp_path_factory.mktemp("csv") / "long.csv"
    rng = np.random.default_rng(0)
    names = pa.array([f"metric_{i % 20}" for i in range(SERIES)])
    labels = pa.array([f'route="/r{i // 20}",job="shop"' for i in range(SERIES)])
    types = [pa.timestamp("ms", "UTC"), pa.string(), pa.string(), pa.float64()]
    schema = pa.schema(list(zip(["timestamp", "metric", "labels", "value"], types, strict=True)))
    with arrow.CSVWriter(path, schema) as writer:
        for start in range(0, ROWS, 1_000_000):
            row = np.arange(start, min(start + 1_000_000, ROWS))
            number = pa.array(row % SERIES)
            stamps = pa.array(T0 // 10**6 + row // SERIES * 1000).cast(types[0])
            values = pa.array(np.round(rng.normal(100, 10, len(row)), 3))
            columns = [stamps, names.take(number), labels.take(number), values]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return path


def run(program, path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_long_csv_beside_pandas(long_file):
    ours, peer = [], []
    for _ in range(3):
        ours.append(run(_OURS, long_file))
        peer.append(run(_PANDAS, long_file))
    assert ours[0]["series"] == peer[0]["series"] == SERIES
    data = ROWS * 16 / 2**20
    wall = [statistics.median(r["wall"] for r in rs) for rs in (ours, peer)]
    cpu = [statistics.median(r["cpu"] for r in rs) for rs in (ours, peer)]
    peak = [max(r["megabytes"] for r in rs) for rs in (ours, peer)]
    print(
        f"\nCSV of {ROWS:,} rows: {wall[0]:.2f} s ({cpu[0]:.2f} s of processor, {peak[0]:.0f} MB, "
        f"{peak[0] / data:.1f} times the data); pandas {wall[1]:.2f} s ({cpu[1]:.2f} s, {peak[1]:.0f} MB): "
        f"{wall[1] / wall[0]:.1f} times, {cpu[1] / cpu[0]:.1f} by processor time"
    )
    assert wall[1] / wall[0] >= 2
    assert peak[0] <= 4 * data


def exposition(form):
    """Text of 200 series at 50 times (100 000 lines for each of ten scrapes together)."""
    rng = np.random.default_rng(1)
    store = SeriesStore()
    for number in range(SERIES):
        labels = {"route": f"/r{number}", "code": "200", "job": "shop"}
        times = T0 + 10**9 * np.arange(100)
        store.extend(
            f"requests_{number % 5}_total", times, np.cumsum(rng.integers(0, 9, 100)), labels
        )
    metrics = {
        f"requests_{i}_total": Metric(f"requests_{i}_total", MetricType.COUNTER) for i in range(5)
    }
    return "".join(exposition_text(store.select(), metrics, format=form))


@pytest.mark.parametrize(
    ("form", "families"), [("openmetrics", openmetrics_families), ("prometheus", text_families)]
)
def test_exposition_text_beside_prometheus_client(form, families):
    text = exposition(form)
    lines = SERIES * 100
    ours, peer = [], []
    for _ in range(3):
        begin = time.process_time()
        found = parse_openmetrics(text)
        ours.append(time.process_time() - begin)
        begin = time.process_time()
        read = [sample for family in families(text) for sample in family.samples]
        peer.append(time.process_time() - begin)
    assert found.sample_count == len(read) == lines
    mine, theirs = statistics.median(ours), statistics.median(peer)
    print(
        f"\n{form}: {lines / mine / 1e3:.0f} k samples a second, prometheus_client "
        f"{lines / theirs / 1e3:.0f} k: {theirs / mine:.1f} times"
    )
    assert theirs / mine >= 10


def recording():
    """Four kinds of series, a sample a second or so: counters, rounded, noisy and whole gauges."""
    rng = np.random.default_rng(1)
    store = SeriesStore()
    for number in range(150):
        jitter = rng.integers(0, 5, 7200) * 10**6 if number % 3 == 0 else 0
        times = T0 + 10**9 * np.arange(7200) + jitter
        values = (
            np.cumsum(rng.poisson(5, 7200)),
            np.round(rng.normal(50, 5, 7200), 1),
            rng.normal(50, 5, 7200),
            rng.integers(0, 30, 7200),
        )[number % 4]
        store.extend("m", times, values.astype(float), {"n": str(number)})
    return store


def test_parquet_bytes_a_row_and_speed(tmp_path):
    store = recording()
    path = tmp_path / "x.parquet"
    begin = time.process_time()
    write_parquet(path, store.select())
    wrote = time.process_time() - begin
    begin = time.process_time()
    again = read_parquet(path)
    read = time.process_time() - begin
    begin = time.process_time()
    one = read_parquet(path, 'm{n="77"}')
    alone = time.process_time() - begin
    rows = store.sample_count
    size = path.stat().st_size / rows
    print(
        f"\nParquet: {size:.2f} bytes a row; {rows / wrote / 1e6:.1f} M rows a second out, "
        f"{rows / read / 1e6:.1f} M in; one series of {len(store)} alone in {alone * 1e3:.1f} ms"
    )
    assert again.sample_count == rows
    assert one.sample_count == 7200
    assert size <= 3.5
    assert alone < read / 3
