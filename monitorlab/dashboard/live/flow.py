"""When the next update may be sent: acknowledgements, with any clock.

>>> flow = Flow(window=1)
>>> flow.hello("page", 0.0)
>>> number = flow.sent(0.0)
>>> flow.may_send(0.1)
False
>>> flow.answered("page", number, 0.2)
>>> flow.may_send(0.2)
True
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Flow"]

WINDOW = 2  # updates under way at the most
FORGET_SECONDS = 10.0  # a page silent so long does not hold up others
PROBE_SECONDS = 2.0  # first wait before a silent page is sent one more; doubled each time
MOST_PROBES = 6
MOST_PAGES = 32


@dataclass
class _Page:
    answered: int
    heard: float


class Flow:
    """Who looks on, what they have acknowledged, and whether more may be sent.

    Parameters
    ----------
    window : int
        Updates that may be under way.

    Notes
    -----
    At most ``window`` updates are without an answer; while nobody answers at all, one more is
    sent after 2, 4, 8 … seconds, six at the most, since a kernel that is busy with a cell may
    not hear the answers. So what is under way is bounded whatever the page does. When several
    pages look on, the slowest decides, but one that has been silent for ten seconds no longer.

    Examples
    --------
    >>> Flow().may_send(0.0)
    False
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.window = window
        self.number = 0
        self._pages: dict[str, _Page] = {}
        self._sent_at: dict[int, float] = {}
        self._probes = 0
        self._last_sent = 0.0
        self.greeted = False

    @property
    def pages(self) -> int:
        """Pages that look on."""
        return len(self._pages)

    def hello(self, page: str, now: float) -> None:
        """Note a page that has just come, or that asks for everything anew."""
        while len(self._pages) >= MOST_PAGES:
            del self._pages[min(self._pages, key=lambda name: self._pages[name].heard)]
        self._pages[page] = _Page(self.number, now)
        self.greeted = True
        self._settle()

    def bye(self, page: str) -> None:
        """Note that a page has gone."""
        self._pages.pop(page, None)
        self._settle()

    def answered(self, page: str, number: int, now: float) -> None:
        """Note that a page has drawn an update and all before it."""
        number = min(int(number), self.number)
        known = self._pages.setdefault(page, _Page(number, now))
        known.answered = max(known.answered, number)
        known.heard = now
        self._settle()

    def sent(self, now: float) -> int:
        """Note that an update is sent, and give its number."""
        if self.under_way(now) >= self.window:
            self._probes += 1
        self.number += 1
        self._sent_at[self.number] = now
        self._last_sent = now
        self.greeted = False
        return self.number

    def under_way(self, now: float) -> int:
        """Updates that the slowest page which counts has not acknowledged."""
        counted = self._counted(now)
        return self.number - min(page.answered for page in counted) if counted else 0

    def may_send(self, now: float) -> bool:
        """Tell whether one more update may go."""
        at = self.allowed_at(now)
        return at is not None and at <= now

    def allowed_at(self, now: float) -> float | None:
        """Give when one more may go by itself; None: not before somebody answers."""
        if not self._pages:
            return None
        if self.under_way(now) < self.window or self.greeted:
            return now
        if self._probes < MOST_PROBES:
            probe = self._last_sent + PROBE_SECONDS * 2.0**self._probes
            return min(probe, self._forgotten_at(now) or probe)
        return self._forgotten_at(now)

    def _counted(self, now: float) -> list[_Page]:
        """Pages that count: those not silent for long; all when every one is."""
        pages = list(self._pages.values())
        lively = [page for page in pages if not self._is_silent(page, now)]
        return lively or pages

    def _is_silent(self, page: _Page, now: float) -> bool:
        since = self._sent_at.get(page.answered + 1)
        return since is not None and now - since > FORGET_SECONDS

    def _forgotten_at(self, now: float) -> float | None:
        """Give when the slowest page stops to hold up the others."""
        pages = list(self._pages.values())
        if len(pages) < 2:
            return None
        waits = [self._sent_at.get(p.answered + 1) for p in self._counted(now)]
        late = [since for since in waits if since is not None]
        if len(late) == len(pages) or not late:
            return None
        return min(late) + FORGET_SECONDS + 0.001

    def _settle(self) -> None:
        pages = self._pages.values()
        done = min((page.answered for page in pages), default=self.number)
        # Bounded: the newest few dozen tell how long each page has been silent.
        least = max(done, self.number - 4 * (self.window + MOST_PROBES))
        self._sent_at = {n: at for n, at in self._sent_at.items() if n > least}
        if any(self.number - page.answered < self.window for page in pages):
            self._probes = 0
