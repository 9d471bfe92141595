"""The stable shape of ``Report.to_dict()``, as a JSON Schema (draft 2020-12).

A field may be added within version 1; none is renamed or removed.

>>> SCHEMA["properties"]["schema"]["const"]
'monitorlab.report/1'
"""

from __future__ import annotations

from typing import Any

__all__ = ["SCHEMA", "SCHEMA_ID"]

SCHEMA_ID = "monitorlab.report/1"


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_TEXT = {"type": "string"}
_NUMBER = {"type": ["number", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_TIME = {"type": ["string", "null"]}
_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_FLAG = {"type": ["boolean", "null"]}

_HEALTH = _object(
    status={"enum": ["ok", "warning", "critical", "unknown"]},
    score={"type": "integer", "minimum": 0, "maximum": 100},
    reasons=_list(_TEXT),
)
_DELTA = _object(
    metric=_TEXT, title=_TEXT, unit=_TEXT, current=_NUMBER, previous=_NUMBER,
    change_percent=_NUMBER, verdict={"enum": ["better", "worse", "changed"]},
    spark=_list(_NUMBER),
)  # fmt: skip
_INCIDENT = _object(
    start=_TIME, end=_TIME, kind=_TEXT, severity=_TEXT, metrics=_list(_TEXT),
    detected={"type": ["string", "null"]}, delay_seconds=_NUMBER, description=_TEXT,
)  # fmt: skip
_ALERT = _object(
    rule=_TEXT, severity=_TEXT, firings=_COUNT, true_firings=_COUNT, firing_seconds=_NUMBER,
    false_positive_rate=_SHARE,
)  # fmt: skip
_ANOMALY = _object(
    series=_TEXT, start=_TIME, end=_TIME, peak=_TIME, kind=_TEXT, severity=_TEXT, value=_NUMBER,
    expected=_NUMBER, score=_SHARE, incident={"type": ["string", "null"]},
)  # fmt: skip
_CHANGE = _object(
    series=_TEXT, time=_TIME, before=_NUMBER, after=_NUMBER, effect_percent=_NUMBER,
    effect_std=_NUMBER, verdict=_TEXT, worse=_FLAG, kind=_TEXT,
)  # fmt: skip
_OBJECTIVE = _object(
    name=_TEXT, kind={"enum": ["events", "time"]}, target=_SHARE, attainment=_SHARE, is_met=_FLAG,
    good=_NUMBER, total=_NUMBER, unit={"enum": ["events", "seconds"]}, budget_left_ratio=_NUMBER,
    burn_rate=_NUMBER, slices=_list(_SHARE), expression=_TEXT, description=_TEXT, text=_TEXT,
)  # fmt: skip
_HORIZON = _object(
    horizon=_TEXT, start=_TIME, end=_TIME, covered_ratio=_SHARE, health=_HEALTH,
    previous_health={"anyOf": [_HEALTH, {"type": "null"}]}, objectives=_list(_OBJECTIVE),
    deltas=_list(_DELTA), incidents=_list(_INCIDENT), alerts=_list(_ALERT),
    anomaly_count=_COUNT, anomalies=_list(_ANOMALY), changes=_list(_CHANGE),
)  # fmt: skip
_REACH = _object(
    p10_seconds=_NUMBER, p50_seconds=_NUMBER, p90_seconds=_NUMBER, probability=_SHARE,
    horizon_seconds=_NUMBER, from_time=_TIME, text=_TEXT,
)  # fmt: skip
_GROWTH = _object(
    value=_NUMBER, lower=_NUMBER, upper=_NUMBER, ratio=_NUMBER, level=_SHARE, span_seconds=_NUMBER,
    is_extrapolated=_FLAG, text=_TEXT,
)  # fmt: skip
_PEAK = _object(
    span=_TEXT, p10=_NUMBER, p50=_NUMBER, p90=_NUMBER, probability_above_record=_SHARE,
)  # fmt: skip
_FORECAST = _object(
    series=_TEXT, horizon=_TEXT, model=_TEXT, current=_NUMBER, limit=_NUMBER, used_ratio=_NUMBER,
    time_to_capacity={"anyOf": [_REACH, {"type": "null"}]}, peaks=_list(_PEAK),
    monthly_growth={"anyOf": [_GROWTH, {"type": "null"}]}, end_mean=_NUMBER, end_lower=_NUMBER,
    end_upper=_NUMBER, capacity=_TEXT, mase=_NUMBER, baseline_mase=_NUMBER, coverage=_SHARE,
)  # fmt: skip
_ADVICE = _object(
    title=_TEXT, next_step=_TEXT, severity=_TEXT, confidence=_SHARE, cause=_TEXT, time=_TIME,
    evidence=_list(_object(series=_TEXT, text=_TEXT, time=_TIME)),
)  # fmt: skip

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "monitorlab report",
    **_object(
        schema={"const": SCHEMA_ID},
        title=_TEXT,
        as_of=_TIME,
        summary=_list(_TEXT),
        recording=_object(start=_TIME, end=_TIME, series=_COUNT, samples=_COUNT, rules=_COUNT),
        horizons=_list(_HORIZON),
        forecasts=_list(_FORECAST),
        recommendations=_list(_ADVICE),
        not_judged=_list(_TEXT),
    ),
}
