"""Ask every analysis at once: what report, snapshot and recommendations are made from.

``signals`` turns a source into one regular series for each thing worth watching;
``collect`` runs rules, anomaly detection, change points and forecasts over them;
``snapshot`` is the state of things at one moment.

>>> from monitorlab.overview import snapshot
>>> from monitorlab.storage import SeriesStore
>>> snapshot(SeriesStore()).status
'unknown'
"""

from monitorlab.overview.collect import HORIZONS, collect, recommendations
from monitorlab.overview.findings import Findings
from monitorlab.overview.health import Health, judge
from monitorlab.overview.objectives import Attainment, Objective, attainment
from monitorlab.overview.signals import capacity_pairs, signals
from monitorlab.overview.snapshot import Snapshot, snapshot

__all__ = [
    "HORIZONS",
    "Attainment",
    "Findings",
    "Health",
    "Objective",
    "Snapshot",
    "attainment",
    "capacity_pairs",
    "collect",
    "judge",
    "recommendations",
    "signals",
    "snapshot",
]
