from __future__ import annotations

import pandas as pd

from monitorlab.dashboard.live.lanes import MOST_CHANGES, MOST_KEPT, MOST_LANES, AlertLanes
from monitorlab.feed.status import FeedEvent
from monitorlab.model import Severity


def event(second: int, state: str, name: str = "Slow", kind: str = "alert") -> FeedEvent:
    time = pd.Timestamp(second, unit="s", tz="UTC")
    return FeedEvent(time, kind, state, name, "up", Severity.CRITICAL, 1.0, "")


def test_states_follow_each_other() -> None:
    lanes = AlertLanes(["Slow", "Down"])
    lanes.is_changed = False
    lanes.take([event(1, "pending"), event(5, "firing"), event(9, "resolved")])
    assert lanes.is_changed
    slow, down = lanes.to_list()
    assert slow == {
        "name": "Slow",
        "sev": "critical",
        "s": [[1.0, "pending"], [5.0, "firing"], [9.0, "inactive"]],
    }
    assert down["s"] == []


def test_other_events_do_not_matter() -> None:
    lanes = AlertLanes()
    lanes.take([event(1, "anomaly", kind="anomaly")])
    assert lanes.to_list() == []


def test_what_is_pending_no_more_ends_without_an_event() -> None:
    lanes = AlertLanes()
    lanes.take([event(1, "pending"), event(1, "pending", "Down"), event(2, "firing", "Down")])
    lanes.settle([("Down", "")], 7.0)
    slow, down = lanes.to_list()
    assert slow["s"][-1] == [7.0, "inactive"]
    assert down["s"][-1] == [2.0, "firing"]


def test_lanes_and_changes_are_bounded_and_the_living_are_kept() -> None:
    lanes = AlertLanes()
    lanes.take(event(1, "firing", f"Rule{n}") for n in range(3 * MOST_KEPT))
    lanes.take(event(2, "resolved", f"Rule{n}") for n in range(3 * MOST_KEPT - 1))
    lanes.take(event(t, "pending", "Rule7") for t in range(3, 300))
    shown = lanes.to_list()
    assert len(lanes._lanes) <= MOST_KEPT
    assert len(shown) == MOST_LANES
    names = [lane["name"] for lane in shown]
    assert f"Rule{3 * MOST_KEPT - 1}" in names
    assert "Rule7" in names
    assert max(len(lane["s"]) for lane in shown) <= MOST_CHANGES
