"""Turn a recording into the stored `shop` dataset.

    python datasets/recorder/build.py RECORDING_DIRECTORY [--out FOLDER] [--cpu N] [--drop METRIC]

Reads what ``record.py`` wrote, in whole or, while it still runs, as far as it has come, and
writes ``shop.parquet``, ``incidents.csv`` and ``provenance.json`` through monitorlab's public
interface.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import monitorlab as ml

HERE = Path(__file__).resolve().parent
SEVERITIES = {"low": "warning", "medium": "error", "high": "critical"}


# Series of the machine as a whole: with --cpu they are left out, since the other processors
# may have done other work.
WHOLE_MACHINE = (
    "node_context_switches_total",
    "node_interrupts_total",
    "node_load1",
    "node_pressure_cpu_waiting_seconds_total",
    "node_procs_blocked",
    "node_procs_running",
)


def left_out(cpu: int | None, drop: Sequence[str]) -> set[str]:
    """Name the metrics that do not go into the dataset."""
    return {*drop, *(WHOLE_MACHINE if cpu is not None else ())}


def read_samples(recording: Path, cpu: int | None = None, drop: Sequence[str] = ()) -> pd.DataFrame:
    """Return all chunks as one long frame: timestamp, metric, value, labels (JSON)."""
    chunks = [pd.read_parquet(path) for path in sorted(recording.glob("chunk-*.parquet"))]
    if not chunks:
        raise FileNotFoundError(f"no chunk-*.parquet in {recording}")
    long = pd.concat(chunks, ignore_index=True)
    if cpu is not None:
        labels = long["labels"].astype(str)
        other = labels.str.contains('"cpu":') & ~labels.str.contains(f'"cpu": "{cpu}"')
        long = long[~other]
    long = long[~long["metric"].isin(left_out(cpu, drop))]
    long["timestamp"] = pd.to_datetime(long["timestamp"], unit="ms", utc=True)
    return long[["timestamp", "metric", "value", "labels"]]


def read_incidents(recording: Path) -> list[dict[str, str]]:
    """Return the faults that were finished when the recording was read."""
    path = recording / "incidents.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def build(recording: Path, cpu: int | None = None, drop: Sequence[str] = ()) -> ml.MonitoringFrame:
    """Make the frame with its metric descriptions and its incidents."""
    frame = ml.MonitoringFrame(read_samples(recording, cpu, drop))
    metadata = json.loads((recording / "metadata.json").read_text(encoding="utf-8"))
    for name, about in metadata.items():
        if name in left_out(cpu, drop):
            continue
        frame.describe_metric(
            name,
            type=about["type"],
            unit="" if about["unit"] == "1" else about["unit"],
            description=about["description"],
        )
    for incident in read_incidents(recording):
        frame.mark(
            incident["start"],
            incident["end"],
            incident["kind"],
            severity=SEVERITIES[incident["severity"]],
            metrics=[m for m in incident["metrics"].split(";") if m not in left_out(cpu, drop)],
            description=incident["description"],
        )
    return frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path, help="directory that record.py wrote")
    parser.add_argument("--out", type=Path, default=HERE.parent / "shop")
    parser.add_argument("--cpu", type=int, help="keep only this processor's series")
    parser.add_argument("--drop", action="append", default=[], help="leave out this metric")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    frame = build(options.recording, options.cpu, options.drop)
    frame.to_parquet(options.out / "shop.parquet")
    incidents = frame.incidents
    incidents = incidents.assign(metrics=[";".join(item) for item in incidents["metrics"]])
    incidents.to_csv(options.out / "incidents.csv", index=False)
    shutil.copyfile(options.recording / "provenance.json", options.out / "provenance.json")
    print(frame)


if __name__ == "__main__":
    main()
