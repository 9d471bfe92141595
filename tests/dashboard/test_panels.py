"""Panels as pure functions: questions in, thinned lines or a reason out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from monitorlab.dashboard.answers import Answer, answer
from monitorlab.dashboard.bands import alert_spans, incident_spans, rows_of_events, within
from monitorlab.dashboard.coalesce import Coalescer
from monitorlab.dashboard.figure import build
from monitorlab.dashboard.kinds import Lanes
from monitorlab.dashboard.panels import Panel, default_panels, panel_of
from monitorlab.dashboard.tiles import measure, tiles_html
from monitorlab.dashboard.units import axis_format, human
from monitorlab.errors import UnknownNameError
from monitorlab.frame import MonitoringFrame
from monitorlab.headline import headlines
from monitorlab.storage import STALE_NAN, SeriesStore

SECOND = 1_000_000_000
START = 1_767_258_000 * SECOND
END = START + 1798 * SECOND


def store_of(values: list[float] | np.ndarray, step: int = 1) -> SeriesStore:
    store = SeriesStore()
    times = START + np.arange(len(values), dtype=np.int64) * step * SECOND
    store.extend("depth", times, np.asarray(values, dtype=float))
    return store


def test_a_million_samples_become_two_thousand_and_keep_their_extremes() -> None:
    values = np.random.default_rng(0).normal(size=1_000_000)
    values[777_777] = 50.0
    store = store_of(values)
    found = answer(Panel("depth"), store, START, START + 10**6 * SECOND, step_ns=SECOND)
    (line,) = found.lines
    assert len(line.times) <= 2_000
    assert line.values.max() == 50.0


def test_zooming_in_shows_what_was_between() -> None:
    store = store_of(np.arange(100_000.0))
    start = START + 50_000 * SECOND
    found = answer(Panel("depth"), store, start, start + 10 * SECOND, step_ns=SECOND)
    assert found.lines[0].values.tolist() == list(range(50_000, 50_011))


def test_holes_and_stale_markers_break_the_line() -> None:
    store = SeriesStore()
    seconds = [*range(20), *range(300, 320)]
    store.extend("depth", np.array(seconds) * SECOND + START, np.ones(40))
    store.append("depth", START + 321 * SECOND, STALE_NAN)
    (line,) = answer(Panel("depth"), store, START, START + 400 * SECOND, step_ns=SECOND).lines
    assert np.flatnonzero(np.isnan(line.values)).tolist() == [20, 41]
    assert (np.diff(line.times) > 0).all()


def test_lines_are_named_by_the_labels_that_differ(shop: MonitoringFrame) -> None:
    source = shop.selection
    found = answer(
        Panel("sum by (route) (rate(http_requests_total[1m]))"),
        source,
        START,
        END,
        step_ns=10 * SECOND,
    )
    assert [line.name for line in found.lines] == ["/", "/cart", "/search"]
    (alone,) = answer(Panel("queue_depth"), source, START, END, step_ns=SECOND).lines
    assert alone.name == "queue_depth"


def test_only_the_strongest_of_many_lines_are_drawn_and_all_are_counted() -> None:
    store = SeriesStore()
    for n in range(30):
        store.extend(
            "load", START + np.arange(5) * SECOND, np.full(5, float(n)), {"host": f"h{n:02}"}
        )
    found = answer(Panel("load"), store, START, END, step_ns=SECOND)
    assert found.found == 30
    assert [line.name for line in found.lines] == [f"h{n}" for n in range(20, 30)]


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("rate(depth[", "depth["),
        ("nope", "nope"),
        ("dept", "did you mean 'depth'"),
        ("depth offset 1000d", "no samples"),
        ("depth[5m]", ""),
        ('"text"', ""),
    ],
)
def test_a_wrong_or_empty_question_is_answered_in_words(expr: str, said: str) -> None:
    found = answer(Panel(expr), store_of([1.0, 2.0]), START, END, step_ns=SECOND)
    assert found.lines == ()
    assert found.problem
    assert said in found.problem


def test_all_nan_is_said() -> None:
    found = answer(Panel("depth"), store_of([np.nan] * 5), START, END, step_ns=SECOND)
    assert "NaN" in found.problem


def test_default_panels_follow_the_types(shop: MonitoringFrame) -> None:
    panels = default_panels(headlines(shop.selection), shop.selection)
    kinds = {panel.title: panel.kind for panel in panels}
    assert kinds["cpu_busy_ratio"] == "line"
    assert any(p.kind == "gauge" and p.expr == "avg(cpu_busy_ratio)" for p in panels)
    assert any(p.kind == "band" and len(p.expressions) == 3 for p in panels)
    assert any(p.expr.startswith("sum by (route) (rate(") for p in panels)
    assert not any("build_info" in p.expr for p in panels)
    assert [p.is_tile for p in panels] == sorted((p.is_tile for p in panels), reverse=True)


def test_a_band_has_three_lines_from_the_median_outwards(shop: MonitoringFrame) -> None:
    (band,) = [
        p for p in default_panels(headlines(shop.selection), shop.selection) if p.kind == "band"
    ]
    found = answer(band, shop.selection, START, END, step_ns=10 * SECOND)
    assert [line.name for line in found.lines] == ["p50", "p95", "p99"]
    middle = [float(np.nanmedian(line.values)) for line in found.lines]
    assert middle == sorted(middle)
    data, _ = build([found], start_ns=START, end_ns=END)
    assert ["fill" in trace for trace in data] == [False, True, True]


def test_panels_are_made_of_what_people_give() -> None:
    assert panel_of("up").expr == "up"
    made = panel_of({"expr": "a", "more": [["p99", "b"]], "kind": "band"})
    assert made.expressions == (("", "a"), ("p99", "b"))
    assert panel_of(made.to_dict()) == made
    for wrong in (3, {"exp": "a"}, {"expr": "a", "kind": "pie"}):
        with pytest.raises(UnknownNameError):
            panel_of(wrong)


def test_the_figure_has_one_time_axis_a_column_and_one_value_axis_a_panel(
    shop: MonitoringFrame,
) -> None:
    panels = [Panel(name) for name in ("queue_depth", "cpu_busy_ratio", "pg_connections")]
    found = [answer(p, shop.selection, START, END, step_ns=SECOND) for p in panels]
    spans = incident_spans(shop.selection.incidents)
    data, layout = build(found, start_ns=START, end_ns=END, spans=spans)
    assert [trace["yaxis"] for trace in data] == ["y", "y2", "y3", "y3"]
    # The last one has no neighbour and takes its row, so its time axis is a third.
    assert [trace["xaxis"] for trace in data] == ["x", "x2", "x3", "x3"]
    assert layout["xaxis2"]["matches"] == layout["xaxis3"]["matches"] == "x"
    assert data[0]["x"].dtype == "datetime64[ms]"
    assert len(layout["shapes"]) == 3
    assert layout["yaxis3"]["anchor"] == "x3"
    assert layout["xaxis"]["range"][0] == "2026-01-01T09:00:00.000"
    tops = [layout[f"yaxis{n}"]["domain"] for n in ("", "2", "3")]
    assert tops[0] == tops[1]
    assert tops[2][1] < tops[0][0]
    import plotly.graph_objects as go

    go.Figure(data=data, layout=layout)  # refuses what Plotly does not know


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("columns", [1, 2])
def test_any_number_of_panels_makes_a_valid_figure(theme: str, count: int, columns: int) -> None:
    import plotly.graph_objects as go

    store = store_of([1.0])
    found = [answer(Panel("depth"), store, START, END, step_ns=SECOND)] * count
    data, layout = build(found, start_ns=START, end_ns=END, theme=theme, columns=columns)  # type: ignore[arg-type]
    assert len(go.Figure(data=data, layout=layout).data) == count


def test_what_users_wrote_is_escaped() -> None:
    store = SeriesStore()
    store.extend("depth", [START, START + SECOND], [1.0, 2.0], {"x": "<img src=x>"})
    store.extend("depth", [START, START + SECOND], [1.0, 2.0], {"x": "b"})
    panel = Panel("depth", title="<script>alert(1)</script>")
    found = answer(panel, store, START, END, step_ns=SECOND)
    data, layout = build([found], start_ns=START, end_ns=END)
    texts = [t["name"] for t in data] + [a["text"] for a in layout["annotations"]]
    assert not any("<script" in text or "<img" in text for text in texts)
    assert "<script" not in tiles_html([measure(panel, store, START, END, SECOND)])


# -- tiles ----------------------------------------------------------------------------------


def test_a_tile_shows_the_newest_value_and_the_change_against_before() -> None:
    store = store_of([10.0] * 60 + [15.0] * 60)
    panel = Panel("depth", kind="stat", bad="up")
    tile = measure(panel, store, START + 60 * SECOND, START + 119 * SECOND, SECOND)
    assert (tile.number, tile.change, tile.mood) == ("15", "+50 %", "bad")
    assert "▲" in tiles_html([tile])
    assert measure(panel, store, START, START + 59 * SECOND, SECOND).change == ""


def test_a_gauge_shows_its_share_of_the_scale() -> None:
    panel = Panel("depth", kind="gauge", unit="ratio")
    tile = measure(panel, store_of([0.2, 0.4]), START, END, SECOND)
    assert (tile.number, tile.unit, tile.arc) == ("40", "%", "40.0")
    high = measure(panel, store_of([0.2, 4.0]), START, END, SECOND)
    assert high.share == 1.0


@pytest.mark.parametrize("values", [[], [float("nan")] * 3])
def test_a_tile_without_a_value_says_why(values: list[float]) -> None:
    store = store_of(values) if values else SeriesStore()
    tile = measure(Panel("depth", kind="stat"), store, START, END, SECOND)
    assert tile.number == "–"
    assert tile.problem
    assert tile.problem.split()[0] in tiles_html([tile])


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.5, "ratio", ("50", "%")),
        (2_345_678.0, "bytes", ("2.35", "MB")),
        (0.00042, "s", ("420", "µs")),
        (90.0, "s", ("90", "s")),
        (5400.0, "s", ("90", "min")),
        (15_000.0, "", ("15k", "")),
        (999.0, "1/s", ("999", "/s")),
        (float("nan"), "s", ("–", "")),
        (float("inf"), "s", ("∞", "")),
        (0.0, "s", ("0", "s")),
    ],
)
def test_numbers_for_people(value: float, unit: str, expected: tuple[str, str]) -> None:
    assert human(value, unit) == expected


def test_axes_have_their_unit() -> None:
    assert axis_format("bytes", 1e9)["ticksuffix"] == "B"
    assert axis_format("1/s", 5.0)["ticksuffix"] == "/s"
    assert axis_format("s", 0.2)["tickformat"] == ".3~s"
    assert axis_format("ms", 200.0)["ticksuffix"] == " ms"


# -- spans ----------------------------------------------------------------------------------


def test_alert_spans_of_a_backtest(shop: MonitoringFrame) -> None:
    rows = rows_of_events(shop.backtest().events)
    spans = alert_spans(rows, END)
    assert {span.label for span in spans} == {"QueueLong"}
    assert all(span.start_ns < span.end_ns for span in spans)
    assert within(spans, START - 10, START) == []


def test_an_open_and_an_escalated_firing() -> None:
    rows = [
        (1, "A", "pending", "warning", "x"),
        (2, "A", "firing", "warning", "x"),
        (3, "A", "escalated", "critical", "x"),
    ]
    (span,) = alert_spans(rows, 10)
    assert (span.start_ns, span.end_ns, span.is_open, span.severity.value) == (
        2,
        10,
        True,
        "critical",
    )


# -- redrawing ------------------------------------------------------------------------------


def test_requests_are_coalesced_and_a_slow_action_is_called_less_often() -> None:
    import asyncio

    drawn: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        coalescer = Coalescer(lambda: drawn.append(loop.time()), least_seconds=0.02)
        for _ in range(50):
            coalescer.request()
            await asyncio.sleep(0.001)
        coalescer.request()
        coalescer.cancel()
        assert not coalescer.is_planned

    asyncio.run(main())
    assert 1 <= len(drawn) <= 10
    assert all(b - a >= 0.019 for a, b in itertools.pairwise(drawn))


def test_a_time_axis_has_its_place_though_its_lowest_plot_is_empty(shop: MonitoringFrame) -> None:
    # Anchored to a plot without traces, Plotly draws the axis at NaN.
    panels = [Panel("queue_depth"), Panel("nothing_at_all")]
    found = [answer(p, shop.selection, START, END, step_ns=SECOND) for p in panels]
    data, layout = build(found, start_ns=START, end_ns=END, columns=1)
    assert [trace["yaxis"] for trace in data] == ["y"]
    assert layout["xaxis"]["anchor"] == "free"
    assert layout["xaxis"]["position"] == layout["yaxis2"]["domain"][0]


def test_the_names_of_alert_rules_have_room(shop: MonitoringFrame) -> None:
    plain = [answer(Panel("queue_depth"), shop.selection, START, END, step_ns=SECOND)]
    long = Answer(Panel("", kind="alerts"), content=Lanes(("CheckoutAnswersTooSlowly",), ((),)))
    _, narrow = build(plain, start_ns=START, end_ns=END)
    _, wide = build([*plain, long], start_ns=START, end_ns=END)
    assert narrow["margin"]["l"] < 60
    assert wide["margin"]["l"] > 110
    assert wide["yaxis2"]["ticktext"] == ["CheckoutAnswersTo…"]
