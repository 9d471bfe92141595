"""Functions that write labels: ``label_replace`` and ``label_join``.

>>> expand("$1-${name}$$", ["a b", "x"], {"name": "y"})
'x-y$'
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.errors import MatcherError
from monitorlab.model import Labels
from monitorlab.query.matrix import NAME, Vector, merge_equal
from monitorlab.query.strings import is_label_name
from monitorlab.storage.regex import compile_regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitorlab.query.functions.context import Context, Function

__all__ = ["FUNCTIONS", "expand"]

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


def expand(template: str, groups: Sequence[str | None], named: Mapping[str, str | None]) -> str:
    """Fill the groups of a match into a template.

    Parameters
    ----------
    template : str
        With ``$1``, ``${1}``, ``$name``, ``${name}`` and ``$$``.
    groups : sequence of str or None
        The whole match and its groups; None for a group that took no part.
    named : mapping of str to str or None
        Groups by name.

    Returns
    -------
    str
        The template with what the references stand for; nothing for unknown ones.

    Examples
    --------
    >>> expand("value-$1", ["abc", "b"], {})
    'value-b'
    """

    def fill(found: re.Match[str]) -> str:
        if found.group(1):
            return "$"
        name = found.group(2) or found.group(3)
        if name.isdigit():
            return (groups[int(name)] or "") if len(name) < 4 and int(name) < len(groups) else ""
        return named.get(name) or ""

    return _REFERENCE.sub(fill, template)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> Callable[[str], Any]:
    """Compile with groups; ``compile_regex`` has refused what is wrong or costly."""
    compile_regex(pattern)
    try:
        import re2
    except ImportError:
        return re.compile(pattern, re.DOTALL).fullmatch
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    fullmatch: Callable[[str], Any] = re2.compile(pattern, options=options).fullmatch
    return fullmatch


def _label_replace(
    context: Context, vector: Vector, target: str, template: str, source: str, pattern: str
) -> Vector:
    _require_label(context, target, 1)
    try:
        fullmatch = _compile(pattern)
    except MatcherError as error:
        context.fail(error.message, 4)
    labels, drops = list(vector.labels), vector.drops_name.copy()
    for row, own in enumerate(vector.labels):
        found = fullmatch(own.get(source, ""))
        if found is None:
            continue
        groups = (found.group(0), *found.groups())
        labels[row] = own_with(own, target, expand(template, groups, found.groupdict()))
        if target == NAME:
            drops[row] = False
    return _relabelled(context, vector, labels, drops)


def _label_join(
    context: Context, vector: Vector, target: str, separator: str, *sources: str
) -> Vector:
    _require_label(context, target, 1)
    for index, source in enumerate(sources):
        _require_label(context, source, 3 + index)
    labels = [
        own_with(own, target, separator.join(own.get(source, "") for source in sources))
        for own in vector.labels
    ]
    drops = np.zeros(len(vector), bool) if target == NAME else vector.drops_name
    return _relabelled(context, vector, labels, drops)


def own_with(labels: Labels, name: str, value: str) -> Labels:
    """Set one label, whatever its name (an empty value removes it)."""
    return Labels({**labels, name: value})


def _require_label(context: Context, name: str, argument: int) -> None:
    if not is_label_name(name):
        context.fail(f"{name!r} cannot name a label", argument)


def _relabelled(context: Context, vector: Vector, labels: list[Labels], drops: Any) -> Vector:
    made = Vector(labels, drops, vector.values, vector.present, vector.ordered)
    return merge_equal(made, text=context.text, position=context.node.position)


FUNCTIONS: dict[str, Function] = {"label_join": _label_join, "label_replace": _label_replace}
