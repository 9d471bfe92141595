"""The widget without a browser: what it holds, what it shows when things go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitorlab.dashboard import Dashboard, Panel
from monitorlab.errors import SourceError, UnknownNameError
from monitorlab.feed import LiveFeed, Replay, SimulatedClock
from monitorlab.frame import MonitoringFrame

SECOND = 1_000_000_000
START = 1_767_258_000 * SECOND


def titles(dash: Dashboard) -> list[str]:
    return [a.text for a in dash.figure_widget.layout.annotations if a.text.startswith("<b>")]


def test_it_opens_on_panels_that_fit_the_metrics(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    assert len(titles(dash)) == 7
    assert titles(dash)[-1] == "<b>alerts</b>"
    assert dash.state()["problem"] == ""
    assert "ml-tile" in dash._tiles.value
    assert "traffic_surge" in dash._events.value
    assert "QueueLong" in dash._events.value
    assert dash.figure_widget.data[0].x.dtype == "datetime64[ms]"
    assert "12 panels" in repr(dash)


def test_there_is_one_figure_and_it_is_kept(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    figure = dash.figure_widget
    dash.choices.metrics = ["queue_depth"]
    dash.choices.columns = 1
    assert dash.figure_widget is figure
    assert [trace.type for trace in figure.data] == ["scatter", "heatmap", "scatter"]
    split = next(child for child in dash.children if "ml-split" in child._dom_classes)
    assert split.children == (figure, dash.inspector.box)


def test_pickers_change_the_state_and_the_state_the_pickers(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    dash.controls.metrics.value = ["pg_connections"]
    assert dash.choices.metrics == ["pg_connections"]
    assert dash.state()["shown"] == [
        "pg_connections", "pg_connections", "how the values are spread", "anomaly score",
    ]  # fmt: skip
    assert dash.state()["lines"] == 3
    dash.controls.labels.value = ["state=idle"]
    assert dash.state()["lines"] == 2
    dash.choices.span = "5m"
    assert dash.controls.span.value == "5m"
    assert "http_request_duration_seconds" in dash.controls.metrics.allowed_tags
    assert "route=/cart" in dash.controls.labels.allowed_tags


def test_a_free_expression_gets_a_panel_and_its_error_is_shown_in_place(
    shop: MonitoringFrame,
) -> None:
    dash = Dashboard(shop)
    dash.controls.expr.value = "max(queue_depth) by (nothing)"
    assert "max(queue_depth)" in titles(dash)[0]
    assert dash._message.value == ""
    dash.controls.expr.value = "rate(queue_depth["
    assert "rate(queue_depth[" in dash._message.value
    assert len(titles(dash)) == 8
    dash.controls.expr.value = ""
    assert dash._message.value == ""
    assert len(titles(dash)) == 7


def test_an_unknown_metric_is_said_with_the_nearest(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop, metrics=["queue_dept"])
    assert "did you mean 'queue_depth'" in dash.state()["problem"].replace("&#x27;", "'")
    assert len(dash.figure_widget.data) == 0
    dash.choices.metrics = []
    assert dash.state()["problem"] == ""


def test_a_range_that_cannot_be_read_is_said_and_the_rest_stays(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    dash.controls.start.value = "half past nine"
    assert "is not a time" in dash._message.value
    assert len(dash.figure_widget.data) > 6
    dash.controls.start.value = "now-5m"
    assert dash._message.value == ""
    assert dash.state()["from"] == "2026-01-01T09:24:58+00:00"


def test_zoom_asks_the_full_data_again_and_can_be_left(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop, metrics=["queue_depth"])
    start, end = START + 100 * SECOND, START + 120 * SECOND
    dash.figure_widget.plotly_relayout(
        {"xaxis.range": ["2026-01-01 09:01:40", "2026-01-01 09:02:00"]}
    )
    assert tuple(dash.choices.zoom) == (start, end)
    assert len(dash.figure_widget.data[0].x) == 11
    assert dash.controls.unzoom.layout.display is None
    dash.controls.unzoom.click()
    assert dash.choices.zoom == ()
    assert len(dash.figure_widget.data[0].x) > 11


def test_themes(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    assert "ml-light" in dash._dom_classes
    dash._page.dark = True
    assert "ml-dark" in dash._dom_classes
    assert "ml-light" not in dash._dom_classes
    dash.controls.theme.value = "light"
    assert "ml-light" in dash._dom_classes
    assert dash.figure_widget.layout.font.color == "#24292f"


def test_a_page_that_loads_plotly_gets_changes_once_it_has_drawn(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    lines = len(dash.figure_widget.data)
    dash._page.seen = 1
    dash.choices.metrics = ["queue_depth"]
    assert len(dash.figure_widget.data) == lines
    figure = dash.figure_widget
    empty = {"trace_deltas": [{} for _ in figure.data], "trace_edit_id": -1}
    figure._js2py_traceDeltas = empty
    assert len(figure.data) == 3
    dash.choices.metrics = []
    assert len(figure.data) == lines


def test_own_panels_and_positions(shop: MonitoringFrame) -> None:
    dash = Dashboard(
        shop, panels=["queue_depth", Panel("cpu_busy_ratio", kind="gauge", unit="ratio")]
    )
    assert dash.state()["shown"] == ["queue_depth", "cpu_busy_ratio"]
    dash.add("memory_used_bytes", position=0)
    dash.add({"expr": "pg_connections", "title": "connections"}, position=(0, 1))
    dash.add(Panel("queue_depth", "depth now", "stat"))
    assert dash.state()["shown"] == [
        "cpu_busy_ratio", "depth now", "memory_used_bytes", "connections", "queue_depth",
    ]  # fmt: skip
    for wrong in ("here", (1,)):
        with pytest.raises(UnknownNameError, match="position"):
            dash.add("up", position=wrong)  # type: ignore[arg-type]


def test_adding_to_the_default_panels_keeps_them(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    dash.add("build_info")
    assert len(dash.state()["shown"]) == 13


def test_state_and_figure_are_plain(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop, span="15m", theme="dark")
    state = json.loads(json.dumps(dash.state()))
    assert (state["span"], state["theme"]) == ("15m", "dark")
    assert type(dash.figure()).__name__ == "Figure"
    assert dash.figure().layout.paper_bgcolor == "#14171c"


def test_the_file_needs_no_network(shop: MonitoringFrame, tmp_path: Path) -> None:
    text = Dashboard(shop).to_html(tmp_path / "shop.html", title="Shop & co").read_text()
    assert "Shop &amp; co" in text
    assert "ml-tile" in text
    page = text[: text.index("<script")] + text[text.rindex("</script>") :]
    assert "http://" not in page
    assert "https://" not in page
    assert 'src="http' not in text


# -- bad input ------------------------------------------------------------------------------


def nothing() -> MonitoringFrame:
    return MonitoringFrame()


def one_sample() -> MonitoringFrame:
    frame = MonitoringFrame()
    frame.extend("up", ["2026-01-01T00:00Z"], [1.0])
    return frame


def only_nan() -> MonitoringFrame:
    frame = MonitoringFrame()
    frame.store.extend("up", START + np.arange(50) * SECOND, np.full(50, np.nan))
    return frame


def with_infinity() -> MonitoringFrame:
    frame = MonitoringFrame()
    frame.store.extend("up", START + np.arange(4) * SECOND, np.array([1.0, np.inf, -np.inf, 2.0]))
    return frame


@pytest.mark.parametrize("make", [nothing, one_sample, only_nan, with_infinity])
def test_poor_data_is_shown_and_the_dashboard_lives(
    make: Callable[[], MonitoringFrame], tmp_path: Path
) -> None:
    dash = Dashboard(make())
    dash.choices.metrics = ["nope"]
    dash.choices.metrics = []
    dash.choices.span = "1h"
    dash.to_html(tmp_path / "x.html")
    assert isinstance(dash.state()["problem"], str)


def test_a_frame_that_fills_later_is_shown_after_a_refresh() -> None:
    frame = MonitoringFrame()
    dash = Dashboard(frame)
    assert "no samples yet" in dash._message.value
    frame.store.extend("up", START + np.arange(5) * SECOND, np.arange(5.0))
    dash.controls.refresh.click()
    assert dash._message.value == ""
    assert len(dash.figure_widget.data) == 1


def test_an_exception_in_a_callback_is_shown(
    shop: MonitoringFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    dash = Dashboard(shop)

    def broken(*args: Any, **kwargs: Any) -> None:
        msg = "<b>disk full</b>"
        raise OSError(msg)

    monkeypatch.setattr("monitorlab.dashboard.stage.compose", broken)
    dash.controls.refresh.click()
    assert "OSError: &lt;b&gt;disk full" in dash._message.value


def test_a_wrong_rule_is_said(make_shop: Callable[..., MonitoringFrame]) -> None:
    frame = make_shop(60)
    frame.alert("Typo", "queue_dept > 3")
    assert "alert rules" in Dashboard(frame).state()["problem"]


@pytest.mark.parametrize("thing", [None, 3, "shop"])
def test_what_is_no_frame_is_said(thing: Any) -> None:
    with pytest.raises(SourceError, match="holds no series"):
        Dashboard(thing)


def test_a_wrong_choice_is_said(shop: MonitoringFrame) -> None:
    with pytest.raises(UnknownNameError, match="no choice"):
        Dashboard(shop, spam="5m")


# -- live -----------------------------------------------------------------------------------


def test_it_follows_a_feed(make_shop: Callable[..., MonitoringFrame]) -> None:
    recorded = make_shop(300)

    async def main() -> tuple[Dashboard, LiveFeed]:
        feed = LiveFeed(
            None, Replay(recorded, speed=60.0), rules=recorded.rules, clock=SimulatedClock(START)
        )
        dash = Dashboard(feed, columns=1)
        assert "no samples yet" in dash._message.value
        feed.start()
        await feed.wait()
        while dash._coalescer is not None and dash._coalescer.is_planned:  # noqa: ASYNC110 - a timer
            await asyncio.sleep(0.02)
        return dash, feed

    dash, feed = asyncio.run(main())
    assert dash.choices.live
    assert dash.state()["span"] == "5m"
    assert "closed" in dash._head.value
    assert len(dash.figure_widget.data) > 3
    assert dash._page.ping < 40
    assert feed.status().errors == 0
    receivers = len(feed._intake.receivers)
    dash.close()
    dash.close()
    assert len(feed._intake.receivers) == receivers - 1


def test_a_page_that_is_gone_or_behind_is_not_drawn_for(
    make_shop: Callable[..., MonitoringFrame],
) -> None:
    feed = LiveFeed(make_shop(50), Replay(make_shop(60), speed=None))
    dash = Dashboard(feed)
    drawn = dash._page.ping
    dash._tick()
    assert dash._page.ping == drawn + 1  # never displayed: drawn for state and export
    dash._page._view_count = 1
    dash._page.pong = dash._page.ping
    for _ in range(3):
        dash._tick()
    assert dash._page.ping == drawn + 4
    dash._coalescer.cancel = lambda: None  # type: ignore[method-assign]
    asked: list[int] = []
    dash._coalescer.request = lambda: asked.append(1)  # type: ignore[method-assign]
    dash._tick()
    assert dash._page.ping == drawn + 4
    assert asked == [1]
    dash._page._view_count = 0
    dash._tick()
    assert dash._page.ping == drawn + 4


def test_pausing_stops_the_drawing_only(make_shop: Callable[..., MonitoringFrame]) -> None:
    feed = LiveFeed(None, Replay(make_shop(60), speed=None))
    dash = Dashboard(feed)
    dash.controls.live.value = False
    drawn = dash._page.ping
    feed.run()
    assert dash._page.ping == drawn
    assert feed.status().samples > 0
    dash.controls.live.value = True
    assert dash._page.ping == drawn + 1
