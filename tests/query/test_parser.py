"""Reading expressions: the tree, the printed form, and errors that point at the place."""

from __future__ import annotations

import math

import pytest

from monitorlab.errors import QueryError
from monitorlab.query import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    NumberLiteral,
    Subquery,
    Unary,
    VectorSelector,
    check,
    parse,
    replace,
    to_promql,
    value_type,
    walk,
)
from monitorlab.query.signatures import REFUSED, SIGNATURES

ROUND_TRIPS = [
    "up",
    'up{job="a", route=~"x|y"}',
    '{"odd name", a!~"b"}',
    "rate(x[5m] offset 1h)",
    "x @ 12.5 offset -30s",
    "x[1h30m] @ end()",
    "max_over_time(rate(x[5m])[1h:30s] @ start() offset 5m)",
    "sum by (a, b) (x)",
    "sum without () (x)",
    "topk(3, x)",
    'count_values("v", x)',
    "a + on (x) group_left (y) b",
    "a * ignoring (z) group_right () b",
    "a == bool on (x) b",
    "a and on () b or c unless ignoring (d) e",
    "-a ^ 2",
    "(-a) ^ 2",
    "2 ^ 3 ^ 2",
    "(2 ^ 3) ^ 2",
    "a - (b - c)",
    "1 + NaN * Inf",
    'label_replace(x, "a", "$1", "b", "(.*)\\\\d\\n")',
    "absent(x) or vector(0)",
]


@pytest.mark.parametrize("text", ROUND_TRIPS)
def test_printing_gives_the_same_tree_again(text):
    tree = parse(text)
    assert parse(to_promql(tree)) == tree or "NaN" in text
    assert to_promql(parse(to_promql(tree))) == to_promql(tree)


def test_a_rewritten_tree_gets_the_parentheses_it_needs():
    sum_of_two = parse("a + b")

    def swap(node):
        return sum_of_two if node == parse("v") else node

    for text, printed in (
        ("v * 2", "(a + b) * 2"),
        ("-v", "-(a + b)"),
        ("2 - v", "2 - (a + b)"),
        ("v ^ v", "(a + b) ^ (a + b)"),
        ("sum(v)", "sum(a + b)"),
        ("v or c", "a + b or c"),
    ):
        assert to_promql(replace(parse(text), swap)) == printed
    assert to_promql(replace(parse("v[5m:]"), swap)) == "(a + b)[5m:]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("1e3", 1000),
        (".5", 0.5),
        ("1h30m", 5400),
        ("-2", -2),
        ("+Inf", math.inf),
        ("250ms", 0.25),
    ],
)
def test_numbers(text, value):
    assert parse(text) == NumberLiteral(value)


def test_parts_of_a_tree():
    tree = parse('sum by (job) (rate(x{a="b"}[5m] offset -1m @ -5)) > bool 2 # why')
    assert isinstance(tree, Binary)
    assert tree.returns_bool
    aggregate = tree.lhs
    assert isinstance(aggregate, Aggregate)
    assert (aggregate.op, aggregate.grouping, aggregate.without) == ("sum", ("job",), False)
    call = aggregate.expr
    assert isinstance(call, Call)
    window = call.args[0]
    assert isinstance(window, MatrixSelector)
    assert window.range_ns == 300 * 10**9
    assert window.selector.offset_ns == -60 * 10**9
    assert window.selector.at == -5 * 10**9
    assert [str(m) for m in window.selector.matchers] == ['__name__="x"', 'a="b"']


def test_precedence():
    assert parse("-1 ^ 2") == Unary("-", parse("1 ^ 2")) or parse("-1 ^ 2").op == "^"
    assert parse("1 + 2 * 3").op == "+"
    assert parse("a or b and c").op == "or"
    assert parse("2 ^ 3 ^ 2").rhs == parse("3 ^ 2")
    assert parse("a atan2 b").op == "atan2"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "scalar"),
        ('"a"', "string"),
        ("x[5m]", "matrix"),
        ("x[5m:]", "matrix"),
        ("time()", "scalar"),
        ("x > 1", "vector"),
        ("1 + 1", "scalar"),
        ("-(x)", "vector"),
    ],
)
def test_types(text, kind):
    assert value_type(parse(text)) == kind


