"""Operators: matching of series, ambiguous matches, sets, names that stay and go."""

from __future__ import annotations

import pytest

from monitorlab.errors import QueryError
from monitorlab.query import evaluate, evaluate_range, load_notation
from monitorlab.query.conformance import run_case

SERIES = [
    ('a{x="1", y="p"}', "1 2 3 4"),
    ('a{x="2", y="p"}', "10 20 30 40"),
    ('b{x="1", y="p"}', "5 _ stale 5"),
    ('c{x="1"}', "100 200 300 400"),
    ('many{x="1", z="i"}', "1x3"),
    ('many{x="1", z="j"}', "2x3"),
    ('flip{x="1", v="old"}', "1 1 stale stale"),
    ('flip{x="1", v="new"}', "_ _ 7 7"),
]


def answer(expr, expected, *, start="0", end="3m", fails=False):
    case = {
        "loads": [{"step": "1m", "series": SERIES}],
        "eval": {"start": start, "end": end, "step": "1m"},
        "expr": expr,
        "expected": expected,
        "fails": fails,
    }
    assert run_case(case) == (True, "")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("a + b", [['{x="1", y="p"}', "6 7 _ 9"]]),
        ("b - a", [['{x="1", y="p"}', "4 3 _ 1"]]),
        ("a > b", []),
        ("b > a", [['b{x="1", y="p"}', "5 5 _ 5"]]),
        ("b > bool a", [['{x="1", y="p"}', "1 1 _ 1"]]),
        ("a * on (x) c", [['{x="1"}', "100 400 900 1600"]]),
        ("a < on (x) c", [['{x="1"}', "1 2 3 4"]]),
        ("a * ignoring (y) c", [['{x="1"}', "100 400 900 1600"]]),
        (
            "many * on (x) group_left (y) b",
            [['{x="1", y="p", z="i"}', "5 5 _ 5"], ['{x="1", y="p", z="j"}', "10 10 _ 10"]],
        ),
        (
            "c * on (x) group_right () many",
            [['{x="1", z="i"}', "100 200 300 400"], ['{x="1", z="j"}', "200 400 600 800"]],
        ),
        (
            "c > on (x) group_right () many",
            [['many{x="1", z="i"}', "100 200 300 400"], ['many{x="1", z="j"}', "100 200 300 400"]],
        ),
        ("c * on (x) flip", [['{x="1"}', "100 200 2100 2800"]]),
        ("a and b", [['a{x="1", y="p"}', "1 2 _ 4"]]),
        ("a unless b", [['a{x="1", y="p"}', "_ _ 3 _"], ['a{x="2", y="p"}', "10 20 30 40"]]),
        (
            "b or a",
            [
                ['b{x="1", y="p"}', "5 5 _ 5"],
                ['a{x="1", y="p"}', "_ _ 3 _"],
                ['a{x="2", y="p"}', "10 20 30 40"],
            ],
        ),
        ("a and on () c", [['a{x="1", y="p"}', "1 2 3 4"], ['a{x="2", y="p"}', "10 20 30 40"]]),
        ("a and nothing", []),
        ("nothing or c", [['c{x="1"}', "100 200 300 400"]]),
        ("3 > a", [['a{x="1", y="p"}', "1 2 _ _"]]),
        ("a % 3", [['{x="1", y="p"}', "1 2 0 1"], ['{x="2", y="p"}', "1 2 0 1"]]),
        ("-3 % 2", [["", "-1 -1 -1 -1"]]),
        ("2 ^ 3 ^ 0", [["", "2 2 2 2"]]),
        ("c ^ 2", [['{x="1"}', "10000 40000 90000 160000"]]),
        ("-c", [['{x="1"}', "-100 -200 -300 -400"]]),
        ("+c", [['c{x="1"}', "100 200 300 400"]]),
        (
            "rate(c[2m]) > 0",
            [['{x="1"}', "_ 1.6666666666666667 1.6666666666666667 1.6666666666666667"]],
        ),
        ("scalar(c) + c", [['{x="1"}', "200 400 600 800"]]),
        ("scalar(a) > bool 0", [["", "0 0 0 0"]]),
    ],
)
def test_answers(expr, expected):
    answer(expr, expected)


@pytest.mark.parametrize(
    "expr",
    [
        "c * on (x) many",
        "many * on (x) c",
        "many > on (x) c",
        "many * on (x) group_left () many",
        "a * on (y) group_left () a",
        "many * ignoring (z) c",
        'abs({x="1", __name__=~"a|b"})',
        'label_replace(a, "x", "same", "", "")',
        'count_values("", a)',
        "topk(scalar(nothing), a)",
        "topk(1e30, a)",
    ],
)
def test_what_is_ambiguous_is_an_error(expr):
    answer(expr, [], fails=True)


