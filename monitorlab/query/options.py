"""How an evaluation is to be done, and how large it may become.

>>> QueryOptions(lookback="auto").lookback_ns is None
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from monitorlab.errors import QueryError
from monitorlab.times import DurationLike, parse_duration

__all__ = ["AUTO_INTERVALS", "Compat", "Limits", "QueryOptions"]

Compat: TypeAlias = Literal["2", "3"]
AUTO_INTERVALS = 5  # "auto" looks back so many median intervals, as 5 m does at 1 m scrapes


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on the size of an evaluation; raise one when its error says so.

    Parameters
    ----------
    max_points : int
        Series × steps of any part of an expression; 50 million points are 450 MB.
    max_steps : int
        Steps of a range evaluation.
    max_subquery_points : int
        Series × inner steps of a subquery.

    Examples
    --------
    >>> Limits(max_steps=100).max_steps
    100
    """

    max_points: int = 50_000_000
    max_steps: int = 2_000_000
    max_subquery_points: int = 50_000_000


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """Settings of an evaluation.

    Parameters
    ----------
    lookback : duration or "auto"
        How old the newest sample may be to count as the current value; ``"auto"``: five
        median intervals of each series.
    prom_compat : {"3", "2"}
        ``"3"``: windows open on the left, as Prometheus 3 has them; ``"2"``: closed windows
        and the older order of the counter-zero test in ``rate``.
    default_step : duration
        Step of subqueries that name none (``[1h:]``).
    limits : Limits
        Bounds on the size.

    Examples
    --------
    >>> QueryOptions(lookback="1m").lookback_ns
    60000000000
    """

    lookback: DurationLike = "5m"
    prom_compat: Compat = "3"
    default_step: DurationLike = "1m"
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if self.prom_compat not in ("2", "3"):
            msg = f"prom_compat must be '2' or '3', not {self.prom_compat!r}"
            raise QueryError(msg)
        if self.lookback_ns == 0:
            msg = "lookback must be longer than nothing; Prometheus' own is '5m'"
            raise QueryError(msg)
        if self.default_step_ns == 0:
            msg = "default_step must be longer than nothing; Prometheus' own is '1m'"
            raise QueryError(msg)

    @property
    def lookback_ns(self) -> int | None:
        """Look-back in nanoseconds, None for ``"auto"``."""
        return None if self.lookback == "auto" else parse_duration(self.lookback)

    @property
    def default_step_ns(self) -> int:
        """Default step of subqueries in nanoseconds."""
        return parse_duration(self.default_step)

    @property
    def closed(self) -> bool:
        """Whether windows include their left edge."""
        return self.prom_compat == "2"
