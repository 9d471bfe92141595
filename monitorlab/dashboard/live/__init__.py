"""The live view: many panels at ten pictures a second, in step with the page.

``wire`` writes samples in binary, ``flow`` waits for answers, ``pace`` keeps to the rate,
``series`` and ``lanes`` say what is new, ``core`` puts them together without widgets, ``widget``
is the thin shell, and ``offer`` is the button of a dashboard that opens it.

>>> from monitorlab.dashboard.live.flow import Flow
>>> Flow().pages
0
"""

from monitorlab.dashboard.live.core import LiveCore
from monitorlab.dashboard.live.offer import LiveOffer, live_view_of
from monitorlab.dashboard.live.widget import LiveView, bundle

__all__ = ["LiveCore", "LiveOffer", "LiveView", "bundle", "live_view_of"]
