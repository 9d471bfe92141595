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

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from monitorlab import query
from monitorlab.alerting.evaluator import RuleEvaluator, goes_in_spans
from monitorlab.alerting.events import Alert, Event, PersonAction, Silence
from monitorlab.alerting.groups import RuleGroup, as_rules
from monitorlab.alerting.overlay import Overlay, Source
from monitorlab.alerting.rules import AlertRule, RecordingRule, Rule
from monitorlab.alerting.signals import Context, Signals, ask
from monitorlab.errors import MonitorlabError, RuleError
from monitorlab.model import Labels, Metric, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from monitorlab.query import RangeResult

__all__ = ["LiveEngine", "RuleEvaluator"]

MAX_CATCH_UP = 1_000  # missed evaluations that are made up for when the engine was late
_TWO_RESULTS = "a recording rule gives two results with the same labels; keep one that differs"
_when = attrgetter("time_ns")


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
    of a backtest, so both give the same events. Steps that are made up for are evaluated
    together, each expression once, unless a rule reads what a later one makes.
    After a call ``fired`` holds the alerts that fired in it, as they were at that moment.

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
        self._columns = query.ColumnMemory(retention)
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
        self.fired: list[Alert] = []
        self._many_at_once: bool | None = None
        self._joined: _Joined | None = None

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
        self.fired = []
        due = [
            (i, group, times)
            for i, group in enumerate(self.rules.groups)
            if (times := self._times(i, group, t_ns))
        ]
        if not due:
            return []
        if self._many_at_once is None:
            self._many_at_once = self._may_take_many()
        events: list[Event] = []
        failed: list[MonitorlabError] = []
        joined = self._joined = _Joined(source, self._made)
        view = query.Columns(joined, self._columns)
        if self._many_at_once and self.watch is None and not self.keep_alert_series:
            for i, group, times in due:
                events += self._group(i, group, times, view, failed)
        else:
            single = ((at, i, group) for i, group, times in due for at in times)
            for at, i, group in sorted(single, key=lambda item: item[:2]):
                joined.forget()
                events += self._group(i, group, range(at, at + 1), view, failed)
        if failed and not self._collect:
            raise failed[0]
        return sorted(events, key=_when)

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

    def _times(self, index: int, group: RuleGroup, t_ns: int) -> range:
        length = self._interval if group.interval is None else parse_duration(group.interval)
        last = self._done.get(index)
        if last is not None and t_ns <= last:
            return range(0)
        self._done[index] = t_ns
        if length is None:
            return range(t_ns, t_ns + 1)
        newest = t_ns - t_ns % length
        if last is None:
            return range(newest, newest + 1)
        oldest = last - last % length + length
        missed = (newest - oldest) // length + 1
        if missed > MAX_CATCH_UP:
            self.skipped += missed - MAX_CATCH_UP
            oldest = newest - (MAX_CATCH_UP - 1) * length
        return range(oldest, newest + 1, length)

    def _may_take_many(self) -> bool:
        """Tell whether rule after rule over many steps is the same as step after step."""
        from monitorlab.alerting._stepping import looks_ahead

        return not looks_ahead(self.rules) and all(
            goes_in_spans(rule, self.context) for rule in self.rules
        )

    def _group(
        self,
        index: int,
        group: RuleGroup,
        times: range,
        view: Source,
        failed: list[MonitorlabError],
    ) -> list[Event]:
        """Evaluate the rules of a group at all its times, one rule after the other."""
        if not times:
            return []
        acts = [a for a in self._waiting[index] if a.time_ns <= times[-1]]
        self._waiting[index] = [a for a in self._waiting[index] if a.time_ns > times[-1]]
        events: list[Event] = []
        for rule in group.rules:
            try:
                events += self._rule(rule, view, times, acts)
            except MonitorlabError as error:
                self.errors[rule.name] = error
                failed.append(error)
            else:
                self.errors.pop(rule.name, None)
        return events

    def _rule(
        self, rule: Rule, view: Source, times: range, acts: list[PersonAction]
    ) -> list[Event]:
        if len(times) > 1:
            try:
                return self._over(rule, view, times, acts)
            except MonitorlabError:
                # Which of the steps are wrong is found out by taking them one by one.
                return self._one_by_one(rule, view, times, acts)
        return self._over(rule, view, times, acts)

    def _one_by_one(
        self, rule: Rule, view: Source, times: range, acts: list[PersonAction]
    ) -> list[Event]:
        events: list[Event] = []
        newest: MonitorlabError | None = None
        for at in times:
            due = [a for a in acts if a.time_ns <= at]
            acts = [a for a in acts if a.time_ns > at]
            try:
                events += self._over(rule, view, range(at, at + 1), due)
                newest = None
            except MonitorlabError as error:
                newest = error
        if newest is not None:
            self.errors[rule.name] = newest
        return events

    def _over(
        self, rule: Rule, view: Source, times: range, acts: list[PersonAction]
    ) -> list[Event]:
        """Evaluate one rule at all times together; nothing is changed when that fails."""
        step = times.step if len(times) > 1 else 1_000_000_000
        if isinstance(rule, RecordingRule):
            result = ask(view, rule.expr, times[0], times[-1], step, self.context.options)
            self._record(rule, result)
            return []
        evaluator = self._evaluators[id(rule)]
        events, signals = evaluator.advance(view, times[0], times[-1], step, acts)
        self.fired += evaluator.fired
        if self.watch is not None:
            self.watch(rule, signals)
        if self.keep_alert_series:
            self._keep(id(rule), _alert_samples(evaluator.active), times[0])
        return [self._silenced(event) for event in events] if self.silences else events

    def _record(self, rule: RecordingRule, result: RangeResult) -> None:
        """Append what a recording rule gave, and stale markers where a series goes away."""
        made: dict[SeriesKey, tuple[Any, Any]] = {}
        for key, present, values in zip(result.keys, result.present, result.values, strict=True):
            name = recorded_key(rule, key)
            had, numbers = made.get(name, (np.zeros(len(present), bool), values))
            if (had & present).any():
                raise RuleError(_TWO_RESULTS)
            made[name] = (had | present, np.where(present, values, numbers))
        before = self._last_made.get(id(rule), set())
        for name in made.keys() | before:
            present, values = made.get(name, (np.zeros(len(result.times_ns), bool), None))
            ends = np.concatenate([[name in before], present[:-1]]) & ~present
            written = present | ends
            if written.any():
                numbers = np.full(len(present), STALE_NAN) if values is None else values.copy()
                numbers[ends] = STALE_NAN
                self._made.extend(name, result.times_ns[written], numbers[written])
                self._forget()
        self._last_made[id(rule)] = {name for name, (present, _) in made.items() if present[-1]}

    def _keep(self, owner: int, samples: list[tuple[SeriesKey, float]], at: int) -> None:
        keys = {key for key, _ in samples}
        if len(keys) != len(samples):
            raise RuleError(_TWO_RESULTS)
        self._forget()
        for key, value in samples:
            self._made.append(key, at, value)
        for key in self._last_made.get(owner, set()) - keys:
            self._made.append(key, at, STALE_NAN)
        self._last_made[owner] = keys

    def _forget(self) -> None:
        if self._joined is not None:
            self._joined.forget()

    def _silenced(self, event: Event) -> Event:
        if any(s.covers(event.labels, event.time_ns) for s in self.silences):
            return Event(
                event.time_ns, event.rule, event.state, event.severity, event.key, event.labels,
                event.value, event.reason, "silenced",
            )  # fmt: skip
        return event


