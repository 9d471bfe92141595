"""``monitorlab record``: to the end, interrupted, killed, and with nothing to record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import monitorlab as ml
from monitorlab.cli.record import make_source, record
from monitorlab.errors import SourceError


def start(out: Path, source: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(ml.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-m", "monitorlab", "record", str(out), "--source", source, "--for", "1h"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )


def until_recorded(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until samples are on the disk."""
    while process.poll() is None:
        if any(path.stat().st_size > 2_000 for path in folder.glob("_live-*")):
            return
    assert process.stderr is not None
    pytest.fail(process.stderr.read().decode())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_finishes_and_a_kill_leaves_what_came_in(tmp_path: Path, number: int) -> None:
    out = tmp_path / "host.parquet"
    folder = tmp_path / "host.parquet.recording"
    process = start(out, "host")
    try:
        until_recorded(folder, process)
        os.kill(process.pid, number)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    finished = number == signal.SIGINT
    assert out.exists() is finished
    assert folder.exists() is not finished
    mf = ml.read_parquet(out if finished else folder)
    assert len(mf.series("host_load1")) >= 1


def test_a_csv_is_followed_to_the_end_of_the_time(tmp_path: Path) -> None:
    csv = tmp_path / "x.csv"
    csv.write_text("time,load\n2026-01-01T00:00:00Z,0.5\n2026-01-01T00:00:01Z,0.75\n")
    out = tmp_path / "x.parquet"
    done = CliRunner().invoke(
        record, [str(out), "--source", f"csv={csv}", "--for", "300ms"], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert ml.read_parquet(out).series("load").tolist() == [0.5, 0.75]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.parquet"]


def test_nothing_to_record_is_said(tmp_path: Path) -> None:
    out = str(tmp_path / "x.parquet")
    with pytest.raises(SourceError, match=r"nothing came in: .*No such file"):
        CliRunner().invoke(
            record, [out, "--source", f"csv={tmp_path / 'no.csv'}", "--for", "100ms"],
            catch_exceptions=False,
        )  # fmt: skip
    with pytest.raises(SourceError, match="names no source"):
        make_source("telepathy")
