"""Hypothesis strategies for expressions that are well formed, and mean anything."""

from __future__ import annotations

from hypothesis import strategies as st

from monitorlab.query.signatures import SIGNATURES

LEAVES = ["x", "y", 'x{a="1"}', "x offset 1m", "x @ 120", "vector(1)", "gone", "vector(time())"]


def grown(inner):
    numbers = st.sampled_from(["1", "2.5", "-3", "NaN", "Inf", "time()", "scalar(x)", "1m"])
    one = st.sampled_from(sorted(n for n, s in SIGNATURES.items() if s.arguments == ("vector",)))
    over = st.sampled_from(sorted(n for n, s in SIGNATURES.items() if s.arguments == ("matrix",)))
    operator = st.sampled_from(
        [*"+-*/%^><", "==", "!=", ">=", "<=", "and", "or", "unless", "atan2"]
    )
    matching = st.sampled_from(["", " on (a)", " ignoring (a)", " on ()", " on (a) group_left ()"])
    grouping = st.sampled_from(["", " by (a)", " without (a)", " by (__name__)"])
    plain = st.sampled_from(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"])
    return st.one_of(
        st.builds("{}({})".format, one, inner),
        st.builds(
            "{}({}[{}:{}])".format,
            over,
            inner,
            st.sampled_from(["1m", "90s"]),
            st.sampled_from(["", "20s"]),
        ),
        st.builds(
            "{}({}[2m] offset {})".format,
            over,
            st.sampled_from(["x", "y", "gone"]),
            st.sampled_from(["1m", "-30s"]),
        ),
        st.builds("({}) {}{} ({})".format, inner, operator, matching, inner),
        st.builds("({}) {} {}".format, inner, operator, numbers),
        st.builds("{}{} ({})".format, plain, grouping, inner),
        st.builds("topk{} ({}, {})".format, grouping, numbers, inner),
        st.builds("quantile{} ({}, {})".format, grouping, numbers, inner),
        st.builds("histogram_quantile({}, {})".format, numbers, inner),
        st.builds("clamp({}, {}, {})".format, inner, numbers, numbers),
        st.builds("-({})".format, inner),
        st.builds(
            'label_replace({}, "{}", "$1", "{}", "(.*)")'.format,
            inner,
            st.sampled_from(["a", "b", "__name__"]),
            st.sampled_from(["a", "le"]),
        ),
    )


def expressions(max_leaves: int = 6) -> st.SearchStrategy[str]:
    """Give expressions over the series x and y with the labels a and le."""
    return st.recursive(st.sampled_from(LEAVES), grown, max_leaves=max_leaves)
