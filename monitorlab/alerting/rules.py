"""Alert rules, recording rules and sets of them: checked when made, never changed after.

>>> rule = AlertRule("Slow", "p95_5m > 200", metric="latency_ms", for_="10m")
>>> rule.expr
'quantile_over_time(0.95, latency_ms[5m]) > 200'
>>> rule.with_(for_="5m").for_
'5m'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, get_args

from monitorlab.alerting import shortform, templates
from monitorlab.alerting._checks import (
    Escalation,
    check_choice,
    check_duration,
    check_escalate,
    check_flag,
    check_m_of_n,
    check_number,
    check_pairs,
    check_severity,
    check_text,
    setter,
    severity_of,
)
from monitorlab.alerting.pairs import Pairs
from monitorlab.alerting.state import NoData, Policy
from monitorlab.errors import RuleError, did_you_mean
from monitorlab.model import METRIC_NAME, Severity
from monitorlab.times import DurationLike, parse_duration

__all__ = ["AlertRule", "RecordingRule", "Rule", "make_rule", "severity_of"]

_NEXT = {
    Severity.INFO: Severity.WARNING,
    Severity.WARNING: Severity.ERROR,
    Severity.ERROR: Severity.CRITICAL,
    Severity.CRITICAL: Severity.CRITICAL,
}


@dataclass(frozen=True)
class AlertRule:
    """Say when to alert: a condition, how long it must hold, and what happens then.

    Parameters
    ----------
    name : str
        Name of the alert.
    expr : str
        PromQL, or, with ``metric``, a short condition such as ``"value > 100"``.
    for_ : duration
        How long the condition must hold before the alert fires.
    keep_firing_for : duration
        How long it keeps firing after the condition went away.
    severity : Severity or str or None
        How urgent; it becomes the label ``severity`` unless ``labels`` has one (whose level
        then counts). None adds no label.
    labels, annotations : mapping of str to str
        Added to the alert; values may be Go templates (``{{ $labels.route }}``).
    cooldown : duration
        Quiet time for notifications after a resolution; never hides state.
    escalate_after : duration, optional
        Firing and not acknowledged for so long raises the severity one level; None never.
    auto_resolve : bool
        False: a firing alert waits for a person.
    resolve_expr : str, optional
        A second condition: a firing alert stays until it holds (hysteresis).
    no_data : {"ok", "alert", "keep"}
        What missing data counts as.
    m_of_n : (int, int), optional
        The condition counts as true while m of the last n evaluations had it.
    metric : str, optional
        Metric name or selector that a short condition speaks of.
    condition : str, optional
        The short condition, in place of ``expr``.
    threshold : float, optional
        What the name ``threshold`` in a short condition means.
    window : duration
        Window of the short names without one (``mean``, ``p95`` …).
    escalate : sequence of (duration, severity)
        Steps of escalation, in place of ``escalate_after``.

    Raises
    ------
    RuleError
        If a name, a duration, a number or an option is wrong.
    QueryError
        If an expression is malformed; says where.

    Examples
    --------
    >>> AlertRule("Errors", "rate_5m > threshold", metric="errors_total", threshold=0.1)
    AlertRule('Errors', 'rate(errors_total[5m]) > 0.1', severity=critical)
    """

    name: str
    expr: str = ""
    for_: str = "0s"
    keep_firing_for: str = "0s"
    severity: Severity = Severity.CRITICAL
    labels: Pairs = field(default_factory=Pairs)
    annotations: Pairs = field(default_factory=Pairs)
    cooldown: str = "5m"
    escalate_after: str | None = "30m"
    auto_resolve: bool = True
    resolve_expr: str | None = None
    no_data: NoData = "ok"
    m_of_n: tuple[int, int] | None = None
    metric: str | None = None
    condition: str | None = None
    threshold: float | None = None
    window: str = "5m"
    escalate: tuple[Escalation, ...] = ()
    resolve_condition: str | None = None

    def __init__(
        self,
        name: str,
        expr: str | None = None,
        for_: DurationLike = "0s",
        keep_firing_for: DurationLike = "0s",
        severity: Severity | str | None = "critical",
        labels: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        cooldown: DurationLike = "5m",
        escalate_after: DurationLike | None = "30m",
        auto_resolve: bool = True,
        resolve_expr: str | None = None,
        *,
        no_data: NoData = "ok",
        m_of_n: Sequence[int] | None = None,
        metric: str | None = None,
        condition: str | None = None,
        threshold: float | None = None,
        window: DurationLike = "5m",
        escalate: Sequence[tuple[DurationLike, Severity | str]] = (),
    ) -> None:
        where = f"alert rule {name!r}"
        put = setter(self)
        put("name", check_text(name, "name of an alert rule"))
        put("metric", None if metric is None else check_text(metric, f"metric of {where}"))
        put("threshold", check_number(threshold, where))
        put("window", check_duration(window, "window", where))
        short, compiled = _condition(
            where, expr, condition, metric=metric, threshold=self.threshold, window=self.window
        )
        put("condition", short)
        put("expr", compiled)
        back_short, back = (None, None) if resolve_expr is None else _condition(
            f"resolve_expr of {where}", resolve_expr, None,
            metric=metric, threshold=self.threshold, window=self.window,
        )  # fmt: skip
        put("resolve_condition", back_short)
        put("resolve_expr", back)
        put("for_", check_duration(for_, "for", where))
        put("keep_firing_for", check_duration(keep_firing_for, "keep_firing_for", where))
        put("cooldown", check_duration(cooldown, "cooldown", where))
        level, pairs = check_severity(severity, labels, where)
        put("severity", level)
        put("labels", pairs)
        put("annotations", check_pairs(annotations, "annotation", where))
        put("auto_resolve", check_flag(auto_resolve, "auto_resolve", where))
        put("no_data", check_choice(no_data, get_args(NoData), "no_data", where))
        if self.no_data == "alert" and any(map(templates.uses_value, pairs.values())):
            msg = (
                f"{where}: no_data='alert' watches each set of labels, and labels that hold the "
                "value come and go with it; leave the value out of the labels"
            )
            raise RuleError(msg)
        put("m_of_n", check_m_of_n(m_of_n, where))
        after = None if escalate_after is None else check_duration(
            escalate_after, "escalate_after", where
        )  # fmt: skip
        put("escalate_after", after)
        put("escalate", check_escalate(escalate, where))

    @property
    def policy(self) -> Policy:
        """The numbers that decide the life of this rule's alerts."""
        m, n = self.m_of_n or (1, 1)
        steps = self.escalate
        if not steps and self.escalate_after is not None:
            steps = ((self.escalate_after, _NEXT[self.severity]),)
        return Policy(
            for_ns=parse_duration(self.for_),
            keep_ns=parse_duration(self.keep_firing_for),
            no_data=self.no_data,
            m=m,
            n=n,
            hysteresis=self.resolve_expr is not None,
            auto_resolve=self.auto_resolve,
            cooldown_ns=parse_duration(self.cooldown),
            escalations=tuple((parse_duration(after), level) for after, level in steps),
        )

    @property
    def is_plain(self) -> bool:
        """Whether Prometheus itself could run the state of this rule unchanged."""
        return (
            self.resolve_expr is None
            and self.auto_resolve
            and self.no_data == "ok"
            and self.m_of_n is None
        )

    def with_(self, **changes: Any) -> AlertRule:
        """Give a changed copy; every argument of ``AlertRule`` can be changed.

        Parameters
        ----------
        **changes : object
            Arguments of ``AlertRule``. A new ``expr`` replaces the short condition.

        Returns
        -------
        AlertRule
            Checked like a new one.

        Raises
        ------
        RuleError
            If an argument is not known, or wrong.
        """
        options = self._arguments()
        wrong = [key for key in changes if key not in options]
        if wrong:
            msg = f"AlertRule has no argument {wrong[0]!r}{did_you_mean(wrong[0], options)}"
            raise RuleError(msg)
        if "severity" in changes and "labels" not in changes and changes["severity"] is not None:
            level = Severity.parse(changes["severity"]).value
            options["labels"] = {**options["labels"], "severity": level}
        if "threshold" in changes and not {"expr", "condition"} & set(changes):
            number = check_number(changes["threshold"], f"alert rule {self.name!r}")
            text = self.condition if self.condition is not None else self.expr
            if number is not None and not (self.condition and shortform.uses_threshold(text)):
                options["expr" if self.condition is None else "condition"] = shortform.renumber(
                    text, number
                )
                changes["threshold"] = None if self.threshold is None else number
        if "expr" in changes:
            options["condition"] = None
            if "metric" not in changes and "condition" not in changes:
                options["metric"] = (
                    self.metric if _speaks_of(changes["expr"], self.metric) else None
                )
        elif "condition" in changes:
            options["expr"] = None
        return AlertRule(**{**options, **changes})

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types: every argument that is not at its default."""
        plain: dict[str, Any] = {"name": self.name, "expr": self.expr}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name in ("name", "expr", "severity") or value in (None, (), {}):
                continue
            if f.default is not dataclasses.MISSING and value == f.default:
                continue
            plain[f.name] = _plain(value)
        plain["severity"] = self.severity.value
        return plain

    def __repr__(self) -> str:
        parts = [repr(self.name), repr(self.expr)]
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name in ("name", "expr", "severity", "labels", "annotations") or value in (
                None,
                (),
            ):
                continue
            if f.name in ("metric", "condition", "threshold", "window", "resolve_condition"):
                continue
            if value != f.default:
                parts.append(f"{f.name}={value!r}")
        return f"AlertRule({', '.join(parts)}, severity={self.severity.value})"

    def _arguments(self) -> dict[str, Any]:
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        back = options.pop("resolve_condition")
        if self.condition is not None:
            options["expr"] = None
        if back is not None:
            options["resolve_expr"] = back
        if "severity" not in self.labels:
            options["severity"] = None
        options["labels"] = self.labels.to_dict()
        options["annotations"] = self.annotations.to_dict()
        return options


@dataclass(frozen=True)
class RecordingRule:
    """Keep the result of an expression as a series of its own.

    Parameters
    ----------
    record : str
        Name of the new metric.
    expr : str
        PromQL.
    labels : mapping of str to str
        Added to the result.

    Raises
    ------
    RuleError
        If the name or a label is wrong.
    QueryError
        If the expression is malformed.

    Examples
    --------
    >>> RecordingRule("job:errors:rate5m", "sum by (job) (rate(errors_total[5m]))").record
    'job:errors:rate5m'
    """

    record: str
    expr: str
    labels: Pairs = field(default_factory=Pairs)

    def __init__(self, record: str, expr: str, labels: Mapping[str, Any] | None = None) -> None:
        where = f"recording rule {record!r}"
        if not isinstance(record, str) or METRIC_NAME.fullmatch(record) is None:
            msg = f"{where}: the name must be a metric name such as 'job:errors:rate5m'"
            raise RuleError(msg)
        put = setter(self)
        put("record", record)
        put("expr", _condition(where, expr, None)[1])
        put("labels", check_pairs(labels, "label", where))

    @property
    def name(self) -> str:
        """The metric name, so that every rule has a name."""
        return self.record

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {"record": self.record, "expr": self.expr, "labels": self.labels.to_dict()}


Rule: TypeAlias = "AlertRule | RecordingRule"


def make_rule(name: str, condition: str, metric: str | None = None, **options: Any) -> AlertRule:
    """Make an alert rule from a short condition about a metric, or from PromQL.

    Parameters
    ----------
    name : str
        Name of the alert.
    condition : str
        ``"value > 100"``, ``"rate_5m > 0.1"``, ``"> 100"`` with a metric; PromQL without.
    metric : str, optional
        Metric name or selector.
    **options : object
        Arguments of ``AlertRule``.

    Returns
    -------
    AlertRule

    Raises
    ------
    RuleError, QueryError
        See ``AlertRule``.

    Examples
    --------
    >>> make_rule("High", "> 100", "latency_ms").expr
    'latency_ms > 100'
    """
    known = {f.name for f in dataclasses.fields(AlertRule)} - {"resolve_condition"}
    for key in options:
        if key not in known:
            msg = f"alert rule {name!r}: unknown option {key!r}{did_you_mean(key, known)}"
            raise RuleError(msg)
    if metric is None:
        return AlertRule(name, condition, **options)
    return AlertRule(name, metric=metric, condition=condition, **options)


def _condition(
    where: str,
    expr: Any,
    condition: Any,
    *,
    metric: str | None = None,
    threshold: float | None = None,
    window: str = "5m",
) -> tuple[str | None, str]:
    """Give the short condition (None for PromQL) and the checked PromQL."""
    if expr is not None and condition is not None:
        msg = f"{where}: give either an expression or a condition, not both"
        raise RuleError(msg)
    if condition is not None and metric is None:
        msg = f"{where}: a condition needs the metric it speaks of; give metric=…, or an expr"
        raise RuleError(msg)
    text = expr if condition is None else condition
    if not isinstance(text, str) or not text.strip():
        msg = f"{where}: the expression must be a text such as 'value > 100', not {text!r}"
        raise RuleError(msg)
    try:
        if metric is None:
            return None, shortform.check(text)
        return text, shortform.rewrite(text, metric, threshold=threshold, window=window)
    except RuleError as error:
        msg = f"{where}: {error}"
        raise RuleError(msg) from error


def _speaks_of(text: Any, metric: str | None) -> bool:
    return metric is not None and isinstance(text, str) and shortform.has_short_names(text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value.value if isinstance(value, Severity) else value