class _Joined:
    """The source and the results of recording rules, seen as one, for one call of the engine.

    Rules often ask for the same series over the same time; each such question is asked once.
    """

    def __init__(self, base: Source, made: SeriesStore) -> None:
        self._base = base
        self._made = made
        self._asked: dict[tuple[Any, ...], list[SeriesView]] = {}

    def forget(self) -> None:
        """Ask again: there are new results of recording rules."""
        self._asked.clear()

    def select(
        self,
        selector: str | Any = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[SeriesView]:
        wanted = selector if selector is None or isinstance(selector, str) else tuple(selector)
        question = (wanted, start_ns, end_ns)
        found = self._asked.get(question)
        if found is None:
            found = self._asked[question] = self._select(wanted, start_ns, end_ns)
        return found

    def metric(self, name: str) -> Metric:
        return (
            self._made.metric(name) if name in self._made.metric_names else self._base.metric(name)
        )

    def _select(self, selector: Any, start_ns: int | None, end_ns: int | None) -> list[SeriesView]:
        over = self._made.select(selector, start_ns, end_ns) if len(self._made) else []
        if not over:
            return self._base.select(selector, start_ns, end_ns)
        return Overlay(self._base, over).select(selector, start_ns, end_ns)


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


def _to_ns(t: Any) -> int:
    from monitorlab.times import to_ns

    return to_ns(t)
