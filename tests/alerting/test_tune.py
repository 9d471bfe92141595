import json

import numpy as np
import pandas as pd
import pytest

from monitorlab.alerting import AlertRule, backtest, burn_rate_rules, suggest_rules, tune
from monitorlab.alerting.scoring import Universe, merged
from monitorlab.display import to_plain
from monitorlab.errors import NotEnoughDataError, RuleError, UnknownSeriesError
from monitorlab.storage import SeriesStore
from tests.alerting.conftest import SECOND


def noisy(seed=0, n=8_000, faults=10):
    """A noisy gauge with short harmless spikes and longer faults."""
    rng = np.random.default_rng(seed)
    values = 10 + rng.normal(0, 1, n)
    values[rng.random(n) < 0.01] += 20  # single spikes, harmless
    begins = np.linspace(300, n - 300, faults).astype(int)
    truth = []
    for b in begins:
        values[b : b + 24] += 12
        truth.append(
            (
                pd.Timestamp(int(b) * 15, unit="s", tz="UTC"),
                pd.Timestamp(int(b + 24) * 15, unit="s", tz="UTC"),
            )
        )
    store = SeriesStore()
    store.extend("x", np.arange(n, dtype=np.int64) * 15 * SECOND, values)
    return store, truth


def test_a_noisy_rule_is_brought_under_the_budget():
    store, truth = noisy()
    rule = AlertRule("X", "x > 12")
    tuned = tune(store, rule, truth, max_false_positive_rate=0.001)
    assert tuned.met_budget
    assert tuned.held_out.recall == 1.0
    assert tuned.held_out.false_positive_rate <= 0.002
    assert tuned.original_held_out.false_positive_rate > 0.02
    assert tuned.rule.for_ != "0s"
    after = backtest(store, tuned.rule, truth)
    assert after.score.recall == 1.0
    assert after.score.false_positive_rate < 0.002
    both = (tuned.train.start, tuned.train.end, tuned.held_out.end)
    assert both[0] < both[1] == tuned.held_out.start < both[2]
    assert tuned.train.incidents + tuned.held_out.incidents == 10


def test_figures_of_a_sweep_are_those_of_a_backtest():
    store, truth = noisy(1, n=2_000, faults=4)
    rule = AlertRule("X", "x > 20", for_="30s", keep_firing_for="1m", resolve_expr="x < 12")
    tuned = tune(store, rule, truth, for_=["30s"], thresholds=[20.0])
    for part in (tuned.original_train, tuned.original_held_out):
        last = part.end - pd.Timedelta("15s")
        universe = Universe.make(
            part.start.value, part.end.value, [(a.value, b.value) for a, b in truth]
        )
        firings = backtest(store, rule, truth).firings
        got = universe.measure(
            firings["start"].astype("int64").to_numpy(), firings["end"].astype("int64").to_numpy()
        )
        assert (part.recall, part.false_positive_rate, part.firings) == (
            got.recall, got.false_positive_rate, got.firings,
        )  # fmt: skip
        assert last > part.start


def test_windows_are_swept_too():
    store, truth = noisy()
    tuned = tune(
        store, AlertRule("X", "rate_5m > 0.1", metric="x"), truth, thresholds=5, for_=["0s"]
    )
    assert set(tuned.sweep["window"]) == {"", "2m30s", "10m", "20m"}
    tuned = tune(
        store,
        AlertRule("X", "avg_over_time(x[5m]) > 12"),
        truth,
        windows=["1m", "5m"],
        thresholds=20,
    )
    assert set(tuned.sweep["window"]) == {"", "1m"}
    with pytest.raises(RuleError, match="no range window"):
        tune(store, AlertRule("X", "x > 12"), truth, windows=["1m"])


def test_short_conditions_stay_short():
    store, truth = noisy()
    tuned = tune(store, AlertRule("X", "value > 12", metric="x"), truth)
    assert tuned.rule.metric == "x"
    assert tuned.rule.condition.startswith("value > ")


def test_lower_is_worse_and_numbers_on_the_left():
    store, truth = noisy()
    flipped = SeriesStore()
    (view,) = store.select("x")
    flipped.extend("y", view.times, -view.values)
    for text in ("y < -12", "-12 > y"):
        tuned = tune(flipped, AlertRule("Y", text), truth)
        assert tuned.held_out.recall == 1.0
        assert tuned.held_out.false_positive_rate <= 0.01


def test_a_budget_that_cannot_be_met_is_said():
    store, truth = noisy()
    tuned = tune(
        store,
        AlertRule("X", "x > 9"),
        truth,
        max_false_positive_rate=0.0,
        thresholds=[9.0],
        for_=["0s"],
    )
    assert not tuned.met_budget
    assert "BUDGET NOT MET" in repr(tuned)
    assert "lowest rate" in tuned.note
    tuned = tune(store, AlertRule("X", "x > 1000"), truth, thresholds=[1000.0], for_=["0s"])
    assert not tuned.met_budget
    assert "detects anything" in tuned.note


