"""Dashboards as files: a page that lives alone, and a picture."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from monitorlab.dashboard import Dashboard, Panel
from monitorlab.dashboard.export import picture
from monitorlab.dashboard.postponed import import_plotly
from monitorlab.dashboard.view import compose
from monitorlab.errors import MissingExtraError, SourceError
from monitorlab.frame import MonitoringFrame

KINDS = ("line", "band", "stat", "gauge", "heatmap", "histogram", "table", "forecast", "anomaly")


def everything(shop: MonitoringFrame) -> Dashboard:
    panels = [Panel("queue_depth", kind, kind) for kind in KINDS]  # type: ignore[arg-type]
    return Dashboard(shop, [*panels, Panel("", kind="alerts")])


def test_a_page_holds_every_kind_of_panel(shop: MonitoringFrame, tmp_path: Path) -> None:
    text = everything(shop).to_html(tmp_path / "all.html").read_text()
    for part in ('"type":"heatmap"', '"type":"table"', '"type":"scatter"', "function crosshair"):
        assert part in text
    for kind in KINDS:
        assert f"{kind}\\u003c\\u002fb" in text or f">{kind}</div>" in text
    assert "crosshair(gd)" in text


def test_a_picture_has_the_tiles_above_the_plots(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop)
    view = compose(dash.subject, None, dash.choices, solid=True)
    drawn = picture(view, theme="dark", title="a <shop>", width=1280)
    plain = dash.figure()
    assert drawn.layout.width == 1280
    assert drawn.layout.height > plain.layout.height + 80
    texts = [note.text for note in drawn.layout.annotations]
    assert any("a &lt;shop&gt;" in text for text in texts)
    assert any("27.4 %" in text for text in texts)
    paths = [shape for shape in drawn.layout.shapes if shape.type == "path"]
    assert len(paths) == 5
    assert drawn.layout.paper_bgcolor == "#14171c"


def test_without_kaleido_the_extra_is_named(
    shop: MonitoringFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(MissingExtraError, match=r"monitorlab\[png\]"):
        Dashboard(shop).to_png(tmp_path / "x.png")


def test_without_a_browser_the_reason_is_said(
    shop: MonitoringFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import types

    import plotly.graph_objects as go

    def broken(*_: object, **__: object) -> None:
        msg = "\n\nno Chrome here\n"
        raise RuntimeError(msg)

    monkeypatch.setitem(sys.modules, "kaleido", types.ModuleType("kaleido"))
    monkeypatch.setattr(go.Figure, "write_image", broken)
    with pytest.raises(SourceError, match="no Chrome here; PNG needs a Chrome or Chromium"):
        Dashboard(shop).to_png(tmp_path / "x.png")


def test_a_browser_that_does_not_start_is_named(
    shop: MonitoringFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import types

    import plotly.graph_objects as go

    def broken(*_: object, **__: object) -> None:
        msg = "The browser seemed to close immediately."
        raise RuntimeError(msg, "You can set the logger's level.")

    monkeypatch.setitem(sys.modules, "kaleido", types.ModuleType("kaleido"))
    monkeypatch.setattr(go.Figure, "write_image", broken)
    monkeypatch.setenv("BROWSER_PATH", "/bin/false")
    with pytest.raises(SourceError, match=r"close immediately; PNG .*BROWSER_PATH is /bin/false"):
        Dashboard(shop).to_png(tmp_path / "x.png")


def test_a_picture_is_drawn_by_a_real_browser(shop: MonitoringFrame, tmp_path: Path) -> None:
    pytest.importorskip("kaleido", reason="PNG is an extra: monitorlab[png]")
    if not any(shutil.which(name) for name in ("chromium", "google-chrome", "chrome")):
        pytest.skip("there is no Chrome or Chromium")
    target = Dashboard(shop, ["queue_depth"]).to_png(tmp_path / "x.png", width=800, scale=1.0)
    head = target.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20], "big") == 800


def test_plotly_still_finds_nbformat_when_it_wants_it() -> None:
    import subprocess

    program = (
        "from monitorlab.dashboard.postponed import import_plotly; import sys\n"
        "import_plotly().Figure(); assert 'jsonschema' not in sys.modules\n"
        "from plotly.io import _renderers as r; print(bool(r.nbformat), r.nbformat.__version__)\n"
        "import nbformat; print(nbformat.__version__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.split("\n")[:2]
    assert first == f"True {second}"
    assert import_plotly().__name__ == "plotly.graph_objects"
