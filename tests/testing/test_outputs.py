"""What is the same, what differs, and how the difference is told."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.errors import RecordingError
from monitorlab.testing import Tolerance, differences
from monitorlab.testing.figures import PLOTLY, differing_leaves, plain_figure
from monitorlab.testing.numbers import STRICT, same_text
from monitorlab.testing.outputs import forgive, normalise

NEAR = Tolerance(rtol=1e-3)


def packed(values: Any, dtype: str = "f8") -> dict[str, str]:
    return {"dtype": dtype, "bdata": base64.b64encode(np.array(values, dtype).tobytes()).decode()}


def text(words: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": words}]


def table(*rows: tuple[object, ...]) -> list[dict[str, Any]]:
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    html = f"<table><tr><th></th><th>rule</th><th>value</th></tr>{body}</table>"
    plain = "\n".join(" ".join(map(str, row)) for row in rows)
    data = {"text/html": html, "text/plain": plain}
    return [{"output_type": "execute_result", "data": data}]


@pytest.mark.parametrize(
    ("stored", "now", "same"),
    [
        ("1.0000", "1.0005", True),
        ("1.0000", "1.0050", False),
        ("-1.0", "1.0", False),
        ("mean 9.999 of 21", "mean 10.001 of 21", True),
        (" 9.999  a\n10.500  b", "10.001  a\n10.500  b", True),  # one digit more: set wider
        ("21 firings", "22 firings", False),  # counts are exact
        ("1000000 firings", "1000001 firings", False),
        ("1,234.5", "1,234.6", True),
        ("1.5e-07", "1.5001e-07", True),
        ("2026-01-01 00:00:05.100", "2026-01-01 00:00:05.101", False),  # times are exact
        ("12:30:01.5", "12:30:01.6", False),
        ("version 1.2.3", "version 1.2.4", False),
        ("nan", "1.0", False),
        ("p95", "p96", False),
        ("mean 1.0", "median 1.0", False),
    ],
)
def test_numbers_in_a_text_within_a_tolerance(stored: str, now: str, same: bool) -> None:
    assert same_text(stored, now, NEAR) is same
    assert same_text(now, now, NEAR)


def test_without_a_tolerance_only_the_same_text_is_the_same() -> None:
    assert not same_text("1.00", "1.0", STRICT)
    assert not same_text("a  b", "a b", STRICT)


@given(st.floats(0.01, 1e9), st.floats(-1, 1))
def test_the_tolerance_is_what_it_says(stored: float, factor: float) -> None:
    near = Tolerance(rtol=0.01, atol=0.5)
    now = stored + 0.98 * factor * (0.5 + 0.01 * stored)
    assert same_text(f"value {stored!r} s", f"value {now!r} s", near)
    beyond = stored + 1.1 * (0.5 + 0.01 * stored)
    assert not same_text(f"value {stored!r} s", f"value {beyond!r} s", near)


@given(st.text(max_size=60))
def test_every_text_is_the_same_as_itself(words: str) -> None:
    assert same_text(words, words, NEAR)
    assert not differences(text(words), text(words))


@pytest.mark.parametrize("wrong", [{"rtol": -1.0}, {"atol": float("nan")}, {"rtol": float("inf")}])
def test_a_wrong_tolerance_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(RecordingError, match="is no tolerance"):
        Tolerance(**wrong)


def test_a_cell_can_have_its_own_tolerance() -> None:
    assert STRICT.with_tags(["rtol=1e-6", "other"]) == Tolerance(rtol=1e-6)
    with pytest.raises(RecordingError, match="gives no number"):
        STRICT.with_tags(["atol=little"])


def test_a_binary_array_and_a_list_are_the_same_figure() -> None:
    stored = {"data": [{"y": packed([1.0, float("nan")]), "uid": "a"}]}
    now = {"data": [{"y": [1.0, None], "uid": "b"}]}
    assert plain_figure(stored) == plain_figure(now)
    matrix = {**packed([[1, 2], [3, 4]], "i4"), "shape": "2, 2"}
    assert plain_figure(matrix) == [[1, 2], [3, 4]]
    broken = {"dtype": "f8", "bdata": "not base64!"}
    assert plain_figure(broken) == broken


def test_a_changed_point_of_a_figure_is_named() -> None:
    def figure(y: list[float]) -> list[dict[str, Any]]:
        data = {PLOTLY: {"data": [{"name": "p95", "y": packed(y)}], "layout": {}}}
        return normalise([{"output_type": "display_data", "data": data}])

    (found,) = differences(figure([1.0, 2.0]), figure([1.0, 2.5]))
    assert (found.where, found.stored, found.now) == ("figure: data[0](p95).y[1]", "2.0", "2.5")
    assert not differences(figure([2.0]), figure([2.0001]), NEAR)
    (found,) = differences(figure([2.0]), figure([2.0, 3.0]))
    assert "length" in found.where
    (found,) = differences(figure([0.5] * 50), figure([1.5] * 50))[-1:]
    assert "and 44 more places" in found.where


@pytest.mark.parametrize(("now", "same"), [(1.0 + 1e-13, True), (1.0 + 1e-7, False)])
def test_what_processors_round_differently_in_a_figure_is_no_change(now: float, same: bool) -> None:
    def figure(y: list[float]) -> list[dict[str, Any]]:
        return normalise([{"output_type": "display_data", "data": {PLOTLY: {"y": packed(y)}}}])

    stored, run = figure([1.0]), figure([now])
    assert (not differences(stored, run)) is same
    assert (forgive(stored, run, STRICT) == stored) is same


def test_whole_numbers_and_flags_of_a_figure_are_exact() -> None:
    assert list(differing_leaves([3], [4], Tolerance(atol=9.0)))
    assert list(differing_leaves([True], [1], STRICT))
    assert list(differing_leaves({"a": 1}, {"b": 1}))


def test_a_changed_cell_of_a_table_is_named_once() -> None:
    stored = table(("0", "Slow", "1.5"), ("1", "Down", "2.5"))
    now = table(("0", "Slow", "1.5"), ("1", "Down", "2.75"))
    (found,) = differences(stored, now)
    assert found.where == "table, row 2 (1), column 'value'"
    assert (found.stored, found.now) == ("2.5", "2.75")
    assert not differences(stored, now, Tolerance(atol=0.25))
    (found,) = differences(stored, table(("0", "Slow", "1.5")))
    assert (found.stored, found.now) == ("3 rows", "2 rows")


def test_what_is_missing_and_what_is_new_are_told() -> None:
    (found,) = differences(text("a"), [])
    assert (found.stored, found.now) == ("a", "(nothing)")
    error = [{"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}]
    (found,) = differences([], error)
    assert (found.where, found.now) == ("exception", "KeyError: 'x'")


def test_a_long_line_is_cut_around_the_change() -> None:
    (found,) = differences(text("a" * 300 + "X" + "b" * 300), text("a" * 300 + "Y" + "b" * 300))
    assert len(found.stored) < 130
    assert "aX" in found.stored
    assert "aY" in found.now


def test_what_is_forgiven_is_the_stored_value_and_nothing_else() -> None:
    stored, now = text("1.0000"), text("1.0005")
    assert forgive(stored, now, NEAR) == stored
    assert forgive(stored, now, STRICT) == now
    assert forgive(stored, text("2.0"), NEAR) == text("2.0")
    rows = table(("0", "a", "1.0000")), table(("0", "a", "1.0001"))
    assert forgive(*rows, NEAR) == rows[0]
    assert forgive([], now, NEAR) == now


def test_random_ids_of_widgets_and_pictures_do_not_count() -> None:
    view = "application/vnd.jupyter.widget-view+json"
    stored = [{"output_type": "display_data", "data": {view: {"model_id": "a"}, "image/png": "x"}}]
    now = [{"output_type": "display_data", "data": {view: {"model_id": "b"}, "image/png": "y"}}]
    assert not differences(stored, now)
