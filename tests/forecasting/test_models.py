"""Every forecaster keeps the same promises."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import types

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import NotEnoughDataError
from monitorlab.forecasting import Forecast, make_forecaster, models
from monitorlab.forecasting._refit import Refitted

SLOW = {"ets", "sarimax", "ucm", "mstl_ets"}
NAMES = [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in models()]


def test_all_are_listed_default_first():
    assert models()[:7] == [
        "auto", "seasonal_naive", "ets", "sarimax", "theta", "mstl_ets", "ucm",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_promises(name, hourly, as_timed):
    series = as_timed(hourly(12))
    model = make_forecaster(name)
    with pytest.raises(NotEnoughDataError, match="fit"):
        model.predict(3)
    assert model.fit(series) is model
    fc = model.predict(24, 0.9)
    assert isinstance(fc, Forecast)
    assert fc.model == name
    assert len(fc.mean) == len(fc.lower) == len(fc.upper) == 24
    assert np.isfinite(fc.to_frame().to_numpy()).all()
    assert (fc.lower <= fc.mean).all()
    assert (fc.mean <= fc.upper).all()
    assert fc.season == 24
    wider = model.predict(24, 0.99)
    assert np.allclose(wider.mean, fc.mean)
    assert ((wider.upper - wider.lower) >= (fc.upper - fc.lower) - 1e-9).all()
    again = make_forecaster(name).fit(series).predict(24, 0.9)
    pd.testing.assert_frame_equal(again.to_frame(), fc.to_frame())
    assert float(np.abs(fc.mean - 100).mean()) < 60
    if fc.fallback is None:
        assert fc._run.error < fc._run.naive_error or name == "seasonal_naive"


@pytest.mark.parametrize("name", ["auto", "seasonal_naive", "ets", "theta"])
@pytest.mark.parametrize("season", [None, 1, 24, (24, 168), 5])
def test_season_is_taken_as_given(name, season, hourly):
    fc = make_forecaster(name, season=season).fit(hourly(21)).predict(10)
    expected = {None: 24, 1: None, 24: 24, (24, 168): 24, 5: 5}[season]
    assert fc.season == expected


@pytest.mark.parametrize("name", ["auto", "seasonal_naive", "ets"])
def test_constructor_only_keeps_parameters(name, hourly):
    model = make_forecaster(name, season=24)
    fresh = copy.copy(model)
    model.fit(hourly(7))
    with pytest.raises(NotEnoughDataError):
        fresh.predict(2)
    assert repr(model).endswith("(season=24)")


def test_result_survives_pickling(hourly, as_timed):
    fc = make_forecaster("auto").fit(as_timed(hourly(14))).predict(12)
    twin = pickle.loads(pickle.dumps(fc))
    pd.testing.assert_frame_equal(twin.to_frame(), fc.to_frame())
    assert twin.accuracy.mase == fc.accuracy.mase


def test_the_future_is_not_seen(hourly):
    values = hourly(28)
    before = make_forecaster("auto", season=24).fit(values[:500]).predict(24)
    changed = values.copy()
    changed[500:] = 1e6
    after = make_forecaster("auto", season=24).fit(changed[:500]).predict(24)
    assert np.array_equal(before.mean, after.mean)


def test_a_hopeless_model_is_replaced_and_says_so():
    walk = np.cumsum(np.random.default_rng(1).normal(size=300))
    fc = make_forecaster("theta", season=24).fit(walk).predict(24)
    if fc.fallback is not None:
        assert "seasonal naive" in fc.fallback
        assert np.allclose(fc.mean, walk[-24:])
    noise = np.tile(np.arange(12.0), 30)
    exact = make_forecaster("ets", season=12).fit(noise).predict(12)
    assert np.allclose(exact.mean, np.arange(12.0), atol=0.05)


class _Broken(Refitted):
    def forecast(self, values, horizon, seasons):
        if len(values) % 2:
            raise ValueError("no luck")
        return np.full(horizon, np.inf)


def test_failed_fits_are_told_and_the_naive_stands_in():
    member = _Broken(1_000)
    values = np.sin(np.arange(100.0))
    out = member.paths(values, np.array([50, 61]), 4, ())
    assert np.allclose(out[0], values[49])
    assert np.allclose(out[1], values[60])
    assert "2 of 2 fits failed" in member.notes[0]


def test_statsforecast_models_where_installed(monkeypatch, hourly):
    rough = {}

    class Fake:
        def __init__(self, season_length=1, **options):
            rough.update(options)
            self.season = season_length if isinstance(season_length, int) else season_length[0]

        def forecast(self, y, h):
            return {"mean": y[len(y) - self.season + np.arange(h) % self.season]}

    module = types.ModuleType("statsforecast.models")
    module.AutoARIMA = module.AutoETS = module.MSTL = Fake
    monkeypatch.setattr("monitorlab.forecasting._statsforecast.installed", lambda: True)
    monkeypatch.setitem(sys.modules, "statsforecast", types.ModuleType("statsforecast"))
    monkeypatch.setitem(sys.modules, "statsforecast.models", module)
    assert "statsforecast_mstl" in models()
    for name in ("statsforecast_mstl", "statsforecast_autoarima", "statsforecast_autoets"):
        fc = make_forecaster(name).fit(hourly(14)).predict(24)
        assert np.allclose(fc.mean, hourly(14)[-24:])
    assert rough == {"approximation": True}


def test_dictionary_is_plain(hourly, as_timed):
    fc = make_forecaster("auto").fit(as_timed(hourly(14))).predict(12)
    text = json.dumps(fc.to_dict(), allow_nan=False)
    assert json.loads(text)["season"] == 24
    assert json.loads(json.dumps(fc.accuracy.to_dict(), allow_nan=False))["horizon"] == 12
