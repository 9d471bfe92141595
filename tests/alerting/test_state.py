"""The step function and the vectorised batch tell the same story."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.alerting.batch import run
from monitorlab.alerting.state import InstanceState, Observation, Policy, step
from monitorlab.model import Severity


def stepped(policy, times, present, values, data, resolve, resolves=(), acknowledgements=()):
    """Run one row through the step function."""
    state, found, phases = InstanceState(), [], []
    for t in range(len(times)):
        actions = ["resolve"] * (t in resolves) + ["acknowledge"] * (t in acknowledgements)
        observation = Observation(
            present=bool(present[t]),
            value=float(values[t]),
            has_data=bool(data[t]),
            resolve=bool(resolve[t]),
        )
        state, outcomes = step(policy, state, int(times[t]), observation, actions)
        found += outcomes
        phases.append(state.phase)
    return found, phases


def plain(outcomes):
    return [
        (o.state, o.time_ns, None if np.isnan(o.value) else o.value, o.severity, o.reason, o.quiet)
        for o in outcomes
    ]


@st.composite
def stories(draw):
    n = draw(st.integers(0, 60))
    runs = draw(
        st.lists(st.tuples(st.sampled_from("FTN"), st.integers(1, 8)), min_size=1, max_size=25)
    )
    kinds = "".join(kind * length for kind, length in runs)[:n].ljust(n, "F")
    data = np.array([k != "N" for k in kinds], dtype=bool)
    present = np.array([k == "T" for k in kinds], dtype=bool)
    gaps = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    times = np.cumsum(np.array(gaps, dtype=np.int64)) if n else np.empty(0, np.int64)
    resolve = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool) & data
    values = np.arange(n, dtype=float)
    n_of = draw(st.integers(1, 5))
    policy = Policy(
        for_ns=draw(st.integers(0, 12)),
        keep_ns=draw(st.integers(0, 10)),
        no_data=draw(st.sampled_from(["ok", "alert", "keep"])),
        m=draw(st.integers(1, n_of)),
        n=n_of,
        hysteresis=draw(st.booleans()),
        auto_resolve=draw(st.booleans()),
        cooldown_ns=draw(st.integers(0, 12)),
        escalations=tuple(
            (after, Severity.CRITICAL)
            for after in sorted(draw(st.lists(st.integers(0, 20), max_size=2)))
        ),
    )
    steps = st.lists(st.integers(0, max(n - 1, 0)), max_size=4)
    return policy, times, present, values, data, resolve, draw(steps), draw(steps)


@settings(max_examples=300, deadline=None)
@given(stories())
def test_batch_equals_steps(story):
    policy, times, present, values, data, resolve, resolves, acks = story
    wanted, phases = stepped(policy, times, present, values, data, resolve, resolves, acks)
    lives = run(
        policy,
        times,
        present[None],
        values[None],
        data=data[None],
        resolve=resolve[None],
        resolves={0: resolves},
        acknowledgements={0: acks},
    )
    assert plain(lives.outcomes(0)) == plain(wanted)
    assert lives.pending_steps == phases.count("pending")
    assert lives.firing_steps == phases.count("firing")


@settings(max_examples=100, deadline=None)
@given(stories(), st.integers(2, 4))
def test_rows_do_not_touch_each_other(story, rows):
    policy, times, present, values, data, resolve, _, _ = story
    shift = [np.roll(present, i) for i in range(rows)]
    lives = run(
        policy,
        times,
        np.array(shift).reshape(rows, len(times)),
        np.array([values] * rows).reshape(rows, len(times)),
        data=np.array([data] * rows).reshape(rows, len(times)),
        resolve=np.array([resolve] * rows).reshape(rows, len(times)),
    )
    for row in range(rows):
        wanted, _ = stepped(policy, times, shift[row], values, data, resolve)
        assert plain(lives.outcomes(row)) == plain(wanted)


def states(policy, text, **kw):
    """Give the phase at each step of a story such as 'TTF.' (a step each 10)."""
    present = np.array([c == "T" for c in text])
    data = np.array([c != "." for c in text])
    resolve = np.array([c == "R" for c in text])
    times = np.arange(len(text)) * 10
    _, phases = stepped(policy, times, present, np.ones(len(text)), data, resolve, **kw)
    return "".join(p[0] for p in phases)


@pytest.mark.parametrize(
    ("policy", "story", "phases"),
    [
        (Policy(), "FTTF", "iffi"),
        (Policy(for_ns=20), "TTTF", "ppfi"),
        (Policy(for_ns=20), "TTFTTT", "ppippf"),  # one missing evaluation deletes a pending alert
        (Policy(keep_ns=20), "TFFFF", "fffii"),  # counted from the first missing step
        (Policy(keep_ns=20), "TFFTFFF", "ffffffi"),
        (Policy(for_ns=10, keep_ns=10), "TTFFTT", "pffipf"),
        (Policy(hysteresis=True), "TFFRF", "fffii"),
        (Policy(hysteresis=True), "TF.F", "ffii"),  # no data counts as away
        (Policy(hysteresis=True, no_data="keep"), "TF.FR", "ffffi"),
        (Policy(no_data="alert"), ".F.F", "iifi"),  # only what has been seen can vanish
        (Policy(no_data="keep"), "T..F", "fffi"),
        (Policy(m=2, n=3), "TFTTFF", "iifffi"),
        (Policy(auto_resolve=False), "TFFF", "ffff"),
    ],
)
def test_states(policy, story, phases):
    assert states(policy, story) == phases


def test_resolving_by_hand_waits_for_the_condition_to_be_false_once():
    assert states(Policy(), "TTTTFT", resolves=[2]) == "ffiiif"


def test_cooldown_never_hides_state_but_marks_events_as_quiet():
    policy = Policy(cooldown_ns=30)
    times = np.arange(6) * 10
    present = np.array([1, 0, 1, 0, 0, 0], bool)
    found, _ = stepped(policy, times, present, np.ones(6), np.ones(6, bool), np.zeros(6, bool))
    assert [(o.state, o.quiet) for o in found] == [
        ("firing", False),
        ("resolved", False),
        ("firing", True),
        ("resolved", True),
    ]


def test_escalation_stops_when_somebody_takes_the_alert():
    policy = Policy(escalations=((20, Severity.ERROR), (40, Severity.CRITICAL)))
    times, on = np.arange(6) * 10, np.ones(6, bool)
    kinds = lambda acks: [  # noqa: E731
        (o.state, o.time_ns, o.severity)
        for o in stepped(policy, times, on, np.ones(6), on, ~on, acknowledgements=acks)[0]
    ]
    assert kinds([])[1:] == [
        ("escalated", 20, Severity.ERROR),
        ("escalated", 40, Severity.CRITICAL),
    ]
    assert kinds([3])[1:] == [("escalated", 20, Severity.ERROR)]
