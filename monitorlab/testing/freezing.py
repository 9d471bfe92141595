"""Hold still what makes two runs of one notebook differ: clock, seeds, display options.

>>> import random
>>> with freeze(seed=1):
...     first = random.random()
>>> with freeze(seed=1):
...     random.random() == first
True
"""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from monitorlab import wallclock
from monitorlab.times import TimeLike, from_ns, to_ns

__all__ = ["Frozen", "freeze"]

_PANDAS: dict[str, Any] = {
    "display.width": 100,
    "display.max_rows": 60,
    "display.min_rows": 10,
    "display.max_columns": 20,
    "display.max_colwidth": 50,
    "display.precision": 6,
    "display.expand_frame_repr": True,
    "display.show_dimensions": "truncate",
    "display.notebook_repr_html": True,
}
_NUMPY: dict[str, Any] = {
    "precision": 6,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 100,
    "suppress": False,
}


class Frozen:
    """What ``freeze`` holds; ``release`` or the end of the ``with`` block gives it back.

    Examples
    --------
    >>> frozen = freeze("2026-01-01T00:00Z")
    >>> frozen
    Frozen: clock at 2026-01-01 00:00:00+00:00, seed 0
    >>> frozen.release()
    """

    def __init__(self, time_ns: int, seed: int) -> None:
        self.time_ns = time_ns
        self.seed = seed
        self._released = False
        self._clock = wallclock.hold(time_ns)
        self._random = random.getstate()
        self._numpy = np.random.get_state()  # noqa: NPY002 - the global generator is what is held
        self._pandas = {name: pd.get_option(name) for name in _PANDAS}
        self._print = np.get_printoptions()
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the same
        for name, value in _PANDAS.items():
            pd.set_option(name, value)
        np.set_printoptions(**_NUMPY)

    def release(self) -> None:
        """Give clock, generators and display options back; a second call does nothing."""
        if self._released:
            return
        self._released = True
        wallclock.hold(self._clock)
        random.setstate(self._random)
        np.random.set_state(self._numpy)  # noqa: NPY002 - the same
        for name, value in self._pandas.items():
            pd.set_option(name, value)
        np.set_printoptions(**self._print)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"Frozen: clock at {from_ns(self.time_ns)}, seed {self.seed}"


def freeze(time: TimeLike = "2026-01-01T00:00:00Z", *, seed: int = 0) -> Frozen:
    """Hold clock, seeds and display options still, from here or for a ``with`` block.

    Parameters
    ----------
    time : time
        Where monitorlab's wall clock stands: the time of a sample that is recorded without one.
    seed : int
        For ``random`` and for numpy's global generator.

    Returns
    -------
    Frozen
        A context manager; a plain call holds until its ``release``.

    Raises
    ------
    TimeError
        If the time cannot be read.

    Notes
    -----
    Only monitorlab's clock is held: ``time.time``, pandas and other libraries go on, and
    durations are still measured. ``numpy.random.default_rng()`` takes its seed from the system
    and cannot be held from outside: give it one. A live feed under a held clock stamps all that
    it takes in with one time; for simulated time give it ``monitorlab.feed.SimulatedClock``.

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> with freeze("2026-01-01T12:00Z"):
    ...     mf.record("queue", 3)
    >>> mf.series("queue").index[0]
    Timestamp('2026-01-01 12:00:00+0000', tz='UTC')
    """
    return Frozen(to_ns(time), seed)
