"""Rules and detectors over a growing store: a step at a time, the answers of the batch.

>>> from monitorlab.alerting import AlertRule
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> watch = AlertWatch(AlertRule("Down", "up == 0", for_="30s"), store, "15s")
>>> for second in (0, 15, 30):
...     store.append("up", second * 1_000_000_000, 0.0)
>>> [event.state for event in watch.advance(30_000_000_000, print)]
['pending', 'firing']
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.columns import is_derived
from monitorlab.display import format_number
from monitorlab.errors import SourceError
from monitorlab.feed.batch import Chunk
from monitorlab.feed.notices import Trouble
from monitorlab.feed.pages import Verdict
from monitorlab.feed.rehearsal import rehearse
from monitorlab.feed.status import FeedEvent
from monitorlab.model import Labels, SeriesKey, Severity
from monitorlab.times import DurationLike, from_ns, parse_duration

if TYPE_CHECKING:
    from monitorlab.alerting import Alert, Event
    from monitorlab.model import Incident, Metric
    from monitorlab.storage import SeriesView

__all__ = ["SCORE_METRIC", "AlertWatch", "AnomalyWatch"]

SCORE_METRIC = "anomaly_score"
STEPS_AT_ONCE = 500  # evaluations in one call of the engine, below its own limit


class AlertWatch:
    """Evaluate rules at every step of their grid that event time has passed.

    Parameters
    ----------
    rules : rules in any form
        See ``monitorlab.alerting.as_rules``.
    store : SeriesStore
        Where the samples are.
    interval : duration
        Time between evaluations of groups that name none.

    Raises
    ------
    RuleError
        If a rule is wrong.
    SourceError
        If the interval is zero.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> AlertWatch(AlertRule("Down", "up == 0"), SeriesStore(), "15s").firing
    []
    """

    def __init__(self, rules: Any, store: Any, interval: DurationLike) -> None:
        from monitorlab.alerting import LiveEngine, as_rules

        length = parse_duration(interval)
        if length <= 0:
            msg = f"the interval of rules must be above zero, not {interval!r}"
            raise SourceError(msg)
        self.engine = LiveEngine(as_rules(rules), interval=interval, on_error="collect")
        rehearse(self.engine.rules)
        lengths = [parse_duration(g.interval) for g in self.engine.rules.groups if g.interval]
        self._step = min([length, *lengths])
        self._store = store
        self._at: int | None = None
        self._reported: dict[str, str] = {}
        self._begun = False
        self.tells_taken = False
        self._events: list[Event] = []
        self._fired: list[Alert] = []

    @property
    def firing(self) -> list[str]:
        """Alerts that fire now, as ``name{labels}``."""
        return sorted(
            f"{alert.rule}{_short(alert.labels)}"
            for alert in self.engine.active
            if alert.state == "firing"
        )

    def advance(
        self, until_ns: int, trouble: Trouble, *, since_ns: int | None = None
    ) -> list[FeedEvent]:
        """Evaluate every step that is due up to a time, and give what happened.

        The first step is the first at or after ``since_ns`` (the oldest sample when not given).
        """
        if self._at is None:
            if since_ns is None:
                since_ns = min((int(v.times[0]) for v in self._store.select()), default=None)
            if since_ns is None:
                return []
            self._at = -(-since_ns // self._step) * self._step - self._step
        events: list[FeedEvent] = []
        while self._at + self._step <= until_ns:
            due = (until_ns - self._at) // self._step
            # The engine's very first call judges one step only, so that call is for one.
            steps = min(due, STEPS_AT_ONCE) if self._begun else 1
            self._begun = True
            self._at += steps * self._step
            found = self.engine.evaluate(self._store, self._at)
            events += [_alert_event(event) for event in found]
            self._events += found
            self._fired += self.engine.fired
            self._report(trouble)
        return events

    def verdict(self) -> Verdict | None:
        """Give what the rules said since the last call; None before their first evaluation."""
        if self._at is None or not self._begun:
            return None
        alerts = self._fired
        if self.tells_taken:
            fired = {(alert.labels, alert.fired_at_ns) for alert in alerts}
            alerts = alerts + [
                alert
                for alert in self.engine.active
                if alert.acknowledged and (alert.labels, alert.fired_at_ns) not in fired
            ]
        made = Verdict(self._at, tuple(self._events), tuple(alerts))
        self._events, self._fired = [], []
        return made

    def _report(self, trouble: Trouble) -> None:
        now = {name: str(error) for name, error in self.engine.errors.items()}
        for name, text in now.items():
            if self._reported.get(name) != text:
                trouble(f"rule {name}", self.engine.errors[name])
        self._reported = now


class AnomalyWatch:
    """Score the samples of chosen series as they come.

    Parameters
    ----------
    detectors : str, sequence of str, or mapping of str to str or Detector
        Selectors of the series; with ``"auto"`` for each, or the detector that is named. A
        detector is copied for each series.
    store : SeriesStore
        Where the samples are, and where the score series ``anomaly_score{metric=…, detector=…}``
        goes.

    Raises
    ------
    MatcherError
        If a selector cannot be read.
    UnknownNameError
        If there is no such detector.

    Notes
    -----
    The detectors begin with what the store holds already, so that scores and events are those
    of the batch over the whole frame; verdicts among its incidents count, also those that are
    given later (see ``Feedback``): the threshold of a series is the adapted one, and what is
    like an event that was expected is information. What kind of event it is, is judged at its
    first sample: a change that lasts looks like a spike then.

    A counter is scored by its rate since the sample before, reset-aware. A sample that comes
    late is not scored. Where a detector has no score (a missing sample, the first of a
    counter) there is no score sample either: a gap, not a NaN that rules would compare with.
    An event is the first sample of a run at or above the threshold. Cost: one update a sample;
    the history once, about 0.01 ms a sample; and a look at the whole series whenever a verdict
    on it is given, and at an alarm of a series with verdicts.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> AnomalyWatch("latency_ms", SeriesStore()).selectors
    ('latency_ms',)
    """

    def __init__(self, detectors: Any, store: Any) -> None:
        from monitorlab.anomaly import Ensemble, make_detector
        from monitorlab.storage import parse_selector
        from monitorlab.storage.matchers import key_filter

        chosen = _as_mapping(detectors)
        self.selectors = tuple(chosen)
        self._store = store
        self._tests = []
        for selector, given in chosen.items():
            model = make_detector(given) if isinstance(given, str) else given
            name = given if isinstance(given, str) else model.name or type(model).__name__
            if isinstance(model, Ensemble):
                model.clone().update(0.0, math.nan)  # compiled now, not while samples wait
            self._tests.append((key_filter(parse_selector(selector).matchers), model, name))
        self._watched: dict[SeriesKey, _Watched | None] = {}
        self._incidents: list[Incident] = []
        self._marks: list[Incident] = []
        self._heed()
        for view in store.select():
            watched = self._watch(view.key)
            if watched is not None:
                watched.heed(self._marks, view)
                watched.learn(view)

    def see(self, chunks: Iterable[Chunk], trouble: Trouble) -> list[FeedEvent]:
        """Score new samples, record the scores, and give the anomalies that began."""
        events: list[FeedEvent] = []
        self._heed()
        for chunk in chunks:
            watched = self._watch(chunk.key)
            if watched is None:
                continue
            view, first = self._store.view(chunk.key), int(chunk.times.min())
            try:
                watched.heed(self._marks, view)
                watched.learn(view.between(None, first))  # what others put into the store
                times, scores, found = watched.see(view)
            except Exception as error:  # noqa: BLE001 - told, and the feed goes on
                self._watched[chunk.key] = None
                trouble(f"detector of {chunk.key}, which is no longer asked", error)
                continue
            events += found
            if len(times):
                self._record(watched.score_key, times, scores)
        return events

    def _heed(self) -> None:
        """Take note of verdicts that were given since the last time."""
        if self._incidents != self._store.incidents:
            from monitorlab.anomaly.verdicts import verdicts

            self._incidents = list(self._store.incidents)
            self._marks = verdicts(self._incidents)

    def _watch(self, key: SeriesKey) -> _Watched | None:
        if key in self._watched:
            return self._watched[key]
        made = None
        if not is_derived(key.metric):
            for passes, model, name in self._tests:
                if passes(key):
                    made = _Watched(key, model, name, self._store.metric(key.metric))
                    break
        self._watched[key] = made
        return made

    def _record(self, key: SeriesKey, times: np.ndarray, scores: np.ndarray) -> None:
        if SCORE_METRIC not in self._store.metrics:
            self._store.describe(
                SCORE_METRIC, type="gauge", unit="ratio",
                description="How unusual a sample is, 0 to 1.",
            )  # fmt: skip
        self._store.extend(key, times, scores)


class _Watched:
    """One series with its own detector."""

    def __init__(self, key: SeriesKey, model: Any, name: str, metric: Metric) -> None:
        labels = {**key.labels, "metric": key.metric, "detector": name}
        self.key = key
        self.score_key = SeriesKey(SCORE_METRIC, Labels(labels))
        self._model = model
        self._name = name
        self._metric = metric
        self._marks: list[Incident] = []
        self._begin(model.clone())

    def _begin(self, detector: Any) -> None:
        from monitorlab.query import RunningColumn

        self._detector = detector
        self._running = RunningColumn(self._score, cumulative=self._metric.type.is_cumulative)
        self._strange = False
        self._alarms: list[tuple[int, float, float]] = []

    def learn(self, view: SeriesView) -> None:
        """Take in the samples that are new, and say nothing of them."""
        self._running.advance(view)
        self._alarms = []

    def see(self, view: SeriesView) -> tuple[np.ndarray, np.ndarray, list[FeedEvent]]:
        """Give times and scores of the samples that are new, and the anomalies that began."""
        times, scores = self._running.advance(view)
        alarms, self._alarms = self._alarms, []
        events = [self._event(*alarm, self._verdict(alarm[0], view)) for alarm in alarms]
        if events and self._marks:
            self._adapt(view)  # what a verdict is on may have come, or grown, just now
        there = ~np.isnan(scores)
        return times[there], scores[there], events

    def heed(self, marks: list[Incident], view: SeriesView) -> None:
        """Let verdicts on this series move its threshold."""
        from monitorlab.anomaly.verdicts import verdicts_of

        mine = verdicts_of(marks, str(self.key))
        if mine == self._marks:
            return
        self._marks = mine
        self._adapt(view)

    def _adapt(self, view: SeriesView) -> None:
        threshold = self._asked(self._judged(view))
        if threshold == self._detector.threshold:
            return
        last = self._running.last_ns
        again = self._model.clone()
        again.threshold = threshold
        self._begin(again)
        if last is not None:
            self.learn(view.between(None, last + 1))

    def _score(self, times: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Score the next samples, and note where a run of strange ones begins."""
        update, threshold = self._detector.update, self._detector.threshold
        scores = np.empty(len(times))
        for n, (time, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
            scores[n] = score = update(time / 1e9, value)
            if math.isnan(score):
                continue
            strange = score >= threshold
            if strange and not self._strange:
                self._alarms.append((time, value, score))
            self._strange = strange
        return scores

    def _judged(self, view: SeriesView) -> Any:
        from monitorlab.analysis_input import prepare
        from monitorlab.anomaly import detect

        series = prepare(view, self._metric)
        return detect({str(self.key): series}, self._model, marks=self._marks)

    def _asked(self, found: Any) -> float:
        """Give the threshold that verdicts ask for."""
        threshold: float = found.thresholds.get(str(self.key), self._model.threshold)
        return threshold

    def _verdict(self, time: int, view: SeriesView) -> str:
        """Give what people said of such an event."""
        if not self._marks:
            return ""
        found, at = self._judged(view.between(None, time + 1)), from_ns(time)
        events = found.events[found.events["score"].notna()]
        here = events[(events["start"] <= at) & (events["end"] > at)]
        if len(here):
            return str(here["verdict"].iloc[-1])
        # what is in no event was left out as expected, if it alarms in the batch at all
        return "expected" if self._asked(found) == self._detector.threshold else ""

    def _event(self, time: int, value: float, score: float, verdict: str) -> FeedEvent:
        what = "rate" if self._metric.type.is_cumulative else "value"
        text = f"{self.key}: unusual {what} {format_number(value)} (score {format_number(score)})"
        expected = verdict == "expected"
        return FeedEvent(
            from_ns(time), "anomaly", "anomaly", self._name, str(self.key),
            Severity.INFO if expected else Severity.WARNING, value,
            f"{text}, as expected" if expected else text,
        )  # fmt: skip


def _as_mapping(detectors: Any) -> Mapping[str, Any]:
    if isinstance(detectors, str):
        return {detectors: "auto"}
    if isinstance(detectors, Mapping):
        return detectors
    if isinstance(detectors, Sequence):
        return dict.fromkeys(detectors, "auto")
    msg = f"detectors must be selectors, or a mapping of selectors to detectors, not {detectors!r}"
    raise SourceError(msg)


def _alert_event(event: Any) -> FeedEvent:
    where = _short(event.labels)
    told = {"pending": "may fire", "firing": "fires", "resolved": "is over"}
    text = f"{event.rule}{where} {told.get(event.state, event.state)}"
    if not math.isnan(event.value):
        text += f" at {format_number(event.value)}"
    return FeedEvent(
        event.time, "alert", event.state, event.rule, str(event.key), event.severity,
        event.value, text, event,
    )  # fmt: skip


def _short(labels: Labels) -> str:
    rest = Labels(labels).without("alertname", "severity")
    return repr(rest) if rest else ""
