"""Run the files of ``promtool test rules`` as they are.

>>> import pytest
>>> # @pytest.mark.parametrize("case", rule_test_cases("alerts_test.yml"), ids=str)
>>> # def test_rules(case):
>>> #     case.check()
"""

from __future__ import annotations

import glob
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab import query
from monitorlab.alerting import templates
from monitorlab.alerting._reading import Reader
from monitorlab.alerting.files import load_rules
from monitorlab.alerting.groups import RuleGroup, RuleSet
from monitorlab.alerting.history import History, alert_views, replay
from monitorlab.alerting.marked_yaml import Node, load
from monitorlab.alerting.signals import Context
from monitorlab.display import Result
from monitorlab.errors import MonitorlabError, RuleError
from monitorlab.model import Labels, SeriesKey
from monitorlab.query.notation import parse_series
from monitorlab.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import plotly.graph_objects as go

    from monitorlab.alerting.overlay import Overlay

__all__ = ["RuleTestCase", "RuleTestReport", "rule_test_cases", "run_rule_tests"]

TOLERANCE = 1e-9  # relative, of sample values
_TOP = ("rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests")
_TEST = (
    "name", "interval", "input_series", "alert_rule_test", "promql_expr_test",
    "external_labels", "external_url", "start_timestamp",
)  # fmt: skip
_ALERT = ("eval_time", "alertname", "exp_alerts")
_EXPECTED = ("exp_labels", "exp_annotations")
_EXPR = ("expr", "eval_time", "exp_samples")
_SAMPLE = ("labels", "value", "histogram")


@dataclass(frozen=True, repr=False, eq=False)
class RuleTestReport(Result):
    """What a file of rule tests gave.

    Parameters
    ----------
    path : str
        The file.
    cases : pandas.DataFrame
        ``test, case, passed, why``, one row a case.

    Examples
    --------
    >>> RuleTestReport("t.yml", pd.DataFrame({"test": ["a"], "passed": [True]}))
    RuleTestReport: t.yml: passed 1 of 1
    """

    path: str
    cases: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return bool(self.cases["passed"].all())

    def summary(self) -> str:
        """Say it in one line."""
        return f"{self.path}: passed {int(self.cases['passed'].sum())} of {len(self.cases)}"

    def to_frame(self) -> pd.DataFrame:
        """Give one row a case."""
        return self.cases

    def plot(self) -> go.Figure:
        """Draw passed and failed cases as bars."""
        import plotly.graph_objects as go

        from monitorlab.plotting import SEVERITY_COLORS, new_figure

        counts = self.cases.groupby("test")["passed"].agg(["sum", "count"])
        figure = new_figure(title=self.summary())
        figure.add_trace(
            go.Bar(
                x=counts.index, y=counts["sum"], name="passed", marker_color=SEVERITY_COLORS["ok"]
            )
        )
        figure.add_trace(
            go.Bar(
                x=counts.index,
                y=counts["count"] - counts["sum"],
                name="failed",
                marker_color=SEVERITY_COLORS["error"],
            )
        )
        return figure.update_layout(barmode="stack")


@dataclass(slots=True)
class _Test:
    """One entry of ``tests``: its data, evaluated once for all its cases."""

    name: str
    series: list[tuple[str, str]]
    interval_ns: int
    eval_ns: int
    until_ns: int
    rules: RuleSet
    context: Context
    start_ns: int = 0
    _done: tuple[list[History], Overlay] | None = field(default=None, repr=False)

    def evaluated(self) -> tuple[list[History], Overlay]:
        if self._done is None:
            store = query.load_notation(self.series, self.interval_ns / 1e9, start_ns=self.start_ns)
            histories, seen = replay(
                store, self.rules, self.start_ns, self.start_ns + self.until_ns, self.eval_ns,
                context=self.context,
            )  # fmt: skip
            for view in alert_views(histories):
                seen.add(view)
            self._done = histories, seen
        return self._done


