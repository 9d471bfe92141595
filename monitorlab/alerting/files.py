"""Rule files: Prometheus' YAML in and out, with monitorlab's additions under one extra key.

>>> rules = parse_rules('''
... groups:
... - name: shop
...   rules:
...   - alert: Slow
...     expr: latency_seconds > 1
...     for: 5m
...     x-monitorlab: {resolve: latency_seconds < 0.8, cooldown: 10m}
... ''')
>>> rules["Slow"].resolve_expr, rules["Slow"].cooldown
('latency_seconds < 0.8', '10m')
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from monitorlab.alerting import templates
from monitorlab.alerting._writing import EXTRA_KEY, PREFIX, Extras, plain_rule
from monitorlab.alerting.groups import RuleGroup, RuleSet, as_rules
from monitorlab.alerting.marked_yaml import Node, load
from monitorlab.alerting.rules import AlertRule, RecordingRule, Rule
from monitorlab.errors import MonitorlabError, RuleError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = ["Extras", "dump_rules", "load_rules", "parse_rules", "save_rules"]

_TOP = ("groups",)
_GROUP = (
    "name", "interval", "limit", "rules", "query_offset", "evaluation_delay", "labels",
    "partial_response_strategy",
)  # fmt: skip
_ALERT = (
    "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "metric", "condition",
    "threshold", "window", EXTRA_KEY,
)  # fmt: skip
_RECORD = ("record", "expr", "labels")
_EXTRA = (
    "severity", "resolve", "no_data", "m_of_n", "cooldown", "escalate", "escalate_after",
    "auto_resolve", "metric", "condition", "threshold", "window",
)  # fmt: skip
# What a rule of a plain Prometheus file means: nothing that Prometheus does not do.
_PLAIN: dict[str, Any] = {"cooldown": "0s", "escalate_after": None}


@dataclass(slots=True)
class _Reader:
    name: str
    problems: list[str] = field(default_factory=list)
    group: str = ""
    rule: str = ""

    def say(self, line: int, message: object) -> None:
        where = f"{self.name}, line {line}"
        where += f", group {self.group!r}" if self.group else ""
        where += f", rule {self.rule!r}" if self.rule else ""
        self.problems.append(f"{where}: {message}")

    def known(self, node: Node, keys: Iterable[str], what: str) -> None:
        for key, line in node.repeated:
            self.say(line, f"the key {key!r} stands there twice")
        for key, value in node.value.items():
            if key not in keys:
                self.say(value.line, f"{what} has no field {key!r}{did_you_mean(key, keys)}")

    def text(self, node: Node | None, what: str, *, needed: bool = False) -> str | None:
        if node is None or node.value is None or node.value == "":
            if needed:
                self.say(1 if node is None else node.line, f"{what} is missing")
            return None
        if not isinstance(node.value, str):
            self.say(node.line, f"{what} must be a text")
            return None
        return node.value

    def pairs(self, node: Node | None, what: str) -> dict[str, str]:
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.say(node.line, f"{what} must be a mapping of names to texts")
            return {}
        self.known(node, list(node.value), what)
        found = {}
        for key, value in node.value.items():
            if isinstance(value.value, (dict, list)):
                self.say(value.line, f"{what}: {key} must be a text")
                continue
            found[key] = value.value or ""
            fault = templates.check(found[key])
            if fault is not None:
                self.say(value.line, f"{what}: {key}: template: {fault}")
        return found


def load_rules(path: str | PathLike[str]) -> RuleSet:
    """Read a Prometheus rule file, monitorlab's additions included.

    Parameters
    ----------
    path : str or os.PathLike
        The YAML file.

    Returns
    -------
    RuleSet
        All groups. A rule without additions behaves as in Prometheus: no cooldown, no
        escalation; its severity is read from its label.

    Raises
    ------
    RuleError
        If anything is wrong; lists every problem with file, line, group and rule
        (``.problems``). Nothing is half-loaded.

    Examples
    --------
    >>> import tempfile
    >>> from monitorlab.alerting import AlertRule
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_rules(AlertRule("Down", "up == 0"), f"{folder}/rules.yml")
    ...     load_rules(path)["Down"].expr
    'up == 0'
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file}: cannot be read: {error}"
        raise RuleError(msg) from error
    return parse_rules(text, str(file))


def parse_rules(text: str, name: str = "rules") -> RuleSet:
    """Read the text of a rule file.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        Name for messages.

    Returns
    -------
    RuleSet

    Raises
    ------
    RuleError
        See ``load_rules``.

    Examples
    --------
    >>> parse_rules("groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]")
    Traceback (most recent call last):
        ...
    monitorlab.errors.RuleError: ...
    """
    top = load(text, name)
    reader = _Reader(name)
    groups: list[RuleGroup] = []
    if top.value is None:
        return RuleSet()
    if not isinstance(top.value, dict):
        reader.say(top.line, "the file must be a mapping with the key 'groups'")
    else:
        reader.known(top, _TOP, "the file")
        listed = top.value.get("groups")
        if listed is not None and listed.value is not None:
            groups = _groups(reader, listed)
    if reader.problems:
        raise RuleError("\n".join(reader.problems), problems=reader.problems)
    return RuleSet(groups)


