"""The pandas accessor: ``df.monitor`` is a MonitoringFrame of a DataFrame or a Series.

>>> import pandas as pd
>>> import monitorlab.accessor
>>> index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
>>> pd.DataFrame({"cpu": [0.5, 0.7]}, index=index).monitor.series("cpu").tolist()
[0.5, 0.7]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from monitorlab.frame import MonitoringFrame

__all__ = ["monitor"]


def monitor(data: Any) -> MonitoringFrame:
    """Give a MonitoringFrame of a wide or long DataFrame, or of a Series.

    Parameters
    ----------
    data : pandas.DataFrame or pandas.Series
        With a ``DatetimeIndex`` or a column of times.

    Returns
    -------
    MonitoringFrame
        Of a copy of the samples, made anew at each use: keep it under a name to add to it.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
    >>> len(pd.DataFrame({"cpu": [0.5, 0.7], "memory": [1.0, 2.0]}, index=index).monitor)
    2
    """
    from monitorlab.frame import MonitoringFrame

    return MonitoringFrame(data)


_accessor: Any = monitor  # any callable will do for pandas, a class for its type hints
pd.api.extensions.register_dataframe_accessor("monitor")(_accessor)
pd.api.extensions.register_series_accessor("monitor")(_accessor)
