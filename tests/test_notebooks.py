"""The notebooks are committed executed and small, and the comparison catches a changed number."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from monitorlab.testing import strip

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_is_executed_stripped_and_small(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in code]
    assert counts == list(range(1, len(code) + 1)), "run it from a fresh kernel: monitorlab nbrun"
    assert any(cell.outputs for cell in code)
    assert strip(copy.deepcopy(notebook)) == notebook, "strip it: monitorlab nbstrip notebooks"
    assert not any(
        output.output_type == "error" for cell in code for output in cell.get("outputs", [])
    )
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(("stored", "passes"), [("2", True), ("3", False)])
def test_a_changed_number_turns_the_run_red(tmp_path: Path, stored: str, passes: bool) -> None:
    cell = v4.new_code_cell("1 + 1", execution_count=1)
    cell.outputs = [v4.new_output("execute_result", {"text/plain": stored}, execution_count=1)]
    path = tmp_path / "n.ipynb"
    nbformat.write(v4.new_notebook(cells=[cell]), path)
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval",
        "--nbval-current-env", "--nbval-sanitize-with", str(ROOT / "notebooks" / "sanitize.cfg"),
        "--rootdir", str(tmp_path), "-c", "/dev/null", str(path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode == 0) is passes, done.stdout + done.stderr