def dump_rules(rules: Any, *, extras: Extras = "annotations") -> str:
    """Write rules as the text of a Prometheus rule file.

    Parameters
    ----------
    rules : rules in any form
        See ``as_rules``.
    extras : {"annotations", "key", "drop"}
        Where monitorlab's additions go: annotations ``monitorlab_…``, which Prometheus
        accepts; the key ``x-monitorlab``, which it refuses; nowhere.

    Returns
    -------
    str
        YAML.

    Raises
    ------
    RuleError
        If ``extras`` is none of these.

    Examples
    --------
    >>> print(dump_rules(AlertRule("Down", "up == 0", severity=None, cooldown="0s",
    ...                            escalate_after=None)))
    groups:
    - name: rules
      rules:
      - alert: Down
        expr: up == 0
    <BLANKLINE>
    """
    import yaml

    if extras not in get_args(Extras):
        msg = f"extras must be one of {', '.join(get_args(Extras))}, not {extras!r}"
        raise RuleError(msg)
    groups = []
    for group in as_rules(rules).groups:
        entry: dict[str, Any] = {"name": group.name}
        if group.interval is not None:
            entry["interval"] = group.interval
        entry["rules"] = [plain_rule(rule, extras) for rule in group.rules]
        groups.append(entry)
    return str(
        yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=10_000)
    )


def save_rules(rules: Any, path: str | PathLike[str], *, extras: Extras = "annotations") -> Path:
    """Write rules to a Prometheus rule file.

    Parameters
    ----------
    rules : rules in any form
        See ``as_rules``.
    path : str or os.PathLike
        The file; replaced when it is there.
    extras : {"annotations", "key", "drop"}
        See ``dump_rules``. With the first two, ``load_rules`` gives the same rules back.

    Returns
    -------
    pathlib.Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> from monitorlab.alerting import AlertRule
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_rules(AlertRule("Down", "up == 0"), f"{folder}/rules.yml", extras="drop")
    ...     path.read_text().splitlines()[3]
    '  - alert: Down'
    """
    file = Path(path)
    file.write_text(dump_rules(rules, extras=extras), encoding="utf-8")
    return file


def _groups(reader: _Reader, listed: Node) -> list[RuleGroup]:
    if not isinstance(listed.value, list):
        reader.say(listed.line, "'groups' must be a list")
        return []
    groups: list[RuleGroup] = []
    names: set[str] = set()
    identities: dict[tuple[Any, ...], int] = {}
    for node in listed.value:
        reader.group = reader.rule = ""
        if not isinstance(node.value, dict):
            reader.say(node.line, "a group must be a mapping with 'name' and 'rules'")
            continue
        name = reader.text(
            node.value.get("name", Node(None, node.line)), "the group's name", needed=True
        )
        reader.group = name or ""
        reader.known(node, _GROUP, "a group")
        if name in names:
            reader.say(node.line, "there is another group of this name")
        names.add(name or "")
        labels = reader.pairs(node.value.get("labels"), "labels")
        rules = _rules(reader, node.value.get("rules"), labels, identities)
        interval = reader.text(node.value.get("interval"), "interval")
        try:
            groups.append(RuleGroup(name or "?", rules, interval))
        except RuleError as error:
            reader.rule = ""
            reader.say(node.value["interval"].line, error)
    return groups


def _rules(
    reader: _Reader,
    listed: Node | None,
    group_labels: dict[str, str],
    identities: dict[tuple[Any, ...], int],
) -> list[Rule]:
    if listed is None or listed.value is None:
        return []
    if not isinstance(listed.value, list):
        reader.say(listed.line, "'rules' must be a list")
        return []
    rules: list[Rule] = []
    for i, node in enumerate(listed.value):
        reader.rule = f"number {i + 1}"
        if not isinstance(node.value, dict):
            reader.say(node.line, "a rule must be a mapping with 'alert' or 'record'")
            continue
        before = len(reader.problems)
        rule = _rule(reader, node, group_labels)
        if rule is None or len(reader.problems) > before:
            continue
        rules.append(rule)
        if isinstance(rule, AlertRule):
            identity = (rule.name, rule.labels)
            if identity in identities:
                reader.say(
                    node.line,
                    f"an alert rule of the same name and labels stands in line "
                    f"{identities[identity]}; rename one, or add a label",
                )
            identities.setdefault(identity, node.line)
    return rules


