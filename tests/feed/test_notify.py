"""Who is told what, through a feed: as a backtest says; retried; never in the way; no secrets."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import monitorlab as ml
from monitorlab.alerting import AlertRule, Notifier, NotifyConfig, Silence
from monitorlab.alerting.notify import (
    CallbackTarget,
    Inhibition,
    Notification,
    Route,
    WebhookTarget,
)
from monitorlab.errors import SourceError
from monitorlab.feed import Batch, Clock, LiveFeed, Replay, SimulatedClock, Source
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


def gist(told: list[Notification]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            n.time_ns,
            n.receiver,
            n.group_key,
            n.title,
            n.severity.value,
            sorted(
                (repr(a.labels), a.status, a.starts_ns, a.ends_ns or 0, sorted(a.annotations.items()))
                for a in n.alerts
            ),
        )
        for n in told
    )  # fmt: skip


ROUTES = {
    "plain": NotifyConfig(),
    "tree": NotifyConfig(
        route=Route(
            "log",
            group_by=["..."],
            group_wait="10s",
            group_interval="30s",
            repeat_interval="2m",
            routes=[
                Route("pager", '{severity="critical"}', group_wait="0s", continue_=True),
                Route("team", '{severity=~"critical|error"}', group_by=["alertname"]),
            ],
        ),
        inhibitions=[Inhibition('{alertname="ErrorsServed"}', '{alertname="PagesSlow"}')],
    ),
}


@pytest.fixture(scope="module")
def shop() -> ml.MonitoringFrame:
    return ml.load_dataset("shop")


@pytest.mark.parametrize("routes", sorted(ROUTES))
def test_a_replay_tells_what_a_backtest_says_people_would_have_been_told(
    shop: ml.MonitoringFrame, routes: str
) -> None:
    config = ROUTES[routes]
    start, end = shop.metrics["first"].min(), shop.metrics["last"].max()
    spot = start + (end - start) / 2
    quiet = Silence.make('{alertname="DiskSlow"}', spot, end)
    config = NotifyConfig(config.route, config.inhibitions, (quiet,))
    told: list[Notification] = []
    targets = {name: CallbackTarget(told.append) for name in ("default", "log", "pager", "team")}
    feed = LiveFeed(
        ml.MonitoringFrame(),
        Replay(shop, speed=None),
        rules=shop.rules,
        notify=Notifier(config, targets),
        own_metrics=False,
    )
    feed.run()
    expected = shop.backtest(notify=config)
    assert len(told) > 20
    assert gist(told) == gist(expected._told.notifications)
    assert sum(n.status == "firing" for n in told) == expected._told.pages


class Script(Source):
    """Batches at their times, by the feed's clock."""

    name = "script"

    def __init__(self, values: dict[int, float], *, ends: bool = True) -> None:
        self.values = values
        self.ends = ends

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        for second, value in self.values.items():
            due = START + second * SECOND
            await clock.sleep((due - clock.now_ns()) / 1e9)
            yield Batch.of({"up": value}, due)
        if not self.ends:
            await clock.sleep(10_000)


DOWN = AlertRule("Down", "up == 0", severity="error", annotations={"summary": "it is {{ $value }}"})


def run(feed: LiveFeed, seconds: float | None = None) -> LiveFeed:
    async def main() -> None:
        feed.start()
        if seconds is None:
            await feed.wait()
        else:
            await feed._clock.sleep(seconds)
        await feed.stop()

    asyncio.run(main())
    return feed


def outage(**options: Any) -> LiveFeed:
    values = {n: 0.0 if 60 <= n < 180 else 1.0 for n in range(0, 600, 15)}
    options = {"clock": SimulatedClock(START), "own_metrics": False, "rules": DOWN, **options}
    return LiveFeed(SeriesStore(), Script(values), **options)


