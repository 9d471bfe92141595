"""A pytest plugin: nbval's cells, compared after our normalising, with a report in JSON.

``monitorlab.testing.check_notebooks`` runs it in a process of its own, one a notebook. It adds
three things to nbval and leaves the rest (kernel, cell tags, comparison) to it: figures are
decoded and stripped of ids, numbers within the tolerance are forgiven, and each failure is
written down as places with what is stored and what is there now.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from monitorlab.testing.numbers import Tolerance
from monitorlab.testing.outputs import differences, forgive, normalise

__all__ = ["CheckedCell", "CheckedFile", "pytest_addoption", "pytest_collect_file"]

_PATIENCE = 1.0  # seconds between two looks at the kernel
_REPORT: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a check to pytest's.

    Parameters
    ----------
    parser : pytest.Parser
        Given by pytest.

    Examples
    --------
    >>> parser = pytest.Parser(_ispytest=True)
    >>> pytest_addoption(parser)
    """
    group = parser.getgroup("nbcheck", "notebooks compared by monitorlab")
    group.addoption("--nbcheck-rtol", type=float, default=0.0)
    group.addoption("--nbcheck-atol", type=float, default=0.0)
    group.addoption("--nbcheck-report", type=Path, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Start the report."""
    config.stash[_REPORT] = {"cells": 0, "compared": 0, "failures": []}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report."""
    path = session.config.getoption("--nbcheck-report")
    if path is not None:
        path.write_text(json.dumps(session.config.stash[_REPORT]), encoding="utf-8")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a notebook.

    Parameters
    ----------
    file_path : pathlib.Path
        Any file.
    parent : pytest.Collector
        Given by pytest.

    Returns
    -------
    pytest.Collector or None

    Examples
    --------
    >>> pytest_collect_file(Path("notes.txt"), None) is None
    True
    """
    if file_path.suffix != ".ipynb":
        return None
    collector: pytest.Collector = CheckedFile.from_parent(parent, path=file_path)
    return collector


class CheckedFile(IPyNbFile):
    """A notebook; its cells share one kernel.

    Examples
    --------
    >>> issubclass(CheckedFile, IPyNbFile)
    True
    """

    has_stopped = False

    def setup(self) -> None:
        """Start the kernel, and watch that it lives: nbval alone would wait for a dead one."""
        super().setup()
        self.kernel.get_message = _watching(self.kernel)

    def collect(self) -> Iterator[CheckedCell]:
        """Give the code cells, which know their place in the notebook."""
        items = list(super().collect())
        places = [i for i, cell in enumerate(self.nb.cells) if cell.cell_type == "code"]
        for place, item in zip(places, items, strict=True):
            cell = CheckedCell.from_parent(
                self, name=item.name, cell_num=item.cell_num, cell=item.cell, options=item.options
            )
            cell.place = place
            yield cell


class CheckedCell(IPyNbCell):
    """A cell; compared when nbval would compare it.

    Examples
    --------
    >>> issubclass(CheckedCell, IPyNbCell)
    True
    """

    place = 0
    found: tuple[dict[str, str], ...] = ()

    def runtest(self) -> None:
        """Run the cell; after an exception the rest of the notebook would only follow it."""
        if self.parent.has_stopped:
            pytest.skip("an earlier cell failed")
        report = self.config.stash[_REPORT]
        report["cells"] += 1
        report["compared"] += bool(self.options["check"] and self.cell.execution_count is not None)
        try:
            super().runtest()
        except NbCellError as error:
            if not self.found:
                self.parent.has_stopped = True
                self._write_down(str(error), str(error.inner_traceback or ""))
            else:
                self._write_down("the output is not what is stored", "")
            raise
        except RuntimeError as error:  # the kernel is gone
            self.parent.has_stopped = True
            self._write_down(str(error), "")
            raise

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        """Compare strictly, after normalising and forgiving."""
        option = self.config.getoption
        tolerance = Tolerance(option("--nbcheck-rtol"), option("--nbcheck-atol"))
        tolerance = tolerance.with_tags(self.cell.metadata.get("tags", ()))
        stored = normalise(self.sanitize_outputs(ref))
        now = normalise(self.sanitize_outputs(test))
        forgiven = forgive(stored, now, tolerance)
        same: bool = super().compare_outputs(
            _nodes(forgiven), _nodes(stored), skip_compare=skip_compare
        )
        if same:
            return True
        told = differences(stored, forgiven, tolerance)
        self.found = tuple({"where": d.where, "stored": d.stored, "now": d.now} for d in told) or (
            {"where": "output", "stored": "", "now": "\n".join(self.comparison_traceback)},
        )
        return False

    def _write_down(self, message: str, traceback: str) -> None:
        self.config.stash[_REPORT]["failures"].append(
            {
                "cell": self.place,
                "count": self.cell.execution_count,
                "source": self.cell.source,
                "message": message,
                "traceback": traceback,
                "differences": list(self.found),
            }
        )


def _watching(kernel: Any) -> Callable[..., Any]:
    """Give ``get_message`` in short waits, which end when the kernel is gone."""
    plain = kernel.get_message

    def get_message(stream: str = "iopub", timeout: float | None = None) -> Any:
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return plain(stream=stream, timeout=min(_PATIENCE, deadline - time.monotonic()))
            except Empty:
                if not kernel.is_alive():
                    raise RuntimeError("the kernel died") from None
                if time.monotonic() >= deadline:
                    raise

    return get_message


def _nodes(outputs: list[dict[str, Any]]) -> list[Any]:
    import nbformat

    return [nbformat.from_dict(output) for output in outputs]
