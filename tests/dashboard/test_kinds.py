"""Every kind of panel: what it asks, what it draws, and what it says when it cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from monitorlab.dashboard.arrange import arrange
from monitorlab.dashboard.figure import build
from monitorlab.dashboard.kinds import Scene, respond
from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.subject import Subject
from monitorlab.errors import InvalidSeriesError, TimeError, UnknownNameError
from monitorlab.frame import MonitoringFrame
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000
START = 1_767_258_000 * SECOND  # a Thursday, nine o'clock
HOUR = 3_600 * SECOND
KINDS = ("line", "band", "heatmap", "histogram", "table", "alerts", "forecast", "anomaly")


def scene_of(thing: Any, **more: Any) -> Scene:
    subject = Subject(thing)
    extent = subject.extent() or (0, SECOND)
    return Scene(subject, subject.reader, *extent, 5 * SECOND, extent, **more)


@pytest.fixture(scope="module")
def fortnight() -> SeriesStore:
    store = SeriesStore()
    hours = np.arange(14 * 24)
    times = START + hours * HOUR
    store.extend("load", times, 10.0 + (hours + 9) % 24)
    return store


def test_hours_and_weekdays_are_those_of_the_clock(fortnight: SeriesStore) -> None:
    found = respond(Panel("load", kind="heatmap"), scene_of(fortnight))
    cells = found.content.cells
    assert cells.shape == (7, 24)
    assert cells[3, 9] == 10.0 + 9
    assert np.isfinite(cells).all()
    assert (cells == cells[0]).all()
    (trace,), layout = build([found], start_ns=START, end_ns=START + HOUR)
    assert trace["type"] == "heatmap"
    assert trace["y"][0] == "Mon"
    assert layout["yaxis"]["autorange"] == "reversed"
    assert "matches" not in layout["xaxis2"]


def test_each_column_of_a_distribution_adds_up_to_one(shop: MonitoringFrame) -> None:
    for expr in ("queue_depth", "http_request_duration_seconds", "rate(http_requests_total[1m])"):
        found = respond(Panel(expr, kind="histogram", unit="s"), scene_of(shop))
        total = np.nansum(found.content.cells, axis=0)
        filled = np.isfinite(found.content.cells).any(axis=0)
        assert total[filled] == pytest.approx(1.0)
        assert filled.mean() > 0.9
        assert len(set(found.content.rows)) == len(found.content.rows)


def test_raw_values_stand_in_their_rows() -> None:
    store = SeriesStore()
    store.extend("depth", START + np.arange(90) * SECOND, np.arange(90.0) % 10)
    found = respond(Panel("depth", kind="histogram"), scene_of(store))
    grid = found.content
    assert grid.rows[0] == "0"
    column = grid.cells[:, 45]
    (row,) = np.flatnonzero(np.isfinite(column))
    assert float(grid.rows[row]) <= 45 % 10 + 1e-9


def test_buckets_keep_their_limits(shop: MonitoringFrame) -> None:
    found = respond(
        Panel("http_request_duration_seconds", kind="histogram", unit="s"), scene_of(shop)
    )
    assert found.content.rows == ("≤ 10ms", "≤ 50ms", "≤ 100ms", "≤ 250ms", "≤ 500ms", "more")
    surge = found.content.cells[:, 48]
    calm = found.content.cells[:, 10]
    assert np.nansum(surge[3:]) > np.nansum(calm[3:])


def test_a_table_has_a_row_a_series(shop: MonitoringFrame) -> None:
    found = respond(Panel("pg_connections", kind="table"), scene_of(shop))
    assert found.content.columns == ("series", "last", "mean", "min", "max", "p95")
    assert sorted(row[0] for row in found.content.rows) == [
        'pg_connections{state="active"}', 'pg_connections{state="idle"}',
    ]  # fmt: skip
    (trace,), _ = build([found], start_ns=START, end_ns=START + HOUR)
    assert trace["type"] == "table"
    assert len(trace["cells"]["values"]) == 6


def test_the_timeline_shows_rules_that_fired_and_those_that_did_not(
    make_shop: Callable[..., MonitoringFrame],
) -> None:
    frame = make_shop()
    frame.alert("Never", "queue_depth < 0")
    found = respond(Panel("", kind="alerts"), scene_of(frame))
    assert found.content.names == ("QueueLong", "Never")
    assert len(found.content.firings[0]) > 0
    assert found.content.firings[1] == ()
    only = respond(Panel("Never", kind="alerts"), scene_of(frame))
    assert only.content.names == ("Never",)
    data, layout = build([found], start_ns=START, end_ns=START + HOUR)
    assert layout["yaxis"]["ticktext"] == ["QueueLong", "Never"]
    assert any("QueueLong fired" in text for trace in data for text in trace["text"])
    assert "no alert rule 'x'" in respond(Panel("x", kind="alerts"), scene_of(frame)).problem


def test_a_fan_goes_on_where_the_samples_end(fortnight: SeriesStore) -> None:
    panel = Panel("load", kind="forecast", horizon="1d", capacity=40.0)
    found = respond(panel, scene_of(fortnight))
    fan = found.content
    newest = START + (14 * 24 - 1) * HOUR
    assert (int(fan.times[0]), len(fan.times)) == (newest + HOUR, 24)
    assert fan.mean == pytest.approx(10.0 + (np.arange(24) + 9) % 24, abs=1.0)
    for (_, low, high), (_, inner_low, inner_high) in zip(fan.bands, fan.bands[1:], strict=False):
        assert (low <= inner_low + 1e-9).all()
        assert (high >= inner_high - 1e-9).all()
    data, layout = build([found], start_ns=START, end_ns=newest)
    assert len(data) == 2 * len(fan.bands) + 2
    assert layout["xaxis2"]["range"][1] > layout["xaxis"]["range"][1]
    assert layout["shapes"][0]["y0"] == 40.0


def test_a_score_alarms_where_the_series_is_strange(shop: MonitoringFrame) -> None:
    found = respond(Panel("cpu_busy_ratio", kind="anomaly"), scene_of(shop))
    assert found.lines[0].values.max() <= 1.0
    assert found.spans
    surge = START + 900 * SECOND
    assert any(abs(span.start_ns - surge) < 10 * SECOND for span in found.spans)
    data, layout = build([found], start_ns=START, end_ns=START + 1798 * SECOND)
    (line,) = data
    scores = found.lines[0].values
    assert line["y"] == pytest.approx(np.minimum(-np.log10(np.maximum(1.0 - scores, 1e-12)), 9.0))
    assert layout["shapes"][0]["y0"] == pytest.approx(-np.log10(1.0 - found.content.threshold))
    assert layout["yaxis"]["range"][1] > max(line["y"].max(), layout["shapes"][0]["y0"])
    assert layout["yaxis"]["ticktext"][:3] == ["0", "0.9", "0.999"]


def test_the_earlier_period_is_moved_to_this_one(shop: MonitoringFrame) -> None:
    middle = START + 900 * SECOND
    base = scene_of(shop)
    scene = Scene(
        base.subject, base.source, middle, middle + 300 * SECOND, 5 * SECOND, base.extent,
        shift_ns=300 * SECOND,
    )  # fmt: skip
    found = respond(Panel("queue_depth"), scene)
    (line,), (before,) = found.lines, found.before
    assert before.times.tolist() == line.times.tolist()
    whole = shop.series("queue_depth").to_numpy()
    assert before.values.tolist() == whole[300:451].tolist()
    data, _ = build([found], start_ns=middle, end_ns=middle + 300 * SECOND)
    assert data[1]["line"]["dash"] == "dot"
    assert data[1]["showlegend"] is False


def test_analyses_are_kept_while_nothing_changes(shop: MonitoringFrame) -> None:
    subject = Subject(shop)
    made: list[int] = []

    def make() -> str:
        made.append(1)
        return "found"

    assert [subject.kept("x", make), subject.kept("x", make)] == ["found", "found"]
    assert made == [1]
    for n in range(100):
        subject.kept(n, make)
    assert len(subject._kept) <= 64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [1, 2])
def test_every_kind_makes_a_figure_that_plotly_accepts(
    shop: MonitoringFrame, kind: str, columns: int
) -> None:
    import plotly.graph_objects as go

    panel = Panel("" if kind == "alerts" else "queue_depth", "one", kind)  # type: ignore[arg-type]
    scene = scene_of(shop)
    found = [respond(panel, scene), respond(Panel("cpu_busy_ratio"), scene)]
    for theme in ("light", "dark"):
        data, layout = build(
            found, start_ns=scene.start_ns, end_ns=scene.end_ns, theme=theme, columns=columns,  # type: ignore[arg-type]
            selection=(START, START + SECOND),
        )  # fmt: skip
        assert len(go.Figure(data=data, layout=layout).data) == len(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [[1.0], [float("nan")] * 40, [float("inf"), 1.0, 2.0]])
def test_every_kind_bears_poor_samples(kind: str, values: list[float]) -> None:
    store = SeriesStore()
    store.extend("depth", START + np.arange(len(values)) * SECOND, values)
    expr = "" if kind == "alerts" else "depth"
    found = respond(Panel(expr, "one", kind), scene_of(store))  # type: ignore[arg-type]
    assert found.problem or found.lines or found.content is not None
    build([found], start_ns=START, end_ns=START + SECOND)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "alerts"])
@pytest.mark.parametrize("expr", ["rate(depth[", "dept", "nothing_of_that_name"])
def test_every_kind_says_what_is_wrong(kind: str, expr: str) -> None:
    store = SeriesStore()
    store.extend("depth", START + np.arange(50) * SECOND, np.arange(50.0))
    assert respond(Panel(expr, "one", kind), scene_of(store)).problem  # type: ignore[arg-type]


def test_panels_are_checked_when_they_are_made() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'heatmap'"):
        Panel("up", kind="heatmp")  # type: ignore[arg-type]
    with pytest.raises(InvalidSeriesError, match="needs an expression"):
        Panel(" ", kind="line")
    with pytest.raises(InvalidSeriesError, match="scale"):
        Panel("up", kind="gauge", least=1.0, most=1.0)
    with pytest.raises(TimeError):
        Panel("up", kind="forecast", horizon="soon")
    with pytest.raises(UnknownNameError, match="bad"):
        Panel("up", bad="sideways")


def test_places_do_not_overlap_and_a_lone_plot_takes_its_row(shop: MonitoringFrame) -> None:
    scene = scene_of(shop)
    panels = [
        Panel("queue_depth", wide=True), Panel("cpu_busy_ratio"), Panel("pg_connections"),
        Panel("cpu_busy_ratio", kind="heatmap"), Panel("queue_depth", kind="table"),
        Panel("", kind="alerts"),
    ]  # fmt: skip
    grid = arrange([respond(panel, scene) for panel in panels], 2)
    assert [(c.row, c.column, c.width) for c in grid.cells] == [
        (0, 0, 2), (1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1), (3, 0, 2),
    ]  # fmt: skip
    tops = {c.row: c.top for c in grid.cells}
    bottoms = {c.row: c.bottom for c in grid.cells}
    for row in range(3):
        room = (bottoms[row] - tops[row + 1]) * grid.inside_px
        assert room >= 37 + 18 * grid.has_legend[row + 1] - 1e-6
    assert bottoms[3] == pytest.approx(0.0)


def test_what_stands_in_a_legend_fits_beside_the_next_plot(shop: MonitoringFrame) -> None:
    """In a small window with a side bar two plots in a row are 330 pixels wide each."""
    found = respond(Panel("http_requests_total"), scene_of(shop))
    lines = (dataclasses.replace(found.lines[0], name=f"/route{n}") for n in range(12))
    many = dataclasses.replace(found, lines=tuple(lines))
    data, layout = build([many, many], start_ns=START, end_ns=START + 1798 * SECOND)
    assert layout["margin"]["autoexpand"] is False
    named = [t["name"] for t in data if t["showlegend"] and t["legend"] == "legend"]
    assert 0 < sum(48 + 6.6 * len(name) for name in named) < 380
