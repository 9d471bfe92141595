"""The command says what it does, fails in one line, and its exit codes can be relied on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import monitorlab as ml
from monitorlab.cli import main
from monitorlab.cli.alerts import parse_condition
from monitorlab.errors import RuleError

RULES = """
groups:
  - name: g
    rules:
      - alert: Hot
        expr: temperature > 50
        for: 30s
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    times = pd.date_range("2026-01-01", periods=400, freq="15s", tz="UTC")
    values = np.where((np.arange(400) > 200) & (np.arange(400) < 240), 80.0, 20.0)
    values += np.random.default_rng(0).normal(0, 0.1, 400)
    mf = ml.MonitoringFrame()
    mf.extend("temperature", times, values)
    mf.to_parquet(tmp_path / "r.parquet")
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "incidents.csv").write_text(
        "start,end,kind,metrics,severity,description\n"
        f"{times[200].isoformat()},{times[240].isoformat()},heat,temperature,error,it was hot\n"
    )
    return tmp_path


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_help_names_every_command() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in ("backtest", "convert", "demo", "lab", "nbrun", "query", "record", "report"):
        assert name in out
        assert run(name, "--help")[0] == 0


def test_query_prints_a_table_or_json(folder: Path) -> None:
    code, out, _ = run("query", folder / "r.parquet", "max_over_time(temperature[2h])", "--json")
    assert code == 0
    assert json.loads(out)[0]["value"] > 79
    assert "value" in run("query", folder / "r.parquet", "temperature")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("query", "nothing.parquet", "x"), "there is no such file"),
        (("query", "shp", "x"), "did you mean 'shop'"),
        (("query", "r.parquet", "rte(temperature[1m])"), "did you mean `rate`?"),
        (("backtest", "r.parquet", "--rules", "rules.yml", "--fail-on", "recal<1"), "recall"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(
    folder: Path, words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    code, _, err = run(*words)
    assert code == 1
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in err


def test_wrong_usage_is_exit_code_2() -> None:
    assert run("query")[0] == 2


def test_backtest_can_fail_a_build(folder: Path) -> None:
    words = ("backtest", folder / "r.parquet", "--rules", folder / "rules.yml", "--incidents",
             folder / "incidents.csv")  # fmt: skip
    code, out, _ = run(*words, "--json", "--fail-on", "recall<1")
    assert code == 0
    assert json.loads(out)["score"]["recall"] == 1.0
    code, _, err = run(*words, "--fail-on", "recall>0.5")
    assert code == 3
    assert "failed: recall>0.5" in err
    assert run(*words, "-o", folder / "b.html")[0] == 0
    assert (folder / "b.html").stat().st_size > 100_000


def test_convert_keeps_the_samples(folder: Path) -> None:
    for ending in ("csv", "om"):
        assert run("convert", folder / "r.parquet", folder / f"r.{ending}")[0] == 0
        assert run("convert", folder / f"r.{ending}", folder / f"back-{ending}.parquet")[0] == 0
        first = ml.read_parquet(folder / "r.parquet").series("temperature")
        again = ml.read_parquet(folder / f"back-{ending}.parquet").series("temperature")
        pd.testing.assert_series_equal(first, again)


def test_report_is_written(folder: Path) -> None:
    out = folder / "report.html"
    code, text, _ = run("report", folder / "r.parquet", "--horizon", "1h", "-o", out, "--quiet")
    assert code == 0
    assert "last 1h" in text
    assert "<html" in out.read_text()
    code, text, _ = run("report", folder / "r.parquet", "--json", "--quiet")
    assert json.loads(text)["schema"] == "monitorlab.report/1"


@pytest.mark.parametrize(
    ("text", "holds"), [("a>1", True), ("a >= 2", True), ("a<2", False), ("a<=2e0", True)]
)
def test_conditions(text: str, holds: bool) -> None:
    assert parse_condition(text, {"a": 2.0}) is holds


@pytest.mark.parametrize("text", ["a", "a>b", "a>1-", "__import__('os')", "z>1"])
def test_a_wrong_condition_is_named(text: str) -> None:
    with pytest.raises(RuleError):
        parse_condition(text, {"a": 2.0})


def test_missing_scores_fulfil_nothing() -> None:
    assert not parse_condition("a>0", {"a": float("nan")})