def test_the_frontier_is_not_beaten():
    store, truth = noisy()
    tuned = tune(store, AlertRule("X", "x > 12"), truth)
    front = tuned.frontier[~tuned.frontier["chosen"]]
    cost = front[["false_positive_rate", "time_to_detect"]].assign(miss=-front["recall"]).to_numpy()
    for row in cost:
        assert not ((cost <= row).all(axis=1) & (cost < row).any(axis=1)).any()
    assert tuned.sweep["chosen"].sum() == 1
    assert len(tuned.plot().data) == 5
    json.dumps(to_plain(tuned.to_dict()), allow_nan=False)
    assert "threshold" in str(tuned)
    assert "detected" in repr(tuned.held_out)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"rule": AlertRule("X", "x")}, RuleError, "no threshold to tune"),
        ({"rule": AlertRule("X", "xx > 3")}, UnknownSeriesError, "no metric 'xx'"),
        ({"incidents": []}, NotEnoughDataError, "no incident"),
        ({"incidents": [("2026-01-02", "2026-01-01")]}, RuleError, "not after"),
        ({"max_false_positive_rate": 3}, RuleError, "share"),
        ({"thresholds": ["high"]}, RuleError, "numbers"),
        ({"thresholds": [float("nan")]}, RuleError, "NaN"),
        ({"thresholds": np.arange(10.0**5)}, RuleError, "give fewer"),
        ({"for_": ["soon"]}, RuleError, "for_"),
        ({"split": 1.0}, RuleError, "split"),
        ({"interval": "0s"}, RuleError, "interval"),
    ],
)
def test_bad_input(change, error, words):
    store, truth = noisy(n=700, faults=2)
    arguments = {"rule": AlertRule("X", "x > 3"), "incidents": truth, **change}
    with pytest.raises(error, match=words):
        tune(store, arguments.pop("rule"), arguments.pop("incidents"), **arguments)


def test_one_incident_leaves_nothing_to_judge_by():
    store, truth = noisy(n=700, faults=1)
    assert "one incident only" in tune(store, AlertRule("X", "x > 12"), truth).note


def test_scoring_against_a_slow_oracle():
    rng = np.random.default_rng(0)
    for _ in range(200):
        incidents = [
            (int(a), int(a + rng.integers(1, 20))) for a in rng.integers(0, 100, rng.integers(0, 5))
        ]
        starts = rng.integers(-5, 100, rng.integers(0, 8))
        ends = starts + rng.integers(1, 15, len(starts))
        grace = int(rng.integers(0, 5))
        universe = Universe.make(0, 100, incidents, grace)
        bad = np.zeros(100, bool)
        for a, b in incidents:
            bad[max(a, 0) : b + grace] = True
        on = np.zeros(100, bool)
        for a, b in zip(starts, ends, strict=True):
            on[max(a, 0) : max(b, 0)] = True
        got = universe.measure(starts, ends)
        kept = [
            (max(a, 0), min(b, 100)) for a, b in zip(starts, ends, strict=True) if b > 0 and a < 100
        ]
        assert got.firings == len(kept)
        assert got.true_firings == sum(bad[a:b].any() for a, b in kept)
        inside = sorted((a, min(b + grace, 100)) for a, b in incidents)
        assert got.incidents == len(inside)
        hits = [np.flatnonzero(on[a:b]) for a, b in inside]
        assert got.detected == sum(len(h) > 0 for h in hits)
        assert got.delays.tolist() == [h[0] for h in hits if len(h)]
        clean = (~bad).sum()
        assert universe.clean_ns == clean
        if clean:
            assert got.false_positive_rate == pytest.approx((on & ~bad).sum() / clean)


def test_union_of_intervals():
    a, b = merged(np.array([8, 0, 3, 20]), np.array([9, 5, 8, 21]))
    assert (a.tolist(), b.tolist()) == ([0, 20], [9, 21])


