"""Columns in expressions: ``anomaly_score(latency_ms) > 0.999``.

A column is a series that is computed from another one, sample by sample, when somebody asks
for it. In a tree it is a selector whose name is the column and whose label ``metric`` says of
which metric; ``name(metric)`` is the short way to write it.

>>> from monitorlab.query.parser import parse
>>> from monitorlab.query.printer import to_promql
>>> to_promql(expand(parse('anomaly_score(latency_ms{route="/"}) > 0.999')))
'anomaly_score{metric="latency_ms", route="/"} > 0.999'
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from monitorlab.columns import check_column, columns, is_derived, make_column
from monitorlab.errors import QueryError, RuleError, UnknownNameError
from monitorlab.model import Labels, Metric, SeriesKey
from monitorlab.query.ast import (
    Call,
    MatrixSelector,
    Node,
    VectorSelector,
    replace,
    unwrap,
    walk,
)
from monitorlab.query.parser import declare
from monitorlab.query.running import ColumnMemory, RunningColumn, ended
from monitorlab.query.signatures import Signature
from monitorlab.storage import Matcher, SeriesView, parse_selector
from monitorlab.windows import counter_increase

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Columns",
    "check_columns",
    "declare_columns",
    "expand",
    "over",
    "underlying",
]

METRIC, OPTION, NAME = "metric", "detector", "__name__"
OVER_TIME = "_over_time"


def declare_columns() -> None:
    """Make ``name(metric)`` and ``name_over_time(metric[5m])`` known for every column.

    Examples
    --------
    >>> declare_columns()
    >>> from monitorlab.query.parser import parse
    >>> parse("anomaly_score_over_time(latency_ms[1m]) > 0.999").lhs.name
    'anomaly_score_over_time'
    """
    for name in columns():
        declare(name, Signature(("vector", "string"), optional=1))
        declare(name + OVER_TIME, Signature(("matrix", "string"), optional=1))


@lru_cache(maxsize=2_048)
def expand(node: Node) -> Node:
    """Write every call of a column as the selector that it stands for.

    Parameters
    ----------
    node : Node
        An expression.

    Returns
    -------
    Node
        The same without such calls. ``name(metric)`` becomes ``name{metric="metric"}`` with
        all matchers, offset and ``@`` of the argument; ``name_over_time(metric[5m])`` the
        greatest of the window; a text as second argument becomes the label ``detector``.

    Raises
    ------
    QueryError
        If the argument is no plain metric: then the label ``metric`` could not name it.

    Examples
    --------
    >>> from monitorlab.query.parser import parse
    >>> from monitorlab.query.printer import to_promql
    >>> to_promql(expand(parse('anomaly_score_over_time(up[5m], "ewma")')))
    'max_over_time(anomaly_score{metric="up", detector="ewma"}[5m])'
    """
    names = columns()
    known = {n for name in names for n in (name, name + OVER_TIME)}
    if not any(isinstance(part, Call) and part.name in known for part in walk(node)):
        return node

    def change(part: Node) -> Node:
        if not isinstance(part, Call) or part.name not in known:
            return part
        option = unwrap(part.args[1]).value if len(part.args) > 1 else ""  # type: ignore[attr-defined]
        inner = unwrap(part.args[0])
        if part.name in names:
            return _selector(inner, part, part.name, option)
        column = part.name.removesuffix(OVER_TIME)
        if not isinstance(inner, MatrixSelector):
            raise _refusal(part, column)
        made = _selector(inner.selector, part, column, option)
        return Call(
            "max_over_time",
            (dataclasses.replace(inner, selector=made),),
            position=part.position,
        )

    return replace(node, change)


def check_columns(node: Node) -> None:
    """Refuse a column of no metric, or with an option that it does not know.

    Parameters
    ----------
    node : Node
        An expression.

    Raises
    ------
    RuleError
        Says how to write it. A selector with other labels alone may mean a foreign metric of
        the same name, and passes.

    Examples
    --------
    >>> from monitorlab.query.parser import parse
    >>> check_columns(parse('anomaly_score(load, "ewmaa") > 0.999'))
    Traceback (most recent call last):
    ...
    monitorlab.errors.RuleError: no detector 'ewmaa'; did you mean 'ewma'?
    """
    names = columns()
    for part in walk(expand(node)):
        if not isinstance(part, VectorSelector) or part.name not in names:
            continue
        if all(m.name == NAME for m in part.matchers):
            msg = (
                f"{part.name} is computed from a metric; say of which metric: "
                f'{part.name}(latency_ms), {part.name}{{metric=~".+"}} for all, or give the '
                "rule metric=…"
            )
            raise RuleError(msg)
        for m in part.matchers:
            if m.name == OPTION and m.op == "=":
                try:
                    check_column(part.name, m.value)
                except UnknownNameError as error:
                    raise RuleError(str(error)) from error


def underlying(node: Node, source: Any) -> Node:
    """Write the metrics in place of the columns, to ask whether they are there.

    Parameters
    ----------
    node : Node
        An expression.
    source : Source
        Where the series are; a column that is stored there stays.

    Returns
    -------
    Node
        The same with ``anomaly_score{metric="up"}`` written ``up``.

    Examples
    --------
    >>> from monitorlab.query.parser import parse
    >>> from monitorlab.query.printer import to_promql
    >>> from monitorlab.storage import SeriesStore
    >>> to_promql(underlying(parse('anomaly_score{metric="up"} > 0.9'), SeriesStore()))
    'up > 0.9'
    """
    names = columns()

    def change(part: Node) -> Node:
        if not isinstance(part, VectorSelector) or part.name not in names:
            return part
        named = [m for m in part.matchers if m.name == METRIC]
        if not named or list(source.select(part.matchers)):
            return part
        exact = next((m.value for m in named if m.op == "="), None)
        return dataclasses.replace(part, name=exact, matchers=_of_metric(part.matchers))

    return replace(expand(node), change)


def over(source: Any, node: Node) -> Any:
    """Give a source that also has the columns that an expression speaks of.

    Parameters
    ----------
    source : Source
        Where the series are.
    node : Node
        An expanded expression.

    Returns
    -------
    Source
        The same source where no column is spoken of, or it has them already.

    Examples
    --------
    >>> from monitorlab.query.parser import parse
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> over(store, parse("up")) is store, type(over(store, parse("anomaly_score"))).__name__
    (True, 'Columns')
    """
    if isinstance(source, Columns):
        return source
    names = columns()
    asked = any(isinstance(p, VectorSelector) and p.name in names for p in walk(node))
    return Columns(source) if asked else source


class Columns:
    """A source with computed columns laid over it.

    Parameters
    ----------
    base : Source
        Where the series are.
    memory : ColumnMemory, optional
        Compute each sample once, as they come, and remember; without it each column is
        computed at its first use from all that the source sees.

    Notes
    -----
    A counter is scored by its increase per second, missing where it began again, as
    everywhere in analyses. A missing sample gives a missing one, the end of a series ends the
    column. A stored series of the same name and labels wins; but one with a label
    ``detector``, as a live feed keeps them, is left out where its metric is there: a column
    means the same whether a feed scored that metric or not, and since when. With a memory,
    nothing after the end of a question is looked at, and a sample that comes later than a
    newer one is left out; but for these both ways give the same. Cost: that of the column a
    sample, once.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("load", [0, 10**9, 2 * 10**9], [1.0, 2.0, 3.0])
    >>> [str(view.key) for view in Columns(store).select('anomaly_score{metric="load"}')]
    ['anomaly_score{metric="load"}']
    """

    def __init__(self, base: Any, memory: ColumnMemory | None = None) -> None:
        self._base = base
        self._memory = memory
        self._made: dict[SeriesKey, SeriesView] = {}

    def select(
        self,
        selector: str | Sequence[Matcher] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[SeriesView]:
        """Give the series that match, cut to ``[start_ns, end_ns)``, sorted by key."""
        if isinstance(selector, str):
            selector = parse_selector(selector).matchers
        matchers = tuple(selector or ())
        stored: list[SeriesView] = list(self._base.select(matchers, start_ns, end_ns))
        column = next(
            (m.value for m in matchers if m.name == NAME and m.op == "=" and m.value in columns()),
            None,
        )
        if column is None or not any(m.name == METRIC for m in matchers):
            return stored
        asked = [m for m in matchers if m.name == OPTION]
        if any(m.op != "=" for m in asked):
            return stored  # of several detectors: those that somebody kept
        option = asked[0].value if asked else ""
        measured = {
            view.key: view
            for view in self._base.select(_of_metric(matchers), None, None)
            if not is_derived(view.key.metric)
        }
        kept = {view.key for view in self._base.select(matchers, None, None)}
        kept -= {key for key in kept if OPTION in key.labels and _measured_key(key) in measured}
        found = [view for view in stored if view.key in kept]
        for source, view in measured.items():
            key = _column_key(column, source, option)
            if key not in kept:
                made = self._column(key, view, column, option, end_ns).between(start_ns, end_ns)
                found += [made] if len(made) else []
        return sorted(found, key=lambda view: view.key)

    def metric(self, name: str) -> Metric:
        """Give what is known of a metric."""
        known: Metric = self._base.metric(name)
        return known

    def _column(
        self, key: SeriesKey, view: SeriesView, column: str, option: str, end_ns: int | None
    ) -> SeriesView:
        cumulative = self._base.metric(view.key.metric).type.is_cumulative
        if self._memory is not None:
            state = self._memory.states.get(key)
            if state is None:
                extend = make_column(column, option).extend
                state = RunningColumn(extend, cumulative=cumulative)
                self._memory.states[key] = state
            times, values = state.advance(view.between(None, end_ns))
            if len(times):
                self._memory.store.extend(key, times, values)
            begun = state.last_ns is not None
            return self._memory.store.view(key) if begun else SeriesView.make(key, [], [])
        if key not in self._made:
            values = view.values
            if cumulative:
                values = counter_increase(view.times, values, per_second=True, through_resets=False)
            numbers = make_column(column, option).whole(view.times, values)
            self._made[key] = SeriesView.make(key, view.times, ended(numbers, view.values))
        return self._made[key]


def _selector(inner: Node, call: Call, column: str, option: str) -> VectorSelector:
    if not isinstance(inner, VectorSelector) or inner.name is None:
        raise _refusal(call, column)
    rest = [m for m in inner.matchers if m.name != NAME]
    own = [Matcher(NAME, "=", column), Matcher(METRIC, "=", inner.name)]
    own += [Matcher(OPTION, "=", option)] if option else []
    return dataclasses.replace(inner, name=column, matchers=(*own, *rest), position=call.position)


def _refusal(call: Call, column: str) -> QueryError:
    msg = (
        f"`{call.name}` needs a metric by its name, as in {column}(latency_ms) or "
        f"{column}{OVER_TIME}(latency_ms[1m]); give other expressions a name with a recording "
        "rule first"
    )
    return QueryError(msg, position=call.position)


def _of_metric(matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Turn matchers of a column into those of the metrics that it is computed from."""
    return tuple(
        dataclasses.replace(m, name=NAME) if m.name == METRIC else m
        for m in matchers
        if m.name not in (NAME, OPTION)
    )


def _column_key(column: str, key: SeriesKey, option: str) -> SeriesKey:
    more = {METRIC: key.metric, OPTION: option}
    return SeriesKey(column, Labels({**key.labels, **more}))


def _measured_key(key: SeriesKey) -> SeriesKey:
    """Give the series that a kept column was computed from."""
    return SeriesKey(key.labels.get(METRIC, ""), key.labels.without(METRIC, OPTION))


declare_columns()
