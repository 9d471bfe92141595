"""How commands open FILE: by its ending, or as a bundled dataset; the options for CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitorlab.errors import RecordingError, did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from monitorlab.frame import MonitoringFrame

__all__ = ["Recording", "csv_options", "open_recording", "write_recording"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_CSV = (".csv", ".csv.gz", ".tsv")
_TEXT = (".om", ".prom", ".txt")
_ENDINGS = (".parquet", *_CSV, *_TEXT)


class Recording(click.ParamType):
    """A recording named on the command line; completed with files and datasets.

    Examples
    --------
    >>> Recording().name
    'file'
    """

    name = "file"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Offer the datasets that begin so, and files."""
        from click.shell_completion import CompletionItem

        from monitorlab import datasets

        names = [n for n in datasets.list_datasets().index if n.startswith(incomplete)]
        return [*(CompletionItem(n) for n in names), CompletionItem(incomplete, type="file")]


def csv_options(command: _Command) -> _Command:
    """Give a command the options that say how a CSV file is to be read.

    Parameters
    ----------
    command : callable
        The function below the decorators of ``click``; it is given ``timestamp`` and ``tz``.

    Returns
    -------
    callable
        The same function.

    Examples
    --------
    >>> @click.command()
    ... @csv_options
    ... def show(timestamp, tz): ...
    >>> [option.name for option in show.params]
    ['timestamp', 'tz']
    """
    zone = click.option("--tz", help="CSV: time zone of times that have none (default: UTC).")
    column = click.option("--timestamp", metavar="COLUMN", help="CSV: column that holds the time.")
    return column(zone(command))


def open_recording(
    path: str, *, timestamp: str | None = None, tz: str | None = None
) -> MonitoringFrame:
    """Open a recording by its ending, or a bundled dataset by its name.

    Parameters
    ----------
    path : str
        A ``.parquet``, ``.csv``, ``.csv.gz``, ``.tsv`` file, OpenMetrics text (``.om``,
        ``.prom``, ``.txt``), or the name of a bundled dataset.
    timestamp, tz : str, optional
        Of a CSV file: the column that holds the time, and its time zone.

    Returns
    -------
    MonitoringFrame

    Raises
    ------
    RecordingError
        If there is no such file or dataset, or the ending is not known.

    Examples
    --------
    >>> open_recording("fleet").metrics.index.name
    'metric'
    """
    from monitorlab import datasets, recordings

    file = Path(path)
    if not file.exists():
        names = list(datasets.list_datasets().index)
        if path in names:
            return datasets.load_dataset(path)
        beside = file.parent.glob("*") if file.parent.is_dir() else ()
        files = [str(p) for p in beside if p.name.endswith(_ENDINGS)]
        near = did_you_mean(path, [*names, *files])
        msg = f"there is no such file, and no bundled dataset of that name{near}"
        raise RecordingError(msg, path=path)
    if file.is_dir():
        inside = did_you_mean("", [p.name for p in file.iterdir() if p.name.endswith(_ENDINGS)])
        msg = f"this is a folder; name a recording in it{inside}"
        raise RecordingError(msg, path=path)
    if path.endswith(".parquet"):
        return recordings.read_parquet(file)
    if path.endswith(_CSV):
        options = {
            "timestamp": timestamp,
            "tz": tz,
            "delimiter": "\t" if path[-3:] == "tsv" else None,
        }
        given = {name: value for name, value in options.items() if value is not None}
        try:
            return recordings.read_csv(file, **given)
        except RecordingError as error:
            if "timestamp=" in str(error):
                error.args = (str(error).replace("timestamp=…", "--timestamp COLUMN"),)
            raise
    if path.endswith(_TEXT):
        return recordings.read_openmetrics(file)
    msg = f"its ending says nothing; known endings are {', '.join(_ENDINGS)}"
    raise RecordingError(msg, path=path)


def write_recording(frame: MonitoringFrame, path: str) -> None:
    """Write a recording in the form that the ending of its path names.

    Parameters
    ----------
    frame : MonitoringFrame
        What to write.
    path : str
        ``.parquet``, ``.csv``, or ``.om`` / ``.prom`` / ``.txt`` for OpenMetrics text.

    Raises
    ------
    RecordingError
        If the ending is not known, or the folder is not there.

    Examples
    --------
    >>> import tempfile, os, monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.record("up", 1, timestamp="2026-01-01T00:00:00Z")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_recording(mf, os.path.join(folder, "up.parquet"))
    """
    if not Path(path).parent.is_dir():
        msg = "the folder to write to is not there; make it first"
        raise RecordingError(msg, path=path)
    if path.endswith(".parquet"):
        frame.to_parquet(path)
    elif path.endswith(".csv"):
        frame.to_csv(path)
    elif path.endswith(_TEXT):
        frame.to_openmetrics(path)
    else:
        msg = "its ending says nothing; write to .parquet, .csv or .om"
        raise RecordingError(msg, path=path)