def test_errors_of_matching_point_at_the_operator():
    store = load_notation(SERIES, "1m")
    with pytest.raises(QueryError) as caught:
        evaluate(store, "1 + c * on (x) many", 0)
    assert caught.value.position == 6
    assert "many{" in str(caught.value) or '__name__="many"' in str(caught.value)


def test_names_come_back_where_a_label_function_asks_for_them():
    answer(
        'label_replace(rate(c[2m]), "__name__", "rate_$1", "__name__", "(.+)") * 0 > -1 or vector(1)',
        [['{x="1"}', "_ 0 0 0"], ["{}", "1 1 1 1"]],
    )
    answer(
        'label_replace(-c, "__name__", "neg_$1", "__name__", "(.+)")',
        [['neg_c{x="1"}', "-100 -200 -300 -400"]],
    )


def test_sort_orders_an_instant_query_and_puts_nan_last():
    store = load_notation([('v{n="a"}', "NaN"), ('v{n="b"}', "2"), ('v{n="c"}', "1")], "1m")
    assert evaluate(store, "sort(v)", 0)["n"].tolist() == ["c", "b", "a"]
    assert evaluate(store, "sort_desc(v)", 0)["n"].tolist() == ["b", "c", "a"]
    assert evaluate(store, "topk(2, v)", 0)["n"].tolist() == ["b", "c"]
    assert evaluate(store, "bottomk(3, v)", 0)["n"].tolist() == ["c", "b", "a"]


def test_count_values_of_a_range():
    answer('count_values("v", many)', [['{v="1"}', "1 1 1 1"], ['{v="2"}', "1 1 1 1"]])
    answer(
        'count_values by (x) ("v", flip)',
        [['{x="1", v="1"}', "1 1 _ _"], ['{x="1", v="7"}', "_ _ 1 1"]],
    )


def test_scalars_in_a_range_are_one_series_without_labels():
    result = evaluate_range(load_notation([], "1m"), "time()", 0, 120, "1m")
    assert result.values.tolist() == [[0.0, 60.0, 120.0]]


@pytest.mark.parametrize(
    ("phi", "expected"),
    [
        ("0.5", "2"),
        ("0.9", "4"),
        ("0", "0"),
        ("1", "4"),
        ("-1", "-Inf"),
        ("2", "Inf"),
        ("NaN", "NaN"),
        ("0.1", "0.4"),
    ],
)
def test_histogram_quantile(phi, expected):
    series = [
        ('h_bucket{le="1"}', "10"),
        ('h_bucket{le="2"}', "20"),
        ('h_bucket{le="4"}', "36"),
        ('h_bucket{le="+Inf"}', "40"),
    ]
    case = {
        "loads": [{"step": "1m", "series": series}],
        "eval": {"at": 0},
        "expr": f"histogram_quantile({phi}, h_bucket)",
        "expected": [["{}", expected]],
    }
    assert run_case(case) == (True, "")


def test_histogram_with_falling_buckets_or_without_infinity():
    falling = [('h{le="1"}', "10"), ('h{le="2"}', "8"), ('h{le="+Inf"}', "12")]
    for series, expected in ((falling, "0.6"), (falling[:2], "NaN"), (falling[2:], "NaN")):
        case = {
            "loads": [{"step": "1m", "series": series}],
            "eval": {"at": 0},
            "expr": "histogram_quantile(0.5, h)",
            "expected": [["{}", expected]],
        }
        assert run_case(case) == (True, "")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("histogram_fraction(0, 0.1, h_bucket)", "0.5"),
        ("histogram_fraction(0.05, 0.15, h_bucket)", "0.45"),
        ("histogram_fraction(0.05, +Inf, h_bucket)", "0.75"),
        ("histogram_fraction(0.05, 7, h_bucket)", "0.65"),  # what lies beyond 0.2 is beyond 7
        ("histogram_fraction(-Inf, +Inf, h_bucket)", "1"),
        ("histogram_fraction(2, 1, h_bucket)", "0"),
        ("histogram_fraction(NaN, 1, h_bucket)", "NaN"),
        ('histogram_fraction(0, 1, h_bucket{le!="+Inf"})', "NaN"),
    ],
)
def test_histogram_fraction(expr, expected):
    buckets = {"0.1": 10, "0.2": 18, "+Inf": 20}
    case = {
        "id": "x",
        "loads": [
            {
                "step": "5m",
                "series": [[f'h_bucket{{le="{le}"}}', f"{n} {n}"] for le, n in buckets.items()],
            }
        ],
        "eval": {"at": "5m"},
        "expr": expr,
        "fails": False,
        "ordered": False,
        "expected": [["{}", expected]],
    }
    assert run_case(case) == (True, "")


def test_numbers_may_have_underscores_between_digits():
    case = {
        "id": "x", "loads": [], "eval": {"at": 0}, "expr": "1_000 + 0x_1F + 1_0.2_5",
        "fails": False, "ordered": False, "expected": [["", "1041.25"]],
    }  # fmt: skip
    assert run_case(case) == (True, "")
