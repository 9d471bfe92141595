"""Several series together: one joint score, and the share of each series in an event."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["joint_scores"]

SLACK = 3  # samples within which the series may answer one fault
CEILING = 30.0  # one series may not speak louder than this many units of surprise


def joint_scores(
    traces: Mapping[str, pd.DataFrame], threshold: float = 0.999, *, refractory: int = 24
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score several series as one system.

    Parameters
    ----------
    traces : mapping of str to pandas.DataFrame
        What ``Ensemble.trace`` found for each series.
    threshold : float
        Score at and above which a moment alarms.
    refractory : int
        Moments after an alarm without another.

    Returns
    -------
    trace : pandas.DataFrame
        Columns ``score`` and ``tail`` on the union of all times.
    shares : pandas.DataFrame
        For each time the share of each series in the joint surprise; rows sum to one, or are
        zero where nothing was strange.

    Notes
    -----
    The joint statistic is the sum over the series of the greatest surprise (minus the
    logarithm of the tail probability, at most 30) of the last three samples, as in Fisher's
    combination of tests; it is ranked among its own past by the same calibration as a single
    statistic, so that dependence between the series is learned and not assumed away. Cost
    O(times x series).

    References
    ----------
    Fisher (1925), "Statistical Methods for Research Workers".

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.anomaly.ensemble import Ensemble
    >>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
    >>> queue = pd.Series(np.arange(600) % 10.0, index=index)
    >>> disk = queue.where(index != index[500], 40.0)
    >>> traces = {"queue": Ensemble().trace(queue), "disk": Ensemble().trace(disk)}
    >>> trace, shares = joint_scores(traces)
    >>> bool(trace["score"].iloc[500] >= 0.999), shares.iloc[500].idxmax()
    (True, 'disk')
    """
    from monitorlab.kernels import anomaly_auto as kernel

    columns = {}
    for name, trace in traces.items():
        tail = trace["tail"].to_numpy()
        surprise = np.minimum(-np.log1p(-np.minimum(tail, 1.0 - 1e-15)), CEILING)
        recent = pd.Series(surprise, index=trace.index)
        recent = recent[~recent.index.duplicated(keep="last")]
        columns[name] = recent.rolling(SLACK, min_periods=1).max()
    table = pd.DataFrame(columns).sort_index()
    table = table.ffill(limit=SLACK).fillna(0.0)
    total = table.sum(axis=1).to_numpy()
    state = np.zeros(kernel.STATE_SIZE)
    state[kernel.WARMUP] = 150.0
    state[kernel.THRESHOLD] = 1.0 - threshold
    state[kernel.REFRACTORY] = float(refractory)
    kernel.reset(state)
    out = np.zeros((len(total), kernel.OUTPUTS))
    kernel.decide_run(state, total, out)
    trace = pd.DataFrame({"score": out[:, 0], "tail": out[:, 1]}, index=table.index)
    shares = table.div(np.where(total > 0.0, total, 1.0), axis=0)
    return trace, shares
