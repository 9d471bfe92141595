"""Commands about notebooks: open JupyterLab, run, compare with what is stored, strip."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitorlab.errors import MissingExtraError, RecordingError

if TYPE_CHECKING:
    from monitorlab.testing import NotebookOutcome

__all__ = ["lab", "nbcheck", "nbrun", "nbstrip"]


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False))
def lab(folder: str | None) -> None:
    """Open JupyterLab on FOLDER (default: notebooks, or else this folder).

    \b
    Examples:
      monitorlab lab
      monitorlab lab ~/incidents
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(lab, ["--help"]).exit_code
    0
    """
    if importlib.util.find_spec("jupyterlab") is None:
        what = "monitorlab lab"
        raise MissingExtraError(what, "lab")
    place = Path(folder) if folder else Path("notebooks")
    if folder is None and not place.is_dir():
        place = Path()
    if not place.is_dir():
        msg = "there is no such folder"
        raise RecordingError(msg, path=folder)
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={place}"]
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own words


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--rtol", default=0.0, show_default=True, help="Relative tolerance of numbers.")
@click.option("--atol", default=0.0, show_default=True, help="Absolute tolerance of numbers.")
@click.option(
    "--sanitize", type=click.Path(), help="More sanitising rules, in nbval's form, after ours."
)
@click.option(
    "--datasets",
    type=click.Path(file_okay=False),
    help="Folder in which load_dataset looks first: the recording to run against.",
)
@click.option("-j", "--jobs", default=1, show_default=True, help="Notebooks at a time.")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds a cell may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def nbcheck(
    paths: tuple[str, ...],
    rtol: float,
    atol: float,
    sanitize: str | None,
    datasets: str | None,
    jobs: int,
    timeout: float,
    as_json: bool,
) -> None:
    """Run notebooks again and compare each output with the one that is stored.

    PATHS are notebooks or folders of notebooks. The comparison is strict unless a tolerance is
    given; figures are compared by their data. Exit code 3 says that something differs, with
    notebook, cell, what is stored and what is there now.

    \b
    Examples:
      monitorlab nbcheck notebooks/
      monitorlab nbcheck notebooks/ --rtol 1e-6 --jobs 2
      monitorlab nbcheck weekly.ipynb --datasets recordings/
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(nbcheck, ["--help"]).exit_code
    0
    """
    from monitorlab.testing import check_notebooks

    def tell(outcome: NotebookOutcome) -> None:
        verdict = "same" if outcome.is_same else "DIFFERENT"
        cells = f"{outcome.compared} of {outcome.cells} cells compared"
        click.echo(f"{outcome.path}: {verdict} ({cells}, {outcome.seconds:.0f} s)", err=True)

    result = check_notebooks(
        paths,
        rtol=rtol,
        atol=atol,
        sanitize=sanitize,
        datasets=datasets,
        jobs=jobs,
        timeout=timeout,
        on_done=tell,
    )
    click.echo(json.dumps(result.to_dict()) if as_json else str(result))
    if not result.is_same:
        changed = " ".join(outcome.path for outcome in result.outcomes if not outcome.is_same)
        click.echo(f"if the change is meant: monitorlab nbrun {changed}", err=True)
        sys.exit(3)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--check", is_flag=True, help="Change nothing; exit with 3 if a notebook would be.")
@click.option("--json", "as_json", is_flag=True, help="Print the notebooks concerned as JSON.")
def nbstrip(paths: tuple[str, ...], check: bool, as_json: bool) -> None:
    """Take widget state and execution metadata out of notebooks; outputs stay.

    \b
    Examples:
      monitorlab nbstrip notebooks/
      monitorlab nbstrip notebooks/ --check
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(nbstrip, ["--help"]).exit_code
    0
    """
    from monitorlab.testing import find_notebooks

    changed: list[str] = []
    for path in find_notebooks(paths):
        before = path.read_text(encoding="utf-8")
        after = _stripped(before, path)
        if json.loads(before) == json.loads(after):
            continue
        changed.append(str(path))
        if check:
            click.echo(f"{path}: would be stripped", err=True)
        else:
            path.write_text(after, encoding="utf-8")
            saved = (len(before) - len(after)) / 1e3
            click.echo(f"{path}: stripped, {saved:.0f} kB less", err=True)
    if as_json:
        click.echo(json.dumps({"changed": changed}))
    elif not changed:
        click.echo("nothing to strip", err=True)
    if check and changed:
        sys.exit(3)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--timeout", default=600, show_default=True, help="Seconds that one cell may take.")
def nbrun(paths: tuple[str, ...], timeout: int) -> None:
    """Run notebooks from a fresh kernel and store their outputs, stripped.

    \b
    Examples:
      monitorlab nbrun notebooks/01_explore.ipynb
    \f

    Examples
    --------
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
    from monitorlab.testing import find_notebooks, strip

    for file in find_notebooks(paths):
        notebook = _read(file.read_text(encoding="utf-8"), file)
        client = NotebookClient(
            notebook, timeout=timeout, resources={"metadata": {"path": str(file.parent)}}
        )
        try:
            client.execute()
        except CellExecutionError as error:
            msg = f"a cell failed with {error.ename}: {error.evalue}"
            raise RecordingError(msg, path=file) from error
        nbformat.write(strip(notebook), file)
        size = file.stat().st_size / 1e3
        click.echo(f"{file}: {len(notebook.cells)} cells, {size:.0f} kB", err=True)


def _read(text: str, path: Path) -> Any:
    """Read a notebook; say which file it is if it is none."""
    import nbformat

    try:
        return nbformat.reads(text, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, KeyError) as error:
        msg = f"this is not a notebook of a form we read: {str(error)[:200]}"
        raise RecordingError(msg, path=path) from error


def _stripped(text: str, path: Path) -> str:
    try:
        import nbformat
    except ImportError as error:
        what = "stripping notebooks"
        raise MissingExtraError(what, "testing") from error
    from monitorlab.testing import strip

    return nbformat.writes(strip(_read(text, path))) + "\n"
