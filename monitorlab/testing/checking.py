"""Run executed notebooks again and compare what they give with what they hold.

Each notebook runs under nbval in a process of its own, so one cannot disturb another and two
can run at a time.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.display import Result
from monitorlab.errors import MissingExtraError, RecordingError
from monitorlab.testing.numbers import Tolerance
from monitorlab.testing.outputs import Difference

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "CellFailure",
    "NotebookCheck",
    "NotebookOutcome",
    "check_notebooks",
    "find_notebooks",
    "sanitize_file",
]

_SOURCE_LINES = 6  # of a failed cell


@dataclass(frozen=True)
class CellFailure:
    """A cell that raised, or whose output is not what is stored.

    Parameters
    ----------
    cell : int
        Place in the notebook, text cells included, counted from 0.
    count : int or None
        The number in the cell's brackets.
    source : str
        The code.
    message : str
        What happened.
    traceback : str
        Of an exception.
    differences : tuple of Difference
        Places with what is stored and what is there now.

    Examples
    --------
    >>> print(CellFailure(3, 2, "1 + 1", "the output is not what is stored"))
    cell 3 [2]: the output is not what is stored
      | 1 + 1
    """

    cell: int
    count: int | None
    source: str
    message: str
    traceback: str = ""
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        lines = self.source.splitlines()
        shown = [f"  | {line}" for line in lines[:_SOURCE_LINES]]
        if len(lines) > _SOURCE_LINES:
            shown.append(f"  | … {len(lines) - _SOURCE_LINES} more lines")
        head = f"cell {self.cell} [{self.count or ' '}]: {self.message}"
        told = [_indent(str(difference)) for difference in self.differences]
        trace = [_indent(self.traceback.strip())] if self.traceback.strip() else []
        return "\n".join([head, *shown, *trace, *told])


@dataclass(frozen=True)
class NotebookOutcome:
    """What became of one notebook.

    Parameters
    ----------
    path : str
        The notebook.
    cells, compared : int
        Code cells that ran, and those whose output was compared.
    failures : tuple of CellFailure
        Empty if it is the same.
    seconds : float
        How long it took.

    Examples
    --------
    >>> NotebookOutcome("a.ipynb", 3, 3, (), 1.0).is_same
    True
    """

    path: str
    cells: int
    compared: int
    failures: tuple[CellFailure, ...]
    seconds: float

    @property
    def is_same(self) -> bool:
        """Whether every compared cell gave what is stored."""
        return not self.failures

    def __str__(self) -> str:
        head = f"{self.path}: {'same' if self.is_same else 'DIFFERENT'}"
        head += f" ({self.compared} of {self.cells} cells compared)"
        return "\n\n".join([head, *(_indent(str(failure)) for failure in self.failures)])


@dataclass(frozen=True, repr=False, eq=False)
class NotebookCheck(Result):
    """The outcome of a check of notebooks.

    Parameters
    ----------
    outcomes : tuple of NotebookOutcome
        One a notebook.
    rtol, atol : float
        The tolerances.

    Examples
    --------
    >>> NotebookCheck((NotebookOutcome("a.ipynb", 3, 2, (), 1.0),), 0.0, 0.0)
    NotebookCheck: 1 of 1 notebooks give what is stored; 2 of 3 cells compared, strictly
    """

    outcomes: tuple[NotebookOutcome, ...]
    rtol: float
    atol: float

    @property
    def is_same(self) -> bool:
        """Whether every notebook gave what is stored."""
        return all(outcome.is_same for outcome in self.outcomes)

    def summary(self) -> str:
        """Say the result in one line."""
        same = sum(outcome.is_same for outcome in self.outcomes)
        cells = sum(outcome.cells for outcome in self.outcomes)
        compared = sum(outcome.compared for outcome in self.outcomes)
        how = f"rtol {self.rtol:g}, atol {self.atol:g}" if self.rtol or self.atol else "strictly"
        return (
            f"{same} of {len(self.outcomes)} notebooks give what is stored; "
            f"{compared} of {cells} cells compared, {how}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give one row for each place that differs: notebook, cell, where, stored, now."""
        rows = [
            (outcome.path, failure.cell, d.where, d.stored, d.now)
            for outcome in self.outcomes
            for failure in outcome.failures
            for d in failure.differences or (Difference(failure.message, "", failure.traceback),)
        ]
        return pd.DataFrame(rows, columns=["notebook", "cell", "where", "stored", "now"])

    def plot(self) -> go.Figure:
        """Draw the number of cells of each notebook that are the same and that failed."""
        from monitorlab import plotting

        figure = plotting.new_figure(title="notebooks")
        names = [Path(outcome.path).name for outcome in self.outcomes]
        failed = [len(outcome.failures) for outcome in self.outcomes]
        same = [o.cells - n for o, n in zip(self.outcomes, failed, strict=True)]
        figure.add_bar(x=names, y=same, name="same")
        figure.add_bar(x=names, y=failed, name="different")
        return figure

    def __str__(self) -> str:
        parts = [str(outcome) for outcome in self.outcomes if not outcome.is_same]
        return "\n\n".join([*parts, repr(self)])


