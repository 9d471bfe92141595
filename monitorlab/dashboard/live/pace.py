"""How often updates are made: any clock, and none waits for one that came late.

>>> pace = Pace(rate=10.0)
>>> pace.begun(0.0, cost=0.0)
>>> pace.ready_at
0.05
"""

from __future__ import annotations

import math

__all__ = ["Pace"]

SHARE = 3.0  # after an update, three times as long for everybody else
CREDIT = 0.5  # of a period: so much sooner than the rate has it may an update come
CATCH_UP = 0.95  # of a period: what came late is made good by a twentieth an update


class Pace:
    """Lets an update go as soon as there is something new, about ``rate`` times a second.

    Parameters
    ----------
    rate : float
        Updates a second.

    Notes
    -----
    A timer of fixed beats would hold up each sample of a source that beats as often: by the
    difference of their phases, which one late update sets for good. Here an update moves the
    next one a period on, half of which may be used ahead, and a twentieth of a period is given
    back each time; so samples that come at the rate go at once, also a second after a delay.
    A source that is faster gets 21 updates in the time of 20.

    Examples
    --------
    >>> pace = Pace(rate=10.0)
    >>> pace.begun(0.0, cost=0.1)
    >>> round(pace.ready_at, 3)
    0.4
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.ready_at = -math.inf
        self._due = -math.inf

    def begun(self, now: float, *, cost: float) -> None:
        """Note an update, and for how long it has kept the kernel.

        Parameters
        ----------
        now : float
            When it began, seconds.
        cost : float
            Seconds that it took.
        """
        period = 1.0 / self.rate
        self._due = max(self._due, now) + CATCH_UP * period
        rest = max(CREDIT * period, (1.0 + SHARE) * cost)
        self.ready_at = max(self._due - CREDIT * period, now + rest)
