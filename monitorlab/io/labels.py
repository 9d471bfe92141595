r"""Reading and writing label sets as text: PromQL style, JSON, or plain pairs.

>>> read_labels('{route="/cart", code="200"}') == read_labels('{"code": "200", "route": "/cart"}')
True
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from monitorlab.model import Labels, SeriesKey

__all__ = ["escape", "read_key", "read_labels", "unescape"]

_ESCAPED = re.compile(r'\\[\\n"]')
_ESCAPES = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}
_QUOTED_PAIR = re.compile(
    r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s=",{}]+))\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|;|$)', re.DOTALL
)
_PLAIN_PAIR = re.compile(r'\s*([^\s=,;:{}]+)\s*[=:]\s*([^,;"]*?)\s*(,|;|$)')


def escape(text: str) -> str:
    r"""Write a label value so that it can stand between double quotes.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        With backslash, double quote and line break escaped.

    Examples
    --------
    >>> print(escape('say "hi"'))
    say \"hi\"
    """
    if "\\" in text or '"' in text or "\n" in text:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return text


def unescape(text: str) -> str:
    r"""Undo ``escape``; a backslash before any other letter stays as it is.

    Parameters
    ----------
    text : str
        What stood between the quotes.

    Returns
    -------
    str
        The value.

    Examples
    --------
    >>> unescape(r'say \"hi\"')
    'say "hi"'
    """
    return _ESCAPED.sub(lambda m: _ESCAPES[m.group()], text) if "\\" in text else text


def read_labels(text: str) -> dict[str, str]:
    r"""Read a label set from one cell of a table.

    Parameters
    ----------
    text : str
        ``{a="x", b="y"}`` with or without braces, a JSON object, or ``a=x,b=y`` (also with
        ``;`` between pairs and ``:`` inside them); empty for no labels.

    Returns
    -------
    dict of str to str
        Names and values; empty values are left out.

    Raises
    ------
    ValueError
        If the text is none of these.

    Examples
    --------
    >>> read_labels('a="1, 2", b="3"'), read_labels("host=web-1;dc=eu"), read_labels("")
    ({'a': '1, 2', 'b': '3'}, {'host': 'web-1', 'dc': 'eu'}, {})
    """
    stripped = text.strip()
    if stripped in ("", "{}"):
        return {}
    if stripped.startswith("{"):
        if not stripped.endswith("}"):
            raise ValueError(f"{text!r} is not a label set: the closing brace is missing")
        pairs = _read_json(stripped)
        if pairs is not None:
            return pairs
        stripped = stripped[1:-1]
    for pattern in (_QUOTED_PAIR, _PLAIN_PAIR):
        pairs = _read_pairs(stripped, pattern)
        if pairs is not None:
            return pairs
    raise ValueError(
        f"{text!r} is not a label set; write it like "
        '{route="/cart", code="200"} or as a JSON object'
    )


def read_key(text: str, labels: Mapping[str, str] | None = None) -> SeriesKey:
    """Read the name of a series, which may carry its labels in braces.

    Parameters
    ----------
    text : str
        ``latency_ms`` or ``latency_ms{route="/cart"}``.
    labels : mapping of str to str, optional
        Labels from elsewhere, merged with those in the text.

    Returns
    -------
    SeriesKey
        Metric and labels. A text whose braces hold no label set is a metric name as it is.

    Raises
    ------
    ValueError
        If there is no name.

    Examples
    --------
    >>> read_key('latency_ms{route="/cart"}', {"job": "shop"})
    latency_ms{job="shop", route="/cart"}
    """
    name, brace, rest = text.partition("{")
    more: dict[str, str] = {}
    if brace:
        try:
            more = read_labels(brace + rest)
        except ValueError:
            name = text
    name = name.strip() or more.pop("__name__", "")
    if not name:
        raise ValueError(f"{text!r} has no metric name")
    return SeriesKey(name, Labels({**(labels or {}), **more}))


def _read_json(text: str) -> dict[str, str] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return {
        str(k): v if isinstance(v, str) else json.dumps(v)
        for k, v in found.items()
        if v is not None and v != ""
    }


def _read_pairs(text: str, pattern: re.Pattern[str]) -> dict[str, str] | None:
    pairs: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return None
        *names, value, _ = match.groups()
        name = next(n for n in names if n is not None)
        value = unescape(value) if pattern is _QUOTED_PAIR else value
        if value:
            pairs[unescape(name)] = value
        position = match.end()
    return pairs
