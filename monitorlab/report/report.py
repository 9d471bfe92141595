"""``Report``: the executive summary of a recording, as text, HTML and plain JSON types.

>>> import monitorlab as ml
>>> print(ml.Report(ml.MonitoringFrame(), progress=False))
Report: nothing recorded
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.display import Result, format_number, text_table, to_plain
from monitorlab.overview import HORIZONS, Findings, Objective, collect
from monitorlab.report import figure, render, sections
from monitorlab.report.schema import SCHEMA_ID
from monitorlab.report.summary import headline_of, sentences
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    import os

    import plotly.graph_objects as go

    from monitorlab.frame import MonitoringFrame

__all__ = ["Report"]


class Report(Result):
    """Health, incidents, alerts, anomalies, changes, forecasts and advice over some horizons.

    Parameters
    ----------
    mf : MonitoringFrame
        What was recorded, with its rules and its incidents.
    horizons : sequence of duration
        Look back so far from the as-of time; longer ones than the recording say how much of
        them it covers.
    objectives : sequence of Objective
        What was promised: ``ml.report.Objective(name, good=…, total=…, target=0.999)`` for a
        share of events, or ``Objective(name, holds="latency_seconds < 0.5", target=0.99)`` for a
        share of time. Each horizon says what was attained, how much of its error budget is left
        and how fast it burns.
    forecast : mapping of str to capacity, optional
        Signals to forecast, each with a number, a metric name, a function, or None for no
        capacity; by default every metric whose limit is recorded beside it.
    forecast_horizon : duration, optional
        How far to look ahead; a quarter of the recording by default.
    title : str
        Heading.
    progress : bool
        Show a progress bar while the analyses run.

    Notes
    -----
    Everything is computed once, when the report is first looked at, as of the newest sample.
    ``to_dict`` follows ``monitorlab.report.SCHEMA``.

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
    >>> report = ml.Report(mf, horizons=("1h",), progress=False)
    >>> report.to_dict()["horizons"][0]["health"]["status"]
    'ok'
    """

    def __init__(
        self,
        mf: MonitoringFrame,
        horizons: Sequence[DurationLike] = HORIZONS,
        *,
        objectives: Sequence[Objective] = (),
        forecast: Mapping[str, Any] | None = None,
        forecast_horizon: DurationLike | None = None,
        title: str = "Monitoring report",
        progress: bool = True,
    ) -> None:
        self._frame = mf
        self._horizons_given = tuple(horizons)
        self._horizons = [parse_duration(horizon) for horizon in horizons]
        self._objectives = tuple(objectives)
        self._forecast = forecast
        self._forecast_horizon = forecast_horizon
        self._progress = progress
        self.title = title

    @cached_property
    def findings(self) -> Findings:
        """The results that the report is made from."""
        return collect(
            self._frame.selection,
            rules=self._frame.rules,
            incidents=self._frame.selection.incidents or None,
            forecast=self._forecast,
            horizon=self._forecast_horizon,
            objectives=self._objectives,
            horizons=self._horizons_given,
            progress=self._progress,
        )

    @cached_property
    def _plain(self) -> dict[str, Any]:
        found = self.findings
        advice = found.advice.to_dict()
        plain = {
            "schema": SCHEMA_ID,
            "title": self.title,
            "as_of": to_plain(found.end),
            "recording": {
                "start": to_plain(found.start),
                "end": to_plain(found.end),
                "series": found.n_series,
                "samples": found.n_samples,
                "rules": len(self._frame.rules),
            },
            "horizons": [sections.horizon(found, span) for span in self._horizons],
            "forecasts": sections.forecast_rows(found),
            "recommendations": advice["items"],
            "not_judged": [*advice["not_judged"], *found.notes],
        }
        return {**plain, "summary": sentences(plain)}

    def summary(self) -> str:
        """Say the health of each horizon in one line."""
        if self.findings.end is None:
            return "nothing recorded"
        parts = [
            f"last {h['horizon']}: {h['health']['status']} ({h['health']['score']}/100)"
            for h in self._plain["horizons"]
        ]
        return "; ".join(parts)

    def to_frame(self) -> pd.DataFrame:
        """Give one row for each horizon."""
        return pd.DataFrame(
            [
                {
                    "horizon": h["horizon"],
                    "health": h["health"]["status"],
                    "score": h["health"]["score"],
                    "incidents": len(h["incidents"]),
                    "found by a rule": sum(i["detected"] is not None for i in h["incidents"]),
                    "rules firing": len(h["alerts"]),
                    "anomalies": h["anomaly_count"],
                    "lasting changes": len(h["changes"]),
                    "covered": h["covered_ratio"],
                }
                for h in self._plain["horizons"]
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the whole report as plain JSON types, in the shape of ``SCHEMA``."""
        return copy.deepcopy(self._plain)

    def plot(self) -> go.Figure:
        """Draw the timeline: the busiest signals, incidents, and when rules fired."""
        return figure.timeline(self.findings)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write the report as one HTML file that opens without a network.

        Parameters
        ----------
        path : path, optional
            File to write; nothing is written without one.

        Returns
        -------
        str
            The page.
        """
        page = render.page(self._plain, self.findings)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def __str__(self) -> str:
        if self.findings.end is None:
            return repr(self)
        lines = [self.title, *(f"  {words}" for words in self._plain["summary"])]
        lines += ["", text_table(self.to_frame(), index=False)]
        main = headline_of(self._plain["horizons"])
        promises = [
            f"last {h['horizon']}: {one['text']}"
            for h in self._plain["horizons"]
            for one in h["objectives"]
        ]
        lines += ["", *promises] if promises else []
        incidents = [] if main is None else main["incidents"]
        if incidents:
            table = pd.DataFrame(incidents)
            table = pd.DataFrame(
                {
                    "incident": table["kind"],
                    "start": [format_number(pd.Timestamp(t)) for t in table["start"]],
                    "end": [format_number(pd.Timestamp(t)) for t in table["end"]],
                    "found by": table["detected"].fillna("–"),
                    "after (s)": table["delay_seconds"],
                }
            )
            lines += ["", text_table(table, index=False, max_rows=40)]
        return "\n".join([*lines, "", str(self.findings.advice)])

    def _repr_html_(self) -> str:
        return render.fragment(self._plain)
