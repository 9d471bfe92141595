"""Split PromQL text into tokens that know their place.

>>> [t.text for t in tokenize("rate(x[5m]) > 0.1  # busy")]
['rate', '(', 'x', '[', '5m', ']', ')', '>', '0.1']
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from monitorlab.errors import QueryError, TimeError
from monitorlab.times import parse_duration

__all__ = ["MAX_BRACKETS", "MAX_CHARACTERS", "MAX_TOKENS", "Token", "seconds_of", "tokenize"]

MAX_CHARACTERS = 20_000  # longest expression that is accepted
MAX_TOKENS = 2_000  # the parser's time grows with the square of the length
MAX_BRACKETS = 60  # deepest nesting of brackets
MAX_TIME_CHARACTERS = 64
MAX_SECONDS = 9.2e9  # 292 years: what int64 nanoseconds can hold

TokenKind: TypeAlias = Literal["number", "duration", "string", "name", "operator"]

_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_.])")
_DIGITS = r"\d+(?:_\d+)*"
_NUMBER = re.compile(
    rf"0[xX](?:_?[0-9a-fA-F]+)+|(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPERATOR = re.compile(r"==|!=|=~|!~|>=|<=|[-+*/%^=<>(){}\[\],:@]")
_STRING = re.compile(r"`[^`]*`|\"(?:[^\"\\\n]|\\[^\n])*\"|'(?:[^'\\\n]|\\[^\n])*'")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_INSTEAD = {
    "&": "; write `and`",
    "|": "; write `or`",
    "!": "; write `!=`, `!~`, `unless` or `absent(…)`",
    "$": "; variables of dashboards must be filled in first",
    "“": '; write plain quotes "',
    "”": '; write plain quotes "',
    "≥": "; write >=",
    "≤": "; write <=",
    "×": "; write *",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text.

    Parameters
    ----------
    kind : {"number", "duration", "string", "name", "operator"}
        What it looks like.
    text : str
        As it stands in the expression.
    position : int
        Where it begins.

    Examples
    --------
    >>> Token("name", "up", 3).end
    5
    """

    kind: TokenKind
    text: str
    position: int

    @property
    def end(self) -> int:
        """Where the text goes on."""
        return self.position + len(self.text)


def tokenize(text: str) -> list[Token]:
    """Split an expression into tokens and check that its brackets pair up.

    Parameters
    ----------
    text : str
        PromQL.

    Returns
    -------
    list of Token
        Comments and blanks are left out.

    Raises
    ------
    QueryError
        For a character that PromQL does not know, an unclosed quote or bracket, or an
        expression that is too long or too deep.

    Examples
    --------
    >>> tokenize("a or b")[1]
    Token(kind='name', text='or', position=2)
    """
    if len(text) > MAX_CHARACTERS:
        msg = f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are accepted"
        raise QueryError(msg)
    tokens: list[Token] = []
    opened: list[Token] = []
    at = 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        if at >= len(text):
            break
        token = _next_token(text, at, in_range=bool(opened) and opened[-1].text == "[")
        if token.text in ("(", "[", "{") and token.kind == "operator":
            opened.append(token)
        elif token.kind == "operator" and token.text in _PAIRS:
            _close(text, token, opened)
        tokens.append(token)
        at = token.end
        if len(tokens) > MAX_TOKENS or len(opened) > MAX_BRACKETS:
            what = f"more than {MAX_TOKENS} words and signs"
            if len(opened) > MAX_BRACKETS:
                what = f"brackets nested deeper than {MAX_BRACKETS}"
            msg = f"the expression is too large: it has {what}; split it into recording rules"
            raise QueryError(msg, text=text, position=token.position)
    if opened:
        msg = f"this {opened[-1].text!r} is never closed"
        raise QueryError(msg, text=text, position=opened[-1].position)
    return tokens


def seconds_of(token: Token, text: str) -> float:
    """Read a number or duration token as seconds.

    Parameters
    ----------
    token : Token
        Of kind ``number`` or ``duration``.
    text : str
        The whole expression, for the error message.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    QueryError
        If the units are out of order, or the time is longer than 292 years.

    Examples
    --------
    >>> seconds_of(Token("duration", "1h30m", 0), "1h30m")
    5400.0
    """
    if len(token.text) > MAX_TIME_CHARACTERS:
        seconds = MAX_SECONDS * 2
    elif token.kind == "duration":
        try:
            seconds = parse_duration(token.text) / 1e9
        except TimeError as error:
            msg = f"{error}"
            raise QueryError(msg, text=text, position=token.position) from error
    elif token.text[:2].lower() == "0x":
        seconds = float(int(token.text, 16))
    else:
        seconds = float(token.text)
    if seconds > MAX_SECONDS:
        msg = f"{token.text} is longer than 292 years"
        raise QueryError(msg, text=text, position=token.position)
    return seconds


def _next_token(text: str, at: int, *, in_range: bool) -> Token:
    char = text[at]
    kind: TokenKind
    if char in "\"'`":
        found = _STRING.match(text, at)
        kind = "string"
        if found is None:
            msg = "this quoted text is not closed"
            raise QueryError(msg, text=text, position=at)
    elif in_range and char == ":":
        found, kind = _OPERATOR.match(text, at), "operator"
    elif duration := _DURATION.match(text, at):
        found, kind = duration, "duration"
    elif number := _NUMBER.match(text, at):
        found, kind = number, "number"
        follow = _NAME.match(text, number.end())
        if follow is not None and not (in_range and follow.group().startswith(":")):
            wrong = text[at : follow.end()]
            msg = (
                f"{wrong!r} is neither a number nor a duration; write one like 1.5, 2e3, 30s, "
                "5m or 1h30m (units y w d h m s ms)"
            )
            raise QueryError(msg, text=text, position=at)
    elif name := _NAME.match(text, at):
        found, kind = name, "name"
    else:
        found, kind = _OPERATOR.match(text, at), "operator"
    if found is None:
        msg = f"PromQL does not know the sign {char!r}{_INSTEAD.get(char, '')}"
        raise QueryError(msg, text=text, position=at)
    return Token(kind, found.group(), at)


def _close(text: str, token: Token, opened: list[Token]) -> None:
    if not opened:
        msg = f"this {token.text!r} has no {_PAIRS[token.text]!r} before it"
        raise QueryError(msg, text=text, position=token.position)
    if opened[-1].text != _PAIRS[token.text]:
        msg = f"{token.text!r} closes the {opened[-1].text!r} at {opened[-1].position}"
        raise QueryError(msg, text=text, position=token.position)
    opened.pop()
