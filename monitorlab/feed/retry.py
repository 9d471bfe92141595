"""How long a feed waits before it asks a failed source again.

>>> Backoff(jitter=0.0).delay(3)
2.0
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from monitorlab.errors import TimeError

__all__ = ["Backoff"]


@dataclass(frozen=True)
class Backoff:
    """Waiting times that grow with each failure in a row, spread by chance.

    Parameters
    ----------
    first_seconds : float
        Wait after the first failure.
    factor : float
        Each further wait is so many times longer.
    most_seconds : float
        Longest wait.
    jitter : float
        Share of the wait that is left to chance, 0 to 1, so that many feeds do not ask a
        server that comes back all at once.
    attempts : int, optional
        Give up after so many failures in a row; None never does.
    seed : int, optional
        Makes the chance reproducible.

    Raises
    ------
    TimeError
        If a number is out of range.

    Examples
    --------
    >>> backoff = Backoff(first_seconds=1.0, jitter=0.0, attempts=2)
    >>> [backoff.delay(n) for n in (1, 2)], backoff.gives_up(3)
    ([1.0, 2.0], True)
    """

    first_seconds: float = 0.5
    factor: float = 2.0
    most_seconds: float = 30.0
    jitter: float = 0.3
    attempts: int | None = None
    seed: int | None = None
    _random: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.first_seconds <= self.most_seconds or self.factor < 1:
            msg = (
                "a back-off needs 0 < first_seconds <= most_seconds and factor >= 1, got "
                f"{self.first_seconds}, {self.most_seconds} and {self.factor}"
            )
            raise TimeError(msg)
        if not 0 <= self.jitter <= 1:
            msg = f"jitter is a share between 0 and 1, not {self.jitter}"
            raise TimeError(msg)
        object.__setattr__(self, "_random", random.Random(self.seed))  # noqa: S311 - no secret

    def delay(self, failures: int) -> float:
        """Give the seconds to wait after so many failures in a row."""
        power = min(max(0, failures - 1), 64)
        full = min(self.most_seconds, self.first_seconds * self.factor**power)
        return full * (1.0 - self.jitter * self._random.random())

    def gives_up(self, failures: int) -> bool:
        """Tell whether so many failures in a row are too many."""
        return self.attempts is not None and failures > self.attempts
