"""Tables out of ``benchmarks/results/*.json``, whatever fields a file has.

>>> print(table([{"model": "auto", "MASE": 0.7327}]))
| model | MASE |
| --- | --- |
| auto | 0.7327 |
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

__all__ = ["page", "table"]

# What a file measures; a file that is not named here is shown under its own name.
INTRODUCTIONS = {
    "nab": (
        "Anomaly detection: the Numenta benchmark",
        """
One detector with its default settings, streaming, judged by the benchmark's own scoring (0: a
detector that says nothing, 100: a perfect one). `fixed` is the score at the detector's own
threshold, `best` at the best one in hindsight.""",
    ),
    "shop_anomalies": ("Anomaly detection on the shop recording", ""),
    "anomaly_noise": (
        "Anomaly detection: false alarms on clean streams",
        """
Percent of the rows after the warm-up that are called anomalies, by the kind of stream and its
number of samples.""",
    ),
    "injected_faults": (
        "Anomaly detection: faults put into recorded metrics",
        """
Share of faults of mostly moderate size (4 to 16 times the usual step) that are found while they
last or within twelve samples after, and the alarms elsewhere.""",
    ),
    "forecast_m4": (
        "Forecasts: M4 hourly",
        """
48 hours ahead, the season not told. MASE and OWA below 1 beat the seasonal naive forecast;
`coverage95` should be 0.95.""",
    ),
    "changepoints_tcpd": (
        "Change points: the Turing data set",
        """
Against what people marked, beside the settings of ruptures that are used most. Higher is better
for f1 and cover.""",
    ),
    "false_changes": (
        "Change points: false ones",
        """
Share of series of noise in which a change is told, by kind and length, and the clean half hour of
`shop`; then the share of steps of 1, 2 and 3 deviations that are found.""",
    ),
    "periods": (
        "Seasons: found periods",
        """
Share of series in which exactly the true periods are found.""",
    ),
    "promql_conformance": (
        "PromQL: the conformance cases",
        """
Expressions whose answers were recorded from a real Prometheus server.""",
    ),
    "query": (
        "PromQL: seconds a query",
        """
Over a whole recording at once.""",
    ),
    "alerting": (
        "Alert rules: speed beside promtool",
        """
The same rules over the same series, the events compared one by one.""",
    ),
    "shop_alerts": (
        "Alert rules on the shop recording",
        """
Tuned before the cut, judged after it, on faults that the tuning never saw.""",
    ),
    "speed": (
        "Speed and memory beside the peers",
        """
Median seconds of alternating rounds in one run.""",
    ),
}
MAX_ROWS = 40
MAX_DEPTH = 4
LONG = 120  # characters of a text in a cell


def page(folder: Path) -> str:
    """Give the page of all result files, in Markdown.

    Parameters
    ----------
    folder : pathlib.Path
        Where the JSON files are; an unreadable one is told on the page, not passed over.

    Returns
    -------
    str
    """
    parts = [
        "# Benchmarks",
        "",
        "Made from `benchmarks/results` when this site was built; each file is written by the",
        "command that stands with it. Times depend on the machine: two cores, shared.",
        "",
    ]
    files = sorted(folder.glob("*.json"), key=lambda path: (_rank(path.stem), path.stem))
    for path in files:
        title, words = INTRODUCTIONS.get(path.stem, (path.stem.replace("_", " "), ""))
        parts += [f"## {title}", ""]
        parts += [words.strip(), ""] if words else []
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            parts += [f"`{path.name}` cannot be read: {error}", ""]
            continue
        parts += _render(found, 3)
    return "\n".join(parts)


def table(rows: list[dict[str, Any]]) -> str:
    """Give rows as a Markdown table; a field that a row lacks is empty.

    Parameters
    ----------
    rows : list of dict
        Fields that hold lists or dictionaries are left out.

    Returns
    -------
    str
    """
    columns = [k for k in dict.fromkeys(key for row in rows for key in row) if _is_flat(rows, k)]
    lines = ["| " + " | ".join(_cell(c) for c in columns) + " |", "| --- " * len(columns) + "|"]
    lines += [
        "| " + " | ".join(_cell(row.get(c, "")) for c in columns) + " |" for row in rows[:MAX_ROWS]
    ]
    if len(rows) > MAX_ROWS:
        lines += ["", f"… and {len(rows) - MAX_ROWS} more"]
    return "\n".join(lines)


def _render(value: Any, depth: int) -> list[str]:
    """Give the Markdown of one value: scalars as a table, the rest below headings."""
    if isinstance(value, list):
        rows = [item for item in value if isinstance(item, dict)]
        if rows:
            return [table(rows), ""]
        return [", ".join(_cell(item) for item in value[:MAX_ROWS]), ""] if value else ["none", ""]
    if not isinstance(value, dict):
        return [_cell(value), ""]
    command = value.get("command")
    parts = [f"```console\n$ {command}\n```", ""] if isinstance(command, str) else []
    plain = {k: v for k, v in value.items() if not isinstance(v, (dict, list)) and k != "command"}
    if plain:
        parts += [table([{"": key, "value": v} for key, v in plain.items()]), ""]
    for key, inner in value.items():
        if isinstance(inner, (dict, list)) and inner and depth <= MAX_DEPTH + 1:
            parts += [f"{'#' * min(depth, 5)} {_cell(key)}", ""]
            parts += _below(inner, depth + 1)
    return parts


def _below(value: Any, depth: int) -> list[str]:
    """Give a dictionary of dictionaries as one table where it is one."""
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        flat = [{"": key, **_flat(inner)} for key, inner in value.items()]
        return [table(flat), ""]
    return _render(value, depth)


def _flat(inner: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in inner.items() if not isinstance(v, (dict, list))}


def _is_flat(rows: list[dict[str, Any]], key: str) -> bool:
    return not any(isinstance(row.get(key), (dict, list)) for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if math.isnan(value):
            return "–"
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    text = " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _rank(stem: str) -> int:
    names = list(INTRODUCTIONS)
    return names.index(stem) if stem in names else len(names)
