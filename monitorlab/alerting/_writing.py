"""A rule as the entry of a rule file."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias

from monitorlab.alerting.rules import AlertRule, RecordingRule, Rule, severity_of

__all__ = ["EXTRA_KEY", "PREFIX", "Extras", "plain_rule"]

Extras: TypeAlias = Literal["annotations", "key", "drop"]


EXTRA_KEY = "x-monitorlab"


PREFIX = "monitorlab_"


def plain_rule(rule: Rule, extras: Extras) -> dict[str, Any]:
    if isinstance(rule, RecordingRule):
        plain: dict[str, Any] = {"record": rule.record, "expr": rule.expr}
        return plain | ({"labels": rule.labels.to_dict()} if rule.labels else {})
    plain = {"alert": rule.name, "expr": rule.expr}
    if rule.for_ != "0s":
        plain["for"] = rule.for_
    if rule.keep_firing_for != "0s":
        plain["keep_firing_for"] = rule.keep_firing_for
    if rule.labels:
        plain["labels"] = rule.labels.to_dict()
    annotations = rule.annotations.to_dict()
    more = {} if extras == "drop" else _additions(rule)
    if extras == "annotations":
        for key, value in more.items():
            text = value if isinstance(value, str) else json.dumps(value)
            annotations[PREFIX + key] = "never" if value is None else text
    if annotations:
        plain["annotations"] = annotations
    if extras == "key" and more:
        plain[EXTRA_KEY] = more
    return plain


def _additions(rule: AlertRule) -> dict[str, Any]:
    """Give what a plain Prometheus rule would not say."""
    stated = (
        (
            "severity",
            rule.severity.value,
            severity_of(rule.labels.get("severity")).value,
        ),
        ("resolve", rule.resolve_condition or rule.resolve_expr, None),
        ("no_data", rule.no_data, "ok"),
        ("m_of_n", list(rule.m_of_n) if rule.m_of_n else None, None),
        ("cooldown", rule.cooldown, "0s"),
        ("escalate_after", rule.escalate_after, None),
        ("auto_resolve", rule.auto_resolve, True),
        ("metric", rule.metric, None),
        ("condition", rule.condition, None),
        ("threshold", rule.threshold, None),
        ("window", rule.window, "5m"),
    )
    more: dict[str, Any] = {key: value for key, value, plain in stated if value != plain}
    if rule.escalate:
        more["escalate"] = [{"after": a, "severity": s.value} for a, s in rule.escalate]
    return more
