"""Anomaly detection on the recorded shop: which fault is found, where, when, and what is false.

``python benchmarks/shop_anomalies.py [DATASET_FOLDER] [--detector auto]`` (default
``datasets/shop``) scores every series of the recording by itself (counters as rates, without
the buckets of histograms) and all of them together, and prints for each injected fault the
series that reacts first and how long after the start, and for the clean part, after the warm-up
of the detectors, false events per series-hour and the share of rows alarmed. Writes
``benchmarks/results/shop_anomalies.json``.

A fault counts as found when a series of a metric that such a fault is said to move alarms
within it, not later than the stated delay. Every alarm outside the faults and their recovery
(two minutes) counts as false, whatever its cause. With so many series something may alarm soon
after any moment, so the chance is given too that a moment of the clean part would be called the
start of such a fault. A fault moves a metric if the mean of a series within it lies outside of
what all quiet spans of that length ever showed (``effect`` above 1).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

import monitorlab as ml
from monitorlab import anomaly
from monitorlab.model import Incident

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "shop_anomalies.json"
WARMUP = pd.Timedelta("10min")  # more than one recorded day of eight minutes
RECOVERY = pd.Timedelta("2min")
STATED = pd.Timedelta("45s")  # delay within which a fault should be found
END = pd.Timestamp.max.tz_localize("UTC")
INTERVAL_HOURS = 2.0 / 3600.0


def alarms_of(found: anomaly.Anomalies) -> dict[str, pd.DatetimeIndex]:
    """Give the times at which each series alarms."""
    times = {}
    for name, trace in found.traces.items():
        threshold = found.thresholds.get(name, found.threshold)
        times[name] = trace.index[trace["score"].to_numpy() >= threshold]
    return times


def metric_of(series: str) -> str:
    """Give the metric of a series' name."""
    return series.split("{", 1)[0]


def related(series: str, incident: Incident) -> bool:
    """Tell whether a series is one of those that the fault is said to move."""
    name = metric_of(series)
    ends = ("", "_sum", "_count", "_bucket", "_total")
    return any(name == metric + end for metric in incident.metrics for end in ends)


def of_fault(alarms: dict[str, pd.DatetimeIndex], incident: Incident) -> dict:
    """Give which series react to one fault, and when the first does."""
    first = {}
    for name, times in alarms.items():
        at = times.searchsorted(incident.start)
        if at < len(times) and times[at] < incident.end:
            first[name] = times[at]
    mine = {name: time for name, time in first.items() if related(name, incident)}
    ranked = sorted(mine, key=lambda name: (mine[name], name))
    delay = (mine[ranked[0]] - incident.start).total_seconds() if ranked else None
    return {
        "start": f"{incident.start:%H:%M:%S}",
        "kind": incident.kind,
        "seconds": round(incident.duration.total_seconds()),
        "found": bool(ranked) and delay <= STATED.total_seconds(),
        "delay_s": None if delay is None else round(delay, 1),
        "first_series": ranked[0] if ranked else "",
        "related_series": len(mine),
        "other_series": len(first) - len(mine),
    }


def scored(found: anomaly.Anomalies) -> pd.DataFrame:
    """Give the events that a score speaks of: no gaps, no flat lines."""
    return found.events[found.events["score"].notna()]


def of_joint(found: anomaly.Anomalies, incident: Incident) -> dict:
    """Give what the joint score makes of one fault."""
    events = scored(found)
    inside = events[(events["time"] >= incident.start) & (events["time"] < incident.end)]
    if not len(inside):
        return {"joint_delay_s": None, "joint_first": "", "joint_share_of_related": None}
    row = inside.iloc[0]
    shares = row["shares"]
    return {
        "joint_delay_s": round((row["time"] - incident.start).total_seconds(), 1),
        "joint_first": next(iter(shares)),
        "joint_share_of_related": round(
            sum(share for name, share in shares.items() if related(name, incident)), 2
        ),
    }


def moves(series: dict[str, pd.Series], incidents: list[Incident], incident: Incident) -> dict:
    """Tell how far a fault moves its metrics: its mean against all quiet spans as long.

    The effect of a series is the distance of its mean within the fault from the middle of the
    means of quiet spans of that length, in half widths of their range: above 1 no quiet span
    was ever like it.
    """
    best, name = 0.0, ""
    for key, values in series.items():
        if not related(key, incident):
            continue
        inside = values[incident.start : incident.end].dropna()
        still = pd.Series(quiet(values.index, (values.index[0], END), incidents), values.index)
        length = max(len(inside), 2)
        means = values.rolling(length).mean()[still.rolling(length).min() == 1.0].dropna()
        if not len(inside) or not len(means):
            continue
        low, high = float(means.min()), float(means.max())
        half = max(0.5 * (high - low), 1e-9 * max(abs(low), abs(high), 1.0))
        effect = abs(float(inside.mean()) - 0.5 * (low + high)) / half
        if effect > best:
            best, name = effect, key
    return {"effect": round(min(best, 1e6), 2), "moves_most": name}


