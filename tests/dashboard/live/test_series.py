from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.dashboard.live.series import MOST_ROWS, PanelStream, align, thin
from monitorlab.dashboard.live.wire import ABSENT
from monitorlab.dashboard.panels import Panel
from monitorlab.storage import STALE_NAN, SeriesStore

S = 1_000_000_000


@pytest.fixture
def store() -> SeriesStore:
    made = SeriesStore()
    for shop in ("berlin", "oslo"):
        made.extend("queue", np.arange(10) * S, np.arange(10.0), {"shop": shop})
    return made


def stream(expr: str, seconds: int = 60, **more: object) -> PanelStream:
    return PanelStream(0, Panel(expr, **more), span_ns=seconds * S)


def test_lines_are_named_by_the_labels_that_differ(store: SeriesStore) -> None:
    one = stream("queue")
    one.window(store, 9 * S)
    assert one.names == ("berlin", "oslo")
    assert one.spec()["series"] == ["berlin", "oslo"]


def test_only_what_is_new_is_given(store: SeriesStore) -> None:
    one = stream("queue")
    assert one.window(store, 9 * S).values.shape == (2, 10)
    assert one.fresh(store, 9 * S) is None
    store.append("queue", 10 * S, 5.0, {"shop": "berlin"})
    block = one.fresh(store, 10 * S)
    assert block.times.tolist() == [10.0]
    assert block.values.tolist() == [[5.0], [ABSENT]]


def test_a_late_sample_is_given_with_all_rows_from_its_time_on(store: SeriesStore) -> None:
    one = stream("queue")
    one.window(store, 9 * S)
    store.append("queue", 10 * S, 1.0, {"shop": "berlin"})
    one.fresh(store, 10 * S, low_ns=10 * S)
    store.append("queue", 10 * S, 2.0, {"shop": "oslo"})
    block = one.fresh(store, 10 * S, low_ns=10 * S)
    assert block.times.tolist() == [10.0]
    assert block.values.tolist() == [[1.0], [2.0]]


def test_a_new_line_asks_for_everything_anew(store: SeriesStore) -> None:
    one = stream("queue")
    one.window(store, 9 * S)
    store.append("queue", 10 * S, 1.0, {"shop": "porto"})
    assert one.fresh(store, 10 * S) is None
    assert one.is_changed
    assert one.window(store, 10 * S).values.shape == (3, 11)
    assert not one.is_changed


def test_lines_are_bounded_and_the_rest_is_counted() -> None:
    many = SeriesStore()
    for number in range(30):
        many.append("up", S, 1.0, {"job": f"job{number:02d}"})
    one = stream("up")
    assert one.window(many, S).values.shape == (8, 1)
    assert one.more == 22
    many.append("up", 2 * S, 1.0, {"job": "one more"})
    one.fresh(many, 2 * S)
    assert not one.is_changed


def test_a_tile_follows_one_line(store: SeriesStore) -> None:
    one = stream("queue", kind="stat")
    assert one.window(store, 9 * S).values.shape == (1, 10)


def test_a_block_is_bounded_after_any_pause() -> None:
    long = SeriesStore()
    long.extend("up", np.arange(10) * S, np.ones(10))
    one = stream("up", seconds=300)
    one.window(long, 9 * S)
    rng = np.random.default_rng(0)
    times = np.arange(10, 200_000) * S // 10 + 9 * S
    long.extend("up", times, rng.normal(size=len(times)))
    block = one.fresh(long, int(times[-1]))
    assert len(block.times) <= MOST_ROWS
    # The visible window keeps more rows than all that lies before it.
    visible = np.count_nonzero(block.times >= times[-1] / 1e9 - 300)
    assert visible > len(block.times) / 2
    assert block.times[-1] == pytest.approx(times[-1] / 1e9)


def test_a_hole_breaks_the_line(store: SeriesStore) -> None:
    one = stream("queue", seconds=600)
    one.window(store, 9 * S)
    for shop in ("berlin", "oslo"):
        store.append("queue", 100 * S, 7.0, {"shop": shop})
    block = one.fresh(store, 100 * S)
    assert block.times.tolist() == [10.0, 100.0]
    assert np.isnan(block.values[:, 0]).all()


def test_an_expression_gives_whole_steps_once(store: SeriesStore) -> None:
    one = stream("sum(queue)", seconds=300)
    block = one.window(store, 9 * S)
    assert block.values[0, -1] == 18.0
    assert one.fresh(store, 9 * S) is None
    for shop in ("berlin", "oslo"):
        store.append("queue", 10 * S, 10.0, {"shop": shop})
    block = one.fresh(store, 10 * S)
    assert block.times.tolist() == [10.0]
    assert block.values.tolist() == [[20.0]]


def test_a_wrong_expression_is_a_problem_in_place(store: SeriesStore) -> None:
    one = stream("rate(queue[")
    assert one.window(store, 9 * S).values.shape == (0, 0)
    assert "rate(queue[" in one.spec()["problem"]


def test_an_unknown_metric_is_told_until_it_comes() -> None:
    empty = SeriesStore()
    empty.append("up", S, 1.0)
    one = stream("queue")
    one.window(empty, S)
    assert "queue" in one.problem
    empty.append("queue", 2 * S, 1.0)
    assert one.fresh(empty, 2 * S) is None
    assert one.is_changed
    assert one.window(empty, 2 * S).values.tolist() == [[1.0]]
    assert one.problem == ""


def test_stale_markers_break_the_line() -> None:
    times, values = align([(0, np.array([1, 2]), np.array([1.0, STALE_NAN]))], 1)
    assert times.tolist() == [1, 2]
    assert np.isnan(values[0, 1])
    assert values.view(np.uint64)[0, 1] != np.float64(STALE_NAN).view(np.uint64)


@given(
    st.lists(
        st.lists(st.integers(0, 40), unique=True, min_size=1).map(sorted), min_size=1, max_size=4
    )
)
def test_align_keeps_every_sample(times: list[list[int]]) -> None:
    lines = [(row, np.array(t), np.array(t) * 10.0 + row) for row, t in enumerate(times)]
    base, values = align(lines, len(lines))
    assert base.tolist() == sorted(set().union(*times))
    for row, line_times, line_values in lines:
        there = values[row] != ABSENT
        assert base[there].tolist() == line_times.tolist()
        assert values[row, there].tolist() == line_values.tolist()


@given(st.integers(1, 4_000), st.integers(1, 5), st.integers(40, 500), st.integers(0, 2**31))
def test_thin_gives_true_rows_and_no_more_than_asked(
    count: int, lines: int, rows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(lines, count))
    values[rng.random(values.shape) < 0.1] = ABSENT
    times = np.arange(count, dtype=np.int64) * 3
    kept, thinned = thin(times, values, rows)
    assert len(kept) <= max(rows, 4 * lines)
    assert (np.diff(kept) > 0).all()
    assert np.array_equal(thinned, values[:, kept // 3])
