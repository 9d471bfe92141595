from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitorlab.dashboard.live.flow import MOST_PAGES, MOST_PROBES, Flow


def test_nothing_goes_where_nobody_looks() -> None:
    flow = Flow()
    assert not flow.may_send(0.0)
    assert flow.allowed_at(0.0) is None


def test_two_updates_may_be_under_way() -> None:
    flow = Flow(window=2)
    flow.hello("a", 0.0)
    assert flow.may_send(0.0)
    flow.sent(0.0)
    assert flow.may_send(0.0)
    flow.sent(0.0)
    assert not flow.may_send(0.1)
    flow.answered("a", 1, 0.2)
    assert flow.may_send(0.2)


def test_a_silent_page_is_tried_ever_more_rarely_and_then_not_at_all() -> None:
    flow = Flow(window=2)
    flow.hello("a", 0.0)
    sent = []
    for tenth in range(100_000):
        now = tenth / 10.0
        if flow.may_send(now):
            flow.sent(now)
            sent.append(now)
    assert len(sent) == 2 + MOST_PROBES
    gaps = [b - a for a, b in itertools.pairwise(sent)]
    assert all(later > 1.9 * sooner for sooner, later in itertools.pairwise(gaps))
    flow.answered("a", flow.number, 10_001.0)
    assert flow.may_send(10_001.0)
    assert flow.under_way(10_001.0) == 0


def test_a_page_that_has_died_does_not_hold_up_the_other() -> None:
    flow = Flow(window=2)
    flow.hello("dead", 0.0)
    flow.hello("alive", 0.0)
    for second in range(60):
        if flow.may_send(float(second)):
            number = flow.sent(float(second))
            flow.answered("alive", number, second + 0.05)
    assert flow.number > 40


def test_a_page_that_says_goodbye_is_forgotten_at_once() -> None:
    flow = Flow(window=1)
    flow.hello("a", 0.0)
    flow.hello("b", 0.0)
    number = flow.sent(0.0)
    flow.answered("b", number, 0.1)
    assert not flow.may_send(0.1)
    flow.bye("a")
    assert flow.may_send(0.1)
    flow.bye("b")
    assert flow.pages == 0


def test_pages_are_bounded() -> None:
    flow = Flow()
    for number in range(10 * MOST_PAGES):
        flow.hello(f"page{number}", float(number))
    assert flow.pages == MOST_PAGES


def test_an_answer_to_what_was_never_sent_counts_for_nothing() -> None:
    flow = Flow(window=1)
    flow.hello("a", 0.0)
    flow.answered("a", 10**12, 0.0)
    flow.sent(0.0)
    assert not flow.may_send(0.1)


def test_quick_answers_are_asked_for_ever_more_rarely_and_in_five_seconds_at_least() -> None:
    flow = Flow(stretch=10)
    flow.hello("a", 0.0)
    asked = []
    for tenth in range(200):
        now = tenth / 10.0
        assert flow.may_send(now)
        number = flow.sent(now)
        if flow.asks:
            asked.append(number)
            flow.answered("a", number, now + 0.05)
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps[:4] == [2, 4, 8, 10]
    assert set(gaps[3:]) == {10}
    flow = Flow(stretch=10)
    flow.hello("a", 0.0)
    for number in range(1, 60):
        assert flow.sent(5.0 * number) == number
        assert flow.asks
        flow.answered("a", number, 5.0 * number + 0.05)


def test_a_slow_answer_makes_every_update_ask_again() -> None:
    flow = Flow(window=2, stretch=10)
    flow.hello("a", 0.0)
    for number in range(1, 60):
        assert flow.sent(0.0) == number
        if flow.asks:
            flow.answered("a", number, 0.01)
            last = number
    assert flow.window == 11
    while flow.number < last + 10:
        flow.sent(0.0)
    assert flow.asks
    flow.sent(0.05)
    flow.answered("a", flow.number - 1, 0.5)
    assert flow.window == 2
    for _ in range(5):
        assert flow.may_send(0.6)
        number = flow.sent(0.6)
        assert flow.asks
        flow.answered("a", number, 1.2)


def test_a_page_that_says_itself_that_it_is_slow_is_asked_each_time() -> None:
    flow = Flow(stretch=50)
    flow.hello("a", 0.0)
    for _ in range(200):
        number = flow.sent(0.0)
        if flow.asks:
            flow.answered("a", number, 0.0)
    flow.answered("a", number, 0.1, is_slow=True)
    flow.sent(0.1)
    assert flow.asks
    assert flow.window == 2


def test_a_page_that_stalls_after_quick_answers_is_sent_little() -> None:
    flow = Flow(stretch=50)
    flow.hello("a", 0.0)
    for tenth in range(300):
        number = flow.sent(tenth / 10.0)
        if flow.asks:
            flow.answered("a", number, tenth / 10.0)
    before, room = flow.number, flow.window
    for tenth in range(300, 100_000):
        if flow.may_send(tenth / 10.0):
            flow.sent(tenth / 10.0)
    assert flow.number - before <= room + MOST_PROBES
    assert room == 53


class Anything(RuleBasedStateMachine):
    """Whatever pages do, what is under way stays bounded, and talking pages get more."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = Flow(window=2, stretch=6)
        self.now = 0.0
        self.unanswered = 0

    @rule(page=st.sampled_from("abc"))
    def hello(self, page: str) -> None:
        self.flow.hello(page, self.now)
        self.unanswered = 0

    @rule(page=st.sampled_from("abc"))
    def bye(self, page: str) -> None:
        self.flow.bye(page)
        self.unanswered = 0

    @rule(page=st.sampled_from("abc"), back=st.integers(0, 5))
    def answer(self, page: str, back: int) -> None:
        before = {name: one.answered for name, one in self.flow._pages.items()}
        number = max(0, self.flow.number - back)
        self.flow.answered(page, number, self.now)
        if number > before.get(page, -1):
            self.unanswered = 0

    @rule(seconds=st.floats(0.0, 500.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def send(self) -> None:
        if self.flow.may_send(self.now):
            self.flow.sent(self.now)
            self.unanswered += 1

    @invariant()
    def bounded(self) -> None:
        # Three pages can be forgotten one after the other, each with a window of its own.
        assert self.flow.window <= 8
        assert self.unanswered <= 1 + 3 * (8 + MOST_PROBES)
        assert len(self.flow._sent_at) <= 4 * (8 + MOST_PROBES) + MOST_PROBES + 3

    @invariant()
    def never_stuck(self) -> None:
        pages = self.flow._pages.values()
        if pages and all(page.answered == self.flow.number for page in pages):
            assert self.flow.may_send(self.now)


Anything.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnything = Anything.TestCase
