"""Go templates of labels and annotations, by a small interpreter with a white list.

Text, ``{{ pipelines }}``, ``if else with range``, the variables and the functions that
alerts use. Nothing of Python can be reached. An error becomes text, as in Prometheus.

>>> from monitorlab.model import Labels, SeriesKey
>>> key = SeriesKey("up", Labels(route="/cart"))
>>> expand("{{ $labels.route }} at {{ $value | humanizePercentage }}", key, 0.125)
'/cart at 12.5%'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from monitorlab.alerting.template_functions import FUNCTIONS, TemplateError, go_text, truth

if TYPE_CHECKING:
    from monitorlab.model import Labels, SeriesKey

__all__ = ["check", "expand", "uses_value"]

MAX_LENGTH = 20_000
MAX_OUTPUT = 100_000
MAX_STEPS = 10_000
_ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<string>\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)"
    r"|(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?))"
    r"|(?P<variable>\$[A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*)"
    r"|(?P<field>\.(?:[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<mark>:=|[|(),=])"
    r")"
)
_STRING_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class _Part:
    """Text, an action, or a block with its branches."""

    kind: str  # text, pipe, if, with, range
    text: str = ""
    tokens: tuple[tuple[str, str], ...] = ()
    body: tuple[_Part, ...] = ()
    other: tuple[_Part, ...] = ()


@dataclass(slots=True)
class _Scope:
    dot: Any
    variables: dict[str, Any]
    budget: list[int] = field(default_factory=lambda: [MAX_STEPS])

    def inner(self, dot: Any) -> _Scope:
        return _Scope(dot, dict(self.variables), self.budget)


def expand(
    text: str,
    key: SeriesKey,
    value: float,
    external_labels: Labels | None = None,
    external_url: str = "",
) -> str:
    """Fill in a template of a label or an annotation.

    Parameters
    ----------
    text : str
        The template.
    key : SeriesKey
        ``$labels``: the labels of the element, ``__name__`` included.
    value : float
        ``$value``.
    external_labels : Labels, optional
        ``$externalLabels``.
    external_url : str
        ``$externalURL``.

    Returns
    -------
    str
        The text; ``<error expanding template: …>`` when the template is wrong.

    Examples
    --------
    >>> from monitorlab.model import SeriesKey
    >>> expand('{{ printf "%.2f" $value }} {{ nope }}', SeriesKey("up"), 2.0)
    '<error expanding template: unknown function "nope">'
    """
    if "{{" not in text:
        return text
    labels = dict(key.labels)
    if key.metric:
        labels["__name__"] = key.metric
    outside = dict(external_labels or {})
    root = {
        "Labels": labels, "Value": value, "ExternalLabels": outside, "ExternalURL": external_url,
    }  # fmt: skip
    variables = {
        "$": root, "$labels": labels, "$value": value, "$externalLabels": outside,
        "$externalURL": external_url,
    }  # fmt: skip
    try:
        out: list[str] = []
        _run(_compile(text), _Scope(root, variables), out)
        return "".join(out)
    except TemplateError as error:
        return f"<error expanding template: {error}>"


def check(text: str) -> str | None:
    """Say what is wrong with a template, without filling it in.

    Parameters
    ----------
    text : str
        The template.

    Returns
    -------
    str or None
        The fault; None for a template that can be read.

    Examples
    --------
    >>> check("{{ $value }"), check("{{ $value }}")
    ('an action "{{" is not closed with "}}"', None)
    """
    if "{{" not in text:
        return None
    try:
        for part in _compile(text):
            _check_names(part)
    except TemplateError as error:
        return str(error)
    return None


def uses_value(text: str) -> bool:
    """Tell whether a template speaks of the value, so that it changes from step to step.

    Parameters
    ----------
    text : str
        The template.

    Returns
    -------
    bool

    Examples
    --------
    >>> uses_value("{{ $labels.route }}"), uses_value("{{ .Value }}")
    (False, True)
    """
    return any(
        "$value" in action
        or ".Value" in action
        or re.search(r"(^|[\s(|])(\.|\$)($|[\s)|])", action)
        for action in (m.group(2) for m in _ACTION.finditer(text))
    )


@lru_cache(maxsize=1_024)
def _compile(text: str) -> tuple[_Part, ...]:
    if len(text) > MAX_LENGTH:
        msg = f"the template has {len(text)} characters; at most {MAX_LENGTH} are read"
        raise TemplateError(msg)
    flat: list[_Part] = []
    place, trim = 0, False
    for match in _ACTION.finditer(text):
        before = text[place : match.start()]
        before = before.lstrip() if trim else before
        before = before.rstrip() if match.group(1) else before
        flat.append(_Part("text", before))
        inner = match.group(2).strip()
        if not (inner.startswith("/*") and inner.endswith("*/")):
            flat.append(_Part("action", inner, _tokens(inner)))
        place, trim = match.end(), bool(match.group(3))
    rest = text[place:]
    if "{{" in rest:
        msg = 'an action "{{" is not closed with "}}"'
        raise TemplateError(msg)
    flat.append(_Part("text", rest.lstrip() if trim else rest))
    parts, stop, _ = _block(flat, 0, 0)
    if stop != len(flat):
        msg = f"unexpected {{{{ {flat[stop].text} }}}}"
        raise TemplateError(msg)
    return parts


def _tokens(action: str) -> tuple[tuple[str, str], ...]:
    found = []
    place = 0
    while place < len(action):
        match = _TOKEN.match(action, place)
        if match is None or match.end() == place:
            if not action[place:].strip():
                break
            msg = f"cannot read {action[place:].strip()!r} in {{{{ {action} }}}}"
            raise TemplateError(msg)
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind)))
        place = match.end()
    if not found:
        msg = "an action is empty"
        raise TemplateError(msg)
    return tuple(found)


def _block(flat: Sequence[_Part], place: int, level: int) -> tuple[tuple[_Part, ...], int, str]:
    """Read parts up to ``end`` or ``else``; gives them, where it stopped, and why."""
    if level > 50:
        msg = "blocks are nested too deeply"
        raise TemplateError(msg)
    parts: list[_Part] = []
    while place < len(flat):
        part = flat[place]
        if part.kind == "text":
            if part.text:
                parts.append(part)
            place += 1
            continue
        word = part.tokens[0][1] if part.tokens[0][0] == "name" else ""
        if word in ("end", "else"):
            return tuple(parts), place, word
        if word in ("if", "with", "range"):
            block, place = _opened(flat, place, word, part.tokens[1:], level)
            parts.append(block)
            continue
        if word in ("define", "template", "block", "break", "continue"):
            msg = f"{word!r} is not supported"
            raise TemplateError(msg)
        parts.append(_Part("pipe", part.text, part.tokens))
        place += 1
    return tuple(parts), place, ""


def _opened(
    flat: Sequence[_Part], place: int, word: str, tokens: tuple[tuple[str, str], ...], level: int
) -> tuple[_Part, int]:
    if not tokens:
        msg = f"{word} without a condition"
        raise TemplateError(msg)
    body, place, why = _block(flat, place + 1, level + 1)
    other: tuple[_Part, ...] = ()
    if why == "else":
        rest = flat[place].tokens[1:]
        if rest:  # else if …: a block of its own that ends with the same end
            if rest[0] != ("name", "if") or len(rest) == 1:
                msg = f"cannot read {{{{ {flat[place].text} }}}}"
                raise TemplateError(msg)
            inner, place = _opened(flat, place, "if", rest[1:], level + 1)
            return _Part(word, tokens=tokens, body=body, other=(inner,)), place
        other, place, why = _block(flat, place + 1, level + 1)
    if why != "end":
        msg = f"{word} without an end"
        raise TemplateError(msg)
    return _Part(word, tokens=tokens, body=body, other=other), place + 1


def _check_names(part: _Part) -> None:
    for kind, text in part.tokens:
        if kind == "name" and text not in FUNCTIONS and text not in ("true", "false", "nil"):
            msg = f'unknown function "{text}"'
            raise TemplateError(msg)
    for inner in (*part.body, *part.other):
        _check_names(inner)


def _run(parts: Sequence[_Part], scope: _Scope, out: list[str]) -> None:
    for part in parts:
        scope.budget[0] -= 1
        if scope.budget[0] < 0 or sum(map(len, out[-3:])) > MAX_OUTPUT:
            msg = "the template does too much"
            raise TemplateError(msg)
        if part.kind == "text":
            out.append(part.text)
            continue
        name, value = _pipeline(part.tokens, scope)
        if part.kind == "pipe":
            if name is None:
                out.append(go_text(value))
            else:
                scope.variables[name[0]] = value
            continue
        if part.kind == "range":
            _range(part, name, value, scope, out)
            continue
        inner = scope.inner(value if part.kind == "with" and truth(value) else scope.dot)
        if name is not None:
            inner.variables[name[0]] = value
        _run(part.body if truth(value) else part.other, inner, out)


def _range(
    part: _Part, names: tuple[str, ...] | None, value: Any, scope: _Scope, out: list[str]
) -> None:
    if isinstance(value, Mapping):
        items: list[tuple[Any, Any]] = sorted(value.items())
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value))
    else:
        msg = f"range cannot go over {go_text(value)}"
        raise TemplateError(msg)
    if not items:
        _run(part.other, scope.inner(scope.dot), out)
    for k, v in items:
        inner = scope.inner(v)
        if names is not None and len(names) == 2:
            inner.variables[names[0]], inner.variables[names[1]] = k, v
        elif names is not None:
            inner.variables[names[0]] = v
        _run(part.body, inner, out)


def _pipeline(
    tokens: tuple[tuple[str, str], ...], scope: _Scope
) -> tuple[tuple[str, ...] | None, Any]:
    names: tuple[str, ...] | None = None
    for i, token in enumerate(tokens[:4]):
        if token in (("mark", ":="), ("mark", "=")):
            names = tuple(text for kind, text in tokens[:i] if kind == "variable")
            tokens = tokens[i + 1 :]
            break
    value, place = _pipe(tokens, 0, scope)
    if place != len(tokens):
        msg = f"unexpected {tokens[place][1]!r}"
        raise TemplateError(msg)
    return names, value


def _pipe(tokens: tuple[tuple[str, str], ...], place: int, scope: _Scope) -> tuple[Any, int]:
    value, place = _command(tokens, place, scope, ())
    while place < len(tokens) and tokens[place] == ("mark", "|"):
        value, place = _command(tokens, place + 1, scope, (value,))
    return value, place


def _command(
    tokens: tuple[tuple[str, str], ...], place: int, scope: _Scope, piped: tuple[Any, ...]
) -> tuple[Any, int]:
    if place >= len(tokens):
        msg = "an action ends too early"
        raise TemplateError(msg)
    kind, text = tokens[place]
    if kind != "name" or text in ("true", "false", "nil"):
        if piped:
            msg = f"{text!r} is not a function"
            raise TemplateError(msg)
        value, place = _operand(tokens, place, scope)
        return value, place
    function = FUNCTIONS.get(text)
    if function is None:
        msg = f'unknown function "{text}"'
        raise TemplateError(msg)
    arguments: list[Any] = []
    place += 1
    while place < len(tokens) and tokens[place] not in (("mark", "|"), ("mark", ")")):
        value, place = _operand(tokens, place, scope)
        arguments.append(value)
    return function(*arguments, *piped), place


def _operand(tokens: tuple[tuple[str, str], ...], place: int, scope: _Scope) -> tuple[Any, int]:
    kind, text = tokens[place]
    if kind == "mark" and text == "(":
        value, place = _pipe(tokens, place + 1, scope)
        if place >= len(tokens) or tokens[place] != ("mark", ")"):
            msg = "a parenthesis is not closed"
            raise TemplateError(msg)
        return value, place + 1
    if kind == "string":
        return _string(text), place + 1
    if kind == "number":
        return (float(text) if re.search(r"[.eE]", text) and "x" not in text.lower()
                else int(text, 0 if "x" in text.lower() else 10)), place + 1  # fmt: skip
    if kind == "name":
        constants = {"true": True, "false": False, "nil": None}
        if text in constants:
            return constants[text], place + 1
        return FUNCTIONS[text]() if text in FUNCTIONS else _unknown(text), place + 1
    if kind == "variable":
        head, *path = text.split(".")
        if head not in scope.variables:
            msg = f"undefined variable {head!r}"
            raise TemplateError(msg)
        return _follow(scope.variables[head], path), place + 1
    if kind == "field":
        return _follow(scope.dot, [p for p in text.split(".") if p]), place + 1
    msg = f"unexpected {text!r}"
    raise TemplateError(msg)


def _unknown(name: str) -> Any:
    msg = f'unknown function "{name}"'
    raise TemplateError(msg)


def _follow(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(value, Mapping):
            msg = f"{go_text(value)} has no field {name}"
            raise TemplateError(msg)
        value = value.get(name, "")
    return value


def _string(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return re.sub(r"\\(.)", lambda m: _STRING_ESCAPES.get(m.group(1), m.group(0)), text[1:-1])
