"""Whatever is typed: an answer, or an error of our own, in bounded time."""

from __future__ import annotations

import contextlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import MonitorlabError
from monitorlab.query import evaluate, evaluate_at, lint, load_notation, parse, to_promql
from monitorlab.query.signatures import AGGREGATIONS, REFUSED, SIGNATURES
from tests.query.expressions import expressions

STORE = load_notation(
    [('x{a="1"}', "0+1x20"), ('x{a="2"}', "5 _ stale NaN Inf 3x9"), ('y{le="+Inf"}', "1x20")], "30s"
)
WORDS = [
    *SIGNATURES,
    *AGGREGATIONS,
    *REFUSED,
    "x",
    "y",
    'x{a="1"}',
    '{a=~".*1"}',
    "x[1m]",
    "x[2m:30s]",
    "1",
    "0.5",
    "-1",
    "NaN",
    "Inf",
    "1h30m",
    "0x1f",
    '"a"',
    "'$1'",
    "`\\`",
    '"\\xff"',
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "by",
    "without",
    "offset",
    "@",
    "start()",
    "end()",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "5m",
    "1ms",
    "9999999y",
    "1e400",
    "a",
    "le",
    "# c",
    "\n",
    "é",
    "$",
    "=~",
    "!~",
    "=",
]


def survive(text: str) -> None:
    with contextlib.suppress(MonitorlabError):
        lint(text, STORE)
        assert parse(to_promql(parse(text))) is not None
        evaluate(STORE, text, 300)


@settings(max_examples=600)
@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_random_words(words):
    survive(" ".join(words))


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_random_texts(text):
    survive(text)


@settings(max_examples=300)
@given(expressions())
def test_random_expressions(text):
    survive(text)


def answer(expr, steps):
    """Give {labels: {time: value}} of an evaluation at some steps, or the word error."""
    try:
        result = evaluate_at(STORE, expr, np.asarray(steps, np.int64) * 10**9)
    except MonitorlabError:
        return "error"
    return {
        (key, time): float(value)
        for key, row, mask in zip(result.keys, result.values, result.present, strict=True)
        for time, value in zip(result.times_ns[mask].tolist(), row[mask], strict=True)
    }


@settings(max_examples=200)
@given(expressions())
def test_a_range_is_the_sum_of_its_instants(expr):
    steps = [0, 45, 60, 200, 310, 615]
    together = answer(expr, steps)
    alone = [answer(expr, [step]) for step in steps]
    if "error" in alone:
        assert together == "error"
        return
    merged = {place: value for part in alone for place, value in part.items()}
    assert together != "error"
    assert set(together) == set(merged)
    for place, value in merged.items():
        np.testing.assert_equal(together[place], value)


def test_a_label_expression_built_to_run_for_ever():
    with contextlib.suppress(MonitorlabError):
        evaluate(STORE, 'x{a=~"(1+)+$"} or label_replace(x, "b", "$1", "a", "((a*)*)*b")', 300)
