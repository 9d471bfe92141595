"""What ``detect`` gives back: scores, events, pictures and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.events import explain_event
from monitorlab.display import Result
from monitorlab.errors import UnknownSeriesError, did_you_mean

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Anomalies"]

MAX_PLOTS = 8


@dataclass(frozen=True, repr=False, eq=False)
class Anomalies(Result):
    """The anomalies of one or of several series.

    Parameters
    ----------
    scores : pandas.Series or pandas.DataFrame
        Scores in [0, 1]: a Series for one series, else a column for each.
    events : pandas.DataFrame
        One row an event: series, time (of the alarm), start, peak, end (exclusive), value,
        expected, lower, upper, score, kind, severity, statistics (the surprise of those that
        spoke), and with ``together=True`` shares (series ranked by their part).
    threshold : float
        Score at and above which a sample was called an anomaly.
    detector : str
        Name of the detector.
    together : bool
        Whether the events are those of all series jointly.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab import anomaly
    >>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
    >>> series = pd.Series(np.arange(600) % 10.0, index=index, name="queue")
    >>> series.iloc[500] = 40.0
    >>> found = anomaly.detect(series)
    >>> found
    Anomalies: 1 event in 600 samples (detector 'auto', threshold 0.999)
    >>> found.events["kind"].tolist(), found.trace().loc[index[500], "score"].item() > 0.999
    (['spike'], True)
    """

    scores: pd.Series | pd.DataFrame
    events: pd.DataFrame
    threshold: float
    detector: str
    together: bool = False
    _series: Mapping[str, pd.Series] = field(default_factory=dict)
    _traces: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def summary(self) -> str:
        """Say the result in one line."""
        n = len(self._series)
        alarms = int((self.events["kind"] != "gap").sum())
        gaps = len(self.events) - alarms
        rows = sum(len(s) for s in self._series.values())
        text = f"{alarms} event{'s' if alarms != 1 else ''} in {rows} samples"
        if n != 1:
            text += f" of {n} series"
        if gaps:
            text += f", {gaps} gap{'s' if gaps != 1 else ''}"
        return f"{text} (detector {self.detector!r}, threshold {self.threshold:g})"

    def to_frame(self) -> pd.DataFrame:
        """Give the events as a table without the inner columns."""
        return self.events.drop(columns=["statistics", "shares"], errors="ignore")

    def to_dict(self) -> dict[str, Any]:
        """Give parameters and events as plain JSON types; scores stay behind."""
        from monitorlab.display import to_plain

        return {
            "detector": self.detector,
            "threshold": self.threshold,
            "together": self.together,
            "samples": {name: len(s) for name, s in self._series.items()},
            "events": to_plain(self.events.reset_index(drop=True)),
        }

    def trace(self, series: str | None = None) -> pd.DataFrame:
        """Give score, band and surprise of each statistic for every sample of one series.

        Parameters
        ----------
        series : str, optional
            Its name; may be left out when there is one.

        Returns
        -------
        pandas.DataFrame
            As ``Ensemble.trace``.

        Raises
        ------
        UnknownSeriesError
            If there is no such series, or none was named out of several.
        """
        if series is None and len(self._traces) == 1:
            return next(iter(self._traces.values()))
        if series is None or series not in self._traces:
            what = "name one series" if series is None else f"no series {series!r}"
            msg = f"{what}{did_you_mean(str(series), self._traces)}"
            raise UnknownSeriesError(msg)
        return self._traces[series]

    def explain(self, event: int | None = None) -> str:
        """Say in a sentence what an event is; without a number, one line for each.

        Parameters
        ----------
        event : int, optional
            Row in ``events``.

        Returns
        -------
        str
            One sentence, or one a line.

        Raises
        ------
        IndexError
            If there is no such event.
        """
        if event is not None:
            if not -len(self.events) <= event < len(self.events):
                msg = f"there are {len(self.events)} events, no number {event}"
                raise IndexError(msg)
            return self._sentence(self.events.iloc[event])
        return "\n".join(self._sentence(row) for _, row in self.events.iterrows())

    def plot(self) -> go.Figure:
        """Draw each series with its band and its events, and the scores below."""
        from monitorlab.plotting import (
            PALETTE,
            SEVERITY_COLORS,
            add_bands,
            downsample,
            new_figure,
            time_axis,
        )

        names = self._plotted()
        titles = [*names, "score"]
        figure = new_figure(rows=len(titles), titles=titles, title=self.summary())
        for row, name in enumerate(names, start=1):
            series, trace = self._series[name], self._traces[name]
            stamps = series.index.as_unit("ns").asi8
            if "upper" in trace:
                for column, fill in (("upper", None), ("lower", "tonexty")):
                    x, y = downsample(stamps, trace[column].to_numpy())
                    figure.add_scatter(
                        x=time_axis(x), y=y, mode="lines", line={"width": 0}, fill=fill,
                        fillcolor="rgba(127,127,127,0.2)", hoverinfo="skip", showlegend=False,
                        row=row, col=1,
                    )  # fmt: skip
            x, y = downsample(stamps, series.to_numpy(dtype=np.float64))
            figure.add_scatter(
                x=time_axis(x), y=y, mode="lines", name=name, showlegend=False,
                line={"color": PALETTE[0], "width": 1.2}, row=row, col=1,
            )  # fmt: skip
            mine = self.events if self.together else self.events[self.events["series"] == name]
            spans = [
                (e.start, max(e.end, e.start), e.kind, SEVERITY_COLORS[e.severity])
                for e in mine.itertuples()
            ]
            add_bands(figure, spans, row=row)
        scores = self.scores.to_frame() if isinstance(self.scores, pd.Series) else self.scores
        for column in scores.columns[:MAX_PLOTS]:
            kept = scores[column].dropna()
            x, y = downsample(kept.index.as_unit("ns").asi8, kept.to_numpy())
            figure.add_scatter(
                x=time_axis(x), y=y, mode="lines", name=str(column), showlegend=False,
                line={"width": 1}, row=len(titles), col=1,
            )  # fmt: skip
        figure.update_yaxes(range=[0, 1.02], row=len(titles), col=1)
        return figure

    def _plotted(self) -> list[str]:
        names = list(self._series)
        counts = self.events["series"].value_counts()
        return sorted(names, key=lambda n: (-int(counts.get(n, 0)), names.index(n)))[:MAX_PLOTS]

    def _sentence(self, row: pd.Series) -> str:
        text = explain_event(row)
        shares = row.get("shares")
        if not isinstance(shares, Mapping) or not shares:
            return text
        ranked = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        return f"{text} Shares: {ranked}."
