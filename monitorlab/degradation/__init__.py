"""When did it get worse? Change points, drifts, comparisons, and a streaming monitor.

>>> import numpy as np
>>> changepoints(np.repeat([1.0, 3.0], 60))
[60]
"""

from monitorlab.degradation.analysis import analyze
from monitorlab.degradation.changes import Segmentation, changepoints, segment
from monitorlab.degradation.comparison import Comparison, compare
from monitorlab.degradation.direction import Direction, worse_direction
from monitorlab.degradation.monitor import DegradationMonitor, StreamChange
from monitorlab.degradation.results import Change, Degradation, Drift, SeriesDegradation

__all__ = [
    "Change",
    "Comparison",
    "Degradation",
    "DegradationMonitor",
    "Direction",
    "Drift",
    "Segmentation",
    "SeriesDegradation",
    "StreamChange",
    "analyze",
    "changepoints",
    "compare",
    "segment",
    "worse_direction",
]
