r"""YAML with the line of every value, read safely and within bounds.

Values stay text, as the files of rules want them (``for: 5m``, ``values: 1 2 3``).

>>> node = load("a: 1\nb: [x, y]")
>>> node.value["b"].value[1].value, node.value["b"].line
('y', 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitorlab.errors import RuleError

__all__ = ["Node", "load"]

MAX_CHARACTERS = 10_000_000
MAX_NODES = 1_000_000
MAX_DEPTH = 60
_TOO_MUCH = "{}: the file is nested too deeply or repeats itself too often"


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a YAML file.

    Parameters
    ----------
    value : dict, list, str or None
        A mapping of keys to nodes, a list of nodes, the text of a scalar, or nothing.
    line : int
        Line in the file, counted from 1.
    tag : str
        What YAML takes a scalar for: ``str``, ``int``, ``float``, ``bool``, ``null`` …
    repeated : tuple of (str, int)
        Keys of a mapping that stand there twice, with their lines.

    Examples
    --------
    >>> load("yes").value
    'yes'
    """

    value: Any
    line: int
    tag: str = "str"
    repeated: tuple[tuple[str, int], ...] = ()

    def plain(self) -> Any:
        """Give plain Python values; scalars by their YAML type."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return _scalar(self.tag, self.value)


def load(text: str, name: str = "text") -> Node:
    """Read the first document of a YAML text.

    Parameters
    ----------
    text : str
        The file.
    name : str
        Its name, for messages.

    Returns
    -------
    Node
        The top; its value is None for an empty file.

    Raises
    ------
    RuleError
        If it is no YAML, or too large, or nested too deeply; says the line.

    Examples
    --------
    >>> load("for: 5m").plain()
    {'for': '5m'}
    """
    import yaml

    if len(text) > MAX_CHARACTERS:
        msg = f"{name}: {len(text)} characters; at most {MAX_CHARACTERS} are read"
        raise RuleError(msg)
    try:
        top = next(yaml.compose_all(text, Loader=yaml.SafeLoader), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = name if mark is None else f"{name}, line {mark.line + 1}"
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        msg = f"{where}: not YAML: {reason}"
        raise RuleError(msg) from error
    except (RecursionError, ValueError) as error:
        msg = f"{name}: not YAML that can be read: {type(error).__name__}, {error}"
        raise RuleError(msg) from error
    return Node(None, 1, "null") if top is None else _convert(top, name, {}, 0)


def _convert(node: Any, name: str, seen: dict[int, tuple[Node, int]], depth: int) -> Node:
    """Convert a node; one that is referred to again is converted once and counted each time."""
    known = seen.get(id(node))
    if known is not None:
        return known[0]
    import yaml

    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        raise RuleError(_TOO_MUCH.format(f"{name}, line {line}"))
    size = 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Node] = {}
        repeated = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                msg = f"{name}, line {key.start_mark.line + 1}: a key must be a text"
                raise RuleError(msg)
            if key.value in found:
                repeated.append((key.value, key.start_mark.line + 1))
            found[key.value] = _convert(value, name, seen, depth + 1)
            size += seen[id(value)][1]
        made = Node(found, line, "map", tuple(repeated))
    elif isinstance(node, yaml.SequenceNode):
        made = Node([_convert(v, name, seen, depth + 1) for v in node.value], line, "seq")
        size += sum(seen[id(v)][1] for v in node.value)
    else:
        tag = str(node.tag).rpartition(":")[2]
        made = Node(None if tag == "null" else node.value, line, tag)
    if size > MAX_NODES:
        raise RuleError(_TOO_MUCH.format(f"{name}, line {line}"))
    seen[id(node)] = made, size
    return made


def _scalar(tag: str, text: str | None) -> Any:
    if text is None:
        return None
    if tag == "bool":
        return text.lower() in ("true", "yes", "on")
    try:
        if tag == "int":
            return int(text.replace("_", ""), 0)
        if tag == "float":
            return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text  # sexagesimal and other rare forms stay text
    return text
