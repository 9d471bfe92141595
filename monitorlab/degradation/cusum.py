"""One arm of a CUSUM whose threshold follows from how high noise has carried it before.

>>> arm = Arm(1.0)
>>> arm.allow(0.5, threshold(0.5, 100_000.0))
>>> [arm.add(step, float(t), step) >= 1.0 for t, step in enumerate([0.0, 3.0, 3.0, 3.0, 3.0, 3.0])]
[False, False, False, False, False, True]
>>> arm.since, arm.count
(1.0, 5)
"""

from __future__ import annotations

import math

__all__ = ["OVERSHOOT", "Arm", "threshold"]

OVERSHOOT = 1.166  # Siegmund's correction for discrete time
HIGH = 4.0  # excursions higher than so many scales of normal noise tell how heavy the noise is
BELIEF = 2.0  # normal noise counts as so many of them
REMEMBERED = 300.0  # of them, the older are forgotten
REAL = 2  # alarms of an arm that are taken to be changes; more of them are noise in part


class Arm:
    """Sum of what exceeds the allowance on one side, and how high it may go.

    Parameters
    ----------
    sign : float
        1 for changes upwards, -1 for changes downwards.

    Attributes
    ----------
    height : float
        The sum, 0 or more.
    limit : float
        Height that is an alarm.
    since, count, total : float, int, float
        Time of the first sample of this excursion, samples of it, sum of their values.

    Notes
    -----
    In normal white noise an excursion that has come to some height goes on by an exponential
    height whose mean is one over twice the allowance (one *scale*), wherever it began. So the
    threshold is proportional to that scale, and noise with another one needs another
    threshold: skewed noise, bursts, and a memory that the innovations keep all carry excursions
    higher. The mean excess of the arm's own past excursions over four scales is compared
    with one scale (which counts as two excursions), and the threshold is raised by the ratio;
    it is never lowered. An excursion that ends in an alarm is a change rather than noise, and is
    not learned; but from the third alarm of an arm on it is, since what changes all the time
    has no level. Cost O(1) a sample.

    References
    ----------
    Siegmund (1985), "Sequential Analysis"; Pickands (1975), "Statistical inference using
    extreme order statistics", for excesses over a height as a sign of the tail.

    Examples
    --------
    >>> arm = Arm(-1.0)
    >>> arm.allow(0.5, 8.0)
    >>> arm.add(-2.5, 0.0, 1.0), arm.height
    (0.25, 2.0)
    """

    __slots__ = (
        "_alarms", "_allowance", "_excess", "_high", "_normal", "_peak", "count", "height",
        "limit", "sign", "since", "total",
    )  # fmt: skip

    def __init__(self, sign: float) -> None:
        self.sign = sign
        self._alarms = 0
        self._high = self._excess = 0.0
        self._allowance, self._normal, self.limit = 0.5, 1.0, 1.0
        self.begin()

    def begin(self) -> None:
        """Start from nothing; what is known of the noise stays.

        Examples
        --------
        >>> arm = Arm(1.0)
        >>> arm.begin()
        >>> arm.height
        0.0
        """
        self.height = self._peak = self.since = self.total = 0.0
        self.count = 0

    def allow(self, allowance: float, normal: float) -> None:
        """Set what each step may have, and the threshold that normal noise needs.

        Parameters
        ----------
        allowance : float
            Taken off each step, in deviations.
        normal : float
            Threshold for normal noise, in deviations.

        Examples
        --------
        >>> arm = Arm(1.0)
        >>> arm.allow(0.5, 9.0)
        >>> arm.limit
        9.0
        """
        self._allowance, self._normal = allowance, normal
        self._raise()

    def add(self, step: float, timestamp: float, value: float) -> float:
        """Add one step.

        Parameters
        ----------
        step : float
            Innovation in deviations.
        timestamp, value : float
            Of its sample.

        Returns
        -------
        float
            Height over the threshold; an alarm from 1 on.

        Examples
        --------
        >>> arm = Arm(1.0)
        >>> arm.allow(0.5, 8.0)
        >>> arm.add(-1.0, 0.0, -1.0)
        0.0
        """
        height = self.height + self.sign * step - self._allowance
        if height > 0.0:
            if self.height == 0.0:
                self.since, self.count, self.total, self._peak = timestamp, 0, 0.0, 0.0
            self.height = height
            self._peak = max(self._peak, height)
            self.count += 1
            self.total += value
        elif self.height > 0.0:
            self.height = 0.0
            self._learn()
        return self.height / self.limit

    def alarmed(self) -> None:
        """Say that the excursion was told as a change.

        Examples
        --------
        >>> arm = Arm(1.0)
        >>> arm.allow(0.5, 4.0)
        >>> for step in (9.0, 9.0, 9.0):
        ...     height = arm.add(step, 0.0, step)
        ...     arm.alarmed()
        >>> arm.limit > 4.0
        True
        """
        self._alarms += 1
        if self._alarms > REAL:
            self._learn()

    def _learn(self) -> None:
        """Learn how high an excursion went, in scales beyond four."""
        excess = 2.0 * self._allowance * self._peak - HIGH
        if excess > 0.0:
            keep = 1.0 if self._high < REMEMBERED else 1.0 - 1.0 / REMEMBERED
            self._high = self._high * keep + 1.0
            self._excess = self._excess * keep + excess
            self._raise()

    def _raise(self) -> None:
        self.limit = self._normal * max(1.0, (BELIEF + self._excess) / (BELIEF + self._high))


def threshold(allowance: float, run_length: float) -> float:
    """Solve Siegmund's run length of a two-sided CUSUM of normal noise for its threshold.

    Parameters
    ----------
    allowance : float
        Taken off each step, in deviations; above 0.
    run_length : float
        Mean samples between false alarms.

    Returns
    -------
    float
        In deviations.

    Examples
    --------
    >>> round(threshold(0.5, 465.0), 1)
    5.0
    """
    low, high = 0.1, 200.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        b = 2.0 * allowance * (middle + OVERSHOOT)
        length = (math.exp(min(b, 700.0)) - b - 1.0) / (2.0 * allowance**2) / 2.0
        low, high = (middle, high) if length < run_length else (low, middle)
    return high
