"""What to do next, from results only: each advice with its evidence and its limits.

>>> from monitorlab.recommend import recommend
>>> recommend().summary()
'nothing to recommend; 5 questions could not be judged'
"""

from monitorlab.recommend.advice import Evidence, Recommendation, Recommendations
from monitorlab.recommend.rules import recommend

__all__ = ["Evidence", "Recommendation", "Recommendations", "recommend"]
