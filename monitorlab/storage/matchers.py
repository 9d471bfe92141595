"""PromQL matchers and selectors: which series does a question mean.

>>> selector = parse_selector('latency_ms{route="/cart", code=~"5.."}')
>>> selector.metric, len(selector.matchers)
('latency_ms', 3)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from monitorlab.errors import MatcherError
from monitorlab.model import LABEL_NAME, METRIC_NAME, SeriesKey
from monitorlab.storage.regex import compile_regex

__all__ = [
    "NAME_LABEL",
    "Matcher",
    "Selector",
    "as_matchers",
    "key_filter",
    "matches_key",
    "parse_selector",
]

NAME_LABEL = "__name__"
_OPERATORS = ("=~", "!~", "!=", "=")  # longest first
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:.]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
_SIMPLE_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label, as PromQL has it.

    Regular expressions are anchored at both ends and ``.`` matches a line break. A label
    that a series does not have counts as the empty text.

    Parameters
    ----------
    name : str
        Label name; ``"__name__"`` is the metric name.
    op : {"=", "!=", "=~", "!~"}
        Equal, not equal, matches, does not match.
    value : str
        Text or regular expression.

    Raises
    ------
    MatcherError
        If the operator is unknown, or the expression is wrong or too costly.

    Examples
    --------
    >>> Matcher("code", "=~", "5..").matches("503")
    True
    >>> Matcher("code", "!=", "200").matches("")
    True
    """

    name: str
    op: str
    value: str

    def __post_init__(self) -> None:
        if self.op not in _OPERATORS:
            msg = f"unknown operator {self.op!r} for label {self.name!r}; use = != =~ or !~"
            raise MatcherError(msg)
        if self.is_regex:
            compile_regex(self.value)

    @property
    def is_regex(self) -> bool:
        """Whether the value is a regular expression."""
        return self.op in ("=~", "!~")

    @property
    def is_negative(self) -> bool:
        """Whether the matcher keeps what its value does not describe."""
        return self.op in ("!=", "!~")

    def matches(self, value: str) -> bool:
        """Tell whether a label value (``""`` for a missing label) passes."""
        return self.test()(value)

    def test(self) -> Callable[[str], bool]:
        """Give the condition as a function, to be called for many values."""
        wanted = self.value
        if self.op == "=":
            return wanted.__eq__
        if self.op == "!=":
            return wanted.__ne__
        fullmatch = compile_regex(wanted)
        if self.op == "=~":
            return lambda value: fullmatch(value) is not None
        return lambda value: fullmatch(value) is None

    def __str__(self) -> str:
        return f"{_quote_name(self.name)}{self.op}{_quote(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A parsed selector: a metric name, when one is fixed, and all its matchers.

    Parameters
    ----------
    metric : str or None
        The metric name when the selector fixes it.
    matchers : tuple of Matcher
        All conditions, the one on ``__name__`` included.

    Examples
    --------
    >>> str(parse_selector('{__name__="up",job!=""}'))
    'up{job!=""}'
    """

    metric: str | None
    matchers: tuple[Matcher, ...]

    def matches(self, key: SeriesKey) -> bool:
        """Tell whether a series passes every matcher."""
        return matches_key(self.matchers, key)

    def __str__(self) -> str:
        rest = list(self.matchers)
        head = ""
        if self.metric is not None and METRIC_NAME.fullmatch(self.metric):
            head = self.metric
            rest.remove(Matcher(NAME_LABEL, "=", head))
        return f"{head}{{{', '.join(map(str, rest))}}}" if rest or not head else head


def matches_key(matchers: Iterable[Matcher], key: SeriesKey) -> bool:
    """Tell whether one series passes every matcher.

    Parameters
    ----------
    matchers : iterable of Matcher
        Conditions; none of them is passed by every series.
    key : SeriesKey
        The series.

    Returns
    -------
    bool
        Whether all conditions hold.

    Examples
    --------
    >>> matches_key([Matcher("job", "=", "")], SeriesKey("up"))
    True
    """
    return key_filter(matchers)(key)


def key_filter(matchers: Iterable[Matcher]) -> Callable[[SeriesKey], bool]:
    """Give one test for many series; each distinct label value is looked at once.

    Parameters
    ----------
    matchers : iterable of Matcher
        Conditions.

    Returns
    -------
    callable
        Takes a key, tells whether all conditions hold.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> passes = key_filter([Matcher("job", "=~", "a|b")])
    >>> passes(SeriesKey("up", Labels(job="a"))), passes(SeriesKey("up"))
    (True, False)
    """
    tests = [(m.name, lru_cache(maxsize=None)(m.test())) for m in matchers]

    def passes(key: SeriesKey) -> bool:
        return all(
            test(key.metric if name == NAME_LABEL else key.labels.get(name, ""))
            for name, test in tests
        )

    return passes


def parse_selector(text: str) -> Selector:
    """Read a series selector as PromQL writes it.

    Parameters
    ----------
    text : str
        ``name``, ``name{label="value", …}`` or ``{…}``; names may be quoted inside the
        braces (``{"disk usage %", host="a"}``). A trailing comma and comments are fine.

    Returns
    -------
    Selector
        Metric name and matchers.

    Raises
    ------
    MatcherError
        If the text is no selector; ``.position`` says where.

    Notes
    -----
    The last 1024 texts are remembered, so that asking again costs a dictionary look-up.

    References
    ----------
    The Prometheus Authors, "Querying basics: time series selectors".

    Examples
    --------
    >>> [str(m) for m in parse_selector('up{job=~"a|b"}').matchers]
    ['__name__="up"', 'job=~"a|b"']
    """
    if not isinstance(text, str):
        msg = f"a selector is a text such as 'up{{job=\"shop\"}}', not {type(text).__name__}"
        raise MatcherError(msg)
    return _parse(text)


@lru_cache(maxsize=1024)
def _parse(text: str) -> Selector:
    return _Parser(text).selector()


class _Parser:
    """Recursive descent over one selector; keeps the position for error messages."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def selector(self) -> Selector:
        matchers: list[Matcher] = []
        self.space()
        head = _METRIC.match(self.text, self.at)
        if head:
            self.at = head.end()
            matchers.append(Matcher(NAME_LABEL, "=", head.group()))
            self.space()
        if self.peek() == "{":
            self.at += 1
            self.inside(matchers)
        elif not head:
            raise self.error("expected a metric name or '{'")
        self.space()
        if self.at < len(self.text):
            raise self.trailing()
        fixed = [m.value for m in matchers if m.name == NAME_LABEL and m.op == "="]
        return Selector(fixed[0] if fixed else None, tuple(dict.fromkeys(matchers)))

    def inside(self, matchers: list[Matcher]) -> None:
        self.space()
        while self.peek() != "}":
            self.matcher(matchers)
            self.space()
            if self.peek() == ",":
                self.at += 1
                self.space()
            elif self.peek() != "}":
                raise self.error("expected ',' or '}'")
        self.at += 1

    def matcher(self, matchers: list[Matcher]) -> None:
        start = self.at
        quoted = self.peek() in ("'", '"', "`")
        if quoted:
            name = self.string()
        else:
            found = _LABEL.match(self.text, self.at)
            if not found:
                raise self.error("expected a label name")
            name = found.group()
            self.at = found.end()
        self.space()
        op = next((o for o in _OPERATORS if self.text.startswith(o, self.at)), None)
        if op is None and quoted and self.peek() in (",", "}"):
            if any(m.name == NAME_LABEL and m.op == "=" for m in matchers):
                self.at = start
                raise self.error("the metric name is given twice")
            matchers.append(Matcher(NAME_LABEL, "=", name))
            return
        if op is None:
            raise self.error(f"expected one of = != =~ !~ after label {name!r}")
        self.at += len(op)
        self.space()
        value_at = self.at
        if self.peek() not in ("'", '"', "`"):
            raise self.error(f"expected a quoted value for label {name!r}")
        value = self.string()
        try:
            matcher = Matcher(name, op, value)
        except MatcherError as error:
            raise MatcherError(error.message, text=self.text, position=value_at) from error
        same = [m.value for m in matchers if m.name == NAME_LABEL and m.op == "="]
        if name == NAME_LABEL and op == "=" and same and same[0] != value:
            self.at = start
            raise self.error(f"the metric name is given twice ({same[0]!r} and {value!r})")
        matchers.append(matcher)

    def string(self) -> str:
        quote = self.text[self.at]
        start = self.at
        self.at += 1
        out: list[str] = []
        while True:
            char = self.peek()
            if char == "" or (char == "\n" and quote != "`"):
                self.at = start
                raise self.error("this quoted text is not closed")
            self.at += 1
            if char == quote:
                return "".join(out)
            out.append(self.escape() if char == "\\" and quote != "`" else char)

    def escape(self) -> str:
        start = self.at - 1
        char = self.peek()
        self.at += 1
        if char in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[char]
        digits, base = "", 16
        if char in _HEX_ESCAPES:
            digits = self.text[self.at : self.at + _HEX_ESCAPES[char]]
            wanted = _HEX_ESCAPES[char]
        elif char and char in "01234567":
            digits, base, wanted = self.text[self.at - 1 : self.at + 2], 8, 3
            self.at -= 1
        else:
            wanted = 1
        try:
            if len(digits) != wanted or not digits.isalnum():
                raise ValueError(digits)
            code = chr(int(digits, base))
        except (ValueError, OverflowError) as error:
            self.at = start
            raise self.error(
                "unknown escape; write \\\\ for a backslash, or quote with `…`"
            ) from error
        self.at += wanted
        return code

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        if found:
            self.at = found.end()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def trailing(self) -> MatcherError:
        rest = self.text[self.at :]
        if rest.startswith("["):
            return self.error("a selector has no range; use .last(…) or a query for '[5m]'")
        if re.match(r"(offset\b|@|[-+*/%^(<>=!])", rest):
            return self.error("this is a query, not a selector; use .query(…)")
        return self.error('nothing may follow a selector; quote an odd name as {"the name"}')

    def error(self, message: str) -> MatcherError:
        return MatcherError(
            f"cannot read selector {self.text!r}: {message}", text=self.text, position=self.at
        )


