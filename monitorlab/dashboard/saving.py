"""Dashboards as YAML: written so that people can edit them, read with every problem listed.

>>> from monitorlab.dashboard.state import DashboardState
>>> print(write([Panel("up")], DashboardState(span="1h")))
monitorlab_dashboard: 1
choices:
  span: 1h
panels:
- expr: up
>>> read("panels: [{expr: up, kind: stat}]")[0][0].kind
'stat'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from traitlets import TraitError

from monitorlab.alerting.marked_yaml import Node, load
from monitorlab.dashboard.panels import Panel, panel_of
from monitorlab.dashboard.state import DashboardState, parse_time
from monitorlab.errors import LayoutError, MonitorlabError, RuleError, did_you_mean

__all__ = ["read", "write"]

VERSION = 1
VERSION_KEY = "monitorlab_dashboard"
_KEYS = (VERSION_KEY, "choices", "panels")
_UNSAVED = ("zoom", "selection", "live", "drag")  # of the moment, not of the dashboard
_NUMBERS = ("least", "most", "capacity")


def write(panels: Sequence[Panel] | None, state: DashboardState) -> str:
    r"""Write a dashboard as YAML.

    Parameters
    ----------
    panels : sequence of Panel, optional
        Own panels; None where they are chosen from the metrics.
    state : DashboardState
        Choices; only those that differ from the default are written.

    Returns
    -------
    str

    Examples
    --------
    >>> write(None, DashboardState())
    'monitorlab_dashboard: 1\n'
    """
    import yaml

    usual = DashboardState().to_dict()
    choices = {
        name: value
        for name, value in state.to_dict().items()
        if name not in _UNSAVED and value != usual[name]
    }
    content: dict[str, Any] = {VERSION_KEY: VERSION}
    if choices:
        content["choices"] = choices
    if panels is not None:
        content["panels"] = [_plain(panel) for panel in panels]
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def read(text: str, name: str = "text") -> tuple[list[Panel] | None, dict[str, Any]]:
    """Read a dashboard that was written as YAML.

    Parameters
    ----------
    text : str
        The file.
    name : str
        Its name, for messages.

    Returns
    -------
    panels : list of Panel, or None
        None where the file names none: they are chosen from the metrics.
    choices : dict
        Values of the traits of ``DashboardState``.

    Raises
    ------
    LayoutError
        If anything is wrong; lists every problem with its line.

    Examples
    --------
    >>> read("panels: [{expr: 'rate(', knd: line}]", "a.yml")
    Traceback (most recent call last):
    ...
    monitorlab.errors.LayoutError: a.yml: 2 problems
    a.yml, line 1: panel 1: expr: this '(' is never closed
    a.yml, line 1: panel 1 has no 'knd'; did you mean 'kind'?
    """
    try:
        top = load(text, name)
    except RuleError as error:
        raise LayoutError(str(error)) from error
    problems: list[str] = []

    def wrong(line: int, what: str) -> None:
        problems.append(f"{name}, line {line}: {what}")

    if not isinstance(top.value, dict):
        wrong(top.line, "a dashboard is a mapping with 'panels' and 'choices'")
        top = Node({}, 1, "map")
    for key, node in top.value.items():
        if key not in _KEYS:
            wrong(node.line, f"a dashboard has no {key!r}{did_you_mean(key, _KEYS)}")
    for key, line in top.repeated:
        wrong(line, f"{key!r} stands here a second time")
    version = top.value.get(VERSION_KEY)
    if version is not None and version.plain() != VERSION:
        wrong(version.line, f"version {version.value} is not known; this reads {VERSION}")
    choices = _choices(top.value.get("choices"), wrong)
    panels = _panels(top.value.get("panels"), wrong)
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        msg = f"{name}: {count}\n" + "\n".join(problems)
        raise LayoutError(msg, problems=problems)
    return panels, choices


def _choices(node: Node | None, wrong: Any) -> dict[str, Any]:
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        wrong(node.line, "choices are a mapping of names to values")
        return {}
    found: dict[str, Any] = {}
    trial = DashboardState()
    known = [name for name in trial.trait_names() if name not in _UNSAVED]
    for key, line in node.repeated:
        wrong(line, f"choice {key!r} stands here a second time")
    for key, value in node.value.items():
        if key not in known:
            wrong(value.line, f"there is no choice {key!r}{did_you_mean(key, known)}")
            continue
        plain = value.plain()
        if isinstance(value.value, str) and not isinstance(plain, (bool, str)):
            # `span: 15` and `metrics: 1` are texts that look like numbers.
            plain = plain if key == "columns" else value.value
        try:
            setattr(trial, key, plain)
            if key in ("start", "end") and plain:
                parse_time(plain, 0)
        except (TraitError, MonitorlabError) as error:
            wrong(value.line, f"choice {key!r}: {_first_line(error)}")
            continue
        found[key] = plain
    return found


def _panels(node: Node | None, wrong: Any) -> list[Panel] | None:
    if node is None or node.value is None:
        return None
    if not isinstance(node.value, list):
        wrong(node.line, "panels are a list; begin each with '- expr: …'")
        return None
    made = [_panel(number, one, wrong) for number, one in enumerate(node.value, start=1)]
    return [panel for panel in made if panel is not None]


def _panel(number: int, node: Node, wrong: Any) -> Panel | None:
    who = f"panel {number}"
    if isinstance(node.value, str):
        node = Node({"expr": Node(node.value, node.line)}, node.line, "map")
    if not isinstance(node.value, dict):
        wrong(node.line, f"{who} is neither an expression nor a mapping")
        return None
    known = [one.name for one in fields(Panel)]
    given: dict[str, Any] = {}
    fine = True
    for key, line in node.repeated:
        wrong(line, f"{who}: {key!r} stands here a second time")
        fine = False
    for key, value in node.value.items():
        if key not in known:
            wrong(value.line, f"{who} has no {key!r}{did_you_mean(key, known)}")
            fine = False
            continue
        try:
            given[key] = _value(key, value)
        except (MonitorlabError, TypeError, ValueError) as error:
            wrong(value.line, f"{who}: {key}: {_first_line(error)}")
            fine = False
    if not fine:
        return None
    try:
        return panel_of(given)
    except MonitorlabError as error:
        wrong(node.line, f"{who}: {_first_line(error)}")
        return None


def _value(key: str, node: Node) -> Any:
    """Read one value of a panel, by what the panel wants there."""
    if key == "more":
        if not isinstance(node.value, list):
            msg = "must be a list of pairs of name and expression"
            raise TypeError(msg)
        pairs = [one.plain() for one in node.value]
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                msg = f"{pair!r} is no pair of name and expression"
                raise TypeError(msg)
            _checked(str(pair[1]))
        return tuple((str(a), str(b)) for a, b in pairs)
    if isinstance(node.value, (dict, list)):
        msg = "must be one value"
        raise TypeError(msg)
    if node.value is None:
        return None if key in ("bad", "capacity") else _default(key)
    if key in _NUMBERS:
        return float(node.value)
    if key == "wide":
        plain = node.plain()
        if not isinstance(plain, bool):
            msg = f"{node.value!r} is neither true nor false"
            raise TypeError(msg)
        return plain
    if key == "expr" and node.value.strip():
        _checked(node.value)
    return node.value


def _checked(expr: str) -> None:
    from monitorlab.query import parse

    parse(expr)


def _plain(panel: Panel) -> dict[str, Any]:
    """Give what of a panel differs from the default."""
    plain = panel.to_dict()
    if plain["title"] == (panel.expr or "alerts"):
        del plain["title"]
    usual = {one.name: one.default for one in fields(Panel) if one.default is not MISSING}
    usual["more"] = []
    return {key: value for key, value in plain.items() if key not in usual or value != usual[key]}


def _default(key: str) -> Any:
    return next((one.default for one in fields(Panel) if one.name == key), "")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
