"""A frame's list of rules keeps the groups, and so the intervals, of the files they came from."""

from __future__ import annotations

import copy
import pickle

import numpy as np

import monitorlab as ml
from monitorlab.alerting import AlertRule, RuleGroup, RuleSet, as_rules
from monitorlab.rulebook import RuleBook

FAST = RuleSet([RuleGroup("fast", [AlertRule("Down", "up == 0", for_="4s")], "2s")])


def frame() -> ml.MonitoringFrame:
    mf = ml.MonitoringFrame()
    times = np.arange(60) * 2 * 10**9
    mf.extend("up", times, ((np.arange(60) % 20) > 8).astype(float))
    return mf


def test_a_plain_list_is_a_group_of_its_own_without_an_interval() -> None:
    book = RuleBook([AlertRule("A", "up == 0")])
    assert as_rules(book).groups == (RuleGroup("rules", book),)


def test_groups_survive_being_put_into_a_frame() -> None:
    mf = frame()
    mf.rules = FAST
    mf.alert("Later", "up < 1")
    assert [(g.name, g.interval, len(g.rules)) for g in as_rules(mf.rules).groups] == [
        ("fast", "2s", 1),
        ("rules", None, 1),
    ]


def test_adding_in_place_keeps_groups() -> None:
    mf = frame()
    mf.rules += FAST
    mf.rules.extend(FAST.without("Down"))
    assert as_rules(mf.rules) == FAST


def test_backtests_run_at_the_interval_of_the_group() -> None:
    mf = frame()
    mf.rules = FAST
    events = mf.backtest(incidents=[])
    assert events.events.equals(frame().backtest(FAST, incidents=[]).events)
    steps = np.diff(events.histories[0].signals.times)
    assert set(steps.tolist()) == {2 * 10**9}


def test_a_better_rule_takes_the_group_of_the_one_it_replaces() -> None:
    book = RuleBook(FAST)
    book[0] = AlertRule("Down", "up < 0.5", for_="4s")
    assert book.interval_of(book[0]) == "2s"
    assert as_rules(book).groups[0].name == "fast"


def test_tune_asks_at_the_interval_of_the_rule() -> None:
    mf = frame()
    mf.rules = FAST
    mf.mark("1970-01-01T00:00:40Z", "1970-01-01T00:00:58Z", "outage")
    mf.mark("1970-01-01T00:01:20Z", "1970-01-01T00:01:38Z", "outage")
    asked = mf.tune("Down", thresholds=[0.0], for_=["4s"])
    assert asked.train.time_to_detect.total_seconds() < 15


def test_narrower_frames_share_the_book() -> None:
    mf = frame()
    mf.rules = FAST
    assert mf.select("up").rules is mf.rules
    assert ml.MonitoringFrame(mf).rules is mf.rules


def test_books_are_copied_and_pickled_with_their_groups() -> None:
    book = RuleBook(FAST)
    for other in (copy.copy(book), copy.deepcopy(book), pickle.loads(pickle.dumps(book))):
        assert as_rules(other) == FAST


def test_a_loaded_dataset_is_judged_at_the_pace_of_its_rules() -> None:
    mf = ml.load_dataset("shop")
    assert {g.interval for g in as_rules(mf.rules).groups} == {"2s"}
    assert mf.backtest().score.false_positive_rate < 0.01
