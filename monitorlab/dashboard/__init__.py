"""A dashboard for notebooks: ipywidgets around one Plotly figure, on history and live.

>>> from monitorlab.dashboard import Panel
>>> Panel("rate(requests_total[1m])", title="requests", unit="1/s").kind
'line'
"""

from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.state import DashboardState
from monitorlab.dashboard.widget import Dashboard

__all__ = ["Dashboard", "DashboardState", "Panel"]
