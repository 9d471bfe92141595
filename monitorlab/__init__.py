"""Look at metrics in a notebook: explore, backtest alerts, find anomalies, forecast.

>>> import monitorlab as ml
>>> mf = ml.MonitoringFrame()
>>> mf.record("queue_depth", 3.0, timestamp="2026-01-01T00:00:00Z")
>>> mf.series("queue_depth").iloc[0]
np.float64(3.0)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from monitorlab import accessor as _accessor  # noqa: F401 - registers ``df.monitor``
from monitorlab import errors
from monitorlab.errors import MonitorlabError, MonitorlabWarning
from monitorlab.frame import MonitoringFrame
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey, Severity, TimeWindow

if TYPE_CHECKING:
    from monitorlab import (
        alerting,
        anomaly,
        cache,
        degradation,
        forecasting,
        plotting,
        query,
        recommend,
        report,
        seasonality,
        sources,
        testing,
        windows,
    )
    from monitorlab.alerting import AlertRule, load_rules, save_rules
    from monitorlab.dashboard import Dashboard
    from monitorlab.datasets import list_datasets, load_dataset
    from monitorlab.feed import LiveFeed
    from monitorlab.recordings import read_csv, read_openmetrics, read_parquet, read_prometheus
    from monitorlab.report import Report

__version__ = "0.1.0"

# Everything below is imported on first use: `import monitorlab` costs little more than pandas.
_LAZY = {
    "AlertRule": "monitorlab.alerting",
    "Dashboard": "monitorlab.dashboard",
    "LiveFeed": "monitorlab.feed",
    "Report": "monitorlab.report",
    "list_datasets": "monitorlab.datasets",
    "load_dataset": "monitorlab.datasets",
    "load_rules": "monitorlab.alerting",
    "read_csv": "monitorlab.recordings",
    "read_openmetrics": "monitorlab.recordings",
    "read_parquet": "monitorlab.recordings",
    "read_prometheus": "monitorlab.recordings",
    "save_rules": "monitorlab.alerting",
}
_LAZY_MODULES = (
    "alerting",
    "anomaly",
    "cache",
    "degradation",
    "forecasting",
    "plotting",
    "query",
    "recommend",
    "report",
    "seasonality",
    "sources",
    "testing",
    "windows",
)

__all__ = [
    "AlertRule",
    "Dashboard",
    "Incident",
    "Labels",
    "LiveFeed",
    "Metric",
    "MetricType",
    "MonitoringFrame",
    "MonitorlabError",
    "MonitorlabWarning",
    "Report",
    "SeriesKey",
    "Severity",
    "TimeWindow",
    "alerting",
    "anomaly",
    "cache",
    "degradation",
    "errors",
    "forecasting",
    "list_datasets",
    "load_dataset",
    "load_rules",
    "plotting",
    "query",
    "read_csv",
    "read_openmetrics",
    "read_parquet",
    "read_prometheus",
    "recommend",
    "report",
    "save_rules",
    "seasonality",
    "sources",
    "testing",
    "windows",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY_MODULES:
        value: Any = importlib.import_module(f"monitorlab.{name}")
    elif name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
    else:
        msg = f"module 'monitorlab' has no attribute {name!r}{errors.did_you_mean(name, __all__)}"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
