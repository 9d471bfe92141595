"""Anomaly detection: causal, calibrated, the same one by one and in batch.

>>> from monitorlab import anomaly
>>> anomaly.make_detector("auto").threshold
0.999
"""

from monitorlab.anomaly.base import Detector, detectors, make_detector, register
from monitorlab.anomaly.detecting import detect
from monitorlab.anomaly.ensemble import AUTO_STATISTICS, STATISTICS, Ensemble
from monitorlab.anomaly.feedback import Feedback
from monitorlab.anomaly.result import Anomalies

__all__ = [
    "AUTO_STATISTICS",
    "STATISTICS",
    "Anomalies",
    "Detector",
    "Ensemble",
    "Feedback",
    "detect",
    "detectors",
    "make_detector",
    "register",
]
