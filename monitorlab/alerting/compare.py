"""Two versions of rules side by side: what each catches and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.alerting.backtest import Backtest
from monitorlab.display import Result, format_number
from monitorlab.errors import RuleError

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Comparison", "compare"]

FIGURES = (
    "recall", "precision", "f1", "false_positive_rate", "time_to_detect", "time_to_detect_p90",
    "firings_per_week", "false_firings_per_week", "pages_per_week", "flaps",
)  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Comparison(Result):
    """Two backtests over the same data, side by side.

    Parameters
    ----------
    names : (str, str)
        What the two are called.
    figures : pandas.DataFrame
        One row a figure, one column a backtest, and their difference.
    incidents : pandas.DataFrame
        One row an incident: who detects it, and how late.
    changed_rules : pandas.DataFrame
        Rules that differ, with their expression and ``for`` in both.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting import backtest
    >>> one = backtest(store, AlertRule("Down", "up == 0"), [])
    >>> two = backtest(store, AlertRule("Down", "up == 0", for_="1m"), [])
    >>> one.compare(two).figures.set_index("figure").loc["false_positive_rate"].tolist()
    [0.5, 0.0, -0.5]
    """

    names: tuple[str, str]
    figures: pd.DataFrame
    incidents: pd.DataFrame
    changed_rules: pd.DataFrame

    def summary(self) -> str:
        """Say the trade in one line."""
        a, b = self.names
        table = self.figures.set_index("figure")
        parts = [
            f"{what} {format_number(table.loc[key, a])} → {format_number(table.loc[key, b])}"
            for what, key in (
                ("recall", "recall"),
                ("false-positive rate", "false_positive_rate"),
                ("pages a week", "pages_per_week"),
                ("time to detect", "time_to_detect"),
            )
        ]
        return f"{a} → {b}: " + ", ".join(parts)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a figure."""
        return self.figures

    def plot(self) -> go.Figure:
        """Draw the shares of both as bars, and the delay of each incident."""
        import plotly.graph_objects as go

        from monitorlab.plotting import PALETTE, new_figure

        figure = new_figure(
            title=self.summary(), rows=2, titles=("rates", "seconds to detect"), shared_x=False,
            height=560,
        )  # fmt: skip
        table = self.figures.set_index("figure")
        shares = ["recall", "precision", "f1", "false_positive_rate"]
        for i, name in enumerate(self.names):
            color = PALETTE[i]
            figure.add_trace(
                go.Bar(x=shares, y=[table.loc[s, name] for s in shares], name=name,
                       marker_color=color),
                row=1, col=1,
            )  # fmt: skip
            delay = self.incidents[f"delay_{name}"].dt.total_seconds()
            labels = [f"{k} {i + 1}" for i, k in enumerate(self.incidents["kind"])]
            figure.add_trace(
                go.Bar(x=labels, y=delay, name=name, marker_color=color, showlegend=False),
                row=2, col=1,
            )  # fmt: skip
        figure.update_xaxes(tickangle=-40, automargin=True, row=2, col=1)
        return figure.update_layout(margin_b=120)


def compare(first: Backtest, second: Backtest, names: tuple[str, str]) -> Comparison:
    """Put two backtests side by side.

    Parameters
    ----------
    first, second : Backtest
        Over the same data and incidents.
    names : (str, str)
        What to call them.

    Returns
    -------
    Comparison

    Raises
    ------
    RuleError
        If names are equal, or the two do not speak of the same time and incidents.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting import backtest
    >>> one = backtest(store, AlertRule("Down", "up == 0"), [])
    >>> compare(one, one, ("a", "b")).changed_rules.empty
    True
    """
    a, b = (str(name) for name in names)
    if a == b:
        msg = f"both backtests are called {a!r}; give two names"
        raise RuleError(msg)
    if not isinstance(second, Backtest):
        msg = f"a backtest is compared with another backtest, not with {type(second).__name__}"
        raise RuleError(msg)
    if (first.start, first.end) != (second.start, second.end):
        msg = (
            f"the backtests cover {first.start} to {first.end} and {second.start} to "
            f"{second.end}; run both over the same time"
        )
        raise RuleError(msg)
    if first.truth != second.truth:
        msg = "the backtests were scored against different incidents; use the same"
        raise RuleError(msg)
    rows = []
    for key in FIGURES:
        left, right = getattr(first.score, key), getattr(second.score, key)
        rows.append({"figure": key, a: left, b: right, "difference": _difference(left, right)})
    table = first.incidents[["start", "end", "kind"]].copy()
    for name, result in ((a, first), (b, second)):
        table[f"by_{name}"] = result.incidents["rules"].to_numpy()
        table[f"delay_{name}"] = result.incidents["delay"].to_numpy()
    figures = pd.DataFrame(rows).astype({a: object, b: object, "difference": object})
    return Comparison((a, b), figures, table, _changes(first, second, a, b))


def _difference(left: Any, right: Any) -> Any:
    if left is pd.NaT or right is pd.NaT:
        return pd.NaT
    if isinstance(left, float) and (math.isnan(left) or math.isnan(right)):
        return math.nan
    return right - left


def _changes(first: Backtest, second: Backtest, a: str, b: str) -> pd.DataFrame:
    def texts(result: Backtest) -> dict[str, str]:
        found: dict[str, str] = {}
        for rule in result.rules.alerts:
            key = rule.name if rule.name not in found else f"{rule.name} {rule.labels!r}"
            found[key] = f"{rule.expr} for {rule.for_}"
        return found

    left, right = texts(first), texts(second)
    rows = [
        {"rule": name, a: left.get(name, ""), b: right.get(name, "")}
        for name in dict.fromkeys([*left, *right])
        if left.get(name) != right.get(name)
    ]
    return pd.DataFrame(rows, columns=["rule", a, b])
