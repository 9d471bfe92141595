"""The ``demo`` command: the main path on the bundled recording, in under a minute."""

from __future__ import annotations

import time
from pathlib import Path

import click

__all__ = ["demo"]


@click.command()
@click.option("--out", default="build/demo", show_default=True, help="Folder for report.html.")
@click.option("--dataset", default="shop", show_default=True, help="Bundled recording to replay.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def demo(out: str, dataset: str, quiet: bool) -> None:
    """Replay a recording of a real web shop through rules, anomalies, changes and a forecast.

    Examples
    --------
    \b
      monitorlab demo --out build/demo

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(demo, ["--help"]).exit_code
    0
    """
    from monitorlab import datasets
    from monitorlab.feed import replay_summary
    from monitorlab.report import Report

    began = time.monotonic()
    frame = datasets.load_dataset(dataset)
    click.echo(f"{frame!r}\n")
    click.echo("1. Replay: the recording through the live engine, as fast as it goes")
    click.echo(f"   {replay_summary(frame, progress=not quiet)}\n")
    click.echo("2. The same recording, backtested and analysed as a whole")
    report = Report(
        frame,
        horizons=("30m", "1h", "3h"),
        forecast=DEMO_FORECAST.get(dataset),
        title=f"monitorlab demo: {dataset}",
        progress=not quiet,
    )
    click.echo(str(report))
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    report.to_html(path)
    click.echo(f"\nreport: {path.resolve()}  ({time.monotonic() - began:.0f} s)")


# What the demo forecasts: the traffic a recorded "day" ahead, and the connection pool
# against the limit that is recorded beside it.
DEMO_FORECAST: dict[str, dict[str, str | None]] = {
    "shop": {
        "client_offered_requests_per_second": None,
        "db_pool_connections": "db_pool_connections_max",
    },
}
