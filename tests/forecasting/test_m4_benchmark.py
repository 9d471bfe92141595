"""The benchmark's own scorer, on small made-up data."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "forecast_m4.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("forecast_m4", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_naive2_by_hand(bench):
    flat = np.random.default_rng(0).normal(10, 1, 200)
    assert not bench.is_seasonal(flat)
    assert np.all(bench.naive2(flat) == flat[-1])
    wave = np.tile(10 + np.arange(24.0), 10)
    assert bench.is_seasonal(wave)
    assert np.allclose(bench.naive2(wave), np.tile(10 + np.arange(24.0), 2))


def test_score_of_the_baseline_is_one(bench):
    train = {"a": np.random.default_rng(0).normal(10, 1, 200)}
    test = {"a": np.random.default_rng(1).normal(10, 1, 48)}
    mean = bench.naive2(train["a"])
    row = bench.score(train, test, {"a": (mean, mean - 9, mean + 9)})
    assert row["OWA"] == pytest.approx(1.0)
    assert row["coverage95"] == 1.0
    assert bench.score(train, test, {"a": (mean, None, None)})["MSIS"] is None


def test_runs_on_a_folder_of_the_public_layout(bench, tmp_path, monkeypatch, hourly, capsys):
    values = hourly(20)
    for name, part in (("train", values[:-48]), ("test", values[-48:])):
        text = "id," + ",".join(f"V{i}" for i in range(len(part))) + "\n"
        text += '"H1",' + ",".join(f"{v:.4f}" for v in part) + ",\n"
        (tmp_path / f"Hourly-{name}.csv").write_text(text)
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "out" / "forecast_m4.json")
    assert bench.main([str(tmp_path)]) == 0
    assert "OWA" in capsys.readouterr().out
    rows = json.loads((tmp_path / "out" / "forecast_m4.json").read_text())["rows"]
    assert [r["model"] for r in rows] == ["auto", "seasonal_naive", "last day (season given)"]
    assert rows[0]["OWA"] < rows[2]["OWA"]