def as_matchers(
    selector: str | Selector | SeriesKey | Matcher | Sequence[Matcher] | None,
) -> tuple[Matcher, ...]:
    """Read any form of a selector as a tuple of matchers.

    Parameters
    ----------
    selector : str, Selector, SeriesKey, Matcher, sequence of Matcher, or None
        A text is parsed; a key stands for its metric name and its labels; None for no
        condition.

    Returns
    -------
    tuple of Matcher
        All conditions.

    Raises
    ------
    MatcherError
        If it cannot be read.

    Examples
    --------
    >>> [str(m) for m in as_matchers(SeriesKey("up"))]
    ['__name__="up"']
    """
    if selector is None:
        return ()
    if isinstance(selector, str):
        return parse_selector(selector).matchers
    if isinstance(selector, Selector):
        return selector.matchers
    if isinstance(selector, Matcher):
        return (selector,)
    if isinstance(selector, SeriesKey):
        return (
            Matcher(NAME_LABEL, "=", selector.metric),
            *(Matcher(name, "=", value) for name, value in selector.labels.items()),
        )
    if isinstance(selector, Iterable):
        found = tuple(selector)
        if all(isinstance(m, Matcher) for m in found):
            return found
    msg = f"cannot select by {type(selector).__name__}; give a text, a Selector or Matchers"
    raise MatcherError(msg)


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _quote_name(name: str) -> str:
    return name if LABEL_NAME.fullmatch(name) else _quote(name)
