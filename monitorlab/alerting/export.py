"""A backtest as a test file: real data and what the rules do on it, for ``promtool``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab import query
from monitorlab.alerting import templates
from monitorlab.alerting.files import dump_rules
from monitorlab.alerting.groups import RuleGroup, RuleSet
from monitorlab.alerting.history import History, replay
from monitorlab.alerting.rules import AlertRule
from monitorlab.alerting.tree import selectors_of
from monitorlab.errors import RuleError
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView, is_stale
from monitorlab.times import TimeLike, format_duration, from_ns, parse_duration, to_ns

if TYPE_CHECKING:
    from os import PathLike

    from monitorlab.alerting.backtest import Backtest
    from monitorlab.alerting.overlay import Source
    from monitorlab.model import SeriesKey

__all__ = ["write_rule_test"]

MAX_SAMPLES = 2_000_000


def write_rule_test(
    result: Backtest,
    path: str | PathLike[str],
    *,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
    max_checks: int = 50,
    name: str = "recorded",
) -> Path:
    """Write the data of a backtest, and what its rules do on them, as a rule test.

    Parameters
    ----------
    result : Backtest
        Rules, data and span.
    path : str or os.PathLike
        The test file. The rules go beside it, to ``<name>.rules.yml``.
    start, end : time, optional
        Part of the span to write; all of it unless given.
    max_checks : int
        Most times, for each rule, at which its alerts are checked.
    name : str
        Name of the test.

    Returns
    -------
    pathlib.Path
        The test file.

    Raises
    ------
    RuleError
        If there would be more than 2 million samples; give a shorter part.

    Notes
    -----
    A test file has one sample an interval for each series, so each interval gets its newest
    sample, and what is expected is computed from these samples. Alerts are checked where one
    begins to fire and one evaluation after each ends. The rules are written without what only
    monitorlab knows, and the expectations are those of such rules.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> import tempfile
    >>> from monitorlab.alerting import backtest, run_rule_tests
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_rule_test(backtest(store, AlertRule("Down", "up == 0")), f"{folder}/t.yml")
    ...     run_rule_tests(path).passed
    True
    """
    import yaml

    file = Path(path)
    step_ns = parse_duration(result.interval)
    first = to_ns(result.start if start is None else start) // step_ns * step_ns
    last = to_ns(result.end if end is None else end) // step_ns * step_ns
    if last < first:
        msg = f"the part to write ends at {from_ns(last)}, before its start {from_ns(first)}"
        raise RuleError(msg)
    rules = RuleSet(
        RuleGroup(g.name, [_plain(rule) for rule in g.rules]) for g in result.rules.groups
    )
    views = _wanted(rules, result.data, first, last)
    steps = (last - first) // step_ns + 1
    if len(views) * steps > MAX_SAMPLES:
        msg = (
            f"{len(views)} series × {steps} steps are more than {MAX_SAMPLES} samples; give "
            "start=… and end=… for a shorter part"
        )
        raise RuleError(msg)
    store = SeriesStore()
    series = []
    for view in views:
        values, present = _on_grid(view, first, steps, step_ns)
        if not present.any():
            continue
        times = np.arange(steps, dtype=np.int64) * step_ns
        store.extend(view.key, times[present], values[present])
        series.append({"series": str(view.key), "values": _notation(values, present)})
    histories, _ = replay(store, rules, 0, last - first, step_ns)
    rules_file = file.with_name(f"{file.stem}.rules.yml")
    rules_file.write_text(dump_rules(rules, extras="drop"), encoding="utf-8")
    document = {
        "rule_files": [rules_file.name],
        "evaluation_interval": format_duration(step_ns),
        "tests": [
            {
                "name": f"{name}, {from_ns(first):%Y-%m-%dT%H:%M:%SZ} onwards",
                "interval": format_duration(step_ns),
                "input_series": series,
                "alert_rule_test": _checks(histories, max_checks),
            }
        ],
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    file.write_text(text, encoding="utf-8")
    return file


def _plain(rule: Any) -> Any:
    if not isinstance(rule, AlertRule):
        return rule
    return AlertRule(
        rule.name,
        rule.expr,
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        severity=None if "severity" not in rule.labels else rule.severity,
        labels=rule.labels,
        annotations=rule.annotations,
        cooldown="0s",
        escalate_after=None,
    )


def _wanted(rules: RuleSet, source: Source, first: int, last: int) -> list[SeriesView]:
    made = {rule.record for rule in rules.recordings}
    found: dict[SeriesKey, SeriesView] = {}
    for rule in rules:
        for selector in selectors_of(query.parse(rule.expr)):
            for view in source.select(selector.matchers, first, last + 1):
                if view.key.metric not in made and len(view):
                    found[view.key] = view
    return [found[key] for key in sorted(found)]


def _on_grid(
    view: SeriesView, first: int, steps: int, step_ns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the newest sample of each interval ``(t - step, t]``, and where there is one."""
    edges = first + np.arange(steps, dtype=np.int64) * step_ns
    upto = np.searchsorted(view.times, edges, side="right")
    before = np.searchsorted(view.times, edges - step_ns, side="right")
    present = upto > before
    values = np.where(present, view.values[np.maximum(upto - 1, 0)], 0.0)
    stale = is_stale(view.values)[np.maximum(upto - 1, 0)] & present
    values[stale] = STALE_NAN
    return values, present


def _notation(values: np.ndarray, present: np.ndarray) -> str:
    stale = is_stale(values)
    words: list[str] = []
    repeats = 0

    def flush(word: str | None) -> None:
        nonlocal repeats
        if words and repeats:
            words[-1] += f"x{repeats}" if words[-1] != "_" else f"x{repeats + 1}"
        repeats = 0
        if word is not None:
            words.append(word)

    previous: str | None = None
    for value, here, gone in zip(values.tolist(), present.tolist(), stale.tolist(), strict=True):
        word = "_" if not here else "stale" if gone else _number(value)
        if word == previous and word != "stale":
            repeats += 1
            continue
        flush(word)
        previous = word
    flush(None)
    return " ".join(words)


def _number(value: float) -> str:
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _checks(histories: list[History], most: int) -> list[dict[str, Any]]:
    found = []
    names = dict.fromkeys(history.rule.name for history in histories)
    for name in names:
        mine = [h for h in histories if h.rule.name == name]
        moments: set[int] = set()
        for history in mine:
            times = history.signals.times
            last = len(times) - 1
            moments |= {int(times[i]) for i in history.lives.fired}
            moments |= {int(times[min(i, last)]) for i in history.lives.ended}
        found += [
            {
                "eval_time": format_duration(at),
                "alertname": name,
                "exp_alerts": [alert for h in mine for alert in _firing(h, at)],
            }
            for at in sorted(moments)[:most] or [int(t) for t in mine[0].signals.times[-1:]]
        ]
    return found


def _firing(history: History, at: int) -> list[dict[str, Any]]:
    signals, lives = history.signals, history.lives
    step = int(np.searchsorted(signals.times, at))
    rows = lives.firing_row[(lives.fired <= step) & (lives.ended > step)]
    values = lives.value_at(rows, np.full(len(rows), step))
    alerts = []
    for row, value in zip(rows.tolist(), values.tolist(), strict=True):
        labels = signals.labels[row].without("alertname").to_dict()
        notes = {
            key: templates.expand(text, signals.keys[row], value)
            for key, text in history.rule.annotations.items()
        }
        alert = {"exp_labels": labels, "exp_annotations": notes}
        alerts.append({k: v for k, v in alert.items() if v})
    return alerts
