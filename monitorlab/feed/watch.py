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

from monitorlab.display import format_number
from monitorlab.errors import SourceError
from monitorlab.feed.batch import Chunk
from monitorlab.feed.notices import Trouble
from monitorlab.feed.own import OWN_PREFIX
from monitorlab.feed.pages import Verdict
from monitorlab.feed.rehearsal import rehearse
from monitorlab.feed.status import FeedEvent
from monitorlab.model import Labels, MetricType, SeriesKey, Severity
from monitorlab.times import DurationLike, from_ns, parse_duration

if TYPE_CHECKING:
    from monitorlab.alerting import Alert, Event

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
        Where the score series ``anomaly_score{metric=…}`` goes.

    Raises
    ------
    MatcherError
        If a selector cannot be read.
    UnknownNameError
        If there is no such detector.

    Notes
    -----
    A counter is scored by its rate since the sample before, reset-aware. A sample that comes
    late is not scored. Where a detector has no score (a missing sample, the first of a
    counter) there is no score sample either: a gap, not a NaN that rules would compare with.
    An event is the first sample of a run at or above the threshold.

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
            name = given if isinstance(given, str) else getattr(model, "name", "detector")
            if isinstance(model, Ensemble):
                model.clone().update(0.0, math.nan)  # compiled now, not while samples wait
            self._tests.append((key_filter(parse_selector(selector).matchers), model, name))
        self._watched: dict[SeriesKey, _Watched | None] = {}

    def see(self, chunks: Iterable[Chunk], trouble: Trouble) -> list[FeedEvent]:
        """Score new samples, record the scores, and give the anomalies that began."""
        events: list[FeedEvent] = []
        for chunk in chunks:
            if chunk.key not in self._watched:
                self._watched[chunk.key] = self._watch(chunk.key)
            watched = self._watched[chunk.key]
            if watched is None:
                continue
            try:
                times, scores, found = watched.see(chunk)
            except Exception as error:  # noqa: BLE001 - told, and the feed goes on
                self._watched[chunk.key] = None
                trouble(f"detector of {chunk.key}, which is no longer asked", error)
                continue
            events += found
            if len(times):
                self._store.extend(watched.score_key, times, scores)
        return events

    def _watch(self, key: SeriesKey) -> _Watched | None:
        if key.metric == SCORE_METRIC or key.metric.startswith(OWN_PREFIX):
            return None
        for passes, model, name in self._tests:
            if passes(key):
                if SCORE_METRIC not in self._store.metrics:
                    self._store.describe(
                        SCORE_METRIC, type="gauge", unit="ratio",
                        description="How unusual a sample is, 0 to 1.",
                    )  # fmt: skip
                cumulative = self._store.metric(key.metric).type is MetricType.COUNTER
                return _Watched(key, model.clone(), name, cumulative=cumulative)
        return None


class _Watched:
    """One series with its own detector."""

    def __init__(self, key: SeriesKey, detector: Any, name: str, *, cumulative: bool) -> None:
        self.key = key
        self.score_key = SeriesKey(SCORE_METRIC, Labels({**key.labels, "metric": key.metric}))
        self._detector = detector
        self._name = name
        self._cumulative = cumulative
        self._last_time: int | None = None
        self._last_value = math.nan
        self._strange = False

    def see(self, chunk: Chunk) -> tuple[np.ndarray, np.ndarray, list[FeedEvent]]:
        update, threshold = self._detector.update, self._detector.threshold
        times: list[int] = []
        scores: list[float] = []
        events: list[FeedEvent] = []
        for time, given in zip(chunk.times.tolist(), chunk.values.tolist(), strict=True):
            if self._last_time is not None and time <= self._last_time:
                continue
            value = self._rate(time, given) if self._cumulative else given
            self._last_time, self._last_value = time, given
            score = update(time / 1e9, value)
            strange = score >= threshold
            if strange and not self._strange:
                events.append(self._event(time, value, score))
            if not math.isnan(score):
                self._strange = strange
                times.append(time)
                scores.append(score)
        return np.array(times, dtype=np.int64), np.array(scores, dtype=np.float64), events

    def _rate(self, time: int, value: float) -> float:
        if self._last_time is None or math.isnan(self._last_value):
            return math.nan
        grown = value - self._last_value if value >= self._last_value else value
        return grown / ((time - self._last_time) / 1e9)

    def _event(self, time: int, value: float, score: float) -> FeedEvent:
        what = "rate" if self._cumulative else "value"
        text = f"{self.key}: unusual {what} {format_number(value)} (score {format_number(score)})"
        return FeedEvent(
            from_ns(time), "anomaly", "anomaly", self._name, str(self.key), Severity.WARNING,
            value, text,
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
