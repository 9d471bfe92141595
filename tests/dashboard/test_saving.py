"""Dashboards as files: there and back, and every problem of a wrong file at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.dashboard import Dashboard, DashboardState, Panel
from monitorlab.dashboard.saving import read, write
from monitorlab.errors import LayoutError
from monitorlab.frame import MonitoringFrame

KINDS = ("line", "band", "stat", "gauge", "heatmap", "histogram", "table", "forecast", "anomaly")
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
panels = st.builds(
    Panel,
    expr=st.sampled_from(["up", "rate(hits_total[5m])", 'load{host=~"a.*"} > 3']),
    title=texts,
    kind=st.sampled_from(KINDS),
    unit=st.sampled_from(["", "s", "bytes", "1/s", "15"]),
    more=st.lists(st.tuples(texts, st.just("up")), max_size=2).map(tuple),
    least=st.floats(-100, 0),
    most=st.floats(1, 100),
    bad=st.sampled_from([None, "up", "down"]),
    wide=st.booleans(),
    horizon=st.sampled_from(["", "1d", "90m"]),
    capacity=st.one_of(st.none(), st.floats(-1e6, 1e6)),
)


@given(st.one_of(st.none(), st.lists(panels, max_size=4)))
def test_panels_come_back_as_they_were(given_panels: list[Panel] | None) -> None:
    state = DashboardState(span="15m", metrics=["1"], theme="dark", columns=1, compare="week")
    found, choices = read(write(given_panels, state))
    assert found == given_panels
    again = DashboardState()
    again.update(choices)
    assert again.to_dict() == state.to_dict()


def test_a_dashboard_goes_to_a_file_and_back(shop: MonitoringFrame, tmp_path: Path) -> None:
    dash = Dashboard(shop, ["queue_depth", Panel("cpu_busy_ratio", kind="gauge", unit="ratio")])
    dash.choices.update({"span": "15m", "anomalies": True, "zoom": (1, 2)})
    path = dash.to_yaml(tmp_path / "shop.yml")
    text = path.read_text()
    assert "zoom" not in text
    assert yaml.safe_load(text)["choices"] == {"span": "15m", "anomalies": True}
    again = Dashboard.from_yaml(path, shop, span="1h")
    assert again.state()["shown"] == ["queue_depth", "cpu_busy_ratio"]
    assert (again.choices.span, again.choices.anomalies) == ("1h", True)


def test_what_people_write_by_hand_is_read() -> None:
    found, choices = read(
        "choices: {columns: 1, metrics: [up], start: now-1h}\n"
        "panels:\n- up\n- {expr: load, kind: gauge, most: 8}\n- {kind: alerts}\n"
    )
    assert found is not None
    assert [(p.expr, p.kind) for p in found] == [("up", "line"), ("load", "gauge"), ("", "alerts")]
    assert found[1].most == 8.0
    assert choices == {"columns": 1, "metrics": ["up"], "start": "now-1h"}
    assert read("monitorlab_dashboard: 1") == (None, {})


def test_every_problem_is_listed_with_its_line() -> None:
    text = """\
monitorlab_dashboard: 2
colour: red
choices:
  span: 17m
  them: dark
  start: half past nine
panels:
  - expr: rate(up[
  - {expr: up, kind: pie}
  - {expr: up, wide: perhaps, most: many}
  - {expr: up, expr: down}
  - [up]
  - {expr: up, more: [[p99]]}
  - {kind: line}
"""
    with pytest.raises(LayoutError) as raised:
        read(text, "d.yml")
    said = raised.value.problems
    lines = [int(problem.split("line ")[1].split(":")[0]) for problem in said]
    assert set(lines) == {1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14}
    assert lines.count(10) == 2
    assert len(said) == 13
    assert str(raised.value).startswith("d.yml: 13 problems\n")
    assert "did you mean 'theme'" in str(raised.value)


@pytest.mark.parametrize("text", ["", "[", "- up", "panels: 3", "choices: [1]", "a: &x [*x]"])
def test_files_of_another_shape_are_refused(text: str) -> None:
    with pytest.raises(LayoutError):
        read(text, "d.yml")


def test_a_file_that_cannot_be_read_is_said(shop: MonitoringFrame, tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="cannot be read"):
        Dashboard.from_yaml(tmp_path / "none.yml", shop)
    (tmp_path / "bytes.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LayoutError, match="cannot be read"):
        Dashboard.from_yaml(tmp_path / "bytes.yml", shop)
