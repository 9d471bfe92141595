"""Alerts on service-level objectives: several burn rates, each over two windows.

>>> rules = burn_rate_rules(
...     slo=0.999, errors='sum(rate(http_errors_total[{window}]))',
...     total='sum(rate(http_requests_total[{window}]))')
>>> [(rule.for_, rule.severity.value) for rule in rules.alerts]
[('2m', 'critical'), ('15m', 'critical'), ('1h', 'warning'), ('3h', 'warning')]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitorlab import query
from monitorlab.alerting.groups import RuleGroup, RuleSet
from monitorlab.alerting.rules import AlertRule, RecordingRule
from monitorlab.errors import MonitorlabError, RuleError
from monitorlab.model import METRIC_NAME, Severity
from monitorlab.times import DurationLike, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BURN_RATES", "BurnRate", "burn_rate_rules"]


@dataclass(frozen=True, slots=True)
class BurnRate:
    """One row of the table of burn rates.

    Parameters
    ----------
    budget : float
        Share of the error budget of the period that is gone when the alert fires.
    long, short : str
        The two windows; the short one ends the alert soon after the trouble.
    for_ : str
        How long both must burn.
    severity : Severity
        Page or ticket.

    Examples
    --------
    >>> round(BurnRate(0.02, "1h", "5m", "2m", Severity.CRITICAL).factor(30 * 86400), 1)
    14.4
    """

    budget: float
    long: str
    short: str
    for_: str
    severity: Severity

    def factor(self, period_seconds: float) -> float:
        """Give the burn rate: how many times faster than allowed the budget is spent."""
        return self.budget * period_seconds / (parse_duration(self.long) / 1e9)


BURN_RATES = (
    BurnRate(0.02, "1h", "5m", "2m", Severity.CRITICAL),
    BurnRate(0.05, "6h", "30m", "15m", Severity.CRITICAL),
    BurnRate(0.10, "1d", "2h", "1h", Severity.WARNING),
    BurnRate(0.10, "3d", "6h", "3h", Severity.WARNING),
)


def burn_rate_rules(
    slo: float = 0.999,
    *,
    errors: str | None = None,
    total: str | None = None,
    ratio: str | None = None,
    name: str = "ErrorBudgetBurn",
    period: DurationLike = "30d",
    rates: Sequence[BurnRate] = BURN_RATES,
    labels: Mapping[str, str] | None = None,
    record_prefix: str = "slo",
    interval: DurationLike | None = None,
    scale: float = 1.0,
) -> RuleSet:
    """Write the multi-window, multi-burn-rate alerts of an objective.

    Parameters
    ----------
    slo : float
        Share of events that must be good, between 0 and 1.
    errors, total : str
        PromQL for bad events and for all events a second, with ``{window}`` where the window
        goes; for example ``sum(rate(http_errors_total[{window}]))``.
    ratio : str
        The share of bad events directly, in place of the two.
    name : str
        Name of the alerts.
    period : duration
        Period of the objective.
    rates : sequence of BurnRate
        The table; the workbook's unless given.
    labels : mapping of str to str, optional
        Added to every alert.
    record_prefix : str
        First part of the names of the recording rules that hold the ratios.
    interval : duration, optional
        Time between evaluations.
    scale : float
        Shortens all windows and ``for`` by this factor (0.1 for a recording of three days
        in place of a month); burn rates stay as they are.

    Returns
    -------
    RuleSet
        One recording rule for each window, then one alert for each row of the table, told
        apart by the labels ``long_window`` and ``short_window``.

    Raises
    ------
    RuleError
        If the objective is no share, or the expressions are missing or wrong.

    References
    ----------
    B. Beyer et al. (2018), "The Site Reliability Workbook", chapter 5, "Alerting on SLOs",
    table 5-8.

    Examples
    --------
    >>> rules = burn_rate_rules(0.99, ratio='errors:ratio_rate{window}')
    >>> rules.alerts[0].expr
    'slo:error_ratio:5m > 0.144 and slo:error_ratio:1h > 0.144'
    """
    if not isinstance(slo, (int, float)) or not 0 < slo < 1:
        msg = f"slo is the share of good events, between 0 and 1 (0.999), not {slo!r}"
        raise RuleError(msg)
    if scale <= 0:
        msg = f"scale must be more than 0, not {scale!r}"
        raise RuleError(msg)
    if METRIC_NAME.fullmatch(record_prefix) is None:
        msg = f"record_prefix must be a metric name, not {record_prefix!r}"
        raise RuleError(msg)
    text = _ratio(errors, total, ratio)
    windows = sorted({w for rate in rates for w in (rate.long, rate.short)}, key=parse_duration)
    shown = {w: _scaled(w, scale) for w in windows}
    recordings = [
        RecordingRule(f"{record_prefix}:error_ratio:{shown[w]}", _filled(text, shown[w]))
        for w in windows
    ]
    period_seconds = parse_duration(period) / 1e9
    alerts = [
        _alert(name, slo, rate, period_seconds, record_prefix, shown, dict(labels or {}), scale)
        for rate in rates
    ]
    return RuleSet([RuleGroup(f"slo:{name}", [*recordings, *alerts], interval)])


def _alert(
    name: str,
    slo: float,
    rate: BurnRate,
    period_seconds: float,
    prefix: str,
    shown: Mapping[str, str],
    labels: dict[str, str],
    scale: float,
) -> AlertRule:
    factor = rate.factor(period_seconds)
    cut = f"{factor * (1 - slo):.12g}"
    short, long = shown[rate.short], shown[rate.long]
    more: dict[str, Any] = {"long_window": long, "short_window": short}
    return AlertRule(
        name,
        f"{prefix}:error_ratio:{short} > {cut} and {prefix}:error_ratio:{long} > {cut}",
        for_=_scaled(rate.for_, scale),
        severity=rate.severity,
        labels={**labels, **more},
        annotations={
            "summary": f"Error budget burns {factor:.3g} times too fast over {long} and {short}",
            "description": "{{ $value | humanizePercentage }} of events fail; the objective is "
            f"{100 * slo:g}% good. At this pace {100 * rate.budget:g}% of the budget goes in "
            f"{long}.",
        },
    )


def _ratio(errors: str | None, total: str | None, ratio: str | None) -> str:
    if ratio is not None and errors is None and total is None:
        return ratio
    if ratio is None and errors is not None and total is not None:
        return f"({errors}) / ({total})"
    msg = "give either errors=… and total=…, or ratio=…, each PromQL with {window} in it"
    raise RuleError(msg)


def _filled(text: str, window: str) -> str:
    if "{window}" not in text:
        msg = f"{text!r} has no {{window}}; write for example rate(errors_total[{{window}}])"
        raise RuleError(msg)
    filled = text.replace("{window}", window)
    try:
        return query.to_promql(query.parse(filled))
    except MonitorlabError as error:
        msg = f"the expression of the objective is wrong: {error}"
        raise RuleError(msg) from error


def _scaled(window: str, scale: float) -> str:
    return format_duration(max(round(parse_duration(window) * scale / 1e9), 1) * 10**9)