def by_chance(alarms: dict[str, pd.DatetimeIndex], incidents: list[Incident], span: tuple) -> float:
    """Give how often a quiet moment would be called the start of a fault of these metrics."""
    start, end = span
    hits = tries = 0
    moments = pd.date_range(start + WARMUP, end - STATED, freq="30s")
    for incident in incidents:
        mine = [times for name, times in alarms.items() if related(name, incident)]
        for moment in moments:
            tries += 1
            upto = moment + STATED
            hits += any(times.searchsorted(moment) < times.searchsorted(upto) for times in mine)
    return hits / tries


def quiet(index: pd.DatetimeIndex, span: tuple, incidents: list[Incident]) -> np.ndarray:
    """Tell which times lie in a span, after the warm-up and away from the faults."""
    start, end = span
    kept = np.asarray((index >= start) & (index < end))
    for incident in incidents:
        kept &= ~np.asarray((index >= incident.start) & (index < incident.end + RECOVERY))
    return kept


def false_alarms(found: anomaly.Anomalies, span: tuple, incidents: list[Incident]) -> dict:
    """Give the false events and alarmed rows of a span."""
    rows = alarmed = events = 0
    loud: dict[str, int] = {}
    for name, trace in found.traces.items():
        kept = quiet(trace.index, span, incidents)
        strange = trace["score"].to_numpy() >= found.threshold
        rows += int(kept.sum())
        alarmed += int((kept & strange).sum())
        mine = found.events[(found.events["series"] == name) & (found.events["kind"] != "gap")]
        times = pd.DatetimeIndex(mine["time"])
        count = int(quiet(times, span, incidents).sum()) if len(times) else 0
        events += count
        loud[name] = count
    hours = rows * INTERVAL_HOURS
    noisy = sorted(loud, key=lambda n: (-loud[n], n))[:5]
    return {
        "series_hours": round(hours, 1),
        "false_events": events,
        "false_events_per_series_hour": round(events / hours, 3),
        "rows_alarmed_ratio": round(alarmed / rows, 6),
        "loudest": {name: loud[name] for name in noisy},
    }


def false_joint(found: anomaly.Anomalies, span: tuple, incidents: list[Incident]) -> dict:
    """Give the false events of the joint score in a span."""
    times = pd.DatetimeIndex(scored(found)["time"])
    kept = quiet(found.scores.index, span, incidents)
    strange = found.scores.to_numpy() >= found.threshold
    events = int(quiet(times, span, incidents).sum()) if len(times) else 0
    return {
        "hours": round(kept.sum() * INTERVAL_HOURS, 2),
        "false_events": events,
        "rows_alarmed_ratio": round(float((kept & strange).sum() / kept.sum()), 6),
    }


def main(folder: Path, detector: str) -> None:
    """Score the recording, print the tables, write the figures."""
    mf = ml.load_dataset(folder.name, folder=folder.parent)
    plan = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    incidents = sorted(mf.selection.incidents, key=lambda i: i.start)
    found = mf.anomalies(detector=detector, marks=[])
    begin = min(series.index[0] for series in found.series.values())
    end = max(series.index[-1] for series in found.series.values())
    clean = (begin + WARMUP, pd.Timestamp(plan["clean_end"]))
    alarms = alarms_of(found)
    joint = mf.anomalies(detector=detector, together=True, marks=[])
    faults = [
        of_fault(alarms, i) | moves(found.series, incidents, i) | of_joint(joint, i)
        for i in incidents
    ]
    table = pd.DataFrame(faults)
    moving = table[table["effect"] > 1.0]
    figures = {
        "series": len(found.series),
        "faults": len(faults),
        "found_within_stated_delay": int(table["found"].sum()),
        "faults_that_move_a_metric": len(moving),
        "found_of_those": int(moving["found"].sum()),
        "found_at_all": int(table["delay_s"].notna().sum()),
        "stated_delay_s": STATED.total_seconds(),
        "median_delay_s": float(table["delay_s"].median()),
        "chance_of_a_quiet_moment": round(
            by_chance(alarms, incidents, (begin, pd.Timestamp(plan["clean_end"]))), 3
        ),
        "joint_found": int(table["joint_delay_s"].notna().sum()),
        "clean_part": false_alarms(found, clean, []),
        "away_from_faults": false_alarms(found, (clean[0], end), incidents),
        "joint_clean_part": false_joint(joint, clean, []),
        "joint_away_from_faults": false_joint(joint, (clean[0], end), incidents),
    }
    pd.set_option("display.width", 220, "display.max_columns", 30, "display.max_colwidth", 70)
    print(table.to_string(index=False))
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    report = {
        "command": f"python benchmarks/shop_anomalies.py datasets/shop --detector {detector}",
        "detector": detector,
        "threshold": found.threshold,
        "figures": figures,
        "faults": json.loads(table.to_json(orient="records")),
    }
    RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent / "datasets" / "shop")
    parser.add_argument("--detector", default="auto")
    given = parser.parse_args()
    main(given.folder, given.detector)
