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

__all__ = ["ANSWER_SECONDS", "QUICK_SECONDS", "Flow"]

WINDOW = 2  # updates under way at the most while answers are slow
ANSWER_SECONDS = 5.0  # after so long without a question the next update asks
QUICK_SECONDS = 0.25  # an answer that takes longer than this is slow
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
        Updates that may be under way while answers are slow.
    stretch : int
        Updates to each answer at the most while answers are quick.

    Notes
    -----
    An answer is not free: the kernel says that it is busy and idle again, and JupyterLab loads
    and draws another icon for that; ten answers a second doubled the time to a pixel. So the
    first update asks for an answer, and as long as answers come within a quarter of a second
    every second one does, every fourth, up to every ``stretch``-th, and one in five seconds at
    least; a slow answer, also one not asked for, makes it every one again. A few more updates
    than that may be without an answer, and two when each is asked for one; while nobody answers
    at all, one more is sent after 2, 4, 8 … seconds, six at the most, since a kernel that is
    busy with a cell may not hear the answers. So what is under way is bounded whatever the page
    does. When several pages look on, the slowest decides, but one that has been silent for ten
    seconds no longer.

    Examples
    --------
    >>> Flow().may_send(0.0)
    False
    """

    def __init__(self, window: int = WINDOW, stretch: int = 1) -> None:
        self._least = window
        self._longest = max(1, stretch)
        self._stretch = 1
        self._asked, self._asked_at = 0, 0.0
        self.asks = True
        self.number = 0
        self._pages: dict[str, _Page] = {}
        self._sent_at: dict[int, float] = {}  # of those that ask
        self._probes = 0
        self._last_sent = 0.0
        self.greeted = False

    @property
    def pages(self) -> int:
        """Pages that look on."""
        return len(self._pages)

    @property
    def window(self) -> int:
        """Updates that may be under way now."""
        return self._window(self._stretch)

    def hello(self, page: str, now: float) -> None:
        """Note a page that has just come, or that asks for everything anew."""
        while len(self._pages) >= MOST_PAGES:
            del self._pages[min(self._pages, key=lambda name: self._pages[name].heard)]
        self._pages[page] = _Page(self.number, now)
        self.greeted = True
        self._probes = 0
        self._settle()

    def bye(self, page: str) -> None:
        """Note that a page has gone."""
        self._pages.pop(page, None)
        self._settle()

    def answered(self, page: str, number: int, now: float, *, is_slow: bool = False) -> None:
        """Note that a page has drawn an update and all before it, slowly as it says itself."""
        number = min(int(number), self.number)
        known = self._pages.setdefault(page, _Page(number - 1, now))
        since = self._sent_at.get(min(number, self._asked))
        if is_slow or (since is not None and now - since > QUICK_SECONDS):
            self._stretch = 1
        elif number >= self._asked > known.answered:
            self._stretch = min(2 * self._stretch, self._longest)
        if number > known.answered:
            self._probes = 0
            known.answered = number
        known.heard = now
        self._settle()

    def sent(self, now: float) -> int:
        """Note that an update is sent, and give its number; ``asks`` tells whether it asks."""
        tries = not self._has_room(now)
        self._probes += tries
        self.number += 1
        rests = self.number - self._asked < self._stretch and now - self._asked_at < ANSWER_SECONDS
        self.asks = tries or self.greeted or not rests
        if self.asks:
            self._asked, self._asked_at = self.number, now
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
        if self._has_room(now):
            return now
        if self._probes < MOST_PROBES:
            probe = self._last_sent + PROBE_SECONDS * 2.0**self._probes
            return min(probe, self._forgotten_at(now) or probe)
        return self._forgotten_at(now)

    def _window(self, stretch: int) -> int:
        # What comes while an answer travels: a third of a second, of the five of an answer.
        return stretch + max(self._least - 1, min(stretch // 3, self._longest // 15))

    def _has_room(self, now: float) -> bool:
        under_way = self.under_way(now)
        # Where none of those under way has asked for an answer, the next one has to.
        none_asks = self.number - under_way >= self._asked
        return self.greeted or under_way < self.window or none_asks

    def _counted(self, now: float) -> list[_Page]:
        """Pages that count: those not silent for long; all when every one is."""
        pages = list(self._pages.values())
        lively = [page for page in pages if not self._is_silent(page, now)]
        return lively or pages

    def _is_silent(self, page: _Page, now: float) -> bool:
        since = self._waits_since(page)
        return since is not None and now - since > FORGET_SECONDS

    def _waits_since(self, page: _Page) -> float | None:
        return next((at for n, at in self._sent_at.items() if n > page.answered), None)

    def _forgotten_at(self, now: float) -> float | None:
        """Give when the slowest page stops to hold up the others."""
        pages = list(self._pages.values())
        if len(pages) < 2:
            return None
        waits = [self._waits_since(page) for page in self._counted(now)]
        late = [since for since in waits if since is not None]
        if len(late) == len(pages) or not late:
            return None
        return min(late) + FORGET_SECONDS + 0.001

    def _settle(self) -> None:
        pages = self._pages.values()
        done = min((page.answered for page in pages), default=self.number)
        # Bounded: the newest few tell how long each page has been silent.
        least = max(done, self.number - 4 * (self._window(self._longest) + MOST_PROBES))
        self._sent_at = {n: at for n, at in self._sent_at.items() if n > least}
