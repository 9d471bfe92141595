r"""Read quoted texts and label names as PromQL has them.

>>> unquote(r'"a\tb"')
'a\tb'
"""

from __future__ import annotations

import re

from monitorlab.errors import QueryError

__all__ = ["is_label_name", "unquote"]

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\'\"]))"
)
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
_BYTE = 0x100
_LAST_CODE = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def unquote(quoted: str, *, text: str = "", position: int = 0) -> str:
    r"""Read a text in ``"``, ``'`` or `````.

    Parameters
    ----------
    quoted : str
        With its quotes.
    text : str
        The whole expression, for the error message.
    position : int
        Where the quoted text begins in it.

    Returns
    -------
    str
        The text; bytes that are no UTF-8 (``"\xff"``) become lone surrogates.

    Raises
    ------
    QueryError
        For an escape that PromQL does not know.

    Examples
    --------
    >>> unquote('"caf\\u00e9"')
    'café'
    """
    body = quoted[1:-1]
    if quoted[0] == "`" or "\\" not in body:
        return body
    out = bytearray()
    at = 0
    while at < len(body):
        if body[at] != "\\":
            out += body[at].encode("utf-8", "surrogatepass")
            at += 1
            continue
        found = _ESCAPE.match(body, at)
        code = -1 if found is None else _code(found)
        if found is None or code < 0:
            wrong = body[at : at + 2]
            msg = f"unknown escape {wrong!r}; write \\\\ for one backslash, or quote with `…`"
            raise QueryError(msg, text=text, position=position + 1 + at)
        is_byte = found.group(1) is not None or found.group(2) is not None
        out += bytes([code]) if is_byte else chr(code).encode()
        at = found.end()
    return out.decode("utf-8", "surrogateescape")


def is_label_name(name: str) -> bool:
    r"""Tell whether a text may name a label (any UTF-8 text that is not empty).

    Parameters
    ----------
    name : str
        A text as ``unquote`` gives it.

    Returns
    -------
    bool
        False for the empty text and for bytes that are no UTF-8.

    Examples
    --------
    >>> is_label_name("disk usage %"), is_label_name(unquote(r'"\xff"'))
    (True, False)
    """
    return bool(name) and not any(ord(char) in _SURROGATES for char in name)


def _code(found: re.Match[str]) -> int:
    byte, octal, short, long, simple = found.groups()
    if simple is not None:
        return _SIMPLE[simple]
    if octal is not None:
        value = int(octal, 8)
        return value if value < _BYTE else -1
    value = int(byte or short or long, 16)
    return -1 if value > _LAST_CODE or value in _SURROGATES else value
