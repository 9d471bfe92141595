"""Stumbles of a person at a shell: each is answered with what to do, and the right exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import monitorlab as ml
from monitorlab.cli import main
from monitorlab.cli.app import EXIT_CODES
from monitorlab.cli.files import _capacity
from monitorlab.cli.reading import Recording
from monitorlab.errors import RuleError

WIDE = "when,cpu\n2026-01-01 00:00:00,0.5\n2026-01-01 00:01:00,0.75\n"
RULES = "groups:\n  - name: g\n    rules:\n      - alert: Hot\n        expr: cpu > 0.6\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cpu.csv").write_text(WIDE)
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "notes.md").write_text("words")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("qery cpu.csv cpu", 2, "did you mean 'query'?"),
        ("query cpu.csv cpu", 1, "name it with --timestamp COLUMN"),
        ("query cpu.csv cpuu --timestamp when", 1, "did you mean 'cpu'?"),
        ("query cpu.cvs cpu", 1, "did you mean 'cpu.csv'?"),
        ("query . cpu", 1, "this is a folder"),
        ("query notes.md cpu", 1, "known endings are"),
        ("query cpu.csv cpu --timestamp when --start 2026-01-01", 2, "need --step"),
        ("query cpu.csv cpu --timestamp when --step 1m --at 2026-01-01", 2, "not both"),
        ("query cpu.csv cpu --timestamp when --at whenever", 1, "whenever"),
        ("report cpu.csv --horizon 1x", 1, "1x"),
        ("report cpu.csv -o nowhere/x.html", 2, "make it first"),
        ("report cpu.csv --timestamp when --forecast =5", 1, "not a selector and a capacity"),
        ("backtest cpu.csv --timestamp when", 2, "--rules"),
        ("backtest cpu.csv --timestamp when --rules none.yml", 1, "none.yml"),
        ("backtest cpu.csv --timestamp when --rules rules.yml --fail-on recall<x", 1, "'x'"),
        ("convert cpu.csv cpu.xlsx --timestamp when", 1, "write to .parquet"),
        ("convert cpu.csv nowhere/cpu.parquet --timestamp when", 1, "make it first"),
        ("nbcheck notes.md", 1, "should end in .ipynb"),
        ("lab nowhere", 1, "no such folder"),
        ("completion tcsh", 2, "tcsh"),
    ],
)
def test_a_mistake_is_answered(folder: Path, words: str, code: int, message: str) -> None:
    found, _, err = run(*words.split())
    assert found == code, err
    assert message in err
    assert "Traceback" not in err


def test_a_traceback_comes_when_it_is_asked_for(folder: Path) -> None:
    for words in (["--debug", "query", "x.csv", "x"], ["query", "x.csv", "x", "--traceback"]):
        with pytest.raises(ml.errors.RecordingError):
            run(*words)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PermissionError(13, "Permission denied", "a.csv"), 1, "error: a.csv: permission denied"),
        (ZeroDivisionError("division by zero"), 4, "fault of monitorlab"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_nobody_expected_has_a_code_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("monitorlab.cli.files.open_recording", fail)
    found, _, err = run("query", "cpu.csv", "cpu")
    assert found == code
    assert message in err


def test_exit_codes_are_in_the_help() -> None:
    text = run("--help")[1]
    assert all(str(code) in text for code in EXIT_CODES)


def test_no_help_shows_what_is_meant_for_tests() -> None:
    context = main.make_context("monitorlab", [], resilient_parsing=True)
    for name in main.list_commands(context):
        code, text, _ = run(name, "--help")
        assert code == 0
        assert "--debug" in text
        if name != "record":
            assert ">>>" not in text
            assert "Examples" in text


def test_a_csv_file_is_read_as_the_options_say(folder: Path) -> None:
    words = ["query", "cpu.csv", "cpu", "--timestamp", "when", "--tz", "Europe/Berlin", "--json"]
    code, out, _ = run(*words)
    assert code == 0
    assert json.loads(out)[0]["timestamp"].startswith("2025-12-31T23:01:00")


def test_a_query_over_a_range_gives_every_step(folder: Path) -> None:
    code, out, _ = run(
        "query", "cpu.csv", "cpu * 2", "--timestamp", "when", "--step", "30s", "--json"
    )
    assert code == 0
    assert [row["value"] for row in json.loads(out)] == [1.0, 1.0, 1.5]
    code, out, err = run("query", "cpu.csv", "cpu > 9", "--timestamp", "when")
    assert (code, out) == (0, "")
    assert "no series answers" in err


def test_conditions_on_durations_and_a_note_without_incidents(folder: Path) -> None:
    words = [
        "backtest",
        "cpu.csv",
        "--timestamp",
        "when",
        "--rules",
        "rules.yml",
        "--interval",
        "1m",
    ]
    code, _, err = run(*words, "--fail-on", "firings>0", "--fail-on", "time_to_detect>1m")
    assert code == 3
    assert "failed: firings>0 (it is 1)" in err
    assert "time_to_detect" not in err.replace("no incident", "")
    assert "every firing counts as false" in err


def test_convert_says_what_it_wrote(folder: Path) -> None:
    code, out, err = run("convert", "cpu.csv", "cpu.parquet", "--timestamp", "when", "--json")
    assert code == 0
    assert json.loads(out) == {"path": "cpu.parquet", "series": 1, "samples": 2}
    assert "written to" in err


def test_a_report_takes_rules_and_capacities(folder: Path) -> None:
    words = ["report", "cpu.csv", "--timestamp", "when", "--rules", "rules.yml", "--horizon", "5m"]
    code, out, _ = run(*words, "--quiet", "--json", "--title", "Mine")
    assert code == 0
    assert json.loads(out)["title"] == "Mine"
    assert not (folder / "report.html").exists()
    assert _capacity('disk{a="b"}=5e11') == ('disk{a="b"}', 5e11)
    assert _capacity('disk{a="b"}') == ('disk{a="b"}', None)
    assert _capacity("used=limit") == ("used", "limit")
    with pytest.raises(RuleError):
        _capacity("=5")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "_MONITORLAB_COMPLETE" in out


def test_datasets_and_files_are_completed() -> None:
    found = [item.value for item in Recording().shell_complete(None, None, "sh")]
    assert "shop" in found


def test_a_missing_extra_names_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    hidden = {"jupyterlab", "nbval"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name in hidden else real(name, *a)
    )
    assert '"monitorlab[lab]"' in run("lab")[2]
    assert '"monitorlab[testing]"' in run("nbcheck", ".")[2]
    monkeypatch.setitem(sys.modules, "nbclient", None)
    code, _, err = run("nbrun", ".")
    assert code == 1
    assert '"monitorlab[lab]"' in err