def test_in_wall_time_what_waits_is_told_though_the_source_is_silent() -> None:
    told: list[Notification] = []
    feed = LiveFeed(
        SeriesStore(),
        Script({0: 1.0, 15: 0.0}, ends=False),
        rules=DOWN,
        notify=CallbackTarget(told.append),
        clock=SimulatedClock(START),
        own_metrics=False,
    )
    run(feed, 120)
    assert [(n.time_ns - START) // SECOND for n in told] == [45]
    assert told[0].alerts[0].annotations == {"summary": "it is 0"}


def test_a_paused_replay_tells_nothing_new() -> None:
    recorded, told = SeriesStore(), []
    recorded.extend("up", [START + n * SECOND for n in (0, 15, 30, 600)], [1.0, 0.0, 0.0, 0.0])
    clock = SimulatedClock(START)
    replay = Replay(recorded, speed=1.0)
    feed = LiveFeed(
        SeriesStore(), replay, rules=DOWN, notify=CallbackTarget(told.append), clock=clock,
        own_metrics=False,
    )  # fmt: skip

    async def main() -> None:
        async with feed:
            await clock.sleep(35)
            replay.pause()
            await clock.sleep(1000)
            assert told == []
            replay.resume()
            await clock.sleep(60)
            assert len(told) == 1

    asyncio.run(main())


def test_a_failing_target_is_tried_again_and_told_of() -> None:
    told: list[Notification] = []

    def shaky(notification: Notification) -> None:
        told.append(notification)
        if len(told) < 3:
            msg = "gateway timeout"
            raise ConnectionError(msg)

    notifier = Notifier(targets={"default": CallbackTarget(shaky, "pager")})
    feed = run(outage(notify=notifier))
    assert [n.status for n in told] == ["firing", "firing", "firing", "resolved"]
    stats = notifier.stats["default"]
    assert (stats["sent"], stats["retried"], stats["waiting"]) == (2, 2, 0)
    assert "gateway timeout" in str(feed.status().last_error)
    assert feed.status().samples == 40


def test_a_target_that_never_works_is_given_up_and_counted() -> None:
    def dead(notification: Notification) -> None:
        msg = "no route"
        raise OSError(msg)

    notifier = Notifier(targets={"default": CallbackTarget(dead)}, max_attempts=3)
    feed = run(outage(notify=notifier))
    assert notifier.stats["default"]["dropped_failed"] == 2
    assert feed.status().samples == 40


def test_a_target_that_hangs_holds_back_nobody() -> None:
    release, told = threading.Event(), []

    def hang(notification: Notification) -> None:
        release.wait(30)

    config = NotifyConfig(
        Route("fast", group_wait="0s", routes=[Route("slow", continue_=True), Route("fast")])
    )
    targets = {"slow": CallbackTarget(hang), "fast": CallbackTarget(told.append)}
    notifier = Notifier(config, targets, max_queue=1)
    feed = outage(notify=notifier)

    async def main() -> None:
        feed.start()
        await feed._clock.sleep(700)
        assert feed.status().samples == 40
        assert [n.status for n in told] == ["firing", "resolved"]
        assert notifier.stats["slow"]["dropped_full"] == 1
        release.set()
        await feed.stop()

    asyncio.run(main())


def test_secrets_are_in_no_repr_log_or_event(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text="token hunter2 refused")

    secret = "https://user:hunter2@hooks.example.com/T000/hunter2?token=hunter2"
    target = WebhookTarget(
        secret,
        headers={"Authorization": "Bearer hunter2"},
        transport=httpx.MockTransport(refuse),
    )
    with caplog.at_level(logging.DEBUG):
        feed = run(outage(notify=target))
    seen = [repr(feed), feed._repr_html_(), str(feed.status()), feed.to_frame().to_string()]
    seen += [repr(pages) for pages in feed._notices.pages]
    seen += [record.getMessage() + str(record.exc_text) for record in caplog.records]
    assert any("status 500" in text for text in seen)
    assert not any("hunter2" in text for text in seen)


def test_addresses_of_sources_hide_what_is_secret() -> None:
    from monitorlab.feed import PrometheusSource, ScrapeSource

    for kind in (ScrapeSource, PrometheusSource):
        source = kind(
            "http://user:hunter2@prom:9090/x?token=hunter2",
            transport=httpx.MockTransport(lambda r: httpx.Response(500, text="no")),
        )
        feed = LiveFeed(SeriesStore(), source, clock=SimulatedClock(START), own_metrics=False)
        run(feed, 2)
        assert "prom:9090" in repr(source)
        seen = [repr(source), repr(feed), feed.to_frame().to_string(), str(feed.status())]
        assert not any("hunter2" in text for text in seen)


def test_taken_alerts_are_not_repeated_and_silenced_ones_not_told() -> None:
    def told_by(act: str) -> list[str]:
        told: list[Notification] = []
        config = NotifyConfig(Route(group_wait="0s", group_interval="15s", repeat_interval="30s"))
        feed = outage(notify=Notifier(config, {"default": CallbackTarget(told.append)}))

        async def main() -> None:
            feed.start()
            await feed._clock.sleep(91)
            (alert,) = feed.alerts.active
            assert alert.rule == "Down"
            if act == "acknowledge":
                feed.alerts.acknowledge(rule="Down")
            elif act == "silence":
                feed.alerts.silence('{alertname="Down"}', for_="1h")
            elif act == "resolve":
                feed.alerts.resolve("Down")
            await feed.wait()

        asyncio.run(main())
        return [n.status for n in told]

    assert told_by("nothing") == ["firing"] * 4 + ["resolved"]
    assert told_by("acknowledge") == ["firing"] * 2 + ["resolved"]
    assert told_by("silence")[:2] == ["firing"] * 2
    assert len(told_by("silence")) < 5
    assert told_by("resolve") == ["firing"] * 2 + ["resolved"]


def test_routes_alone_are_enough_and_what_is_no_receiver_is_said() -> None:
    feed = outage(notify=[NotifyConfig(), print])
    assert "LogTarget" in repr(feed._notices.pages[0])
    with pytest.raises(SourceError, match="its targets"):
        outage(notify=3)


def test_many_series_of_one_alert_come_in_one_message() -> None:
    told: list[Notification] = []
    keys = [SeriesKey("up", Labels(host=f"h{n}")) for n in range(5)]

    class Fleet(Source):
        async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
            for n in range(0, 120, 15):
                yield Batch.of(dict.fromkeys(keys, 0.0), START + n * SECOND)

    feed = LiveFeed(
        SeriesStore(), Fleet(), rules=DOWN, notify=CallbackTarget(told.append), own_metrics=False
    )
    run(feed)
    assert [n.title for n in told] == ["[FIRING:5] Down"]
