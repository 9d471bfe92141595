"""The core with a page written in Python: same rules as the page of the browser, slow and sure."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from monitorlab.alerting import AlertRule
from monitorlab.dashboard.live.core import LiveCore, Message
from monitorlab.dashboard.live.flow import MOST_PROBES
from monitorlab.dashboard.live.series import MOST_ROWS
from monitorlab.dashboard.live.wire import ABSENT, decode
from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.subject import Subject
from monitorlab.feed.batch import Batch
from monitorlab.feed.clock import Clock
from monitorlab.feed.desk import AlertDesk
from monitorlab.feed.intake import Intake
from monitorlab.feed.watch import AlertWatch
from monitorlab.storage import SeriesStore

S = 1_000_000_000
MOST_WAITING = 50 + 3 + MOST_PROBES  # at ten a second: five seconds and a third, the probes


class Page:
    """What a page has after the messages it was sent."""

    def __init__(self, name: str = "page") -> None:
        self.name = name
        self.spec: dict[str, Any] | None = None
        self.rows: list[dict[float, list[float]]] = []
        self.lanes: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {}
        self.waiting: list[Message] = []
        self.done: list[list[float]] = []
        self.largest = 0

    def drain(self, core: LiveCore, now: float) -> None:
        for message in self.waiting:
            self.take(message)
        if self.waiting:
            number = self.waiting[-1].content["n"]
            self.done += [[message.content["n"], 1e3 * now] for message in self.waiting]
            if any(message.content["q"] for message in self.waiting):
                core.hear({"k": "ack", "c": self.name, "n": number, "done": self.done}, now)
                self.done = []
        self.waiting = []

    def take(self, message: Message) -> None:
        content = json.loads(json.dumps(message.content, allow_nan=False))
        self.largest = max(self.largest, len(message.data))
        spec = content.get("spec")
        if spec:
            old = self.spec["panels"] if self.spec else []
            for i, panel in enumerate(spec["panels"]):
                same = i < len(old) and old[i]["series"] == panel["series"]
                if i >= len(self.rows):
                    self.rows.append({})
                if not same:
                    self.rows[i] = {}
            self.spec = spec
        for block in decode(content["b"], message.data):
            rows = self.rows[block.panel]
            for time in [t for t in rows if t >= block.times[0]]:
                del rows[time]
            for time, values in zip(block.times.tolist(), block.values.T.tolist(), strict=True):
                rows[time] = values
        self.lanes = content.get("a", self.lanes)
        self.status = content.get("s", self.status)


class Feed:
    """A feed without tasks: batches are put in by hand."""

    def __init__(self, rules: Any = None) -> None:
        self.frame = SeriesStore()
        watch = AlertWatch(rules, self.frame, "1s") if rules else None
        self._intake = Intake(self.frame, Clock(), "feed", alerts=watch)
        self.alerts = AlertDesk(watch, (), lambda: 0)
        self.failures_in_a_row = 0
        self.last_error: str | None = None
        self.state = "running"

    def subscribe(self, receiver: Any) -> Any:
        self._intake.receivers.append(receiver)
        return lambda: self._intake.receivers.remove(receiver)

    def put(self, values: dict[Any, float], time_ns: int) -> None:
        self._intake.process(Batch.of(values, time_ns))

    @property
    def events(self) -> list[Any]:
        return list(self._intake.events)

    @property
    def event_time(self) -> Any:
        from monitorlab.times import from_ns

        newest = self._intake.watermark_ns
        return None if newest is None else from_ns(newest)

    def status(self) -> Feed:
        return self


def make(
    panels: list[str] | None = None, rules: Any = None, **more: Any
) -> tuple[Feed, LiveCore, Page]:
    feed = Feed(rules)
    chosen = None if panels is None else [Panel(expr) for expr in panels]
    core = LiveCore(Subject(feed), chosen, wall=lambda: 0.0, **{"span_ns": 60 * S, **more})
    page = Page()
    return feed, core, page


def step(core: LiveCore, page: Page, now: float) -> Message | None:
    message = core.tick(now)
    if message is not None:
        page.waiting.append(message)
    return message


def test_nothing_is_sent_before_a_page_asks() -> None:
    feed, core, _ = make(["up"])
    feed.put({"up": 1.0}, S)
    core.arrived(None, 0.0)
    assert core.due(0.0) is None
    assert core.tick(0.0) is None


def test_a_page_gets_the_window_and_then_what_is_new() -> None:
    feed, core, page = make(["up"])
    feed.subscribe(lambda update: core.arrived(update, 0.0))
    feed.put({"up": 1.0}, S)
    core.hear({"k": "hello", "c": "page"}, 0.0)
    first = step(core, page, 0.0)
    assert first.content["full"]
    page.drain(core, 0.05)
    feed.put({"up": 2.0}, 2 * S)
    second = step(core, page, 1.0)
    assert "spec" not in second.content
    assert len(second.data) == 16
    page.drain(core, 1.05)
    assert page.rows == [{1.0: [1.0], 2.0: [2.0]}]
    assert core.tick(5.0) is None


def test_updates_keep_to_the_rate() -> None:
    feed, core, page = make(["up"], rate=10.0)
    core.hear({"k": "hello", "c": "page"}, 0.0)
    sent = 0
    for milli in range(0, 2_000, 5):
        now = milli / 1e3
        feed.put({"up": 1.0}, S + milli * 1_000_000)
        core.arrived(None, now)
        sent += step(core, page, now) is not None
        page.drain(core, now)
    assert 15 <= sent <= 23


def test_every_painting_counts_though_few_updates_are_answered() -> None:
    feed, core, page = make(["up"])
    core.hear({"k": "hello", "c": "page"}, 0.0)
    for tenth in range(300):
        now = 1.0 + tenth / 10.0
        feed.put({"up": 1.0}, S + tenth * S // 10)
        core.arrived(None, now)
        step(core, page, now)
        page.drain(core, now + 0.02)
    # How long a tick takes is measured, and a busy machine makes fewer: count by what was sent.
    assert core.updates > 50
    assert 5 <= len(core.lags) <= core.updates // 5
    assert len(core.pixels) == core.updates - len(page.done)
    assert core.stats()["answer_seconds_median"] >= 0.02 - 1e-9


def test_a_stalled_page_is_sent_little_and_catches_up_in_one_update() -> None:
    feed, core, page = make(["up"], span_ns=300 * S)
    feed.subscribe(lambda update: core.arrived(update, now))
    now = 0.0
    core.hear({"k": "hello", "c": "page"}, now)
    for tenth in range(100):
        now = tenth / 10.0
        feed.put({"up": float(tenth)}, S + tenth * S // 10)
        step(core, page, now)
        page.drain(core, now)
    assert core.updates > 90
    stalled_at = core.updates
    for tenth in range(100, 400):  # thirty seconds without an answer
        now = tenth / 10.0
        feed.put({"up": float(tenth)}, S + tenth * S // 10)
        step(core, page, now)
    assert core.updates - stalled_at <= MOST_WAITING
    page.drain(core, 40.0)
    assert step(core, page, 40.2) is not None
    page.drain(core, 40.3)
    assert sorted(page.rows[0]) == pytest.approx([1 + t / 10 for t in range(400)])
    assert [v for (v,) in page.rows[0].values()] == [float(t) for t in range(400)]


def test_a_very_fast_replay_is_thinned_out() -> None:
    feed, core, page = make(["up"], span_ns=3_600 * S)
    core.hear({"k": "hello", "c": "page"}, 0.0)
    rng = np.random.default_rng(1)
    for n in range(5):
        times = np.arange(n * 100_000, (n + 1) * 100_000) * (S // 100)
        feed.frame.extend("up", times, rng.normal(size=len(times)))
        feed._intake.watermark_ns = int(times[-1])
        core.arrived(None, float(n))
        step(core, page, float(n))
        page.drain(core, float(n))
    assert page.largest <= 2 * 8 * MOST_ROWS
    assert max(page.rows[0]) == pytest.approx(4_999.99)


def test_panels_are_chosen_when_samples_come_and_again_when_metrics_come() -> None:
    feed, core, page = make()
    core.hear({"k": "hello", "c": "page"}, 0.0)
    step(core, page, 0.0)
    page.drain(core, 0.0)
    assert page.spec["panels"] == []
    for second in range(1, 33):
        values = {"up": float(second)} | ({"queue": 1.0 / second} if second > 4 else {})
        feed.put(values, second * S)
        core.arrived(None, 2.0 * second)
        step(core, page, 2.0 * second)
        page.drain(core, 2.0 * second)
    exprs = {panel["expr"] for panel in page.spec["panels"]}
    assert {"up", "queue"} <= exprs
    plain = page.spec["panels"][[p["expr"] for p in page.spec["panels"]].index("up")]
    assert plain["kind"] == "line"


def test_alert_states_travel_and_a_pending_one_ends() -> None:
    rule = AlertRule("Long", "queue > 5", for_="3s", severity="critical")
    feed, core, page = make(["queue"], rules=[rule])
    feed.subscribe(lambda update: core.arrived(update, 0.0))
    core.hear({"k": "hello", "c": "page"}, 0.0)
    values = [1, 9, 1, 9, 9, 9, 9, 9, 1, 1]
    for second, value in enumerate(values, 1):
        feed.put({"queue": float(value)}, second * S)
        step(core, page, 10.0 * second)
        page.drain(core, 10.0 * second)
    (lane,) = page.lanes
    assert lane["name"] == "Long"
    assert lane["sev"] == "critical"
    states = [state for _, state in lane["s"]]
    assert states == ["pending", "inactive", "pending", "firing", "inactive"]


def test_trouble_of_the_source_is_told_without_samples() -> None:
    feed, core, page = make(["up"])
    core.hear({"k": "hello", "c": "page"}, 0.0)
    step(core, page, 0.0)
    page.drain(core, 0.0)
    assert page.status["state"] == "running"
    feed.failures_in_a_row, feed.last_error = 3, "connection refused"
    step(core, page, 1.0)
    page.drain(core, 1.0)
    assert page.status["trouble"] == "connection refused"


def test_a_frame_is_polled_and_a_late_sample_brings_everything_anew() -> None:
    store = SeriesStore()
    store.extend("up", np.array([1, 2, 5]) * S, [1.0, 2.0, 5.0])
    core = LiveCore(Subject(store), [Panel("up")], span_ns=60 * S, wall=lambda: 0.0)
    page = Page()
    core.hear({"k": "hello", "c": "page"}, 0.0)
    assert core.poll(0.0)
    step(core, page, 0.0)
    page.drain(core, 0.0)
    assert not core.poll(2.0)
    assert core.tick(2.0) is None
    store.append("up", 3 * S, 3.0)
    assert core.poll(4.0)
    for now in (4.0, 5.5, 7.0):
        step(core, page, now)
        page.drain(core, now)
    assert page.rows[0] == {1.0: [1.0], 2.0: [2.0], 3.0: [3.0], 5.0: [5.0]}


def test_a_longer_span_is_given_when_a_page_asks() -> None:
    store = SeriesStore()
    store.extend("up", np.arange(10_000) * S, np.ones(10_000))
    core = LiveCore(Subject(store), [Panel("up")], span_ns=60 * S, wall=lambda: 0.0)
    page = Page()
    core.hear({"k": "hello", "c": "page"}, 0.0)
    step(core, page, 0.0)
    page.drain(core, 0.0)
    assert min(page.rows[0]) == 9_999 - 360
    core.hear({"k": "hello", "c": "page", "span": 3_600}, 2.0)
    step(core, page, 2.0)
    page.drain(core, 2.0)
    assert min(page.rows[0]) == 0.0


@pytest.mark.parametrize(
    "said",
    [
        {}, {"k": 3}, {"k": "ack"}, {"k": "ack", "c": "x", "n": "many"}, {"k": "hello"},
        {"k": "ack", "c": "x", "n": float("nan"), "at": None}, {"k": "hello", "span": -4},
        {"k": "hello", "c": "x", "span": 1e300}, {"k": "ack", "n": True},
        {"k": "ack", "c": "x", "n": 1, "done": [3, [1], [[], 2], [1, "late"], None]},
        {"k": "ack", "c": "x", "n": 1, "done": {"1": 2}},
    ],
)  # fmt: skip
def test_nonsense_from_a_page_does_no_harm(said: dict[str, Any]) -> None:
    feed, core, page = make(["up"])
    feed.put({"up": 1.0}, S)
    core.hear(said, 0.0)
    core.hear({"k": "hello", "c": "page"}, 0.0)
    step(core, page, 0.0)
    page.drain(core, 0.0)
    assert page.rows[0] == {1.0: [1.0]}


def test_all_values_missing_and_infinite_values_travel() -> None:
    feed, core, page = make(["up", "down"])
    feed.put({"up": float("nan"), "down": float("inf")}, S)
    core.hear({"k": "hello", "c": "page"}, 0.0)
    step(core, page, 0.0)
    page.drain(core, 0.0)
    assert np.isnan(page.rows[0][1.0][0])
    assert page.rows[1][1.0] == [float("inf")]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["berlin", "oslo", "lyon"]),
            st.integers(0, 3),  # tenths between samples
            st.floats(0.0, 0.3),  # seconds that pass
            st.booleans(),  # whether the page is awake
        ),
        min_size=1,
        max_size=80,
    )
)
def test_whatever_the_page_does_it_ends_with_what_the_store_holds(steps: list[Any]) -> None:
    from monitorlab.model import Labels, SeriesKey

    feed, core, page = make(["up"], span_ns=600 * S)
    now, time = 0.0, S
    feed.subscribe(lambda update: core.arrived(update, now))
    core.hear({"k": "hello", "c": "page"}, now)
    for number, (shop, tenths, passed, awake) in enumerate(steps):
        time += tenths * S // 10
        key = SeriesKey("up", Labels(shop=shop))
        known = feed.frame.select(f'up{{shop="{shop}"}}')
        if not known or int(known[0].times[-1]) < time:
            feed.put({key: float(number)}, time)
        now += passed
        step(core, page, now)
        assert len(page.waiting) <= 1 + MOST_WAITING
        if awake:
            page.drain(core, now)
    for _ in range(4):
        now += 1.5
        page.drain(core, now)
        step(core, page, now)
    page.drain(core, now)
    order = page.spec["panels"][0]["series"]
    views = feed.frame.select("up")
    for view in views:
        name = view.key.labels["shop"] if len(views) > 1 else "up"
        column = order.index(name)
        found = {
            t: values[column]
            for t, values in page.rows[0].items()
            if values[column] != ABSENT and not np.isnan(values[column])
        }
        assert found == dict(zip((view.times / 1e9).tolist(), view.values.tolist(), strict=True))
