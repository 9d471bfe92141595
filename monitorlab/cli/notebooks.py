"""Commands about notebooks: open JupyterLab; run one anew and store it stripped."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from monitorlab.errors import MissingExtraError, RecordingError

__all__ = ["lab", "nbrun", "strip"]


def strip(notebook: Any) -> Any:
    """Remove from a notebook what changes from run to run without meaning anything.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place and returned: widget state (5 MB a figure), execution times, and the
        widget views of outputs that also have a text form.

    Returns
    -------
    nbformat.NotebookNode

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> cell = v4.new_code_cell("1 + 1", metadata={"execution": {"shell.execute_reply": "x"}})
    >>> strip(v4.new_notebook(cells=[cell], metadata={"widgets": {}})).metadata
    {}
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)
    return notebook


@click.command()
@click.argument("folder", default="notebooks")
def lab(folder: str) -> None:
    """Open JupyterLab on FOLDER.

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(lab, ["--help"]).exit_code
    0
    """
    if importlib.util.find_spec("jupyterlab") is None:
        what = "monitorlab lab"
        raise MissingExtraError(what, "lab")
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}"]
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own words


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--timeout", default=300, show_default=True, help="Seconds that one cell may take.")
def nbrun(paths: tuple[str, ...], timeout: int) -> None:
    """Run notebooks from a fresh kernel and store their outputs, stripped.

    Examples
    --------
    \b
      monitorlab nbrun notebooks/01_explore.ipynb

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(nbrun, ["--help"]).exit_code
    0
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        what = "running notebooks"
        raise MissingExtraError(what, "lab") from error
    for path in paths:
        file = Path(path)
        if not file.exists():
            msg = "there is no such notebook"
            raise RecordingError(msg, path=path)
        notebook = nbformat.read(file, as_version=4)
        client = NotebookClient(
            notebook, timeout=timeout, resources={"metadata": {"path": str(file.parent)}}
        )
        try:
            client.execute()
        except CellExecutionError as error:
            msg = f"a cell failed with {error.ename}: {error.evalue}"
            raise RecordingError(msg, path=path) from error
        nbformat.write(strip(notebook), file)
        size = file.stat().st_size / 1e3
        click.echo(f"{path}: {len(notebook.cells)} cells, {size:.0f} kB", err=True)
