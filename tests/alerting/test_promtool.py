"""Pending and firing totals are promtool's, on random data and random rules."""

import numpy as np
import pytest

from monitorlab.alerting import (
    AlertRule,
    RecordingRule,
    RuleGroup,
    RuleSet,
    backtest,
    rule_test_cases,
)
from monitorlab.alerting.signals import Context
from monitorlab.query import QueryOptions, load_notation
from tests.alerting.promtool import needs_promtool, totals

pytestmark = [needs_promtool, pytest.mark.prometheus]
STEP = 15


def notation(rng, samples):
    words = []
    while len(words) < samples:
        kind = rng.random()
        length = int(rng.integers(1, 9))
        if kind < 0.12:
            words += ["_"] * (int(rng.integers(20, 30)) if rng.random() < 0.2 else length)
        elif kind < 0.2:
            words.append("stale")
        else:
            words += [str(int(rng.integers(0, 10)))] * length
    return " ".join(words[:samples])


def random_groups(rng, count):
    exprs = [
        "x > 5", "x >= 8 or y == 0", "x > 2 and on (i) y < 7", "x unless on (i) y > 4",
        "sum(x) > 12", "max by (i) (x) - min by (i) (y) > 3", "x > y", "absent(x{i='0'})",
        "x:sum > 10", "x > bool 5 == 1", "count(x > 4) >= 2", "abs(x - y) > 4", "quantile(0.5, x) > 6",
        "x offset 1m > 6",
    ]  # fmt: skip
    rules = [{"record": "x:sum", "expr": "sum(x)"}]
    for k in range(count):
        rule = {
            "alert": f"R{k}",
            "expr": exprs[int(rng.integers(len(exprs)))],
            "for": f"{int(rng.integers(0, 5)) * 15 + int(rng.integers(0, 2)) * 7}s",
        }
        if rng.random() < 0.5:
            rule["keep_firing_for"] = f"{int(rng.integers(1, 6)) * 10}s"
        if rng.random() < 0.3:
            rule["labels"] = {"severity": "page", "value": "{{ $value }}"}
        rules.append(rule)
    return [{"name": "g", "rules": rules}]


@pytest.mark.parametrize("seed", range(4))
def test_totals_on_random_rules(seed, tmp_path):
    rng = np.random.default_rng(seed)
    samples = 150
    series = [
        {"series": f'{name}{{i="{i}"}}', "values": notation(rng, samples)}
        for name in "xy"
        for i in range(3)
    ]
    groups = random_groups(rng, 12)
    until = samples * STEP
    wanted = totals(tmp_path, groups, series, step=STEP, until=until)
    assert len(wanted) > 10

    store = load_notation([(s["series"], s["values"]) for s in series], f"{STEP}s")
    from monitorlab.alerting import load_rules

    # promtool of Prometheus 2 looks at closed windows; ours can, too.
    context = Context(options=QueryOptions(prom_compat="2"))
    result = backtest(
        store, load_rules(tmp_path / "rules.yml"), [], f"{STEP}s", start=0, end=until,
        context=context, unknown="empty",
    )  # fmt: skip
    got = {}
    for history in result.histories:
        lives = history.lives
        for row, labels in enumerate(history.signals.labels):
            rest = tuple(sorted((k, v) for k, v in labels.items() if k != "alertname"))
            for state, rows, begin, end in (
                ("pending", lives.pending_row, lives.pending_start, lives.pending_end),
                ("firing", lives.firing_row, lives.fired, lives.ended),
            ):
                mine = rows == row
                count = int((end[mine] - begin[mine]).sum())
                if count:
                    got[history.rule.name, state, rest] = count
    assert got == wanted


def test_exported_backtests_pass_in_promtool(spikes, tmp_path):
    import subprocess

    store, truth = spikes
    rules = RuleSet(
        [
            RuleGroup(
                "g",
                [
                    RecordingRule("latency:max", "max(latency)"),
                    AlertRule("Slow", "latency:max > 30", for_="1m", severity="error",
                              annotations={"summary": "{{ $value | humanize }} is slow"}),
                    AlertRule("Noisy", "latency > 10.9", resolve_expr="latency < 9"),
                ],
            )
        ]
    )  # fmt: skip
    path = backtest(store, rules, truth).to_rule_test(tmp_path / "t.yml", end=7200)
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for case in rule_test_cases(path):
        case.check()


def test_saved_rules_pass_promtools_check(tmp_path):
    import subprocess

    from monitorlab.alerting import burn_rate_rules, save_rules
    from tests.alerting.test_files import EXTRAS

    slo = burn_rate_rules(0.999, ratio="errors:ratio_rate{window}")
    for name, rules in (("extras", RuleSet([RuleGroup("g", EXTRAS)])), ("slo", slo)):
        path = save_rules(rules, tmp_path / f"{name}.yml")
        done = subprocess.run(
            ["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_templates_read_as_in_promtool(tmp_path):
    import yaml

    from tests.alerting.test_templates import GO

    labels = {f"l{k}": text for k, (text, _) in enumerate(GO)}
    groups = [{"name": "g", "rules": [{"alert": "T", "expr": "x > 5", "labels": labels}]}]
    got = totals(
        tmp_path, groups, [{"series": 'x{i="1"}', "values": "1234567.8"}], step=15, until=15
    )
    ((_, _, pairs),) = got
    assert yaml.safe_load((tmp_path / "rules.yml").read_text())
    assert {k: v.replace('\\"', '"') for k, v in pairs if k != "i"} == {
        f"l{k}": want for k, (_, want) in enumerate(GO) if want
    }
