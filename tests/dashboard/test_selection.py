"""A span is chosen: what is said of it, why bands are there, and marking an incident."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from monitorlab.dashboard import Dashboard
from monitorlab.dashboard.linked import span_of
from monitorlab.dashboard.subject import Subject
from monitorlab.dashboard.why import why
from monitorlab.frame import MonitoringFrame

SECOND = 1_000_000_000
START = 1_767_258_000 * SECOND
SURGE = (START + 900 * SECOND, START + 1080 * SECOND)
MS = 1_000_000


@pytest.fixture
def frame(make_shop: Callable[..., MonitoringFrame]) -> MonitoringFrame:
    return make_shop()


def brush(dash: Dashboard, start_ns: int, end_ns: int) -> None:
    dash._page.brushed = [start_ns / MS, end_ns / MS, 1.0]


def test_a_brushed_span_says_statistics_events_and_what_else_changed(
    frame: MonitoringFrame,
) -> None:
    dash = Dashboard(frame)
    assert dash.findings is None
    assert dash.inspector.box.layout.display == "none"
    brush(dash, SURGE[0] + 3 * MS, SURGE[1] - 2 * MS)
    assert dash.choices.selection == SURGE
    assert dash.inspector.box.layout.display is None
    found = dash.findings
    assert found is not None
    rows = {row.series: row for row in found.statistics}
    inside = frame.series("queue_depth").to_numpy()[450:540]
    assert float(rows["queue_depth"].mean) == pytest.approx(inside.mean(), rel=0.01)
    assert rows["queue_depth"].change.startswith(("+", "×"))
    kinds = [one.span.kind for one in found.happenings]
    assert kinds[:2] == ["alert", "incident"]
    assert "anomaly" in kinds
    assert found.hidden > 0
    changed = [one.series for one in found.changes]
    assert "queue_depth" in changed
    assert "memory_used_bytes" not in changed[:3]
    text = dash.inspector.body.value
    for words in ("QueueLong", "traffic_surge", "What else changed here", "Statistics"):
        assert words in text
    frames = [s for s in dash.figure_widget.layout.shapes if s.line.dash == "dot"]
    assert len(frames) == 7
    dash.inspector.close.click()
    assert dash.choices.selection == ()
    assert dash.findings is None


def test_an_alert_says_its_rule_and_its_values(frame: MonitoringFrame) -> None:
    subject = Subject(frame)
    longest = max(subject.alerts(START + 1798 * SECOND), key=lambda s: s.end_ns - s.start_ns)
    said = why(longest, subject)
    assert said.startswith("queue_depth > 15 had to hold for 20s; ")
    values = frame.series("queue_depth")
    begin = (longest.start_ns - START) // (2 * SECOND)
    end = (longest.end_ns - START) // (2 * SECOND)
    peak = values.to_numpy()[begin : end + 1].max()
    assert f"{peak:.0f} at its most" in said


def test_a_click_opens_the_shortest_band_that_is_there(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame)
    inside = (SURGE[0] + 60 * SECOND) / MS
    dash._page.clicked = [inside - 100, inside + 100, 1.0]
    start, end = dash.choices.selection
    assert SURGE[0] <= start < end <= SURGE[1]
    assert dash.findings is not None
    assert dash.findings.happenings[0].span.label == "QueueLong"
    dash.inspector.close.click()
    calm = (START + 100 * SECOND) / MS
    dash._page.clicked = [calm - 100, calm + 100, 2.0]
    assert dash.choices.selection == ()


def test_typed_times_change_the_selection_and_wrong_ones_are_said_in_place(
    frame: MonitoringFrame,
) -> None:
    dash = Dashboard(frame)
    dash.controls.inspect.click()
    assert dash.choices.selection == (START, START + 1798 * SECOND)
    inspector = dash.inspector
    inspector.start.value = "now-5m"
    assert dash.choices.selection[0] == START + 1498 * SECOND
    assert inspector.start.value == "2026-01-01 09:24:58"
    inspector.end.value = "tomorrow-ish"
    assert "is not a time" in inspector.message.value
    assert dash.choices.selection[1] == START + 1798 * SECOND
    inspector.end.value = "2026-01-01 09:00"
    assert "not after" in inspector.message.value
    inspector.zoom.click()
    assert dash.choices.zoom == (START + 1498 * SECOND, START + 1798 * SECOND)
    assert dash.choices.selection == ()


def test_a_selection_is_marked_as_an_incident(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame, metrics=["queue_depth"])
    brush(dash, *SURGE)
    dash.inspector.mark.click()
    assert "what kind" in dash.inspector.message.value
    assert len(frame.incidents) == 1
    dash.inspector.kind.value = "slow <b>"
    dash.inspector.severity.value = "critical"
    dash.inspector.note.value = "the queue filled up"
    dash.inspector.mark.click()
    assert "marked as slow &lt;b&gt;" in dash.inspector.message.value
    row = frame.incidents.iloc[-1]
    assert (row["kind"], row["severity"]) == ("slow <b>", "critical")
    assert row["description"] == "the queue filled up"
    assert (row["start"].value, row["end"].value) == SURGE
    assert "slow" in dash._events.value
    assert "<b>" not in dash.inspector.body.value.replace("<br>", "")


def test_a_marking_that_fails_is_said_in_place(
    frame: MonitoringFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    dash = Dashboard(frame)
    brush(dash, *SURGE)

    def broken(*_: Any, **__: Any) -> None:
        msg = "read-only store"
        raise OSError(msg)

    monkeypatch.setattr(dash.subject, "mark", broken)
    dash.inspector.kind.value = "slow"
    dash.inspector.mark.click()
    assert "read-only store" in dash.inspector.message.value


def test_the_strip_chooses_the_range_and_follows_it(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame)
    strip = dash._strip
    assert strip.extent == [START / MS, (START + 1798 * SECOND) / MS]
    assert strip.path.startswith("M1.5")
    assert "traffic_surge" in [mark[3] for mark in strip.marks]
    strip.chosen = [SURGE[0] / MS, SURGE[1] / MS]
    strip.turn += 1
    assert dash.choices.zoom == SURGE
    assert strip.shown == [SURGE[0] / MS, SURGE[1] / MS]
    strip.chosen = []
    strip.turn += 1
    assert dash.choices.zoom == ()


def test_what_the_page_tells_wrongly_changes_nothing(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame)
    for told in ([], [1.0], ["a", "b"], [float("nan"), 1.0], [None, None], [5.0, 5.0]):
        assert span_of(told) is None
        dash._page.brushed = told
        dash._page.clicked = told
    assert dash.choices.selection == ()
    assert dash._message.value == ""


def test_an_exception_while_looking_into_a_span_is_shown(
    frame: MonitoringFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    dash = Dashboard(frame)

    def broken(*_: Any, **__: Any) -> None:
        msg = "no memory"
        raise MemoryError(msg)

    monkeypatch.setattr("monitorlab.dashboard.stage.look_into", broken)
    brush(dash, *SURGE)
    assert "MemoryError: no memory" in dash._message.value


def test_a_span_without_samples_is_borne(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame)
    dash.choices.selection = (START - 9 * SECOND, START - 5 * SECOND)
    assert "take a longer span" in dash.inspector.body.value
    assert "no samples" in dash.inspector.body.value
    nothing = Dashboard(MonitoringFrame())
    nothing.choices.selection = SURGE
    nothing.controls.inspect.click()
    assert nothing.findings is None


def test_anomalies_are_marked_on_demand(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame)
    before = len(dash.figure_widget.layout.shapes)
    dash.controls.anomalies.value = True
    assert len(dash.figure_widget.layout.shapes) > before
    assert "anomaly" in dash._events.value
    dash.controls.anomalies.value = False
    assert len(dash.figure_widget.layout.shapes) == before


def test_comparing_and_steps_are_chosen_in_the_toolbar(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame, ["queue_depth", "sum(pg_connections)"], start="now-10m")
    assert len(dash.figure_widget.data) == 2
    dash.controls.compare.value = "previous"
    assert len(dash.figure_widget.data) == 4
    assert "dotted: the period before" in dash._head.value
    dash.controls.step.value = "1m"
    assert "step 1m" in dash._head.value
    assert len(dash.figure_widget.data[2].x) == 10
    dash.controls.compare.value = "week"
    assert len(dash.figure_widget.data) == 2
    dash.controls.select.value = True
    assert (dash.choices.drag, dash._page.drag) == ("select", "select")
    json.dumps(dash.state())


def test_the_figure_is_as_wide_as_the_page_says(frame: MonitoringFrame) -> None:
    dash = Dashboard(frame)
    dash._page.width = 812
    assert dash.figure_widget.layout.width == 812
    dash.choices.metrics = ["queue_depth"]
    assert dash.figure_widget.layout.width == 812
    dash.choices.metrics = []
    dash.choices.span = "5m"
    assert dash.figure_widget.layout.width == 812
    assert dash._message.value == ""


def test_only_what_changed_is_sent(frame: MonitoringFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    dash = Dashboard(frame, ["queue_depth", {"expr": "queue_depth", "kind": "histogram"}])
    sent: list[tuple[dict[str, Any], dict[str, Any]]] = []
    figure = dash.figure_widget
    original = figure._send_update_msg

    def keep(restyle_data: Any, relayout_data: Any, trace_indexes: Any = None, **more: Any) -> None:
        sent.append((restyle_data, relayout_data))
        original(restyle_data, relayout_data, trace_indexes, **more)

    monkeypatch.setattr(figure, "_send_update_msg", keep)
    dash.refresh()
    assert sent == []
    brush(dash, *SURGE)
    assert [(bool(restyle), sorted(relayout)) for restyle, relayout in sent] == [
        (False, ["shapes"])
    ]
    sent.clear()
    dash.choices.zoom = SURGE
    assert len(sent) == 2
    for restyle, _ in sent:
        for values in restyle.values():
            assert all(type(value) is not object for value in values)
    assert len(figure.data[0].x) == 91
    assert np.isfinite(figure.data[0].y).all()
