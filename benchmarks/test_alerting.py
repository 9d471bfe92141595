"""Alerting beside promtool: 10 rules over 100 000 samples, and a sweep of 1 000 settings.

``pytest benchmarks/test_alerting.py -s`` prints one line for each table shape and writes
``benchmarks/results/alerting.json``. promtool is asked in the same run where it is on the PATH.
Ours are the best of three runs after a first that compiles; promtool's is one run, of which
reading its test file is a part. The ratio is that of processor seconds, so that a busy machine
and promtool's threads do not change it.
"""

import json
import resource
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from monitorlab.alerting import AlertRule, backtest, dump_rules, tune
from monitorlab.storage import SeriesStore

RESULTS = Path(__file__).parent / "results" / "alerting.json"
SECOND = 1_000_000_000
STEP = 15
SHAPES = {"20 series × 5 000 steps": (20, 5_000), "2 series × 50 000 steps": (2, 50_000)}
EXPRESSIONS = (
    "x > 8", "x < 1", "x > 5 and x < 7", "rate(c_total[5m]) > 2.1", "avg_over_time(x[5m]) > 5",
    "max_over_time(x[10m]) - min_over_time(x[10m]) > 9", "sum(x) > 6", "increase(c_total[10m]) > 1250",
    "quantile_over_time(0.9, x[5m]) > 8.5", "x > on (i) (avg_over_time(x[30m]) * 1.5)",
)  # fmt: skip


@pytest.fixture(scope="module")
def figures():
    found = {"command": "python -m pytest benchmarks/test_alerting.py -s"}
    if shutil.which("promtool"):
        told = subprocess.run(["promtool", "--version"], check=True, capture_output=True, text=True)
        found["promtool"] = (told.stdout or told.stderr).split("(")[0].strip()
    yield found
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def data(series, steps, seed=0):
    rng = np.random.default_rng(seed)
    store, listed = SeriesStore(), []
    times = np.arange(steps, dtype=np.int64) * STEP * SECOND
    for i in range(series):
        x = np.repeat(rng.integers(0, 11, steps), rng.integers(1, 30, steps))[:steps]
        c = np.cumsum(rng.integers(0, 60, steps))
        for name, values in (("x", x), ("c_total", c)):
            store.extend(name, times, values.astype(float), {"i": str(i)})
            listed.append({"series": f'{name}{{i="{i}"}}', "values": " ".join(map(str, values))})
    return store, listed


def rules():
    return [
        AlertRule(
            f"R{k}",
            text,
            for_=f"{30 * (k % 4)}s",
            severity=None,
            cooldown="0s",
            escalate_after=None,
        )
        for k, text in enumerate(EXPRESSIONS)
    ]


def best(job, rounds=3, clock=time.perf_counter):
    took = []
    for _ in range(rounds):
        start = clock()
        result = job()
        took.append(clock() - start)
    return min(took), result


def processor_seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def promtool(folder, listed, steps):
    (folder / "rules.yml").write_text(dump_rules(rules()))
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{STEP}s",
        "tests": [{
            "interval": f"{STEP}s",
            "input_series": listed,
            "alert_rule_test": [{"eval_time": f"{(steps - 1) * STEP}s", "alertname": "none", "exp_alerts": []}],
        }],
    }  # fmt: skip
    (folder / "test.yml").write_text(
        yaml.dump(test, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    )
    start, used = time.perf_counter(), processor_seconds_of_children()
    subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=folder, check=True, capture_output=True
    )
    return time.perf_counter() - start, processor_seconds_of_children() - used


@pytest.mark.parametrize("shape", SHAPES)
def test_ten_rules(shape, tmp_path, figures):
    series, steps = SHAPES[shape]
    store, listed = data(series, steps)
    # Both metrics are read by rules: 100 000 samples of each.
    backtest(store, rules(), [])
    took, result = best(lambda: backtest(store, rules(), []))
    used, _ = best(lambda: backtest(store, rules(), []), clock=time.process_time)
    line = f"{shape}: 10 rules in {took:.3f} s ({used:.3f} s of processor)"
    found = {
        "seconds": round(took, 3),
        "processor_seconds": round(used, 3),
        "events": len(result.events),
    }
    figures[shape] = found
    if shutil.which("promtool"):
        peer, peer_used = promtool(tmp_path, listed, steps)
        found |= {
            "promtool_seconds": round(peer, 1),
            "promtool_processor_seconds": round(peer_used, 1),
            "times_less": round(peer_used / used),
        }
        line += f"; promtool {peer:.1f} s ({peer_used:.1f} s), {found['times_less']}×"
        assert peer_used / used >= 50
    print(line)
    assert took < 1.5


def test_cost_grows_linearly_with_rules(figures):
    store, _ = data(20, 5_000)
    one = AlertRule("R", "avg_over_time(x[5m]) > 5", for_="1m")
    many = [one.with_(name=f"R{k}") for k in range(10)]
    few, _ = best(lambda: backtest(store, many[:2], []))
    all_, _ = best(lambda: backtest(store, many, []))
    print(f"2 rules {few:.3f} s, 10 rules {all_:.3f} s")
    figures["rules"] = {"2": round(few, 3), "10": round(all_, 3)}
    assert all_ < 12 * few


def test_sweep_of_a_thousand_settings(figures):
    n = 100_000
    rng = np.random.default_rng(0)
    values = 10 + rng.normal(0, 1, n)
    truth = []
    for b in range(2_000, n - 100, 7_000):
        values[b : b + 40] += 8
        truth.append((b * STEP, (b + 40) * STEP))
    store = SeriesStore()
    store.extend("x", np.arange(n, dtype=np.int64) * STEP * SECOND, values)
    rule = AlertRule("X", "x > 12")
    thresholds = np.linspace(10.0, 20.0, 50)
    fors = [15 * k for k in range(20)]
    took, tuned = best(lambda: tune(store, rule, truth, thresholds=thresholds, for_=fors))
    print(f"{len(tuned.sweep)} settings over {n} samples: {took:.2f} s; {tuned!r}")
    figures["sweep"] = {"settings": len(tuned.sweep), "samples": n, "seconds": round(took, 2)}
    assert len(tuned.sweep) >= 1_000
    assert took < 4
