"""The executive report: health, incidents, anomalies, changes and advice over several horizons.

>>> import monitorlab as ml
>>> mf = ml.MonitoringFrame()
>>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
>>> ml.Report(mf, horizons=("1h",), progress=False).to_dict()["schema"]
'monitorlab.report/1'
"""

from monitorlab.overview import Attainment, Objective
from monitorlab.report.report import Report
from monitorlab.report.schema import SCHEMA, SCHEMA_ID

__all__ = ["SCHEMA", "SCHEMA_ID", "Attainment", "Objective", "Report"]