def sanitize_file() -> Path:
    """Give the path of the sanitising rules that every check uses, in nbval's form.

    Returns
    -------
    pathlib.Path
        For ``pytest --nbval --nbval-sanitize-with``.

    Examples
    --------
    >>> sanitize_file().name
    'sanitize.cfg'
    """
    return Path(__file__).with_name("sanitize.cfg")


def find_notebooks(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the notebooks that paths name: files, or folders and what is below them.

    Parameters
    ----------
    paths : iterable of str or os.PathLike
        Files and folders.

    Returns
    -------
    list of pathlib.Path
        Without copies in ``.ipynb_checkpoints``.

    Raises
    ------
    RecordingError
        If a path is not there, or no notebook is found.

    Examples
    --------
    >>> find_notebooks(["nowhere"])
    Traceback (most recent call last):
    ...
    monitorlab.errors.RecordingError: nowhere: there is no such notebook or folder
    """
    found: dict[Path, None] = {}
    asked = [Path(path) for path in paths]
    for path in asked:
        if path.is_dir():
            below = sorted(path.rglob("*.ipynb"))
            found |= dict.fromkeys(p for p in below if ".ipynb_checkpoints" not in p.parts)
        elif path.suffix == ".ipynb" and path.exists():
            found[path] = None
        elif path.exists():
            msg = "this is not a notebook; its name should end in .ipynb"
            raise RecordingError(msg, path=path)
        else:
            msg = "there is no such notebook or folder"
            raise RecordingError(msg, path=path)
    if not found:
        msg = "no notebook (*.ipynb) is in there"
        raise RecordingError(msg, path=", ".join(str(path) for path in asked))
    return list(found)


def check_notebooks(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    sanitize: str | os.PathLike[str] | None = None,
    datasets: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    timeout: float = 600.0,
    on_done: Callable[[NotebookOutcome], None] | None = None,
) -> NotebookCheck:
    """Run notebooks from a fresh kernel and compare each output with the stored one.

    Parameters
    ----------
    paths : str, os.PathLike or iterable of them
        Notebooks, or folders of notebooks.
    rtol, atol : float
        How far a number may be from the stored one, see ``Tolerance``; 0 compares strictly. A
        cell's tag such as ``rtol=1e-6`` goes before.
    sanitize : str or os.PathLike, optional
        Further sanitising rules in nbval's form, applied after those of ``sanitize_file``.
    datasets : str or os.PathLike, optional
        Folder in which the notebooks' ``load_dataset`` looks first, so that they run against a
        recording.
    jobs : int
        Notebooks at a time.
    timeout : float
        Seconds that one cell may take.
    on_done : callable, optional
        Called with each outcome as it is known.

    Returns
    -------
    NotebookCheck

    Raises
    ------
    RecordingError
        If there is no such notebook, or a tolerance is wrong.
    MissingExtraError
        If nbval is not installed.

    Notes
    -----
    nbval runs the cells and compares them; what is compared is text, tables, figures (their
    data, decoded) and exceptions that a cell is tagged to raise. PNG and JPEG pictures are not
    compared: show Plotly figures. A cell tagged ``nbval-ignore-output`` is run, not compared;
    so is one that holds no execution count. After an exception the rest of that notebook is
    left out. Costs the run of the notebooks and two seconds each for process and kernel.

    Examples
    --------
    >>> import nbformat, nbformat.v4 as v4, pathlib, tempfile
    >>> cell = v4.new_code_cell("1 + 1", execution_count=1)
    >>> cell.outputs = [v4.new_output("execute_result", {"text/plain": "3"}, execution_count=1)]
    >>> path = pathlib.Path(tempfile.mkdtemp(), "sum.ipynb")
    >>> nbformat.write(v4.new_notebook(cells=[cell]), path)
    >>> found = check_notebooks(path)
    >>> found.is_same
    False
    >>> found.to_frame().loc[0, ["where", "stored", "now"]].tolist()
    ['text, line 1', '3', '2']
    """
    if importlib.util.find_spec("nbval") is None:
        what = "checking notebooks"
        raise MissingExtraError(what, "testing")
    Tolerance(rtol, atol)
    asked = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    found = find_notebooks(asked)
    with tempfile.TemporaryDirectory(prefix="nbcheck-") as name:
        folder = Path(name)
        rules = sanitize_file().read_text(encoding="utf-8")
        if sanitize is not None:
            if not Path(sanitize).is_file():
                msg = "there is no such file of sanitising rules"
                raise RecordingError(msg, path=sanitize)
            rules += "\n" + Path(sanitize).read_text(encoding="utf-8")
        (folder / "sanitize.cfg").write_text(rules, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        words = [f"--nbcheck-rtol={rtol!r}", f"--nbcheck-atol={atol!r}"]
        words.append(f"--nbval-cell-timeout={timeout!r}")

        def run(task: tuple[int, Path]) -> NotebookOutcome:
            outcome = _run(task[1], folder, folder / f"{task[0]}.json", words, datasets)
            if on_done is not None:
                on_done(outcome)
            return outcome

        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            outcomes = tuple(pool.map(run, enumerate(found)))
    return NotebookCheck(outcomes, rtol, atol)


def _run(
    path: Path, folder: Path, report: Path, words: list[str], datasets: Any
) -> NotebookOutcome:
    """Run one notebook in a process of its own and read its report."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "--color=no", "--tb=no"),
        *("-p", "nbval.plugin", "-p", "monitorlab.testing.plugin", "-p", "no:cacheprovider"),
        *("-c", str(folder / "pytest.ini"), "--rootdir", str(path.resolve().parent)),
        *("--nbval-current-env", "--nbval-sanitize-with", str(folder / "sanitize.cfg")),
        *("--nbcheck-report", str(report), *words, str(path.resolve())),
    ]
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    # Only the two plugins above: what else is installed has no say in a comparison.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if datasets is not None:
        environment["MONITORLAB_DATASETS"] = str(Path(datasets).resolve())
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own words
        command, check=False, capture_output=True, text=True, env=environment
    )
    seconds = time.monotonic() - began
    if not report.exists() or done.returncode not in {0, 1, 5}:
        message = "the notebook could not be run"
        failure = CellFailure(0, None, "", message, (done.stdout + done.stderr).strip())
        return NotebookOutcome(str(path), 0, 0, (failure,), seconds)
    told = json.loads(report.read_text(encoding="utf-8"))
    failures = tuple(_failure(item) for item in told["failures"])
    if done.returncode == 1 and not failures:
        failures = (CellFailure(0, None, "", "a cell failed", done.stdout.strip()),)
    return NotebookOutcome(str(path), told["cells"], told["compared"], failures, seconds)


def _failure(item: dict[str, Any]) -> CellFailure:
    found = tuple(Difference(**place) for place in item.pop("differences"))
    return CellFailure(differences=found, **item)


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" if line else line for line in text.splitlines())
