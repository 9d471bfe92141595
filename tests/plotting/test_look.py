"""The shared look: dates stay dates, downsampling keeps extremes, bands and lines are there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from monitorlab import plotting


def test_times_reach_plotly_as_milliseconds() -> None:
    index = pd.date_range("2026-01-01", periods=2, freq="1s", tz="Europe/Zurich")
    axis = plotting.time_axis(index)
    assert axis.dtype == "datetime64[ms]"
    assert str(axis[0]) == "2025-12-31T23:00:00.000"
    assert (plotting.time_axis(index.tz_convert("UTC").as_unit("ns").asi8) == axis).all()


def test_downsampling_keeps_the_extremes() -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    values[1234], values[40_000] = 99.0, -99.0
    times = np.arange(50_000)
    picked, kept = plotting.downsample(times, values, 500)
    assert len(picked) <= 500
    assert {99.0, -99.0} <= set(kept)
    assert (np.diff(picked) > 0).all()
    assert (values[picked] == kept).all()


def test_short_series_are_left_alone() -> None:
    times, values = np.arange(10), np.arange(10.0)
    assert plotting.downsample(times, values, 100) == (times, values)


def test_nan_do_not_hide_the_rest() -> None:
    values = np.sin(np.arange(10_000) / 100)
    values[100:200] = np.nan
    _, kept = plotting.downsample(np.arange(10_000), values, 200)
    assert np.nanmax(kept) > 0.99


def test_bands_and_thresholds_are_drawn_on_every_row() -> None:
    figure = plotting.new_figure(rows=2, titles=["a", "b"])
    figure.add_scatter(x=[1], y=[1], row=1, col=1)
    figure.add_scatter(x=[1], y=[1], row=2, col=1)
    spans = [
        (pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC"), "x", "red")
    ]
    plotting.add_bands(figure, spans, row="all")
    assert len(figure.layout.shapes) == 2
    plotting.add_threshold(plotting.new_figure(), 1.0)
