"""Plotly's code goes to the page once, and samples as bytes and text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitorlab.dashboard import Dashboard, bundle
from monitorlab.frame import MonitoringFrame


def test_the_code_is_read_in_one_go() -> None:
    path = bundle._path()
    assert path is not None
    code = path.read_text(encoding="utf-8")
    made = bundle.eager(code)
    assert made != code, "this Plotly is wrapped otherwise: look at its first line"
    assert abs(len(made) - len(code)) < 40
    assert made.count("(function(){") == code.count("(function(){") + 1
    for pair in ("()", "{}"):
        before, after = (text.count(pair[0]) - text.count(pair[1]) for text in (code, made))
        assert before == after


def test_the_code_is_sent_once_and_again_after_all_widgets_were_closed(
    shop: MonitoringFrame,
) -> None:
    first = Dashboard(shop, ["queue_depth"])
    sent = bundle._sent[0]
    assert len(sent._plotly_code) > 1_000_000
    second = Dashboard(shop, ["queue_depth"])
    assert bundle._sent[0] is sent
    for dash in (first, second):
        assert len(dash.figure_widget._esm) < 5_000
        assert dash.figure_widget._plotly_key == sent._plotly_key
    sent.close()
    Dashboard(shop, ["queue_depth"])
    assert bundle._sent[0] is not sent


def test_without_plotlys_file_figures_bring_their_own_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundle, "_path", lambda: None)
    monkeypatch.setattr(bundle, "_sent", [])
    assert not bundle.begin_loading()
    assert not hasattr(bundle.new_figure([], {}), "_plotly_key")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (np.array([0, 60_000], dtype="datetime64[ms]"), ["1970-01-01T00:00:00", "1970-01-01T00:01:00"]),
        (np.array([0, 1], dtype="datetime64[ms]"), ["1970-01-01T00:00:00.000", "1970-01-01T00:00:00.001"]),
        (np.array([[1.0, np.nan], [np.inf, 4.0]]), [[1.0, None], [None, 4.0]]),
        ({"a": (1, float("nan"), "b", None, True)}, {"a": [1, None, "b", None, True]}),
        (np.array(["x", "y"]), ["x", "y"]),
    ],
)  # fmt: skip
def test_what_goes_to_the_page_is_json(given: Any, sent: Any) -> None:
    assert bundle.wire(given) == sent


def test_values_go_as_bytes() -> None:
    made = bundle.wire(np.array([1.0, np.nan]))
    assert made["dtype"] == "float64"
    assert np.isnan(np.frombuffer(made["buffer"])[1])


def test_times_are_those_that_plotly_sends() -> None:
    from plotly.serializers import custom_serializers

    times = np.arange(0, 90_000, 1_500).astype("datetime64[ms]")
    theirs = [time.isoformat() for time in custom_serializers["to_json"](times, None)]
    ours = bundle.wire(times)
    assert [np.datetime64(one) for one in ours] == [np.datetime64(one) for one in theirs]


def test_a_view_is_stored_once(shop: MonitoringFrame) -> None:
    dash = Dashboard(shop, ["queue_depth"])
    figure = dash.figure_widget
    stored: list[Any] = []
    figure.observe(stored.append, "_widget_data")
    dash._repr_mimebundle_()
    assert not stored  # the page starts from what the figure was made with
    dash.choices.span = "5m"
    dash._repr_mimebundle_()
    assert len(stored) == 1
    assert len(figure._widget_data[0]["x"]) == len(figure.data[0].x)