ERRORS = [
    # text, part of the message, what the caret points at
    ("rte(x[5m])", "unknown function `rte`; did you mean `rate`?", "rte"),
    ("summ(x)", "unknown function `summ`; did you mean `sum`?", "summ"),
    ("", "empty", None),
    ("1 +", "stops after '+'", None),
    ("sum(x", "never closed", "(x"),
    ("sum(x))", "has no '(' before it", ")"),
    ("sum(x]", "closes the '('", "]"),
    ("x & y", "write `and`", "& y"),
    ("x || y", "write `or`", "|| y"),
    ("x = 1", "use ==", "= 1"),
    ("x y", "expected an operator before 'y'", "y"),
    ('x{a="b"', "never closed", "{a"),
    ("x{a=b}", "quoted value", "b}"),
    ('x{a=~"("}', "regular expression", '"("'),
    ("rate(x)", "`rate` needs a range of samples such as x[5m], not an instant vector", "rate"),
    ("1 + rate(x) * 2", "`rate` needs a range", "rate"),
    ("sum(1)", "needs an instant vector", "sum"),
    ("x[5m] + 1", "instant vector", "+ 1"),
    ("abs(x[5m] + 1)", "instant vector", "+ 1"),
    ("1 > 2", "needs `bool`", "> 2"),
    ("x and bool y", "bool", "and bool"),
    ("topk(x)", "number of arguments", "topk"),
    ("round(x, 1, 2)", "at most 2", "round"),
    ("x[5m", "never closed", "[5m"),
    ("x[]", "duration such as [5m]", "[]"),
    ("x[5mm]", "neither a number nor a duration", "5mm"),
    ("x[5m+1m]", "arithmetic with durations", "+1m"),
    ("x offset", "expected a time behind 'offset'", None),
    ("x @ foo", "expected a time behind '@'", "foo"),
    ("x[9999999999h]", "longer than 292 years", "9999999999h"),
    ("x @ 1e30", "longer than 292 years", "1e30"),
    ("x[0s]", "greater than 0", "x[0s]"),
    ("{}", "non-empty matcher", "{}"),
    ('"abc', "not closed", '"abc'),
    ('"\\q"', "unknown escape", '\\q"'),
    ("mad_over_time(x[5m])", "is not supported: it is experimental", "mad"),
    ("histogram_sum(x)", "native histograms", "histogram_sum"),
    ("holt_winters(x[5m], 0.5, 0.5)", "not supported", "holt"),
    ("info(x)", "not supported", "info"),
    ("limitk(2, x)", "not supported", "limitk"),
    ("a + fill(0) b", "experimental", "fill"),
    ("rate(x[5m] smoothed)", "experimental", "smoothed"),
    ('x{a="b" or c="d"}', "expected ',' or '}'", 'or c="d"}'),
    ("sum by (a) (x) by (b)", "", None),
    ("abs()", "expected 1 argument", "abs"),
    ("$x > 1", "variables of dashboards", "$x"),
    ("(1 + 2", "never closed", "(1"),
    ("rate(x[5m],)", "argument is missing", ",)"),
]


@pytest.mark.parametrize(("text", "message", "points_at"), ERRORS)
def test_errors_say_what_and_where(text, message, points_at):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert message in str(caught.value)
    if points_at is not None:
        assert text[caught.value.position :].startswith(points_at), str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "1" + ")" * 500,
        "-" * 5000 + "x",
        "1" + "+1" * 5000,
        "x" + "^x" * 150,
        "abs(" * 300 + "x" + ")" * 300,
        "x" * 30_000,
        "x[" + "9" * 500 + "]",
        "x @ " + "9" * 500,
        "1" + "0" * 5000 + "h",
    ],
)
def test_large_expressions_are_refused_in_bounded_time(text):
    with pytest.raises(QueryError):
        parse(text)


@pytest.mark.parametrize("value", [None, 3, b"up"])
def test_only_texts_are_expressions(value):
    with pytest.raises(QueryError, match="is a text"):
        parse(value)


def test_every_function_is_known_to_the_parser():
    samples = {"vector": "x", "matrix": "x[5m]", "scalar": "1", "string": '"a"'}
    for name, signature in SIGNATURES.items():
        text = f"{name}({', '.join(samples[kind] for kind in signature.arguments)})"
        assert value_type(parse(text)) == signature.returns
    for name in REFUSED:
        with pytest.raises(QueryError, match="not supported"):
            parse(f"{name}(x)")


def test_a_tree_made_by_code_is_checked():
    for node in (
        Call("rate", (NumberLiteral(1.0),)),
        Call("nothing", ()),
        Call("mad_over_time", (parse("x[5m]"),)),
        Call("abs", ()),
        Aggregate("sum", NumberLiteral(1.0)),
        Aggregate("topk", parse("x")),
        Aggregate("limitk", parse("x"), NumberLiteral(1.0)),
        Aggregate("sum", parse("x"), NumberLiteral(1.0)),
        Binary(">", NumberLiteral(1.0), NumberLiteral(1.0)),
        Binary("and", NumberLiteral(1.0), parse("x")),
        Binary("+", parse("x[5m]"), NumberLiteral(1.0)),
        Binary("+", parse("x"), NumberLiteral(1.0), returns_bool=True),
        Unary("-", parse('"a"')),
        Subquery(NumberLiteral(1.0), 10**9),
    ):
        with pytest.raises(QueryError):
            check(node)


def test_walk_visits_in_the_order_of_the_text():
    names = [
        n.name for n in walk(parse("a + b * sum(c) / rate(d[5m])")) if isinstance(n, VectorSelector)
    ]
    assert names == ["a", "b", "c", "d"]


def test_positions_survive_label_lists_and_repeated_names():
    tree = parse('sum by (x) (x) + x{x="x"} * x')
    places = [n.position for n in walk(tree) if isinstance(n, VectorSelector)]
    assert places == [12, 17, 28]
