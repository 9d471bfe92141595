"""The ``record`` command: a live source into a file, safe against a kill on the way."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import Any

import click

from monitorlab.errors import SourceError, did_you_mean
from monitorlab.times import parse_duration

__all__ = ["make_source", "record"]


def make_source(text: str) -> Any:
    """Make the source of ``host``, ``prometheus=URL``, ``scrape=URL`` or ``csv=PATH``.

    Parameters
    ----------
    text : str
        As written on the command line.

    Returns
    -------
    object
        One of ``monitorlab.sources``.

    Raises
    ------
    SourceError
        If the text names no source.

    Examples
    --------
    >>> type(make_source("host")).__name__
    'HostSource'
    """
    from monitorlab import sources

    kind, _, address = text.partition("=")
    if kind == "host" and not address:
        return sources.HostSource()
    if kind == "prometheus" and address:
        return sources.PrometheusSource(address)
    if kind == "scrape" and address:
        return sources.ScrapeSource(address)
    if kind == "csv" and address:
        return sources.CsvTail(address)
    hint = did_you_mean(kind, ["host", "prometheus=URL", "scrape=URL", "csv=PATH"])
    msg = f"{text!r} names no source{hint}"
    raise SourceError(msg)


@click.command()
@click.argument("out")
@click.option("--source", "source_text", default="host", show_default=True,
              help="host, prometheus=URL, scrape=URL or csv=PATH (followed).")  # fmt: skip
@click.option("--for", "duration", default="1m", show_default=True, help="Record so long.")
def record(out: str, source_text: str, duration: str) -> None:
    """Record a live source into the file OUT (.parquet, .csv or .om).

    What comes in is written to the folder OUT.recording on the way, which ml.read_parquet
    opens if the recorder is killed; at the end, or at Ctrl-C, it becomes OUT.

    \b
    Examples:
      monitorlab record host.parquet --source host --for 10m
      monitorlab record app.parquet --source scrape=http://localhost:8000/metrics
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(record, ["--help"]).exit_code
    0
    """
    from monitorlab.cli.files import write_recording
    from monitorlab.feed import LiveFeed
    from monitorlab.frame import MonitoringFrame
    from monitorlab.recordings import read_parquet

    seconds = parse_duration(duration) / 1e9
    folder = Path(f"{out}.recording")
    feed = LiveFeed(MonitoringFrame(), make_source(source_text)).persist(folder)

    async def run() -> None:
        async with feed:
            with contextlib.suppress(TimeoutError):  # the time is up
                await asyncio.wait_for(feed.wait(), seconds)

    click.echo(f"recording; what comes in is in {folder} until the end", err=True)
    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    if feed.status().samples == 0:
        msg = f"nothing came in: {feed.status().last_error or 'the source was silent'}"
        raise SourceError(msg)
    frame = read_parquet(folder)
    write_recording(frame, out)
    shutil.rmtree(folder)
    click.echo(f"{frame!r} written to {out}", err=True)
