"""Notebooks as regression tests: freeze what drifts, run again, compare with what is stored.

``check_notebooks`` is what ``monitorlab nbcheck`` calls, ``strip`` what ``nbstrip`` calls.

>>> from monitorlab import testing
>>> with testing.freeze("2026-01-01T00:00Z") as frozen:
...     frozen
Frozen: clock at 2026-01-01 00:00:00+00:00, seed 0
"""

from monitorlab.testing.checking import (
    CellFailure,
    NotebookCheck,
    NotebookOutcome,
    check_notebooks,
    find_notebooks,
    sanitize_file,
)
from monitorlab.testing.freezing import Frozen, freeze
from monitorlab.testing.numbers import Tolerance
from monitorlab.testing.outputs import Difference, differences
from monitorlab.testing.stripping import strip

__all__ = [
    "CellFailure",
    "Difference",
    "Frozen",
    "NotebookCheck",
    "NotebookOutcome",
    "Tolerance",
    "check_notebooks",
    "differences",
    "find_notebooks",
    "freeze",
    "sanitize_file",
    "strip",
]
