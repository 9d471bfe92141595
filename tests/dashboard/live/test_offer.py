from __future__ import annotations

import pytest

import monitorlab as ml
from monitorlab.dashboard.live import LiveOffer, LiveView
from monitorlab.dashboard.live import widget as module
from monitorlab.feed import QueueSource


@pytest.fixture(autouse=True)
def bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bundle", lambda: "export default {}")


def _offer(dash: ml.Dashboard) -> LiveOffer:
    (found,) = (child for child in dash.children if isinstance(child, LiveOffer))
    return found


def test_the_dashboard_of_a_feed_opens_a_live_view_and_rests_meanwhile() -> None:
    feed = ml.LiveFeed(None, QueueSource())
    dash = ml.Dashboard(feed, ["up"], theme="dark")
    offer = _offer(dash)
    assert offer.view is None
    offer.button.value = True
    assert isinstance(offer.view, LiveView)
    assert offer.view.core.given[0].expr == "up"
    assert not dash.choices.live
    assert len(feed._intake.receivers) == 2
    offer.button.value = False
    assert offer.view is None
    assert dash.choices.live
    assert len(feed._intake.receivers) == 1


def test_closing_the_dashboard_closes_the_live_view() -> None:
    feed = ml.LiveFeed(None, QueueSource())
    dash = ml.Dashboard(feed, ["up"])
    _offer(dash).button.value = True
    dash.close()
    assert feed._intake.receivers == []


def test_a_frame_has_a_live_view_when_asked() -> None:
    mf = ml.MonitoringFrame()
    dash = ml.Dashboard(mf, ["up"], theme="light")
    assert not any(isinstance(child, LiveOffer) for child in dash.children)
    view = dash.live(span="1m", panels=["queue_depth"])
    assert view.core.span_ns == 60 * 10**9
    assert view.core.given[0].expr == "queue_depth"
    view.close()
