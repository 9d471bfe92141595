"""The runner of conformance cases, and a few cases of our own."""

from __future__ import annotations

import pytest

from monitorlab.query.conformance import run_case, run_cases

LOAD = [{"step": "1m", "series": [['up{job="a"}', "0+1x10"], ['up{job="b"}', "5 _ stale 7"]]}]


@pytest.mark.parametrize(
    ("expr", "when", "expected"),
    [
        ("up", {"at": "0"}, [['up{job="a"}', "0"], ['up{job="b"}', "5"]]),
        ("up", {"at": "1m"}, [['up{job="a"}', "1"], ['up{job="b"}', "5"]]),
        ("up", {"at": "2m"}, [['up{job="a"}', "2"]]),
        (
            "-up",
            {"start": "0", "end": "3m", "step": "1m"},
            [['{job="a"}', "0-1x3"], ['{job="b"}', "-5 -5 _ -7"]],
        ),
        ("sum(up)", {"start": 0, "end": 120, "step": 60}, [["{}", "5 6 2"]]),
        ("1 + 1", {"at": "7m"}, [["", "2"]]),
        ("up > 100", {"at": "7m"}, []),
    ],
)
def test_cases_that_hold(expr, when, expected):
    case = {"loads": LOAD, "eval": when, "expr": expr, "expected": expected}
    assert run_case(case) == (True, "")


@pytest.mark.parametrize(
    ("expr", "expected", "why"),
    [
        ("up", [['up{job="a"}', "0"]], "unexpected series"),
        ("up", [['up{job="a"}', "0"], ['up{job="b"}', "6"]], "expected 6.0, got 5.0"),
        ("1", [["", "2"]], "expected 2.0"),
        ("rte(up[5m])", [], "did you mean `rate`"),
        ("up[5m]", [], "range of samples"),
    ],
)
def test_cases_that_do_not_hold_say_why(expr, expected, why):
    passed, reason = run_case(
        {"loads": LOAD, "eval": {"at": 0}, "expr": expr, "expected": expected}
    )
    assert not passed
    assert why in reason


def test_order_counts_only_where_it_is_asked_for():
    expected = [['up{job="a"}', "0"], ['up{job="b"}', "5"]]
    case = {"loads": LOAD, "eval": {"at": 0}, "expr": "sort_desc(up)", "expected": expected}
    assert run_case(case)[0]
    assert not run_case({**case, "ordered": True})[0]
    assert run_case({**case, "ordered": True, "expected": expected[::-1]})[0]


def test_an_error_can_be_what_is_expected():
    case = {"id": "e", "loads": [], "eval": {"at": 0}, "fails": True}
    assert run_cases([{**case, "expr": "sum("}, {**case, "expr": "1"}]) == [
        ("e", True, ""),
        ("e", False, "an error was expected"),
    ]
