"""The functions that templates of labels and annotations may call, as Go and Prometheus
have them.

>>> FUNCTIONS["humanizeDuration"](93784.5)
'1d 2h 3m 4s'
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from monitorlab.errors import MatcherError, MonitorlabError, TimeError
from monitorlab.storage.regex import compile_regex
from monitorlab.times import from_ns, parse_duration

__all__ = ["FUNCTIONS", "TemplateError", "go_text", "truth"]

MAX_TEXT = 10_000
_BIG = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")
_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_VERB = re.compile(r"%([-+ 0#]*)(\d*)(\.\d*)?([a-zA-Z%])")
_MAX_WIDTH = 1_000
_SHORT_EXPONENTS = (-4, 6)  # Go writes the shortest form with an exponent outside of these


class TemplateError(MonitorlabError, ValueError):
    """A template cannot be read or filled in."""


def go_text(value: Any) -> str:
    """Write a value as Go's ``%v`` does.

    Parameters
    ----------
    value : object
        Text, number, truth value, mapping or list.

    Returns
    -------
    str

    Examples
    --------
    >>> go_text(1234567.8), go_text(7.0), go_text({"a": "1"})
    ('1.2345678e+06', '7', 'map[a:1]')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _shortest(value)
    if value is None:
        return "<no value>"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{k}:{go_text(value[k])}" for k in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(go_text(v) for v in value) + "]"
    return str(value)


def truth(value: Any) -> bool:
    """Tell what ``if`` thinks of a value: zero, nothing and the empty are false.

    Examples
    --------
    >>> truth(0), truth("x"), truth({})
    (False, True, False)
    """
    if isinstance(value, float) and math.isnan(value):
        return True
    return bool(value)


def _shortest(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1.0, value) < 0 else "0"
    mantissa, exponent = f"{value:.17e}".split("e")
    digits = repr(abs(value)).lower()
    mantissa_digits = digits.split("e")[0].replace(".", "").strip("0") or "0"
    power = int(exponent)
    sign = "-" if mantissa.startswith("-") else ""
    if _SHORT_EXPONENTS[0] <= power < _SHORT_EXPONENTS[1]:
        text = f"{abs(value):.{max(len(mantissa_digits) - 1 - power, 0)}f}"
        return sign + text
    head, tail = mantissa_digits[0], mantissa_digits[1:]
    return f"{sign}{head}{'.' + tail if tail else ''}e{'+' if power >= 0 else '-'}{abs(power):02d}"


def _g4(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.4g}"


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        msg = f"can't convert {go_text(value)} to a number"
        raise TemplateError(msg)
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        msg = f"can't convert {value!r} to a number"
        raise TemplateError(msg) from error


def _humanize(value: Any) -> str:
    v = _float(value)
    if v == 0 or not math.isfinite(v):
        return _g4(v)
    prefix = ""
    if abs(v) >= 1:
        for p in _BIG:
            if abs(v) < 1_000:
                break
            prefix, v = p, v / 1_000
    else:
        for p in _SMALL:
            if abs(v) >= 1:
                break
            prefix, v = p, v * 1_000
    return _g4(v) + prefix


def _humanize_1024(value: Any) -> str:
    v = _float(value)
    if abs(v) <= 1 or not math.isfinite(v):
        return _g4(v)
    prefix = ""
    for p in _BINARY:
        if abs(v) < 1_024:
            break
        prefix, v = p, v / 1_024
    return _g4(v) + prefix


def _humanize_duration(value: Any) -> str:
    v = _float(value)
    if not math.isfinite(v):
        return _g4(v)
    if v == 0:
        return "0s"
    if abs(v) < 1:
        prefix = ""
        for p in _SMALL:
            if abs(v) >= 1:
                break
            prefix, v = p, v * 1_000
        return f"{_g4(v)}{prefix}s"
    sign, v = ("-" if v < 0 else ""), abs(v)
    whole = int(v)
    days, hours, minutes, seconds = (
        whole // 86_400, whole // 3_600 % 24, whole // 60 % 60, whole % 60,
    )  # fmt: skip
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_g4(v)}s"


def _humanize_percentage(value: Any) -> str:
    return _g4(_float(value) * 100) + "%"


def _humanize_timestamp(value: Any) -> str:
    v = _float(value)
    if not math.isfinite(v):
        return _g4(v)
    if abs(v) > 9.2e9:
        msg = f"{v!r} is not a time"
        raise TemplateError(msg)
    stamp = from_ns(round(v * 1e9))
    fraction = f"{stamp.microsecond * 1000 + stamp.nanosecond:09d}".rstrip("0")
    return f"{stamp:%Y-%m-%d %H:%M:%S}{'.' + fraction if fraction else ''} +0000 UTC"


def _parse_duration(value: Any) -> float:
    try:
        return parse_duration(str(value)) / 1e9
    except TimeError as error:
        raise TemplateError(str(error)) from error


def _printf(layout: Any, *arguments: Any) -> str:
    if not isinstance(layout, str):
        msg = "printf needs a layout text first"
        raise TemplateError(msg)
    waiting = list(arguments)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not waiting:
            return f"%!{verb}(MISSING)"
        if int(width or 0) > _MAX_WIDTH or int((precision or ".0")[1:] or 0) > _MAX_WIDTH:
            msg = f"{match.group(0)!r} asks for more than {_MAX_WIDTH} characters"
            raise TemplateError(msg)
        return _formatted(flags, width, precision, verb, waiting.pop(0))

    text = _VERB.sub(one, layout)
    if waiting:
        extra = ", ".join(f"{_kind(v)}={go_text(v)}" for v in waiting)
        text += f"%!(EXTRA {extra})"
    return text