def _rule(reader: _Reader, node: Node, group_labels: dict[str, str]) -> Rule | None:
    fields: dict[str, Node] = node.value
    alert, record = fields.get("alert"), fields.get("record")
    if (alert is None) == (record is None):
        reader.say(node.line, "a rule needs either 'alert' or 'record', and not both")
        return None
    name = reader.text(alert or record, "the name of the rule", needed=True)
    reader.rule = name or reader.rule
    reader.known(
        node,
        _RECORD if alert is None else _ALERT,
        "a recording rule" if alert is None else "an alert rule",
    )
    labels = {**group_labels, **reader.pairs(fields.get("labels"), "labels")}
    if alert is None:
        expr = reader.text(fields.get("expr", Node(None, node.line)), "expr", needed=True)
        if name is None or expr is None:
            return None
        return _made(reader, node, lambda: RecordingRule(name, expr, labels))
    return _alert(reader, node, name, labels)


def _alert(
    reader: _Reader, node: Node, name: str | None, labels: dict[str, str]
) -> AlertRule | None:
    fields: dict[str, Node] = node.value
    annotations = reader.pairs(fields.get("annotations"), "annotations")
    options = dict(_PLAIN)
    options.update(_from_annotations(reader, fields.get("annotations"), annotations))
    options.update(_from_key(reader, fields.get(EXTRA_KEY)))
    for key in ("metric", "condition", "window"):
        if key in fields:
            options[key] = reader.text(fields[key], key)
    if "threshold" in fields:
        options["threshold"] = fields["threshold"].plain()
    expr = reader.text(fields.get("expr"), "expr")
    if expr is None and options.get("condition") is None:
        reader.say(node.line, "expr is missing (or metric and condition)")
        return None
    for key, argument in (("for", "for_"), ("keep_firing_for", "keep_firing_for")):
        value = reader.text(fields.get(key), key)
        if value is not None:
            options[argument] = value
    if name is None:
        return None
    options.setdefault("severity", None)
    options |= {"labels": labels, "annotations": annotations}
    return _made(reader, node, lambda: _bound(name, expr, options))


def _bound(name: str, expr: str | None, options: dict[str, Any]) -> AlertRule:
    """Make the rule; an edited expr wins over the short condition written beside it."""
    if expr is None:
        return AlertRule(name, **options)
    if options.get("condition") is not None:
        rule = AlertRule(name, **options)
        if rule.expr == expr.strip():
            return rule
    if options.get("metric") is not None and options.get("condition") is not None:
        options = {**options, "condition": None, "metric": None}
    return AlertRule(name, expr, **options)


def _made(reader: _Reader, node: Node, make: Any) -> Any:
    try:
        return make()
    except MonitorlabError as error:
        wanted = "expr" if "expr" in node.value else "condition"
        line = node.value[wanted].line if wanted in node.value else node.line
        reader.say(line if hasattr(error, "position") else node.line, error)
        return None


def _from_key(reader: _Reader, node: Node | None) -> dict[str, Any]:
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        reader.say(node.line, f"{EXTRA_KEY} must be a mapping")
        return {}
    reader.known(node, _EXTRA, EXTRA_KEY)
    found = {}
    for key, value in node.value.items():
        if key not in _EXTRA:
            continue
        plain = value.plain()
        if key in ("severity", "resolve", "no_data", "cooldown", "metric", "condition", "window"):
            plain = value.value  # as written: "10" must not become a number
        if key == "auto_resolve" and not isinstance(plain, bool):
            reader.say(value.line, f"{EXTRA_KEY}: auto_resolve must be true or false")
            continue
        if key == "escalate_after" and plain is not None:
            plain = str(value.value)
        if key == "escalate":
            plain = _steps(reader, value)
        found["resolve_expr" if key == "resolve" else key] = plain
    return found


def _steps(reader: _Reader, node: Node) -> list[tuple[str, str]]:
    plain = node.plain()
    steps = []
    for item in plain if isinstance(plain, list) else [plain]:
        if not isinstance(item, dict) or set(item) != {"after", "severity"}:
            reader.say(node.line, "each step of escalate needs 'after' and 'severity'")
            continue
        steps.append((str(item["after"]), str(item["severity"])))
    return steps


def _from_annotations(
    reader: _Reader, node: Node | None, annotations: dict[str, str]
) -> dict[str, Any]:
    """Take monitorlab's additions out of the annotations."""
    found: dict[str, Any] = {}
    for key in [k for k in annotations if k.startswith(PREFIX)]:
        what = key.removeprefix(PREFIX)
        if what not in _EXTRA:
            continue
        text = annotations.pop(key)
        line = 1 if node is None else node.line
        try:
            if what in ("m_of_n", "escalate", "auto_resolve", "threshold"):
                value = json.loads(text)
            else:
                value = None if text == "never" and what == "escalate_after" else text
        except ValueError:
            reader.say(line, f"annotation {key}: cannot read {text!r}")
            continue
        found["resolve_expr" if what == "resolve" else what] = value
    return found