def test_suggestions_follow_types_and_are_quiet_on_clean_data():
    rng = np.random.default_rng(0)
    store, n = SeriesStore(), 3_000
    t = np.arange(n, dtype=np.int64) * 15 * SECOND
    store.extend("latency_ms", t, rng.lognormal(3, 0.3, n))
    store.describe("latency_ms", type="timer")
    store.extend("http_requests_total", t, np.cumsum(rng.poisson(50, n)).astype(float))
    store.describe("http_requests_total", type="counter")
    store.extend("http_errors_total", t, np.cumsum(rng.poisson(1, n)).astype(float))
    store.describe("http_errors_total", type="counter")
    store.extend("memory_free_bytes", t, 1e9 + rng.normal(0, 1e7, n))
    store.extend("up", t, np.ones(n))
    store.extend("build_info", t, np.ones(n))
    store.extend("constant", t, np.ones(n))
    rules = suggest_rules(store)
    exprs = {rule.name: rule.expr for rule in rules.alerts}
    assert exprs["LatencyMsP95High"].startswith("quantile_over_time(0.95, latency_ms[5m]) > ")
    assert exprs["HttpRequestsTotalRateLow"].startswith("sum(rate(http_requests_total[5m])) < ")
    assert exprs["HttpErrorsTotalHigh"].startswith("sum(rate(http_errors_total[5m])) > ")
    assert exprs["MemoryFreeBytesLow"].startswith("avg_over_time(memory_free_bytes[5m]) < ")
    assert exprs["UpDown"] == "up < 1"
    assert len(exprs) == 5
    assert backtest(store, rules, []).score.false_positive_rate < 0.01
    assert len(suggest_rules(store, ["up"])) == 1
    with pytest.raises(UnknownSeriesError, match="did you mean"):
        suggest_rules(store, ["latency"])
    with pytest.raises(RuleError):
        suggest_rules(store, window="x")
    with pytest.raises(RuleError):
        suggest_rules(store, margin=-1)


def test_suggestions_for_classic_histograms():
    store = SeriesStore()
    t = np.arange(600, dtype=np.int64) * 15 * SECOND
    rng = np.random.default_rng(0)
    seconds = rng.lognormal(-2, 0.5, (600, 20))
    for le in (0.1, 0.2, 0.5, 1.0, np.inf):
        label = "+Inf" if le == np.inf else str(le)
        store.extend(
            "lat_bucket", t, np.cumsum((seconds <= le).sum(axis=1)).astype(float), {"le": label}
        )
    (rule,) = suggest_rules(store).alerts
    assert rule.expr.startswith("histogram_quantile(0.95, sum by (le) (rate(lat_bucket[5m]))) > ")


def test_burn_rates_of_the_workbook():
    rules = burn_rate_rules(
        0.999, errors="sum(rate(e_total[{window}]))", total="sum(rate(r_total[{window}]))"
    )
    assert [r.expr for r in rules.alerts] == [
        "slo:error_ratio:5m > 0.0144 and slo:error_ratio:1h > 0.0144",
        "slo:error_ratio:30m > 0.006 and slo:error_ratio:6h > 0.006",
        "slo:error_ratio:2h > 0.003 and slo:error_ratio:1d > 0.003",
        "slo:error_ratio:6h > 0.001 and slo:error_ratio:3d > 0.001",
    ]
    assert [r.record for r in rules.recordings] == [
        f"slo:error_ratio:{w}" for w in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ]
    assert rules.recordings[0].expr == "(sum(rate(e_total[5m]))) / (sum(rate(r_total[5m])))"


def test_burn_rates_fire_on_a_bad_hour_and_stop_after_it():
    store = SeriesStore()
    n = 4 * 240
    t = np.arange(n, dtype=np.int64) * 15 * SECOND
    requests = np.full(n, 100.0)
    errors = np.where((np.arange(n) >= 480) & (np.arange(n) < 720), 10.0, 0.0)
    store.extend("r_total", t, np.cumsum(requests))
    store.extend("e_total", t, np.cumsum(errors))
    rules = burn_rate_rules(
        0.999, errors="sum(rate(e_total[{window}]))", total="sum(rate(r_total[{window}]))"
    )
    start, end = (pd.Timestamp(s * 15, unit="s", tz="UTC") for s in (480, 720))
    result = backtest(store, rules, [(start, end)], grace="10m")
    row = result.by_rule.iloc[0]
    assert row["recall"] == 1.0
    assert row["time_to_detect"] < pd.Timedelta("15m")
    fast = result.firings[result.firings["severity"] == "critical"].iloc[0]
    assert fast["end"] < end + pd.Timedelta("10m")


@pytest.mark.parametrize(
    "options",
    [
        {"slo": 1.0},
        {"slo": "high"},
        {"slo": 99.9},
        {},
        {"ratio": "x"},
        {"ratio": "sum(rate(x[{window}]"},
        {"errors": "x{window}"},
        {"ratio": "x{window}", "scale": 0},
        {"ratio": "x{window}", "record_prefix": "a b"},
    ],
)
def test_wrong_objectives(options):
    with pytest.raises(RuleError):
        burn_rate_rules(**options)


def test_windows_of_objectives_can_be_scaled_to_short_recordings():
    rules = burn_rate_rules(0.99, ratio="e:{window}", scale=0.1)
    assert rules.alerts[0].for_ == "12s"
    assert rules.alerts[0].labels["long_window"] == "6m"