@dataclass(frozen=True)
class RuleTestCase:
    """One expectation of a file of rule tests.

    Parameters
    ----------
    test : str
        Name of the test that it belongs to.
    kind : {"alert", "expr"}
        Whether alerts or samples are expected.
    subject : str
        Name of the alert, or the expression.
    eval_ns : int
        When, since the start of the test.
    expected : tuple
        Alerts as (labels, annotations), or samples as (series, value).

    Examples
    --------
    >>> print(RuleTestCase("it goes down", "alert", "Down", 60 * 10**9, ()))
    it goes down: Down at 1m
    """

    test: str
    kind: str
    subject: str
    eval_ns: int
    expected: tuple[Any, ...]
    _test: Any = field(repr=False, compare=False, default=None)

    def __str__(self) -> str:
        return f"{self.test}: {self.subject} at {format_duration(self.eval_ns)}"

    def run(self) -> str:
        """Give what is wrong, ``""`` when the case passes.

        Returns
        -------
        str
            Expected and got, one a line.
        """
        try:
            got = self._alerts() if self.kind == "alert" else self._samples()
        except MonitorlabError as error:
            return f"cannot be evaluated: {error}"
        if self.kind == "alert":
            same = sorted(map(_order, self.expected)) == sorted(map(_order, got))
        else:
            same = _same_samples(self.expected, got)
        if same:
            return ""
        return f"expected {_shown(self.expected)}\n     got {_shown(got)}"

    def check(self) -> None:
        """Raise ``AssertionError`` when the case does not pass; for use in a test."""
        why = self.run()
        if why:
            msg = f"{self}\n{why}"
            raise AssertionError(msg)

    def _alerts(self) -> tuple[Any, ...]:
        histories, _ = self._test.evaluated()
        context: Context = self._test.context
        at = self._test.start_ns + self.eval_ns // self._test.eval_ns * self._test.eval_ns
        found = []
        for history in histories:
            if history.rule.name != self.subject or not len(history.signals.times):
                continue
            step = int(np.searchsorted(history.signals.times, at, side="right")) - 1
            lives = history.lives
            rows = lives.firing_row[(lives.fired <= step) & (lives.ended > step)]
            values = lives.value_at(rows, np.full(len(rows), step))
            for row, value in zip(rows.tolist(), values.tolist(), strict=True):
                notes = {
                    name: templates.expand(
                        text, history.signals.keys[row], value,
                        context.external_labels, context.external_url,
                    )
                    for name, text in history.rule.annotations.items()
                }  # fmt: skip
                found.append((history.signals.labels[row].to_dict(), notes))
        return tuple(found)

    def _samples(self) -> tuple[Any, ...]:
        _, seen = self._test.evaluated()
        at = np.array([self._test.start_ns + self.eval_ns], dtype=np.int64)
        result = query.evaluate_at(seen, self.subject, at, self._test.context.options)
        return tuple(
            (key, float(value))
            for key, value, present in zip(
                result.keys, np.ravel(result.values), np.ravel(result.present), strict=True
            )
            if present
        )


def run_rule_tests(path: str | PathLike[str]) -> RuleTestReport:
    """Run every case of a file of rule tests.

    Parameters
    ----------
    path : str or os.PathLike
        A file as ``promtool test rules`` takes it.

    Returns
    -------
    RuleTestReport

    Raises
    ------
    RuleError
        If the file, or a rule file that it names, is wrong; lists every problem.

    Examples
    --------
    >>> import tempfile
    >>> text = 'tests: [{promql_expr_test: [{expr: 1 + 1, exp_samples: [{value: 2}]}]}]'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "t.yml")
    ...     _ = file.write_text(text)
    ...     run_rule_tests(file).passed
    True
    """
    rows = []
    for case in rule_test_cases(path):
        why = case.run()
        rows.append({"test": case.test, "case": str(case), "passed": not why, "why": why})
    frame = pd.DataFrame(rows, columns=["test", "case", "passed", "why"])
    return RuleTestReport(str(path), frame.astype({"passed": bool}))


