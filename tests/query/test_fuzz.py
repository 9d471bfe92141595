"""Whatever is typed: an answer, or an error of our own, in bounded time."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import MonitorlabError
from monitorlab.query import evaluate, lint, load_notation, parse, to_promql
from monitorlab.query.signatures import AGGREGATIONS, REFUSED, SIGNATURES

STORE = load_notation(
    [('x{a="1"}', "0+1x20"), ('x{a="2"}', "5 _ stale NaN Inf 3x9"), ('y{le="+Inf"}', "1x20")], "30s"
)
WORDS = [
    *SIGNATURES, *AGGREGATIONS, *REFUSED,
    "x", "y", "x{a=\"1\"}", "{a=~\".*1\"}", "x[1m]", "x[2m:30s]", "1", "0.5", "-1", "NaN", "Inf", "1h30m", "0x1f",
    '"a"', "'$1'", "`\\`", "\"\\xff\"", "+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or",
    "unless", "atan2", "bool", "on", "ignoring", "group_left", "group_right", "by", "without", "offset",
    "@", "start()", "end()", "(", ")", "[", "]", "{", "}", ",", ":", "5m", "1ms", "9999999y", "1e400", "a", "le",
    "# c", "\n", "é", "$", "=~", "!~", "=",
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


def _grown(inner):
    numbers = st.sampled_from(["1", "2.5", "-3", "NaN", "Inf", "time()", "scalar(x)", "1m"])
    one = st.sampled_from(sorted(n for n, s in SIGNATURES.items() if s.arguments == ("vector",)))
    over = st.sampled_from(sorted(n for n, s in SIGNATURES.items() if s.arguments == ("matrix",)))
    operator = st.sampled_from("+ - * / % ^ == != > < >= <= and or unless atan2".split())
    matching = st.sampled_from(["", " on (a)", " ignoring (a)", " on ()", " on (a) group_left ()"])
    grouping = st.sampled_from(["", " by (a)", " without (a)", " by (__name__)"])
    plain = st.sampled_from(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"])
    return st.one_of(
        st.builds("{}({})".format, one, inner),
        st.builds("{}({}[{}:{}])".format, over, inner, st.sampled_from(["1m", "90s"]), st.sampled_from(["", "20s"])),
        st.builds("{}({}[2m] offset {})".format, over, st.sampled_from(["x", "y", "x @ 60"]).map(lambda s: s.split(" ")[0]), st.sampled_from(["1m", "-30s"])),
        st.builds("({}) {}{} ({})".format, inner, operator, matching, inner),
        st.builds("({}) {} {}".format, inner, operator, numbers),
        st.builds("{}{} ({})".format, plain, grouping, inner),
        st.builds("topk{} ({}, {})".format, grouping, numbers, inner),
        st.builds("quantile{} ({}, {})".format, grouping, numbers, inner),
        st.builds("histogram_quantile({}, {})".format, numbers, inner),
        st.builds("clamp({}, {}, {})".format, inner, numbers, numbers),
        st.builds("-({})".format, inner),
        st.builds('label_replace({}, "{}", "$1", "{}", "(.*)")'.format, inner, st.sampled_from(["a", "b", "__name__"]), st.sampled_from(["a", "le"])),
    )


@settings(max_examples=300)
@given(st.recursive(st.sampled_from(["x", "y", 'x{a="1"}', "x offset 1m", "x @ end()", "vector(1)", "nothing"]), _grown, max_leaves=6))
def test_random_expressions(text):
    survive(text)


def test_a_label_expression_built_to_run_for_ever():
    with contextlib.suppress(MonitorlabError):
        evaluate(STORE, 'x{a=~"(1+)+$"} or label_replace(x, "b", "$1", "a", "((a*)*)*b")', 300)
