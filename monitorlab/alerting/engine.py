"""Rules over a live source: one evaluation at a time, the same answers as a backtest.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> for t in range(4):
...     store.append("up", t * 15_000_000_000, 0.0)
>>> engine = LiveEngine([AlertRule("Down", "up == 0", for_="30s")])
>>> [e.state for t in range(4) for e in engine.evaluate(store, t * 15_000_000_000)]
['pending', 'firing']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from monitorlab.alerting import templates
from monitorlab.alerting.events import Alert, Event, PersonAction, Silence
from monitorlab.alerting.groups import RuleGroup, as_rules
from monitorlab.alerting.overlay import Overlay, Source
from monitorlab.alerting.rules import AlertRule, RecordingRule, Rule
from monitorlab.alerting.signals import Context, Signals, ask, observe
from monitorlab.alerting.state import Action, InstanceState, Observation, Policy, step
from monitorlab.errors import MonitorlabError, RuleError
from monitorlab.model import Labels, Metric, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["LiveEngine", "RuleEvaluator"]

MAX_CATCH_UP = 1_000  # missed evaluations that are made up for when the engine was late


class RuleEvaluator:
    """Evaluate one alert rule again and again, remembering only its open alerts.

    Parameters
    ----------
    rule : AlertRule
        The rule.
    context : Context, optional
        External labels and URL for templates.

    Examples
    --------
    >>> RuleEvaluator(AlertRule("Down", "up == 0")).active
    []
    """

    def __init__(self, rule: AlertRule, context: Context | None = None) -> None:
        self.rule = rule
        self.context = context or Context()
        self._policy = rule.policy
        self._states: dict[Labels, tuple[SeriesKey, InstanceState]] = {}
        self._seen = False

    @property
    def active(self) -> list[Alert]:
        """The pending and firing alerts."""
        return [
            self._alert(labels, key, state)
            for labels, (key, state) in self._states.items()
            if state.phase != "inactive"
        ]

    def evaluate(
        self, source: Source, t_ns: int, actions: Iterable[PersonAction] = ()
    ) -> tuple[list[Event], Signals]:
        """Evaluate at one time.

        Parameters
        ----------
        source : Source
            Where the samples are.
        t_ns : int
            The time; later than that of the evaluation before.
        actions : iterable of PersonAction
            What people did since the evaluation before.

        Returns
        -------
        events : list of Event
            What happened.
        signals : Signals
            What the expressions said.

        Notes
        -----
        The cost does not grow with the history: expressions are evaluated at one instant.
        """
        known = {labels: key for labels, (key, _) in self._states.items()}
        signals = observe(
            self.rule, source, t_ns, t_ns, 1_000_000_000, self.context, known=known, seen=self._seen
        )
        self._seen = signals.seen
        acts = list(actions)
        events: list[Event] = []
        for row, labels in enumerate(signals.labels):
            key, state = self._states.get(labels, (signals.keys[row], InstanceState()))
            if signals.present[row, 0]:
                key = signals.keys[row]
            asked: list[Action] = [a.kind for a in acts if a.applies_to(self.rule.name, labels)]
            state, outcomes = step(self._policy, state, t_ns, _observation(signals, row), asked)
            events += [
                Event(
                    o.time_ns, self.rule.name, o.state, o.severity or self.rule.severity, key,
                    labels, o.value, o.reason, "cooldown" if o.quiet else "",
                )
                for o in outcomes
            ]  # fmt: skip
            if _worth_keeping(state, self._policy, t_ns):
                self._states[labels] = (key, state)
            else:
                self._states.pop(labels, None)
        return events, signals

    def _alert(self, labels: Labels, key: SeriesKey, state: InstanceState) -> Alert:
        level = state.level
        severity = self._policy.escalations[level - 1][1] if level else self.rule.severity
        context = self.context
        return Alert(
            rule=self.rule.name,
            labels=labels,
            annotations={
                name: templates.expand(
                    text, key, state.value, context.external_labels, context.external_url
                )
                for name, text in self.rule.annotations.items()
            },
            state="firing" if state.phase == "firing" else "pending",
            severity=severity,
            value=state.value,
            active_since_ns=state.active_since,
            fired_at_ns=state.fired_at if state.phase == "firing" else None,
            key=key,
            acknowledged=state.acknowledged,
            quiet_until_ns=state.quiet_until,
        )


class LiveEngine:
    """Evaluate a set of rules as time goes by.

    Parameters
    ----------
    rules : rules in any form
        See ``as_rules``.
    interval : duration, optional
        Time between evaluations of groups that name none; None: at every call.
    context : Context, optional
        External labels and URL for templates.
    silences : iterable of Silence
        Spans in which nobody is told; more with ``silence``.
    retention : duration
        How long results of recording rules are kept.
    on_error : {"raise", "collect"}
        Whether a rule that cannot be evaluated stops the call, after the other rules have
        been evaluated, or is only written down in ``errors``.

    Notes
    -----
    A group with an interval is evaluated at whole multiples of it, in event time: a call at
    ``t`` makes up for every multiple since the call before (at most 1 000). This is the grid
    of a backtest, so both give the same events.

    Examples
    --------
    >>> LiveEngine(AlertRule("Down", "up == 0")).active
    []
    """

    def __init__(
        self,
        rules: Any,
        *,
        interval: DurationLike | None = None,
        context: Context | None = None,
        silences: Iterable[Silence] = (),
        retention: DurationLike = "1d",
        on_error: Literal["raise", "collect"] = "raise",
    ) -> None:
        if on_error not in ("raise", "collect"):
            msg = f"on_error must be 'raise' or 'collect', not {on_error!r}"
            raise RuleError(msg)
        self.rules = as_rules(rules)
        self.context = context or Context()
        self.silences: list[Silence] = list(silences)
        self.errors: dict[str, MonitorlabError] = {}
        self.skipped = 0
        self._collect = on_error == "collect"
        self._interval = None if interval is None else parse_duration(interval)
        self._made = SeriesStore(max_age=retention)
        self._last_made: dict[int, set[SeriesKey]] = {}
        self._done: dict[int, int] = {}
        self._waiting: dict[int, list[PersonAction]] = {
            i: [] for i in range(len(self.rules.groups))
        }
        self._evaluators = {
            id(rule): RuleEvaluator(rule, self.context) for rule in self.rules.alerts
        }
        self.watch: Callable[[AlertRule, Signals], None] | None = None
        self.keep_alert_series = False

    @property
    def active(self) -> list[Alert]:
        """The pending and firing alerts of all rules."""
        return [alert for one in self._evaluators.values() for alert in one.active]

    @property
    def recorded(self) -> SeriesStore:
        """What recording rules have made."""
        return self._made

    def evaluate(self, source: Source, t: Any) -> list[Event]:
        """Evaluate every group that is due.

        Parameters
        ----------
        source : Source
            Where the samples are.
        t : time
            Event time of the call (an integer is nanoseconds); later samples do not count.

        Returns
        -------
        list of Event
            What happened, in order of time.

        Raises
        ------
        MonitorlabError
            If a rule cannot be evaluated and ``on_error`` is ``"raise"``.
        """
        t_ns = int(t) if isinstance(t, (int, np.integer)) else _to_ns(t)
        view = _Joined(source, self._made)
        due: list[tuple[int, int, RuleGroup]] = []
        for i, group in enumerate(self.rules.groups):
            due += [(at, i, group) for at in self._times(i, group, t_ns)]
        events: list[Event] = []
        first: MonitorlabError | None = None
        for at, i, group in sorted(due, key=lambda item: item[:2]):
            acts = [a for a in self._waiting[i] if a.time_ns <= at]
            self._waiting[i] = [a for a in self._waiting[i] if a.time_ns > at]
            for rule in group.rules:
                try:
                    events += self._one(rule, view, at, acts)
                    self.errors.pop(rule.name, None)
                except MonitorlabError as error:
                    self.errors[rule.name] = error
                    first = first or error
        if first is not None and not self._collect:
            raise first
        return events

    def acknowledge(
        self, time: Any, *, rule: str | None = None, labels: Mapping[str, str] | None = None
    ) -> None:
        """Take alerts: they are not escalated any more. Counts from the next evaluation."""
        self._act(PersonAction.make("acknowledge", time, rule=rule, labels=labels))

    def resolve(
        self, time: Any, *, rule: str | None = None, labels: Mapping[str, str] | None = None
    ) -> None:
        """End alerts by hand; each stays quiet until its condition has been false once."""
        self._act(PersonAction.make("resolve", time, rule=rule, labels=labels))

    def silence(self, matchers: Any, start: Any, end: Any, comment: str = "") -> Silence:
        """Tell nobody of some alerts for a while; see ``Silence.make``."""
        made = Silence.make(matchers, start, end, comment)
        self.silences.append(made)
        return made

    def _act(self, action: PersonAction) -> None:
        for waiting in self._waiting.values():
            waiting.append(action)

    def _times(self, index: int, group: RuleGroup, t_ns: int) -> list[int]:
        length = self._interval if group.interval is None else parse_duration(group.interval)
        last = self._done.get(index)
        if last is not None and t_ns <= last:
            return []
        if length is None:
            self._done[index] = t_ns
            return [t_ns]
        newest = t_ns - t_ns % length
        self._done[index] = t_ns
        if last is None:
            return [newest]
        oldest = last - last % length + length
        missed = (newest - oldest) // length + 1
        if missed > MAX_CATCH_UP:
            self.skipped += missed - MAX_CATCH_UP
            oldest = newest - (MAX_CATCH_UP - 1) * length
        return list(range(oldest, newest + 1, length))

    def _one(self, rule: Rule, view: Source, at: int, acts: list[PersonAction]) -> list[Event]:
        if isinstance(rule, RecordingRule):
            result = ask(view, rule.expr, at, at, 1_000_000_000, self.context.options)
            found = [
                (recorded_key(rule, key), float(result.values[i, 0]))
                for i, key in enumerate(result.keys)
                if result.present[i, 0]
            ]
            self._keep(id(rule), found, at)
            return []
        evaluator = self._evaluators[id(rule)]
        events, signals = evaluator.evaluate(view, at, acts)
        if self.watch is not None:
            self.watch(rule, signals)
        if self.keep_alert_series:
            self._keep(id(rule), _alert_samples(evaluator.active), at)
        return [self._silenced(event) for event in events]

    def _keep(self, owner: int, samples: list[tuple[SeriesKey, float]], at: int) -> None:
        keys = {key for key, _ in samples}
        if len(keys) != len(samples):
            msg = "a recording rule gives two results with the same labels; keep one that differs"
            raise RuleError(msg)
        for key, value in samples:
            self._made.append(key, at, value)
        for key in self._last_made.get(owner, set()) - keys:
            self._made.append(key, at, STALE_NAN)
        self._last_made[owner] = keys

    def _silenced(self, event: Event) -> Event:
        if any(s.covers(event.labels, event.time_ns) for s in self.silences):
            return Event(
                event.time_ns, event.rule, event.state, event.severity, event.key, event.labels,
                event.value, event.reason, "silenced",
            )  # fmt: skip
        return event


class _Joined:
    """The source and the results of recording rules, seen as one."""

    def __init__(self, base: Source, made: SeriesStore) -> None:
        self._base = base
        self._made = made

    def select(
        self,
        selector: str | Any = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[SeriesView]:
        over = self._made.select(selector, start_ns, end_ns) if len(self._made) else []
        if not over:
            return self._base.select(selector, start_ns, end_ns)
        return Overlay(self._base, over).select(selector, start_ns, end_ns)

    def metric(self, name: str) -> Metric:
        return (
            self._made.metric(name) if name in self._made.metric_names else self._base.metric(name)
        )


def recorded_key(rule: RecordingRule, key: SeriesKey) -> SeriesKey:
    """Give the series that a recording rule makes of an element of its result."""
    return SeriesKey(rule.record, Labels({**key.labels, **rule.labels}))


def _alert_samples(alerts: list[Alert]) -> list[tuple[SeriesKey, float]]:
    found = []
    for alert in alerts:
        labels = Labels({**alert.labels, "alertstate": alert.state})
        found.append((SeriesKey("ALERTS", labels), 1.0))
        found.append(
            (SeriesKey("ALERTS_FOR_STATE", alert.labels), float(alert.active_since_ns // 10**9))
        )
    return found


def _observation(signals: Signals, row: int) -> Observation:
    return Observation(
        present=bool(signals.present[row, 0]),
        value=float(signals.values[row, 0]),
        has_data=signals.data is None or bool(signals.data[row, 0]),
        resolve=signals.resolve is not None and bool(signals.resolve[row, 0]),
    )


def _worth_keeping(state: InstanceState, policy: Policy, t_ns: int) -> bool:
    return (
        state.phase != "inactive"
        or state.history != 0
        or state.muted
        or (policy.no_data == "alert" and state.seen)
        or (state.quiet_until is not None and t_ns < state.quiet_until)
    )


def _to_ns(t: Any) -> int:
    from monitorlab.times import to_ns

    return to_ns(t)
