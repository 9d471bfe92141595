"""The ``record`` command: a live source into a Parquet file."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from monitorlab.errors import SourceError, did_you_mean
from monitorlab.times import parse_duration

__all__ = ["make_source", "record"]


def make_source(text: str) -> Any:
    """Make the source that ``host``, ``prometheus=URL`` or ``scrape=URL`` names.

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
    hint = did_you_mean(kind, ["host", "prometheus=URL", "scrape=URL"])
    msg = f"{text!r} names no source{hint}"
    raise SourceError(msg)


@click.command()
@click.argument("out")
@click.option("--source", "source_text", default="host", show_default=True,
              help="host, prometheus=URL or scrape=URL.")  # fmt: skip
@click.option("--for", "duration", default="1m", show_default=True, help="Record so long.")
def record(out: str, source_text: str, duration: str) -> None:
    """Record a live source into the Parquet file OUT.

    Examples
    --------
    \b
      monitorlab record host.parquet --source host --for 10m
      monitorlab record app.parquet --source scrape=http://localhost:8000/metrics

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(record, ["--help"]).exit_code
    0
    """
    from monitorlab.cli.files import write_recording
    from monitorlab.feed import LiveFeed
    from monitorlab.frame import MonitoringFrame

    frame = MonitoringFrame()
    seconds = parse_duration(duration) / 1e9

    async def run() -> None:
        async with LiveFeed(frame, make_source(source_text)):
            await asyncio.sleep(seconds)

    asyncio.run(run())
    write_recording(frame, out)
    click.echo(f"{frame!r} written to {out}", err=True)
