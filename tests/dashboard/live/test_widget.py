from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import monitorlab as ml
from monitorlab.dashboard.live import widget as module
from monitorlab.dashboard.live.widget import LiveView
from monitorlab.errors import SourceError, UnknownNameError
from monitorlab.feed.batch import Batch, Source

S = 1_000_000_000


class Ticks(Source):
    name = "ticks"

    def __init__(self, count: int = 5) -> None:
        self.count = count

    async def batches(self, clock: Any) -> Any:
        for number in range(self.count):
            yield Batch.of({"queue": float(number)}, (number + 1) * S)
            await asyncio.sleep(0)


class Sent:
    def __init__(self, view: LiveView) -> None:
        self.messages: list[dict[str, Any]] = []
        view._page.send = self._send

    def _send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.messages.append({**content, "size": len(buffers[0])})


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bundle", lambda: "export default {}")


def test_a_feed_is_followed_while_a_page_looks(bundled: None) -> None:
    async def run() -> list[dict[str, Any]]:
        feed = ml.LiveFeed(None, Ticks(400), own_metrics=False)
        with_view = LiveView(feed, ["queue"], rate=60)
        sent = Sent(with_view)
        feed.start()
        await asyncio.sleep(0)
        assert sent.messages == []
        with_view._heard(None, {"k": "hello", "c": "a"}, [])
        for _ in range(1_000):
            await asyncio.sleep(0.001)
            if sent.messages:
                n = sent.messages[-1]["n"]
                with_view._heard(None, {"k": "ack", "c": "a", "n": n, "at": 0}, [])
            if len(sent.messages) > 2 and feed.state == "closed":
                break
        with_view.close()
        return sent.messages

    messages = asyncio.run(run())
    assert messages[0]["full"]
    assert [m["n"] for m in messages] == list(range(1, len(messages) + 1))
    assert messages[-1]["s"]["state"] == "closed"


def test_what_a_page_says_is_heard_in_the_feeds_loop(bundled: None) -> None:
    async def run() -> list[int]:
        view = LiveView(ml.MonitoringFrame(), ["up"])
        Sent(view)
        places: list[int] = []
        view.core.hear = lambda content, now: places.append(threading.get_ident())
        other = threading.Thread(target=view._heard, args=(None, {"k": "hello", "c": "a"}, []))
        other.start()
        other.join()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        view.close()
        return places

    assert asyncio.run(run()) == [threading.get_ident()]


def test_a_frame_is_looked_at_while_a_page_looks(bundled: None) -> None:
    async def run() -> list[dict[str, Any]]:
        mf = ml.MonitoringFrame()
        mf.extend("up", ["2026-01-01T00:00Z"], [1.0])
        view = LiveView(mf, ["up"], rate=60)
        sent = Sent(view)
        view._heard(None, {"k": "hello", "c": "a"}, [])
        await asyncio.sleep(0.01)
        view._heard(None, {"k": "ack", "c": "a", "n": 1, "at": 0}, [])
        mf.extend("up", ["2026-01-01T00:01Z"], [0.0])
        for _ in range(500):
            await asyncio.sleep(0.002)
            if len(sent.messages) > 1:
                break
        view.close()
        return sent.messages

    first, second = asyncio.run(run())
    assert first["b"] == [[0, 1, 1]]
    assert second["b"] == [[0, 1, 1]]


def test_without_an_event_loop_a_page_still_gets_the_picture(bundled: None) -> None:
    view = LiveView(ml.MonitoringFrame(), ["up"])
    sent = Sent(view)
    view._heard(None, {"k": "hello", "c": "a"}, [])
    assert len(sent.messages) == 1
    view._heard(None, "nonsense", [])
    view.close()
    view.close()


def test_without_the_bundle_plotly_stands_in_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bundle", lambda: None)
    mf = ml.MonitoringFrame()
    mf.extend("up", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [1.0, 0.0])
    view = LiveView(mf, theme="dark")
    assert view.is_fallback
    assert "at most four times a second" in view.children[0].value
    assert isinstance(view.children[1], ml.Dashboard)
    assert "without its bundle" in repr(view)
    view.close()


@pytest.mark.parametrize(
    ("span", "shown"), [("15s", "1m"), ("5m", "5m"), ("90s", "5m"), ("90d", "all")]
)
def test_without_the_bundle_a_feed_is_shown_too(
    monkeypatch: pytest.MonkeyPatch, span: str, shown: str
) -> None:
    monkeypatch.setattr(module, "bundle", lambda: None)
    view = LiveView(ml.LiveFeed(None, Ticks()), ["up"], span=span)
    assert view.is_fallback
    assert view.children[1].choices.span == shown
    view.close()


def test_closing_ends_the_subscription(bundled: None) -> None:
    feed = ml.LiveFeed(None, Ticks())
    view = LiveView(feed)
    assert len(feed._intake.receivers) == 1
    view.close()
    assert feed._intake.receivers == []


@pytest.mark.parametrize(
    "wrong", [{"theme": "drak"}, {"rate": 0}, {"rate": 1000}, {"span": "0s"}, {"columns": -1}]
)
def test_wrong_arguments_are_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError):
        LiveView(ml.MonitoringFrame(), **wrong)


def test_neither_frame_nor_feed() -> None:
    with pytest.raises(SourceError, match="int holds no series"):
        LiveView(3)
