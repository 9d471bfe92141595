"""Write the recording: sample chunks, metric metadata, incidents and provenance."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema(
    [
        ("timestamp", pa.int64()),
        ("metric", pa.string()),
        ("labels", pa.string()),
        ("value", pa.float64()),
    ]
)
INCIDENT_COLUMNS = ("start", "end", "kind", "metrics", "severity", "description")


def iso(seconds: float) -> str:
    """A Unix time as ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new text, never a part."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class Store:
    """The output directory of one recording."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.glob("chunk-*.parquet")):
            raise FileExistsError(f"{directory} already holds a recording")
        self.columns: list[list[Any]] = [[], [], [], []]
        self.keys: dict[tuple[tuple[str, str], ...], str] = {}
        self.series: set[tuple[str, str]] = set()
        self.chunks = 0
        self.rows = 0
        self.incidents: list[dict[str, str]] = []

    def add(self, timestamp: int, samples: list[tuple[str, dict[str, str], float]]) -> None:
        """Keep the samples of one tick in memory until the next flush."""
        times, metrics, labels, values = self.columns
        for name, pairs, value in samples:
            key = tuple(sorted(pairs.items()))
            if key not in self.keys:
                self.keys[key] = json.dumps(dict(key), sort_keys=True)
            times.append(timestamp)
            metrics.append(name)
            labels.append(self.keys[key])
            values.append(value)
            self.series.add((name, self.keys[key]))
        self.rows += len(samples)

    def flush(self) -> None:
        """Write what is in memory as the next chunk."""
        columns, self.columns = self.columns, [[], [], [], []]
        if not columns[0]:
            return
        table = pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
            schema=SCHEMA,
        )
        path = self.directory / f"chunk-{self.chunks:04d}.parquet"
        draft = path.with_suffix(".part")
        pq.write_table(table, draft, compression="zstd", use_dictionary=["metric", "labels"])
        draft.replace(path)
        self.chunks += 1

    def incident(self, **values: str) -> None:
        """Add a finished fault and rewrite the incident file."""
        self.incidents.append(values)
        path = self.directory / "incidents.csv"
        draft = path.with_name(path.name + ".part")
        with draft.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, INCIDENT_COLUMNS)
            writer.writeheader()
            writer.writerows(self.incidents)
        draft.replace(path)

    def json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file."""
        replace(self.directory / name, json.dumps(content, indent=2, sort_keys=True) + "\n")
