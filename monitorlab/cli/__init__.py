"""The ``monitorlab`` command: the same functions as in a notebook, for a shell and for CI.

Exit codes: 0 all well; 1 an error of the data, the rules or the expression (said in one line);
2 wrong usage; 3 a condition of ``--fail-on`` holds.

>>> from click.testing import CliRunner
>>> from monitorlab.cli import main
>>> CliRunner().invoke(main, ["--version"]).output.startswith("monitorlab")
True
"""

from monitorlab.cli.app import main

__all__ = ["main"]
