"""Nothing outside our own errors, whatever people type."""

import contextlib

import numpy as np
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitorlab.alerting import AlertRule, LiveEngine, backtest, make_rule, templates, tune
from monitorlab.alerting.files import parse_rules
from monitorlab.errors import MonitorlabError
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore
from tests.alerting.conftest import SECOND

STORE = SeriesStore()
STORE.extend("x", np.arange(40, dtype=np.int64) * 15 * SECOND, np.sin(np.arange(40.0)), {"i": "1"})
STORE.extend("c_total", np.arange(40, dtype=np.int64) * 15 * SECOND, np.arange(40.0), {"i": "1"})

WORDS = st.sampled_from(
    [
        "x",
        "c_total",
        "value",
        "threshold",
        "rate_5m",
        "p95",
        "p99_1m",
        "mean_2m",
        "zscore_1h",
        "anomaly_score",
        "forecast_1h",
        "rate",
        "sum",
        "by",
        "without",
        "(",
        ")",
        "[",
        "]",
        "[5m]",
        "[5m:1m]",
        "{",
        "}",
        '{i="1"}',
        '{i=~"(a*)*b"}',
        ">",
        "<",
        ">=",
        "==",
        "!=",
        "bool",
        "and",
        "or",
        "unless",
        "on",
        "ignoring",
        "group_left",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "offset",
        "5m",
        "1",
        "0.5",
        "1e300",
        "NaN",
        "Inf",
        ",",
        '"a"',
        "@",
        "start()",
        "end()",
        "absent",
        "absent_over_time",
        "topk",
        "quantile_over_time",
        "histogram_quantile",
        "label_replace",
        "30s",
        "-5m",
        "#",
        "\n",
        "é",
        "~",
        "!",
        "=",
    ]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=14).map(" ".join), st.text(max_size=40))


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.booleans())
@example("x > 1 and " * 300 + "x", False)
@example("-" * 3_000 + "x", False)
@example("(" * 3_000, True)
@example('x{i=~"' + "(a|" * 2_000 + '"}', False)
@example("x[99999999999y]", False)
@example("sum_over_time(x[1000y:1ms]) > 1", False)
def test_expressions(text, bound):
    with contextlib.suppress(MonitorlabError):
        rule = make_rule("R", text, "x" if bound else None, threshold=1.0)
        backtest(STORE, rule, [])
        LiveEngine(rule).evaluate(STORE, 300 * SECOND)
        tune(STORE, rule, [(60, 120), (300, 400)], thresholds=3, for_=["0s"])


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=8), st.sampled_from(["5m", "up > 1", "error"]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "alert",
        "record",
        "expr",
        "for",
        "keep_firing_for",
        "labels",
        "annotations",
        "x-monitorlab",
        "metric",
        "condition",
        "threshold",
        "name",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6), VALUES)
def test_files(rule, other):
    rules = [{"alert": "A", "expr": "up", **rule}, rule, other]
    text = yaml.safe_dump({"groups": [{"name": "g", "rules": rules}, other]})
    with contextlib.suppress(MonitorlabError):
        parse_rules(text)
    with contextlib.suppress(MonitorlabError):
        parse_rules(yaml.safe_dump(rule))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_as_a_file(text):
    with contextlib.suppress(MonitorlabError):
        parse_rules(text)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "for_",
                "severity",
                "labels",
                "m_of_n",
                "no_data",
                "escalate",
                "threshold",
                "cooldown",
                "window",
                "metric",
                "resolve_expr",
                "annotations",
                "auto_resolve",
            ]
        ),
        VALUES,
    )
)
def test_options(options):
    with contextlib.suppress(MonitorlabError):
        AlertRule("A", "x > 1", **options)


PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{{-",
        "-}}",
        "$value",
        "$labels",
        "$labels.i",
        ".",
        ".Value",
        "if",
        "else",
        "end",
        "range",
        "with",
        ":=",
        "$a",
        "|",
        "(",
        ")",
        '"a"',
        "`b`",
        "1",
        "-2.5",
        "1e9",
        "humanize",
        "humanizeDuration",
        "humanizeTimestamp",
        "printf",
        '"%d"',
        '"%.99f"',
        '"%q"',
        "eq",
        "gt",
        "and",
        "index",
        "len",
        "title",
        "reReplaceAll",
        "match",
        "nil",
        "true",
        "define",
        "template",
        "/*x*/",
        ",",
        "x",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.lists(PIECES, max_size=15).map(" ".join),
        st.text(max_size=30).map(lambda s: "{{" + s + "}}"),
    )
)
def test_templates(text):
    got = templates.expand(text, SeriesKey("x", Labels(i="1")), 3.5)
    assert isinstance(got, str)
    templates.check(text)