def _formatted(flags: str, width: str, precision: str | None, verb: str, value: Any) -> str:
    kind = _kind(value)
    point = precision or ""
    if verb == "v" or (verb == "s" and kind == "string"):
        body = go_text(value)
        cut = int(precision[1:] or 0) if precision and verb == "s" else len(body)
        pad = "-" if "-" in flags else ""
        return f"%{pad}{width}s" % body[:cut]
    if verb in "feEgG" and kind == "float64":
        if verb in "gG" and not precision:
            return f"%{flags.replace('0', '').replace('+', '')}{width}s" % _shortest(value)
        text = f"%{flags}{width}{point}{verb}" % value
        return text.replace("inf", "+Inf" if value > 0 else "Inf").replace("nan", "NaN")
    if verb in "dxXo" and kind == "int":
        return f"%{flags}{width}{verb}" % value
    if verb in "cb" and kind == "int" and verb == "b":
        return f"{value:b}"
    if verb == "q" and kind == "string":
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if verb == "t" and kind == "bool":
        return go_text(value)
    return f"%!{verb}({kind}={go_text(value)})"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float64"
    return "string" if isinstance(value, str) else type(value).__name__


def _pair(a: Any, b: Any) -> tuple[Any, Any]:
    if _kind(a) != _kind(b):
        msg = f"incompatible types for comparison: {go_text(a)} and {go_text(b)}"
        raise TemplateError(msg)
    return a, b


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        msg = "eq needs two arguments"
        raise TemplateError(msg)
    return any(a == b for a, b in (_pair(first, other) for other in others))


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(a: Any, b: Any) -> bool:
        return bool(test(*_pair(a, b)))

    return compare


def _and(first: Any, *others: Any) -> Any:
    for value in (first, *others):
        first = value
        if not truth(value):
            break
    return first


def _or(first: Any, *others: Any) -> Any:
    for value in (first, *others):
        first = value
        if truth(value):
            break
    return first


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{go_text(value)} is not a text"
        raise TemplateError(msg)
    return value[:MAX_TEXT]


def _index(value: Any, *path: Any) -> Any:
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key, "")
        elif isinstance(value, (list, tuple)) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            msg = f"cannot index {go_text(value)} with {go_text(key)}"
            raise TemplateError(msg)
    return value


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (Mapping, list, tuple)):
        return len(value)
    msg = f"{go_text(value)} has no length"
    raise TemplateError(msg)


def _match(pattern: Any, text: Any) -> bool:
    try:
        return compile_regex(f"(?:.|\n)*?(?:{_text(pattern)})(?:.|\n)*")(_text(text)) is not None
    except MatcherError as error:
        raise TemplateError(str(error)) from error


def _replace_all(pattern: Any, replacement: Any, text: Any) -> str:
    try:
        compile_regex(_text(pattern))  # refuses what could run for ever
        compiled = re.compile(_text(pattern))
        rewritten = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", _text(replacement).replace("\\", r"\\"))
        return compiled.sub(rewritten, _text(text))[:MAX_TEXT]
    except (MatcherError, re.error, IndexError) as error:
        msg = f"wrong regular expression: {error}"
        raise TemplateError(msg) from error


def _title(value: Any) -> str:
    return re.sub(r"(^|\s)(\S)", lambda m: m.group(1) + m.group(2).upper(), _text(value))


def _strip_port(value: Any) -> str:
    return re.sub(r":\d+$", "", _text(value)).strip("[]")


def _strip_domain(value: Any) -> str:
    text = _text(value)
    host, colon, port = text.partition(":")
    if re.fullmatch(r"[\d.]+", host):
        return text
    return host.split(".")[0] + colon + port


def _checked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a wrong number of arguments a template error."""
    signature = inspect.signature(function)

    def call(*arguments: Any) -> Any:
        try:
            signature.bind(*arguments)
        except TypeError as error:
            msg = f"wrong number of arguments for {name}: {error}"
            raise TemplateError(msg) from error
        return function(*arguments)

    return call


_PLAIN: dict[str, Callable[..., Any]] = {
    "humanize": _humanize,
    "humanize1024": _humanize_1024,
    "humanizeDuration": _humanize_duration,
    "humanizePercentage": _humanize_percentage,
    "humanizeTimestamp": _humanize_timestamp,
    "parseDuration": _parse_duration,
    "printf": _printf,
    "print": lambda *values: "".join(go_text(v) for v in values),
    "eq": _eq,
    "ne": _compare(lambda a, b: a != b),
    "lt": _compare(lambda a, b: a < b),
    "le": _compare(lambda a, b: a <= b),
    "gt": _compare(lambda a, b: a > b),
    "ge": _compare(lambda a, b: a >= b),
    "and": _and,
    "or": _or,
    "not": lambda value: not truth(value),
    "len": _length,
    "index": _index,
    "match": _match,
    "reReplaceAll": _replace_all,
    "title": _title,
    "toUpper": lambda value: _text(value).upper(),
    "toLower": lambda value: _text(value).lower(),
    "safeHtml": go_text,
    "stripPort": _strip_port,
    "stripDomain": _strip_domain,
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _checked(name, function) for name, function in _PLAIN.items()
}
