import asyncio
import json
import logging
import sys

import httpx
import pytest

from monitorlab.alerting import AlertRule, LiveEngine, Silence
from monitorlab.alerting.notify import (
    AppriseTarget,
    CallbackTarget,
    DeliveryError,
    Dispatcher,
    Inhibition,
    LogTarget,
    Notification,
    NotifiedAlert,
    Notifier,
    NotifyConfig,
    Outbox,
    Route,
    WebhookTarget,
    fingerprint,
)
from monitorlab.errors import MissingExtraError, RuleError
from monitorlab.model import Labels, Severity
from monitorlab.storage import SeriesStore
from tests.alerting.conftest import SECOND


def alert(name="A", t=0, **labels):
    return NotifiedAlert(
        Labels(alertname=name, **labels), {"summary": "s"}, Severity.WARNING, t * SECOND
    )


def told(dispatcher, t):
    return [
        (n.time_ns // SECOND, n.receiver, n.status, len(n.alerts))
        for n in dispatcher.advance(t * SECOND)
    ]


def make(**options):
    config = options.pop("config", {})
    return Dispatcher(
        NotifyConfig(route=Route("team", group_by=["alertname"], **options), **config)
    )


def test_group_wait_interval_and_repeat():
    d = make(group_wait="30s", group_interval="5m", repeat_interval="1h")
    d.fire(0, alert(i="1"))
    d.fire(10 * SECOND, alert(i="2"))
    assert told(d, 29) == []
    assert told(d, 30) == [(30, "team", "firing", 2)]
    d.fire(40 * SECOND, alert(i="3"))
    assert told(d, 329) == []
    assert told(d, 330) == [(330, "team", "firing", 3)]
    assert told(d, 330 + 3599) == []
    assert told(d, 330 + 3600) == [(3930, "team", "firing", 3)]
    d.resolve(3940 * SECOND, alert(i="1").labels)
    assert told(d, 4230) == [(4230, "team", "firing", 3)]  # two fire, one is newly resolved
    for i in ("2", "3"):
        d.resolve(4300 * SECOND, alert(i=i).labels)
    assert told(d, 10_000) == [(4530, "team", "resolved", 2)]
    assert d.next_due() is None


def test_a_blip_within_group_wait_is_never_told():
    d = make()
    d.fire(0, alert())
    d.resolve(20 * SECOND, alert().labels)
    assert told(d, 4_000) == []


def test_an_alert_that_comes_back_before_the_next_look_is_no_news():
    d = make()
    d.fire(0, alert())
    assert len(told(d, 60)) == 1
    d.resolve(100 * SECOND, alert().labels)
    d.fire(200 * SECOND, alert(t=200))
    assert told(d, 1_000) == []


def test_cooldown_puts_a_page_off():
    d = make(group_wait="0s")
    d.fire(0, alert(), quiet_until_ns=400 * SECOND)
    assert told(d, 399) == []
    assert told(d, 700) == [(600, "team", "firing", 1)]


def test_silences():
    silence = Silence.make('{i="1"}', 0, 400)
    d = make(config={"silences": [silence]})
    d.fire(0, alert(i="1"))
    d.fire(0, alert(i="2"))
    assert told(d, 60) == [(30, "team", "firing", 1)]
    assert told(d, 1_000) == [(630, "team", "firing", 2)]


def test_inhibition():
    rule = Inhibition({"severity": "critical"}, 'severity=~"warning|info"', equal=["dc"])
    d = make(config={"inhibitions": [rule]})
    loud = NotifiedAlert(
        Labels(alertname="Big", dc="a", severity="critical"), {}, Severity.CRITICAL
    )
    d.fire(0, loud)
    d.fire(0, alert("Small", dc="a", severity="warning"))
    d.fire(0, alert("Other", dc="b", severity="warning"))
    assert sorted(n.title for n in d.advance(30 * SECOND)) == ["[FIRING:1] Big", "[FIRING:1] Other"]
    d.resolve(40 * SECOND, loud.labels)
    assert [n.title for n in d.advance(330 * SECOND)] == ["[RESOLVED] Big", "[FIRING:1] Small"]


def test_an_alert_does_not_inhibit_itself():
    rule = Inhibition({"dc": "a"}, {"dc": "a"})
    assert not rule.mutes(Labels(dc="a"), Labels(dc="a"))


def test_routes():
    tree = Route(
        "default",
        routes=[
            Route("audit", {"team": "shop"}, continue_=True),
            Route(
                "pager", 'severity="critical"', group_wait="0s", routes=[Route("db", ['job="db"'])]
            ),
        ],
    )
    find = lambda **labels: [r.receiver for r in tree.find(Labels(labels))]  # noqa: E731
    assert find() == ["default"]
    assert find(team="shop") == ["audit"]
    assert find(team="shop", severity="critical") == ["audit", "pager"]
    assert find(severity="critical", job="db") == ["db"]
    assert tree.find(Labels(severity="critical", job="db"))[0].group_wait_ns == 0
    assert Route(group_by=["..."]).find(Labels(a="b"))[0].group_of(Labels(a="b")) == Labels(a="b")
    with pytest.raises(RuleError, match="group_interval"):
        Route(group_interval="0s")
    with pytest.raises(RuleError, match="group_wait"):
        Route(group_wait="soon")
    with pytest.raises(RuleError, match="no matcher"):
        Route("x", "{severity=}")


def test_escalation_is_told_and_may_take_another_route():
    d = Dispatcher(
        NotifyConfig(route=Route("team", routes=[Route("boss", {"severity": "critical"})]))
    )
    d.fire(0, alert())
    assert told(d, 60) == [(30, "team", "firing", 1)]
    d.escalate(100 * SECOND, alert().labels, Severity.CRITICAL)
    assert told(d, 400) == [(130, "boss", "firing", 1), (330, "team", "firing", 1)]
    d.escalate(500 * SECOND, Labels(alertname="none"), Severity.CRITICAL)


def test_acknowledged_alerts_are_not_repeated():
    d = make(repeat_interval="10m")
    d.fire(0, alert())
    assert len(told(d, 60)) == 1
    d.acknowledge(100 * SECOND, alert().labels)
    assert told(d, 7_200) == []


def test_alertmanagers_json():
    notification = Notification(
        90 * SECOND,
        "team",
        Labels(alertname="A"),
        (
            alert(i="1"),
            NotifiedAlert(Labels(alertname="A", i="2"), {"summary": "s"}, ends_ns=60 * SECOND),
        ),
        '{}:{alertname="A"}',
        "http://x",
    )
    body = notification.to_alertmanager()
    json.dumps(body)
    assert body["version"] == "4"
    assert body["status"] == "firing"
    assert body["commonLabels"] == {"alertname": "A"}
    assert body["commonAnnotations"] == {"summary": "s"}
    assert body["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert body["alerts"][1]["endsAt"] == "1970-01-01T00:01:00Z"
    assert body["alerts"][1]["status"] == "resolved"
    assert notification.text.splitlines()[0] == 'firing A {i="1"} s'
    assert (
        len({fingerprint(Labels(a="b")), fingerprint(Labels(a="c")), fingerprint(Labels(ab=""))})
        == 3
    )


SECRET = "https://user:pass@hooks.example.com/services/T0/very-secret?token=abc"


def hook(answer, seen=None, url=SECRET):
    def handle(request):
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    return WebhookTarget(
        url, headers={"Authorization": "Bearer secret"}, transport=httpx.MockTransport(handle)
    )


def test_webhook_posts_json():
    seen = []
    hook(200, seen, "https://hooks.example.com/x").send(
        Notification(0, "r", Labels(), (alert(),), "{}")
    )
    assert json.loads(seen[0].content)["alerts"][0]["labels"]["alertname"] == "A"
    assert seen[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("answer", "retry"),
    [
        (500, True),
        (503, True),
        (429, True),
        (400, False),
        (404, False),
        (httpx.ConnectError(SECRET), True),
        (httpx.ReadTimeout("x"), True),
    ],
)
def test_faults_of_webhooks_and_secrets(answer, retry, caplog):
    target = hook(answer)
    box = Outbox(target)
    with pytest.raises(DeliveryError) as caught:
        target.send(Notification(0, "r", Labels(), (alert(),), "{}"))
    assert caught.value.retry is retry
    box.submit(Notification(0, "r", Labels(), (alert(),), "{}"))
    with caplog.at_level(logging.DEBUG, logger="monitorlab.notify"):
        box.pump(0.0)
    for text in (
        repr(target),
        str(target),
        str(caught.value),
        repr(box),
        caplog.text,
        repr(Notifier(targets={"default": target})),
    ):
        assert "secret" not in text
        assert "pass" not in text
        assert "abc" not in text


@pytest.mark.parametrize("url", ["", "ftp://x", "https://", "x y", None, 7, "http://[bad"])
def test_wrong_addresses(url):
    with pytest.raises(RuleError, match="not shown"):
        WebhookTarget(url)


def test_apprise_is_an_extra():
    try:
        import apprise  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match="notify"):
            AppriseTarget("mailto://user:secret@example.com")
    else:
        assert "secret" not in repr(AppriseTarget("mailto://user:secret@example.com"))


def test_log_and_callback_targets(caplog):
    with caplog.at_level(logging.INFO, logger="monitorlab.alerts"):
        LogTarget().send(Notification(0, "r", Labels(), (alert(),), "{}"))
    assert caplog.records[0].levelno == logging.WARNING
    assert "[FIRING:1] A" in caplog.text

    def broken(_):
        raise ZeroDivisionError("oops")

    with pytest.raises(DeliveryError, match="ZeroDivisionError"):
        CallbackTarget(broken).send(Notification(0, "r", Labels(), (), "{}"))
    with pytest.raises(RuleError):
        CallbackTarget("nothing")


class Flaky:
    name = "flaky"

    def __init__(self, failures, *, retry=True):
        self.failures, self.retry, self.sent, self.tries = failures, retry, [], 0

    def send(self, notification):
        self.tries += 1
        if self.failures > 0:
            self.failures -= 1
            raise DeliveryError("no", retry=self.retry)
        self.sent.append(notification.time_ns)


def letter(i):
    return Notification(i, "r", Labels(), (), "{}")


def test_outbox_retries_with_back_off_and_keeps_order():
    target = Flaky(3)
    box = Outbox(target, backoff=1, max_backoff=3)
    box.submit(letter(1))
    box.submit(letter(2))
    times = [t / 2 for t in range(20)]
    attempts = []
    for now in times:
        before = target.tries
        box.pump(now)
        if target.tries > before:
            attempts.append(now)
    assert attempts == [0.0, 1.0, 3.0, 6.0]
    assert target.sent == [1, 2]
    assert box.stats == {
        "sent": 2,
        "retried": 3,
        "dropped_full": 0,
        "dropped_failed": 0,
        "waiting": 0,
    }


def test_outbox_gives_up_and_counts():
    target = Flaky(10, retry=False)
    box = Outbox(target)
    box.submit(letter(1))
    box.pump(0)
    assert box.stats["dropped_failed"] == 1
    target = Flaky(100)
    box = Outbox(target, max_attempts=2, backoff=0)
    box.submit(letter(1))
    box.pump(0)
    box.pump(0)
    assert (box.stats["dropped_failed"], target.tries) == (1, 2)
    assert isinstance(box.last_error, DeliveryError)


def test_outbox_is_bounded_and_counts_what_it_drops():
    target = Flaky(0)
    box = Outbox(target, max_queue=3)
    for i in range(10):
        box.submit(letter(i))
    assert box.stats["dropped_full"] == 7
    box.pump(0)
    assert target.sent == [7, 8, 9]
    with pytest.raises(RuleError):
        Outbox(target, max_queue=0)


def test_outbox_runs_beside_an_event_loop():
    target = Flaky(1)
    box = Outbox(target)
    clock = iter(range(1_000))

    async def main():
        box.submit(letter(5))
        naps = 0

        async def nap(_):
            nonlocal naps
            naps += 1
            if naps > 3:
                raise asyncio.CancelledError

        task = asyncio.ensure_future(box.run(clock=lambda: float(next(clock)), sleep=nap))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert target.sent == [5]


def test_notifier_joins_engine_and_targets():
    got = []
    notifier = Notifier(
        NotifyConfig(route=Route("me", group_wait="0s")),
        {"me": CallbackTarget(got.append), "spare": LogTarget()},
    )
    store = SeriesStore()
    for t in range(0, 600, 15):
        store.append("up", t * SECOND, 0.0 if 60 <= t < 400 else 1.0)
    engine = LiveEngine(
        AlertRule("Down", "up == 0", annotations={"summary": "{{ $value }}"}, escalate_after="1m"),
        interval="15s",
    )
    for t in range(0, 1_200, 15):
        events = engine.evaluate(store, t * SECOND)
        notifier.process(t * SECOND, events, engine.active)
        notifier.pump(t)
    assert [(n.time_ns // SECOND, n.status) for n in got] == [
        (60, "firing"),
        (360, "firing"),
        (660, "resolved"),
    ]
    assert got[0].alerts[0].annotations == {"summary": "0"}
    assert got[1].severity is Severity.CRITICAL
    assert notifier.stats["me"]["sent"] == 3
    notifier.silence(Silence.make("Down", 0, 1))
    with pytest.raises(RuleError, match="did you mean 'me'"):
        Notifier(NotifyConfig(route=Route("m")), {"me": LogTarget()})


def test_addresses_are_not_in_the_logs_of_the_http_library(caplog):
    caplog.set_level(logging.DEBUG)
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    target = WebhookTarget("https://hooks.example.com/services/secret", transport=transport)
    target.send(Notification(0, "hooks", Labels(), (alert(),), "{}"))
    assert "secret" not in caplog.text
    with httpx.Client(transport=transport) as client:  # requests of others are logged as ever
        client.get("https://example.com/mine")
    assert "example.com/mine" in caplog.text


def test_a_target_that_raises_anything_is_retried_and_counted():
    class Broken:
        name = "broken"

        def send(self, notification):
            raise ConnectionError("https://example.com/secret")

    box = Outbox(Broken(), max_attempts=2, backoff=1.0)
    box.submit(Notification(0, "broken", Labels(), (alert(),), "{}"))
    assert box.pump(0.0) == 0
    assert box.stats["retried"] == 1
    assert box.pump(1.0) == 0
    assert box.stats["dropped_failed"] == 1
    assert "secret" not in str(box.last_error)
    assert "secret" not in repr(box)


def test_a_webhook_without_httpx_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingExtraError, match=r"monitorlab\[notify\]"):
        WebhookTarget("https://hooks.example.com/secret")
