"""The cache itself: answers as pickles, found by digest, bounded, counted.

>>> cache = ResultCache()
>>> [cache.remember("sum", lambda: [1 + 2], (1, 2)) for _ in range(3)]
[[3], [3], [3]]
>>> cache.info().hits, cache.info().misses
(2, 1)
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from monitorlab.cache.fingerprint import NoContentError, fingerprint
from monitorlab.display import Result, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["CacheInfo", "ResultCache"]

MAX_ENTRIES = 1_024
MAX_BYTES = 256 * 2**20
_T = TypeVar("_T")


@dataclass(frozen=True, repr=False, eq=False)
class CacheInfo(Result):
    """What a cache holds, and how it was used.

    Parameters
    ----------
    is_enabled : bool
        Whether answers are kept at all.
    hits, misses : int
        Answers that were there, and answers that had to be computed.
    bypassed : int
        Answers that cannot be kept: the cache was off, a parameter has no content to tell it by
        (a function), or the answer is larger than the whole cache or bound to this process.
    evictions : int
        Answers that made room for newer ones, least recently used first.
    entries, max_entries : int
        Answers that are held, and how many may be.
    nbytes, max_bytes : int
        Their size, and how large it may become.
    seconds_saved : float
        Processor time that the computations of the answers found took when they were made.
    by_topic : dict of str to tuple of int
        Hits and misses of each topic.

    Examples
    --------
    >>> ResultCache(max_entries=10).info().max_entries
    10
    """

    is_enabled: bool
    hits: int
    misses: int
    bypassed: int
    evictions: int
    entries: int
    max_entries: int
    nbytes: int
    max_bytes: int
    seconds_saved: float
    by_topic: dict[str, tuple[int, int]] = field(default_factory=dict)

    def summary(self) -> str:
        """Say hits, misses and size in one line."""
        state = "" if self.is_enabled else "off; "
        return (
            f"{state}{self.hits} hits, {self.misses} misses, {self.bypassed} not kept; "
            f"{self.entries} of {self.max_entries} entries, "
            f"{self.nbytes / 2**20:.1f} of {self.max_bytes / 2**20:.0f} MiB"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give hits and misses by topic."""
        import pandas as pd

        rows = [(topic, *counts) for topic, counts in sorted(self.by_topic.items())]
        return pd.DataFrame(rows, columns=["topic", "hits", "misses"]).set_index("topic")

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        counts = {k: {"hits": h, "misses": m} for k, (h, m) in sorted(self.by_topic.items())}
        return {**to_plain(plain), "by_topic": counts}

    def plot(self) -> go.Figure:
        """Draw hits and misses by topic."""
        from monitorlab.plotting import new_figure

        table = self.to_frame()
        figure = new_figure(title=self.summary(), height=120 + 26 * len(table))
        for name in ("hits", "misses"):
            figure.add_bar(y=list(table.index), x=table[name], orientation="h", name=name)
        figure.update_layout(barmode="stack")
        figure.update_yaxes(automargin=True)
        return figure


class ResultCache:
    """Answers by content, bounded in number and bytes, the least recently used leaving first.

    Parameters
    ----------
    max_entries : int
        How many answers are kept.
    max_bytes : int
        How many bytes they may take together; a larger answer is not kept.

    Notes
    -----
    An answer is kept as its pickle, and everyone gets a copy of his own: nobody can change what
    the next one sees, the bytes are counted exactly, and entries may be read from any thread.
    Two threads that ask for the same missing answer at the same time both compute it.
    Cost of a hit: one pass over the content for the digest, and one copy of the answer.

    Examples
    --------
    >>> cache = ResultCache(max_entries=2)
    >>> for number in (1, 2, 3, 3):
    ...     _ = cache.remember("square", lambda: number**2, number)
    >>> cache.info().evictions, cache.info().hits
    (1, 1)
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.is_enabled = True
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._nbytes = 0
        self._reset()

    def remember(self, topic: str, compute: Callable[[], _T], *content: Any) -> _T:
        """Give the answer to ``compute()`` for this content, computed at most once.

        Parameters
        ----------
        topic : str
            What is computed; the same content under another topic is another answer.
        compute : callable
            Without arguments; called when the answer is not kept. An exception is not kept.
        *content : object
            Everything that the answer depends on: series, sources, tables, plain parameters.

        Returns
        -------
        object
            An answer that the caller owns.
        """
        key = self._key(topic, content)
        if key is None:
            with self._lock:
                self._bypassed += 1
            return compute()
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                self._hits[topic] += 1
                self._saved += found[1]
            else:
                self._misses[topic] += 1
        if found is not None:
            answer: _T = pickle.loads(found[0])  # noqa: S301 - written by this process below
            return answer
        began = time.thread_time()
        answer = compute()
        seconds = time.thread_time() - began
        self._keep(key, _pickled(answer), seconds)
        return answer

    def info(self) -> CacheInfo:
        """Say what is held and how often it was of use."""
        with self._lock:
            topics = sorted({*self._hits, *self._misses})
            return CacheInfo(
                self.is_enabled, self._hits.total(), self._misses.total(), self._bypassed,
                self._evictions, len(self._kept), self.max_entries, self._nbytes, self.max_bytes,
                self._saved, {t: (self._hits[t], self._misses[t]) for t in topics},
            )  # fmt: skip

    def clear(self) -> None:
        """Forget every answer and all counts."""
        with self._lock:
            self._kept.clear()
            self._nbytes = 0
            self._reset()

    def configure(
        self,
        *,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        enabled: bool | None = None,
    ) -> CacheInfo:
        """Change the bounds or switch the cache on or off; what no longer fits leaves at once."""
        with self._lock:
            self.max_entries = self.max_entries if max_entries is None else max_entries
            self.max_bytes = self.max_bytes if max_bytes is None else max_bytes
            self.is_enabled = self.is_enabled if enabled is None else enabled
            self._shrink()
        return self.info()

    def _key(self, topic: str, content: tuple[Any, ...]) -> str | None:
        if not self.is_enabled:
            return None
        try:
            return fingerprint(topic, *content)
        except NoContentError:
            return None

    def _keep(self, key: str, data: bytes | None, seconds: float) -> None:
        with self._lock:
            if data is None or len(data) > self.max_bytes or self.max_entries < 1:
                self._bypassed += 1
                return
            before = self._kept.pop(key, None)
            self._nbytes += len(data) - (len(before[0]) if before else 0)
            self._kept[key] = (data, seconds)
            self._shrink()

    def _shrink(self) -> None:
        while self._kept and (len(self._kept) > self.max_entries or self._nbytes > self.max_bytes):
            _, (data, _) = self._kept.popitem(last=False)
            self._nbytes -= len(data)
            self._evictions += 1

    def _reset(self) -> None:
        self._hits: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()
        self._bypassed = 0
        self._evictions = 0
        self._saved = 0.0


def _pickled(answer: Any) -> bytes | None:
    """Give the bytes of an answer; None for one that holds something bound to this process."""
    try:
        return pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        return None
