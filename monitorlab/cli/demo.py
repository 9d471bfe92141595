"""The ``demo`` command: the main path on the bundled recording, in under a minute."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitorlab.frame import MonitoringFrame
    from monitorlab.report import Objective

__all__ = ["demo", "demo_objectives", "replay"]


@click.command()
@click.option("--out", default="build/demo", show_default=True, help="Folder for report.html.")
@click.option("--dataset", default="shop", show_default=True, help="Bundled recording to replay.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON at the end.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def demo(out: str, dataset: str, as_json: bool, quiet: bool) -> None:
    """Replay a recording of a real web shop through rules, anomalies, changes and a forecast.

    \b
    Examples:
      monitorlab demo
      monitorlab demo --dataset fleet --out build/fleet
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(demo, ["--help"]).exit_code
    0
    """
    from monitorlab import datasets
    from monitorlab.report import Report

    began = time.monotonic()
    frame = datasets.load_dataset(dataset)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    # With --json the story goes beside the result, not into it.
    click.echo(f"{frame!r}\n", err=as_json)
    click.echo("1. Replay: the recording through the live engine, as fast as it goes", err=as_json)
    click.echo(f"   {replay(frame, progress=not quiet)}\n", err=as_json)
    click.echo("2. The same recording, backtested and analysed as a whole", err=as_json)
    report = Report(
        frame,
        horizons=("30m", "1h", "3h"),
        forecast=DEMO_FORECAST.get(dataset),
        objectives=demo_objectives(dataset),
        title=f"monitorlab demo: {dataset}",
        progress=not quiet,
    )
    click.echo(json.dumps(report.to_dict()) if as_json else str(report))
    path = folder / "report.html"
    report.to_html(path)
    click.echo(f"\nreport: {path.resolve()}  ({time.monotonic() - began:.0f} s)", err=as_json)


def replay(frame: MonitoringFrame, *, interval: str = "10s", progress: bool = True) -> str:
    """Run a recording through the live engine and say what its rules did.

    Parameters
    ----------
    frame : MonitoringFrame
        The recording, with its rules.
    interval : str
        Evaluation interval of the rules.
    progress : bool
        Show a progress bar.

    Returns
    -------
    str
        One line: samples, time, events, and whether the backtest says the same.

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 40.0])
    >>> _ = mf.alert("Long", "value > 10", metric="queue", for_="0s")
    >>> replay(mf, progress=False).split(" in ")[0]
    '2 samples'
    """
    from tqdm.auto import tqdm

    from monitorlab.feed import LiveFeed
    from monitorlab.frame import MonitoringFrame
    from monitorlab.sources import Replay

    began = time.monotonic()
    total = frame.selection.sample_count
    feed = LiveFeed(
        MonitoringFrame(),
        Replay(frame, speed=None),
        rules=frame.rules,
        interval=interval,
        own_metrics=False,
        name="demo",
    )
    with tqdm(
        total=total, desc="replay", unit="sample", unit_scale=True, disable=not progress
    ) as bar:
        feed.subscribe(lambda update: bar.update(update.batch.samples))
        status = feed.run()
    seconds = time.monotonic() - began
    live = sum(event.state == "firing" for event in feed.events)
    history = len(frame.backtest(interval=interval).firings)
    return (
        f"{status.samples:,} samples in {seconds:.1f} s; {len(frame.rules)} rules fired "
        f"{live} times live, {history} times in the backtest of the same recording"
    )


def demo_objectives(dataset: str) -> list[Objective]:
    """Give what the demo holds a bundled recording against.

    Parameters
    ----------
    dataset : str
        Name of the recording.

    Returns
    -------
    list of Objective
        Empty for a recording that nothing was promised of.

    Examples
    --------
    >>> [objective.name for objective in demo_objectives("shop")]
    ['Served', 'Fast']
    """
    from monitorlab.report import Objective

    if dataset != "shop":
        return []
    latency = "rate(client_request_duration_seconds_bucket[1m])"
    return [
        Objective(
            "Served", good='client_requests_total{outcome="200"}', total="client_requests_total",
            target=0.99, description="pages answered with 200",
        ),
        Objective(
            "Fast", holds=f"histogram_quantile(0.95, sum by (le) ({latency})) < 0.1", target=0.9,
            description="95 % of pages within 100 ms",
        ),
    ]  # fmt: skip


# What the demo forecasts: the traffic a recorded "day" ahead, and the connection pool
# against the limit that is recorded beside it.
DEMO_FORECAST: dict[str, dict[str, str | None]] = {
    "shop": {
        "client_offered_requests_per_second": None,
        'db_pool_connections{job="app", state="in_use"}': "db_pool_connections_max",
    },
}