def rule_test_cases(path: str | PathLike[str]) -> list[RuleTestCase]:
    """Read a file of rule tests as single cases, to be run as one test each.

    Parameters
    ----------
    path : str or os.PathLike
        A file as ``promtool test rules`` takes it.

    Returns
    -------
    list of RuleTestCase
        ``case.check()`` raises when the case does not pass; ``str(case)`` names it.

    Raises
    ------
    RuleError
        If the file, or a rule file that it names, is wrong; lists every problem.

    Notes
    -----
    Values are compared to a relative 1e-9. Groups are evaluated every
    ``evaluation_interval`` whatever interval they name, as promtool does.

    Examples
    --------
    >>> import tempfile
    >>> text = 'tests: [{promql_expr_test: [{expr: 1 + 1, exp_samples: [{value: 2}]}]}]'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "t.yml")
    ...     _ = file.write_text(text)
    ...     [case.subject for case in rule_test_cases(file)]
    ['1 + 1']
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file}: cannot be read: {error}"
        raise RuleError(msg) from error
    reader = Reader(str(file))
    top = load(text, str(file))
    if not isinstance(top.value, dict):
        msg = f"{file}: a file of rule tests is a mapping with the key 'tests'"
        raise RuleError(msg)
    reader.known(top, _TOP, "the file")
    eval_ns = reader.duration(
        top.value.get("evaluation_interval"), "evaluation_interval", 60 * 10**9
    )
    rules = _rules(reader, top, file.parent)
    cases: list[RuleTestCase] = []
    for i, node in enumerate(reader.items(top.value.get("tests"), "tests")):
        cases += _cases(reader, node, i, rules, eval_ns or 60 * 10**9)
    if reader.problems:
        raise RuleError("\n".join(reader.problems), problems=reader.problems)
    return cases


def _rules(reader: Reader, top: Node, folder: Path) -> RuleSet:
    groups: list[RuleGroup] = []
    for node in reader.items(top.value.get("rule_files"), "rule_files", str):
        pattern = str(folder / node.value)
        files = sorted(glob.glob(pattern))  # noqa: PTH207 - patterns may be absolute
        if not files:
            reader.say(node.line, f"rule_files: no file is called {node.value!r}")
        for name in files:
            try:
                groups += load_rules(name).groups
            except RuleError as error:
                reader.problems += error.problems
    order = [
        n.value for n in reader.items(top.value.get("group_eval_order"), "group_eval_order", str)
    ]
    place = {name: i for i, name in enumerate(order)}
    groups.sort(key=lambda g: place.get(g.name, 0))
    try:
        return RuleSet(RuleGroup(g.name, g.rules) for g in groups)
    except RuleError as error:
        reader.say(top.line, error)
        return RuleSet()


def _cases(
    reader: Reader, node: Node, index: int, rules: RuleSet, eval_ns: int
) -> list[RuleTestCase]:
    reader.known(node, _TEST, "a test")
    fields = node.value
    series = []
    for entry in reader.items(fields.get("input_series"), "input_series"):
        reader.known(entry, ("series", "values"), "input_series")
        name, values = (
            reader.text(entry.value.get("series")),
            reader.text(entry.value.get("values")),
        )
        try:
            query.parse_notation(values)
            parse_series(name)
        except MonitorlabError as error:
            reader.say(entry.line, f"input_series {name!r}: {error}")
            continue
        series.append((name, values))
    start_ns = _start(reader, fields.get("start_timestamp"), eval_ns)
    test = _Test(
        name=reader.text(fields.get("name"), f"test {index + 1}"),
        series=series,
        interval_ns=reader.duration(fields.get("interval"), "interval", eval_ns),
        eval_ns=eval_ns,
        until_ns=0,
        rules=rules,
        context=Context(
            Labels(reader.pairs(fields.get("external_labels"))),
            reader.text(fields.get("external_url")),
        ),
        start_ns=start_ns,
    )
    cases = [
        *(
            _alert_case(reader, n, test)
            for n in reader.items(fields.get("alert_rule_test"), "alert_rule_test")
        ),
        *(
            _expr_case(reader, n, test)
            for n in reader.items(fields.get("promql_expr_test"), "promql_expr_test")
        ),
    ]
    test.until_ns = max((case.eval_ns for case in cases), default=0)
    return cases


def _start(reader: Reader, node: Node | None, eval_ns: int) -> int:
    if node is None or node.value is None:
        return 0
    from monitorlab.times import to_ns

    try:
        start = to_ns(node.plain())
    except MonitorlabError as error:
        reader.say(node.line, f"start_timestamp: {error}")
        return 0
    if start % eval_ns:
        reader.say(node.line, "start_timestamp must be a whole multiple of evaluation_interval")
    return start


def _alert_case(reader: Reader, node: Node, test: _Test) -> RuleTestCase:
    reader.known(node, _ALERT, "alert_rule_test")
    name = reader.text(node.value.get("alertname"))
    if not name:
        reader.say(node.line, "alert_rule_test needs an alertname")
    expected = []
    for entry in reader.items(node.value.get("exp_alerts"), "exp_alerts"):
        reader.known(entry, _EXPECTED, "exp_alerts")
        labels = Labels({**reader.pairs(entry.value.get("exp_labels")), "alertname": name})
        expected.append((labels.to_dict(), reader.pairs(entry.value.get("exp_annotations"))))
    at = reader.duration(node.value.get("eval_time"), "eval_time", 0)
    return RuleTestCase(test.name, "alert", name, at, tuple(expected), test)


def _expr_case(reader: Reader, node: Node, test: _Test) -> RuleTestCase:
    reader.known(node, _EXPR, "promql_expr_test")
    expr = reader.text(node.value.get("expr"))
    try:
        query.parse(expr)
    except MonitorlabError as error:
        reader.say(node.line, f"promql_expr_test: {error}")
    expected = []
    for entry in reader.items(node.value.get("exp_samples"), "exp_samples"):
        reader.known(entry, _SAMPLE, "exp_samples")
        text = reader.text(entry.value.get("labels"))
        value = entry.value.get("value")
        try:
            number = 0.0 if value is None else float(str(value.value))
            expected.append((parse_series(text) if text else SeriesKey(""), number))
        except (ValueError, MonitorlabError) as error:
            reader.say(entry.line, f"exp_samples: {error}")
    at = reader.duration(node.value.get("eval_time"), "eval_time", 0)
    return RuleTestCase(test.name, "expr", expr, at, tuple(expected), test)


def _order(alert: tuple[dict[str, str], dict[str, str]]) -> tuple[Any, ...]:
    return tuple(sorted(alert[0].items())), tuple(sorted(alert[1].items()))


def _same_samples(expected: Sequence[Any], got: Sequence[Any]) -> bool:
    wanted = sorted(expected, key=lambda s: (str(s[0]), s[1]))
    found = sorted(got, key=lambda s: (str(s[0]), s[1]))
    return len(wanted) == len(found) and all(
        a[0] == b[0] and _close(a[1], b[1]) for a, b in zip(wanted, found, strict=True)
    )


def _close(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=TOLERANCE)


def _shown(items: Sequence[Any]) -> str:
    if not items:
        return "nothing"
    parts = []
    for what, more in items:
        if isinstance(what, SeriesKey):
            parts.append(f"{what or '{}'} {more!r}")
        else:
            parts.append(f"{Labels(what)!r}" + (f" {more!r}" if more else ""))
    return "; ".join(parts)
