"""Matchers and selectors against PromQL's rules, and the index against a naive oracle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.errors import MatcherError
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import Matcher, Selector, as_matchers, matches_key, parse_selector
from monitorlab.storage import regex as regex_module
from monitorlab.storage.index import SeriesIndex
from monitorlab.storage.regex import MAX_PATTERN_CHARACTERS, compile_regex


@pytest.mark.parametrize(
    ("text", "metric", "matchers"),
    [
        ("up", "up", ['__name__="up"']),
        ("  up  ", "up", ['__name__="up"']),
        ("job:rate:sum", "job:rate:sum", ['__name__="job:rate:sum"']),
        ("up{}", "up", ['__name__="up"']),
        ('up{job="a",}', "up", ['__name__="up"', 'job="a"']),
        ("up { job != 'a' , x=~`b\\d` }", "up", ['__name__="up"', 'job!="a"', 'x=~"b\\\\d"']),
        ('{__name__="up"}', "up", ['__name__="up"']),
        ('{__name__=~"up|down"}', None, ['__name__=~"up|down"']),
        ('{"disk usage %", host="a"}', "disk usage %", ['__name__="disk usage %"', 'host="a"']),
        ('{"odd label"="1"}', None, ['"odd label"="1"']),
        ('up{a="x\\"y\\n\\x41\\u00e9\\101"}', "up", ['__name__="up"', 'a="x\\"y\\nAéA"']),
        ('up{ # a comment\n job="a"}', "up", ['__name__="up"', 'job="a"']),
        ("{}", None, []),
        ('up{__name__="up"}', "up", ['__name__="up"']),
        ('up{__name__!="down"}', "up", ['__name__="up"', '__name__!="down"']),
    ],
)
def test_parse(text: str, metric: str | None, matchers: list[str]) -> None:
    selector = parse_selector(text)
    assert selector.metric == metric
    assert [str(m) for m in selector.matchers] == matchers


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("", 0, "metric name"),
        ("up{", 3, "label name"),
        ('up{job="a"', 10, "',' or '}'"),
        ('up{job "a"}', 7, "one of = != =~ !~"),
        ("up{job=a}", 7, "quoted"),
        ('up{job="a}', 7, "not closed"),
        ('up{job="a"} > 3', 12, "query"),
        ("up[5m]", 2, "range"),
        ("up down", 3, "follow"),
        ('up{job=~"("}', 8, "regular expression"),
        ('up{a="\\q"}', 6, "escape"),
        ('up{a="\\xzz"}', 6, "escape"),
        ('up{"down"}', 3, "twice"),
        ('up{__name__="down"}', 3, "twice"),
        ("3up", 0, "metric name"),
    ],
)
def test_parse_errors_point_at_the_place(text: str, position: int, part: str) -> None:
    with pytest.raises(MatcherError, match=re.escape(part)) as caught:
        parse_selector(text)
    assert caught.value.position == position
    if text:
        assert str(caught.value).endswith(" " * position + "^")


def test_parse_refuses_what_is_no_text() -> None:
    with pytest.raises(MatcherError, match="int"):
        parse_selector(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["up", 'up{job="a", x!~"b.*"}', '{"a b", c="d\\"e"}', "{}"])
def test_text_of_a_selector_reads_back(text: str) -> None:
    selector = parse_selector(text)
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize(
    ("op", "value", "candidate", "expected"),
    [
        ("=", "a", "a", True),
        ("=", "", "", True),
        ("!=", "a", "", True),
        ("=~", "a", "ab", False),
        ("=~", "a|b", "b", True),
        ("=~", "a|bc", "ac", False),
        ("=~", ".*", "", True),
        ("=~", ".+", "", False),
        ("=~", "a.b", "a\nb", True),
        ("=~", "(?i)GET", "get", True),
        ("!~", "5..", "503", False),
        ("!~", "5..", "", True),
        ("=~", "é+", "éé", True),
    ],
)
@pytest.mark.parametrize("with_re2", [True, False])
def test_matching(
    monkeypatch: pytest.MonkeyPatch,
    op: str,
    value: str,
    candidate: str,
    expected: bool,
    with_re2: bool,
) -> None:
    if not with_re2:
        monkeypatch.setattr(regex_module, "_load_re2", lambda: None)
    compile_regex.cache_clear()
    try:
        assert Matcher("x", op, value).matches(candidate) is expected
    finally:
        compile_regex.cache_clear()


def test_unknown_operator() -> None:
    with pytest.raises(MatcherError, match="=~"):
        Matcher("x", "==", "a")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a*)*",
        "(a|aa)+",
        "((a|b)c*)+",
        "(a{1,9}){5,}",
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        r"(a)\1",
        "a*b*c*d*e*f*g*",
    ],
)
def test_costly_expressions_are_refused_without_re2(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setattr(regex_module, "_load_re2", lambda: None)
    compile_regex.cache_clear()
    with pytest.raises(MatcherError, match="google-re2"):
        compile_regex(pattern)
    compile_regex.cache_clear()


@pytest.mark.parametrize(
    "pattern",
    ["5..", "(foo|bar)baz", "a+b*", "[(+*]+", r"\(a+\)+", "(?:ab)+", "(a|b)?", "(?i:abc)", "[]a]+"],
)
def test_harmless_expressions_pass_without_re2(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setattr(regex_module, "_load_re2", lambda: None)
    compile_regex.cache_clear()
    assert compile_regex(pattern)("\0") is None
    compile_regex.cache_clear()


@pytest.mark.parametrize("with_re2", [True, False])
def test_wrong_and_long_expressions(monkeypatch: pytest.MonkeyPatch, with_re2: bool) -> None:
    if not with_re2:
        monkeypatch.setattr(regex_module, "_load_re2", lambda: None)
    compile_regex.cache_clear()
    with pytest.raises(MatcherError, match="wrong regular expression"):
        Matcher("a", "=~", "[")
    with pytest.raises(MatcherError, match="4096"):
        Matcher("a", "=~", "a" * (MAX_PATTERN_CHARACTERS + 1))
    compile_regex.cache_clear()


def test_as_matchers_takes_every_form() -> None:
    matcher = Matcher("job", "=", "a")
    assert as_matchers(None) == ()
    assert as_matchers(matcher) == as_matchers([matcher]) == (matcher,)
    assert as_matchers(Selector(None, (matcher,))) == (matcher,)
    assert as_matchers(SeriesKey("up", Labels(job="a"))) == (
        Matcher("__name__", "=", "up"),
        matcher,
    )
    assert as_matchers('{job="a"}') == (matcher,)
    for wrong in (3, {"job": "a"}, ["job"]):
        with pytest.raises(MatcherError):
            as_matchers(wrong)  # type: ignore[arg-type]


_NAMES = st.sampled_from(["a", "b", "c"])
_VALUES = st.sampled_from(["", "x", "y", "xy", "5", "503"])
_KEYS = st.builds(
    SeriesKey,
    st.sampled_from(["up", "down", "cpu"]),
    st.dictionaries(_NAMES, _VALUES, max_size=3).map(Labels),
)
_MATCHERS = st.lists(
    st.one_of(
        st.builds(
            Matcher,
            st.one_of(_NAMES, st.just("__name__"), st.just("missing")),
            st.sampled_from(["=", "!="]),
            st.one_of(_VALUES, st.just("up")),
        ),
        st.builds(
            Matcher,
            st.one_of(_NAMES, st.just("__name__"), st.just("missing")),
            st.sampled_from(["=~", "!~"]),
            st.sampled_from(["", ".*", ".+", "x|y", "x.*", "5..", "[^x]*", "up|cpu"]),
        ),
    ),
    max_size=4,
)


def _naive(matcher: Matcher, key: SeriesKey) -> bool:
    value = {**key.labels, "__name__": key.metric}.get(matcher.name, "")
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    found = re.fullmatch(matcher.value, value, re.DOTALL) is not None
    return found == (matcher.op == "=~")


@given(st.lists(_KEYS, max_size=20), _MATCHERS)
def test_index_equals_the_naive_oracle(keys: list[SeriesKey], matchers: list[Matcher]) -> None:
    index = SeriesIndex()
    for key in keys:
        index.add(key)
    expected = sorted(
        ({k for k in keys if all(_naive(m, k) for m in matchers)}),
        key=lambda k: (k.metric, tuple(k.labels.items())),
    )
    assert [index.keys[i] for i in index.find(matchers)] == expected
    assert [index.keys[i] for i in index.find(matchers)] == expected  # remembered
    assert [k for k in sorted(set(keys)) if matches_key(matchers, k)] == expected


def test_index_answers_are_forgotten_when_a_series_comes() -> None:
    index = SeriesIndex()
    index.add(SeriesKey("up", Labels(job="a")))
    matcher = (Matcher("job", "!=", ""),)
    assert index.find(matcher) == [0]
    index.add(SeriesKey("up", Labels(job="b")))
    assert index.find(matcher) == [0, 1]
    assert index.label_names() == ["job"]
    assert index.label_values("job") == ["a", "b"]
    assert index.label_values("none") == []
    assert index.metrics == ["up"]


def test_each_distinct_value_is_tested_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def test(self: Matcher) -> object:
        return lambda value: seen.append(value) or value == "x"

    index = SeriesIndex()
    for number in range(50):
        index.add(SeriesKey("up", Labels(job="xy"[number % 2], n=str(number))))
    monkeypatch.setattr(Matcher, "test", test)
    assert len(index.find((Matcher("job", "=~", "x"),))) == 25
    assert sorted(seen) == ["", "x", "y"]
