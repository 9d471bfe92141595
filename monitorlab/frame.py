"""The MonitoringFrame: many series, what is known of them, and every question to ask of them.

It is thin: a selection of a store and a list of rules; each method calls its topic's module.

>>> example()
MonitoringFrame: 3 series of 2 metrics, 12 samples, 2026-01-01 00:00:00 to 2026-01-01 00:03:00 UTC
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from monitorlab import _frame_parts, analysis_input, io, tables
from monitorlab._frame_parts import example  # noqa: F401 - for the examples
from monitorlab.display import html_table, text_table
from monitorlab.io.files import AnyPath
from monitorlab.io.layout import LayoutName, TableLayout
from monitorlab.model import MetricType, SeriesKey, TimeWindow
from monitorlab.storage import SeriesStore
from monitorlab.times import DurationLike, TimeLike

__all__ = ["MonitoringFrame"]

_Labels = Mapping[str, str] | None
_Time = TimeLike | None
_Type = MetricType | str | None


class MonitoringFrame:
    """Series with their metrics, incidents and rules, as of a time.

    ``selection`` is what queries, rules and analyses read; ``rules`` watch it, see ``alert``.

    Parameters
    ----------
    data : DataFrame, Series, SeriesStore, Selection or MonitoringFrame, optional
        Wide (``DatetimeIndex``, a column a series) or long (timestamp, metric, value,
        labels); a store is shared, not copied. Nothing makes an empty frame.
    layout, labels, tz : optional
        How to read a table, as in ``monitorlab.io.from_pandas``.
    **keep : optional
        ``duplicates``, ``max_age``, ``max_samples``, as in ``SeriesStore``.

    Examples
    --------
    >>> MonitoringFrame(example().to_pandas("wide")).series("hits_total").tolist()
    [0.0, 3.0, 6.0, 9.0]
    """

    rules = _frame_parts.RulesOfFrame()

    def __init__(
        self,
        data: Any = None,
        *,
        layout: TableLayout = "auto",
        labels: Sequence[str] | None = None,
        tz: str | None = None,
        **keep: Any,
    ) -> None:
        self.selection = _frame_parts.selection_of(data, keep, layout=layout, labels=labels, tz=tz)
        self.rules = getattr(data, "rules", ())

    @property
    def store(self) -> SeriesStore:
        """The samples of all views of this frame."""
        return self.selection.store

    @property
    def metrics(self) -> pd.DataFrame:
        """Table of metrics: type, unit, series, samples, first, last, description.

        >>> example().metrics["type"].tolist()
        ['counter', 'gauge']
        """
        return tables.metrics_table(self.selection)

    @property
    def incidents(self) -> pd.DataFrame:
        """Labelled truth: start, end, kind, severity, metrics, description; add with ``mark``.

        >>> example().incidents.columns.tolist()[:3]
        ['start', 'end', 'kind']
        """
        return tables.incidents_table(self.selection.incidents)

    @property
    def as_of(self) -> pd.Timestamp | None:
        """The time that counts as now: set by ``at``, else that of the newest sample."""
        return self.selection.as_of

    def record(
        self,
        metric: str,
        value: float,
        timestamp: _Time = None,
        labels: _Labels = None,
        type: _Type = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Add one sample, now unless a time is given.

        >>> mf = MonitoringFrame(); mf.record("up", 1, "2026-01-01T00:00Z", {"job": "shop"})
        >>> mf.series("up").tolist()
        [1.0]
        """
        return self.store.record(metric, value, timestamp, labels, type, metadata)

    def extend(
        self, metric: str, timestamps: Any, values: Any, labels: _Labels = None, type: _Type = None
    ) -> None:
        """Add many samples of one series, in any order.

        >>> mf = MonitoringFrame(); mf.extend("up", ["2026-01-01T00:00Z"], [1], type="gauge")
        >>> len(mf)
        1
        """
        return _frame_parts.extend(self.store, metric, timestamps, values, labels, type)

    def describe_metric(
        self, metric: str, type: _Type = None, unit: str = "", description: str = "", **more: Any
    ) -> None:
        """Say what a metric means (also ``direction``: "up" or "down" is worse).

        >>> mf = example(); mf.describe_metric("latency_ms", type="timer", unit="ms")
        >>> mf.metrics.loc["latency_ms", "type"]
        'timer'
        """
        return _frame_parts.describe(self.store, metric, type, unit, description, **more)

    def mark(self, start: TimeLike, end: TimeLike, kind: str = "incident", **known: Any) -> None:
        """Mark a span in which something was wrong (also severity, metrics, description).

        >>> mf = example(); mf.mark("2026-01-01T00:01Z", "2026-01-01T00:02Z", "cpu_hog")
        >>> mf.incidents["kind"].tolist()
        ['cpu_hog']
        """
        return _frame_parts.mark(self.store, start, end, kind, **known)

    def select(self, selector: str) -> MonitoringFrame:
        """Keep the series that a PromQL selector names.

        >>> len(example().select('latency_ms{route="/cart"}'))
        1
        """
        return _frame_parts.narrowed(self, self.selection.select(selector))

    def series(self, selector: str | SeriesKey | None = None) -> pd.Series:
        """Give the one series that a selector names; several are an error that lists them.

        >>> example().series('latency_ms{route="/cart"}').tolist()
        [10.0, 11.0, 12.0, 12.0]
        """
        return analysis_input.one_view(self.selection, selector).to_pandas()

    def between(self, start: _Time, end: _Time) -> MonitoringFrame:
        """Keep ``[start, end)``.

        >>> example().between("2026-01-01T00:01Z", "2026-01-01T00:03Z").series("hits_total").size
        2
        """
        return _frame_parts.narrowed(self, self.selection.between(start, end))

    def last(self, window: DurationLike | TimeWindow) -> MonitoringFrame:
        """Keep ``(as_of - window, as_of]``.

        >>> example().last("2m").series("hits_total").size
        2
        """
        return _frame_parts.narrowed(self, self.selection.last(window))

    def at(self, time: TimeLike) -> MonitoringFrame:
        """See nothing after a time, and take it as now.

        >>> example().at("2026-01-01T00:01Z").as_of
        Timestamp('2026-01-01 00:01:00+0000', tz='UTC')
        """
        return _frame_parts.narrowed(self, self.selection.at(time))

    def pipe(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Give the frame to any function.

        >>> example().pipe(len)
        3
        """
        return function(self, *args, **kwargs)

    def stats(self, window: DurationLike | TimeWindow = "5m") -> pd.DataFrame:
        """Summarise the last window of each series: count min max mean … p95 p99 rate.

        >>> example().stats("10m")["max"].tolist()
        [9.0, 9.0, 12.0]
        """
        return _frame_parts.stats(self, window)

    def query(self, expr: str, at: _Time = None, **options: Any) -> pd.DataFrame:
        """Answer a PromQL expression at one time, the as-of time unless given.

        >>> example().query("max by (route) (latency_ms)")["value"].tolist()
        [9.0, 12.0]
        """
        return _frame_parts.query(self, expr, at, **options)

    def query_range(
        self,
        expr: str,
        start: _Time = None,
        end: _Time = None,
        step: DurationLike = "1m",
        **options: Any,
    ) -> MonitoringFrame:
        """Answer a PromQL expression at every step of a range, both ends included.

        >>> example().query_range("sum(latency_ms)", step="2m").series().tolist()
        [15.0, 21.0]
        """
        return _frame_parts.query_range(self, expr, start, end, step, **options)

    def alert(self, name: Any, condition: Any = None, metric: Any = None, **options: Any) -> Any:
        """Add an alert rule: a ready one, a short condition about a metric, or PromQL.

        >>> example().alert("Slow", "value > 10", "latency_ms", severity="critical").expr
        'latency_ms > 10'
        """
        return _frame_parts.add_rule(self.rules, name, condition, metric, **options)

    def backtest(
        self, rules: Any = None, incidents: Any = None, interval: DurationLike = "15s", **more: Any
    ) -> Any:
        """Run rules over the recording and score them against the incidents.

        >>> mf = example(); rule = mf.alert("Slow", "latency_ms > 11")
        >>> mf.backtest(interval="1m").events["rule"].unique().tolist()
        ['Slow']
        """
        return _frame_parts.backtest(self, rules, incidents, interval=interval, **more)

    def tune(
        self, rule: Any, incidents: Any = None, max_false_positive_rate: float = 0.01, **more: Any
    ) -> Any:
        """Find the threshold and the ``for`` of a rule, or of the frame's rule of a name.

        >>> example().tune("Slow")
        Traceback (most recent call last):
        monitorlab.errors.UnknownNameError: there is no rule 'Slow'
        """
        return _frame_parts.tune(self, rule, incidents, max_false_positive_rate, **more)

    def anomalies(self, selector: Any = None, detector: Any = "auto", **options: Any) -> Any:
        """Score how unlike its own past each sample is, and list the anomalies.

        >>> example().anomalies("latency_ms").scores.shape[1]
        2
        """
        return _frame_parts.anomalies(self, selector, detector, **options)

    def seasonality(self, selector: Any = None, **options: Any) -> Any:
        """Find what repeats: periods, profiles, peaks.

        >>> len(example(90).seasonality("hits_total").to_frame())
        1
        """
        return _frame_parts.seasonality(self, selector, **options)

    def trend(self, selector: Any = None, **options: Any) -> Any:
        """Say where series are going: direction, slope per hour, confidence, volatility.

        >>> example(90).trend("hits_total").to_frame()["direction"].tolist()
        ['flat']
        """
        return _frame_parts.trend(self, selector, **options)

    def degradation(self, selector: Any = None, **options: Any) -> Any:
        """Find lasting changes for the worse, with their size and their significance.

        >>> len(example(90).degradation("hits_total").to_frame())
        1
        """
        return _frame_parts.degradation(self, selector, **options)

    def forecast(
        self, selector: Any = None, horizon: DurationLike = "24h", capacity: Any = None, **more: Any
    ) -> Any:
        """Forecast one series, and when it reaches its capacity (a number or a metric).

        >>> len(example(90).forecast("hits_total", horizon="10m").mean)
        10
        """
        return _frame_parts.forecast(self, selector, horizon, capacity, **more)

    def recommendations(self, **options: Any) -> Any:
        """Say what to do next, each advice with its evidence.

        >>> len(example().recommendations().items)
        0
        """
        return _frame_parts.recommendations(self, **options)

    def snapshot(self, window: DurationLike = "5m") -> Any:
        """Say how everything stands as of the newest sample.

        >>> example().snapshot("5m").status
        'ok'
        """
        return _frame_parts.snapshot(self, window)

    def to_parquet(self, path: AnyPath) -> None:
        """Write samples, metrics, incidents and sample metadata; reads back as it was.

        >>> path = getfixture("tmp_path") / "x.parquet"; example().to_parquet(path)
        """
        return io.write_parquet(path, self.selection, self.store.metrics, self.selection.incidents)

    def to_openmetrics(self, path: AnyPath, format: Any = "openmetrics") -> None:
        """Write exposition text ("openmetrics" or "prometheus") with times and metadata.

        >>> path = getfixture("tmp_path") / "x.om"; example().to_openmetrics(path)
        """
        return io.write_openmetrics(path, self.selection, self.store.metrics, format=format)

    def to_csv(self, path: AnyPath, layout: LayoutName = "long") -> None:
        """Write CSV: a row a sample (long) or a column a series (wide).

        >>> path = getfixture("tmp_path") / "x.csv"; example().to_csv(path)
        """
        return io.write_csv(path, self.selection.series(), layout)

    def to_pandas(self, layout: LayoutName = "wide") -> pd.DataFrame:
        """Give a table: a column a series (wide) or a row a sample (long).

        >>> example().to_pandas("long").columns.tolist()
        ['timestamp', 'metric', 'route', 'value']
        """
        return io.to_pandas(self.selection.series(), layout)

    def __len__(self) -> int:
        return len(self.selection)

    def __repr__(self) -> str:
        return f"MonitoringFrame: {tables.headline_text(self.selection, len(self.rules))}"

    def __str__(self) -> str:
        return f"{self!r}\n{text_table(self.metrics)}"

    def _repr_html_(self) -> str:
        return html_table(self.metrics, caption=repr(self))
