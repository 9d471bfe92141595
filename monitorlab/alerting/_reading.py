"""Read the parts of a file of rule tests, and list what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitorlab.errors import MonitorlabError, did_you_mean
from monitorlab.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.alerting.marked_yaml import Node

__all__ = ["Reader"]


@dataclass(slots=True)
class Reader:
    name: str
    problems: list[str] = field(default_factory=list)

    def say(self, line: int, message: object) -> None:
        self.problems.append(f"{self.name}, line {line}: {message}")

    def known(self, node: Node, keys: Sequence[str], what: str) -> None:
        for key, value in node.value.items():
            if key not in keys:
                self.say(value.line, f"{what} has no field {key!r}{did_you_mean(key, keys)}")

    def items(self, node: Node | None, what: str, kind: type = dict) -> list[Node]:
        if node is None or node.value is None:
            return []
        if not isinstance(node.value, list):
            self.say(node.line, f"{what} must be a list")
            return []
        found = []
        name = "mapping" if kind is dict else "text"
        for item in node.value:
            if isinstance(item.value, kind):
                found.append(item)
            else:
                self.say(item.line, f"each entry of {what} must be a {name}")
        return found

    def text(self, node: Node | None, default: str = "") -> str:
        return node.value if node is not None and isinstance(node.value, str) else default

    def duration(self, node: Node | None, what: str, default: int) -> int:
        if node is None or node.value is None:
            return default
        try:
            return parse_duration(str(node.value))
        except MonitorlabError as error:
            self.say(node.line, f"{what}: {error}")
            return default

    def pairs(self, node: Node | None) -> dict[str, str]:
        if node is None or not isinstance(node.value, dict):
            return {}
        return {
            k: v.value or "" for k, v in node.value.items() if not isinstance(v.value, (dict, list))
        }
