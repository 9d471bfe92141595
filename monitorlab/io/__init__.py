"""In and out: CSV, Parquet, exposition text (OpenMetrics, Prometheus), pandas, Prometheus HTTP.

Everything here reads into a ``SeriesStore`` and writes from its views; the functions that
give a ``MonitoringFrame`` are ``monitorlab.read_csv`` and its like.

>>> import pandas as pd
>>> from monitorlab import io
>>> index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
>>> io.from_pandas(pd.DataFrame({"cpu": [0.5, 0.7]}, index=index)).sample_count
2
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitorlab.io.csv import read_csv
    from monitorlab.io.csv_write import write_csv
    from monitorlab.io.exposition_write import exposition_text, write_openmetrics
    from monitorlab.io.frames import from_pandas, to_pandas
    from monitorlab.io.openmetrics import Exposition, parse_openmetrics, read_openmetrics
    from monitorlab.io.parquet import read_parquet
    from monitorlab.io.parquet_write import write_parquet
    from monitorlab.io.prometheus import read_prometheus

# Each name is imported on first use: a frame made by code needs no file format.
_LAZY = {
    "Exposition": "openmetrics",
    "exposition_text": "exposition_write",
    "from_pandas": "frames",
    "parse_openmetrics": "openmetrics",
    "read_csv": "csv",
    "read_openmetrics": "openmetrics",
    "read_parquet": "parquet",
    "read_prometheus": "prometheus",
    "to_pandas": "frames",
    "write_csv": "csv_write",
    "write_openmetrics": "exposition_write",
    "write_parquet": "parquet_write",
}

__all__ = [
    "Exposition",
    "exposition_text",
    "from_pandas",
    "parse_openmetrics",
    "read_csv",
    "read_openmetrics",
    "read_parquet",
    "read_prometheus",
    "to_pandas",
    "write_csv",
    "write_openmetrics",
    "write_parquet",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module 'monitorlab.io' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(f"monitorlab.io.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
