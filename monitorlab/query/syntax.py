"""Find the first mistake in the words of an expression, and where its parts stand.

One pass over the tokens with two states, "an expression must begin here" and "an
expression just ended", and a stack of open parentheses. It exists for its messages and its
positions; what an expression means is told by the parser proper.

>>> from monitorlab.query.lexer import tokenize
>>> scan("rte(x[5m])", tokenize("rte(x[5m])"), known={"rate"})
Traceback (most recent call last):
    ...
monitorlab.errors.QueryError: unknown function `rte`; did you mean `rate`?
    rte(x[5m])
    ^
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from monitorlab.errors import QueryError
from monitorlab.query.lexer import Token, seconds_of
from monitorlab.query.signatures import AGGREGATIONS, REFUSED_AGGREGATIONS, why_refused

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Marks", "scan"]

AtTime: TypeAlias = "int | Literal['start', 'end']"

_SIGNS = frozenset(("==", "!=", ">=", "<=", ">", "<", "+", "-", "*", "/", "%", "^"))
_WORDS = frozenset(("and", "or", "unless", "atan2"))
_GROUPING = frozenset(("by", "without"))
_FILLS = frozenset(("fill", "fill_left", "fill_right"))
_SQL = {"=": "==", "=~": "a matcher in braces", "!~": "a matcher in braces"}
_AGGREGATES = frozenset(AGGREGATIONS) | frozenset(REFUSED_AGGREGATIONS)
_EARLIEST = -9.2e9  # seconds


@dataclass(slots=True)
class Marks:
    """Where the parts of an expression stand, each list in the order of the text.

    Examples
    --------
    >>> Marks().numbers
    []
    """

    numbers: list[int] = field(default_factory=list)
    strings: list[Token] = field(default_factory=list)
    selectors: list[tuple[int, int]] = field(default_factory=list)
    heads: list[Token] = field(default_factory=list)  # names of functions and aggregations
    parens: list[int] = field(default_factory=list)
    operators: list[int] = field(default_factory=list)
    ats: list[AtTime] = field(default_factory=list)
    groups: list[tuple[int, int]] = field(default_factory=list)  # spans in parentheses


def scan(text: str, tokens: list[Token], known: Collection[str]) -> Marks:
    """Check the order of tokens and note where things are.

    Parameters
    ----------
    text : str
        The expression.
    tokens : list of Token
        Its tokens, brackets paired.
    known : collection of str
        Names of the functions there are.

    Returns
    -------
    Marks
        Positions of numbers, selectors, calls, operators and ``@`` times.

    Raises
    ------
    QueryError
        At the first token that cannot stand where it does.

    Examples
    --------
    >>> from monitorlab.query.lexer import tokenize
    >>> scan("1 + up", tokenize("1 + up"), known=()).operators
    [2]
    """
    scanner = _Scanner(text, tokens, known)
    scanner.run()
    return scanner.marks


class _Scanner:
    def __init__(self, text: str, tokens: list[Token], known: Collection[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.known = known
        self.at = 0
        self.marks = Marks()
        self.opened: list[tuple[str, int]] = []  # (kind, start of the span)

    def run(self) -> None:
        if not self.tokens:
            self.fail("the expression is empty; write one like rate(http_requests_total[5m]) > 1")
        wants_operand = True
        while self.at < len(self.tokens):
            wants_operand = self.operand() if wants_operand else self.follow()
        if wants_operand:
            last = self.tokens[-1]
            msg = f"the expression stops after {last.text!r}; something is missing behind it"
            raise QueryError(msg, text=self.text, position=last.end)

    # What may begin an expression. Each returns whether an operand is still wanted.

    def operand(self) -> bool:
        token = self.take()
        if token.kind in ("number", "duration"):
            self.marks.numbers.append(token.position)
            return False
        if token.kind == "string":
            self.marks.strings.append(token)
            return False
        if token.kind == "name":
            return self.name(token)
        if token.text in ("+", "-"):
            return True
        if token.text == "(":
            self.marks.parens.append(token.position)
            self.opened.append(("paren", token.position))
            return True
        if token.text == "{":
            self.selector(token.position)
            return False
        if token.text == ")" and self.opened and self.previous(2) == "(":
            self.fail("nothing stands between these parentheses", token)
        return self.fail(f"expected a metric, a number or a function, found {token.text!r}", token)

    def name(self, token: Token) -> bool:
        lower = token.text.lower()
        if lower in ("nan", "inf"):
            self.marks.numbers.append(token.position)
            return False
        follows = self.peek()
        if lower in _AGGREGATES and (follows == "(" or follows.lower() in _GROUPING):
            return self.aggregate(token, lower)
        if follows == "(":
            return self.call(token)
        if follows == "{":
            self.take()
        self.selector(token.position, braces=follows == "{")
        return False

    def aggregate(self, token: Token, name: str) -> bool:
        if name in REFUSED_AGGREGATIONS:
            self.fail(f"`{name}` is not supported: {why_refused(name)}", token)
        self.marks.heads.append(token)
        if self.peek().lower() in _GROUPING:
            self.take()
            self.labels()
        if self.peek() != "(":
            self.fail(f"expected '(' after `{name}` and its labels")
        self.take()
        self.opened.append(("aggregate", token.position))
        if self.peek() == ")":
            self.fail(f"`{name}` needs an expression in its parentheses")
        return True

    def call(self, token: Token) -> bool:
        if token.text not in self.known:
            reason = why_refused(token.text)
            if reason:
                self.fail(f"`{token.text}` is not supported: {reason}", token)
            near = difflib.get_close_matches(
                token.text.lower(), [*self.known, *AGGREGATIONS], n=1, cutoff=0.6
            )
            hint = f"; did you mean `{near[0]}`?" if near else ""
            self.fail(f"unknown function `{token.text}`{hint}", token)
        self.marks.heads.append(token)
        self.take()
        if self.peek() == ")":
            self.marks.groups.append((token.position, self.take().end))
            return False
        self.opened.append(("call", token.position))
        return True

    def selector(self, start: int, *, braces: bool = True) -> None:
        while braces and self.tokens[self.at].text != "}":
            self.at += 1
        self.at += braces
        self.marks.selectors.append((start, self.tokens[self.at - 1].end))

    # What may follow an expression.

    def follow(self) -> bool:
        token = self.take()
        lower = token.text.lower()
        if token.text in _SIGNS or (token.kind == "name" and lower in _WORDS):
            self.marks.operators.append(token.position)
            self.matching()
            return True
        if token.text == "[":
            self.window(token)
            return False
        if token.text == "@":
            self.at_time(token)
            return False
        if token.kind == "name" and lower == "offset":
            self.signed("offset")
            return False
        if token.text == ")":
            return self.close(token)
        if token.text == "," and self.opened and self.opened[-1][0] != "paren":
            if self.peek() == ")":
                self.fail("an argument is missing after this comma", token)
            return True
        if token.text in _SQL:
            self.fail(f"{token.text!r} cannot stand here; use {_SQL[token.text]}", token)
        if token.kind == "name" and lower in ("anchored", "smoothed"):
            self.fail(f"`{lower}` is not supported: it is experimental in Prometheus 3", token)
        return self.fail(f"expected an operator before {token.text!r}", token)

    def close(self, token: Token) -> bool:
        kind, start = self.opened.pop()
        self.marks.groups.append((start, token.end))
        if kind == "aggregate" and self.peek().lower() in _GROUPING:
            self.take()
            self.labels()
        return False

    def matching(self) -> None:
        if self.peek().lower() == "bool":
            self.take()
        if self.peek().lower() in ("on", "ignoring") and self.peek(1) == "(":
            self.take()
            self.labels()
        if self.peek().lower() in ("group_left", "group_right"):
            self.take()
            if self.peek() == "(":
                self.labels()
        if self.peek().lower() in _FILLS and self.peek(1) == "(":
            what = self.peek().lower()
            self.fail(f"`{what}` is not supported: it is experimental in Prometheus 3")

    def window(self, token: Token) -> None:
        if self.peek() == "]":
            self.fail("expected a duration such as [5m]", token)
        while (inside := self.take()).text != "]":
            if inside.kind in ("number", "duration"):
                seconds_of(inside, self.text)
            elif inside.text != ":":
                msg = f"expected a duration such as 5m, found {inside.text!r}"
                if inside.text in ("+", "-", "*", "/"):
                    msg += "; arithmetic with durations is experimental in Prometheus 3"
                self.fail(msg, inside)

    def at_time(self, token: Token) -> None:
        word = self.peek().lower()
        if word in ("start", "end") and self.peek(1) == "(" and self.peek(2) == ")":
            self.at += 3
            self.marks.ats.append("start" if word == "start" else "end")
            return
        seconds = self.signed("@")
        if not seconds > _EARLIEST:
            self.fail("this time is outside the years 1678 to 2262", token)
        self.marks.ats.append(round(seconds * 1e9))

    def signed(self, after: str) -> float:
        sign = 1.0
        while self.peek() in ("+", "-"):
            sign = -sign if self.take().text == "-" else sign
        if self.at >= len(self.tokens) or self.tokens[self.at].kind not in ("number", "duration"):
            example = "@ 1609746000, @ start() or @ end()" if after == "@" else "offset 5m"
            self.fail(f"expected a time behind {after!r}, as in {example}")
        return sign * seconds_of(self.take(), self.text)

    def labels(self) -> None:
        if self.peek() != "(":
            self.fail("expected a list of labels in parentheses")
        self.take()
        while (token := self.take()).text != ")":
            if token.kind not in ("name", "string") and token.text != ",":
                self.fail(f"expected a label name, found {token.text!r}", token)

    def peek(self, ahead: int = 0) -> str:
        index = self.at + ahead
        if index >= len(self.tokens) or self.tokens[index].kind == "string":
            return ""
        return self.tokens[index].text

    def previous(self, back: int) -> str:
        return self.tokens[self.at - back].text if self.at >= back else ""

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        if token is not None:
            position = token.position
        elif self.at < len(self.tokens):
            position = self.tokens[self.at].position
        else:
            position = len(self.text.rstrip())
        raise QueryError(message, text=self.text, position=position)
