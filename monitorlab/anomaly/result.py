"""What ``detect`` gives back: scores, events, pictures and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from monitorlab.anomaly.events import explain_event
from monitorlab.anomaly.verdicts import verdict_incident
from monitorlab.display import Result
from monitorlab.errors import UnknownSeriesError, did_you_mean

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.model import Incident

__all__ = ["Anomalies"]

TOLD = 10  # series whose share a sentence names


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
        spoke), verdict (what people said of it, or of one like it), and with ``together=True``
        shares (series ranked by their part; they sum to one).
    threshold : float
        Score at and above which a sample was called an anomaly.
    detector : str
        Name of the detector.
    together : bool
        Whether the events are those of all series jointly.
    thresholds : mapping of str to float
        The threshold of each series in which verdicts moved it (``""`` for the joint one).
    series, traces : mapping of str to Series and DataFrame
        What was looked at, and what was found for each sample.
    marks : list of Incident
        Where ``mark`` puts verdicts: the frame's incidents, for a result of a frame.

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
    thresholds: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, pd.Series] = field(default_factory=dict, repr=False)
    traces: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    marks: list[Incident] = field(default_factory=list, repr=False)

    def summary(self) -> str:
        """Say the result in one line."""
        n = len(self.series)
        alarms = int((self.events["kind"] != "gap").sum())
        gaps = len(self.events) - alarms
        rows = sum(len(s) for s in self.series.values())
        text = f"{alarms} event{'s' if alarms != 1 else ''} in {rows} samples"
        if n != 1:
            text += f" of {n} series"
        if gaps:
            text += f", {gaps} gap{'s' if gaps != 1 else ''}"
        if expected := int((self.events["verdict"] == "expected").sum()):
            text += f", {expected} of them expected"
        text = f"{text} (detector {self.detector!r}, threshold {self.threshold:g}"
        if len(self.thresholds) == 1 and n == 1:
            text += f", moved to {next(iter(self.thresholds.values())):.6g} by verdicts"
        elif self.thresholds:
            text += f", moved in {len(self.thresholds)} of them by verdicts"
        return f"{text})"

    def to_frame(self) -> pd.DataFrame:
        """Give the events as a table without the inner columns."""
        inner = ["statistics", "shares"]
        if not (self.events["verdict"] != "").any():
            inner.append("verdict")
        return self.events.drop(columns=inner, errors="ignore")

    def to_dict(self) -> dict[str, Any]:
        """Give parameters and events as plain JSON types; scores stay behind."""
        from monitorlab.display import to_plain

        return {
            "detector": self.detector,
            "threshold": self.threshold,
            "thresholds": dict(self.thresholds),
            "together": self.together,
            "samples": {name: len(s) for name, s in self.series.items()},
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
        if series is None and len(self.traces) == 1:
            return next(iter(self.traces.values()))
        if series is None or series not in self.traces:
            what = "name one series" if series is None else f"no series {series!r}"
            msg = f"{what}{did_you_mean(str(series), self.traces)}"
            raise UnknownSeriesError(msg)
        return self.traces[series]

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

    def mark(self, event: int, verdict: Literal["expected", "anomaly"]) -> Incident:
        """Say of an event that it was expected, or that it was an anomaly indeed.

        Parameters
        ----------
        event : int
            Row in ``events``.
        verdict : {"expected", "anomaly"}
            What it was.

        Returns
        -------
        Incident
            What is kept. The result of ``mf.anomalies`` keeps it with the frame's incidents,
            so that it is stored with them and the next ``mf.anomalies`` heeds it.

        Raises
        ------
        ValueError
            If the verdict is another word.
        IndexError
            If there is no such event.

        See Also
        --------
        Feedback : how verdicts move the threshold.

        Notes
        -----
        What is like an expected event (the same series, kind and side, at most 1.3 times as
        large) is expected too, and listed as information. What is of another kind, or larger,
        stays as it is: the threshold of all events moves little for one mark, and more the
        more marks there are. Gaps and flat lines that were expected stay, as information; of
        other events those that are rare.

        Live feeds with ``detectors=`` heed verdicts as well. An expression does not: in a rule
        ``anomaly_score(x) > 0.999`` the score is the raw one and the threshold is in the text.
        Write the one of ``thresholds`` there, or silence the alert.
        """
        incident = verdict_incident(self.events, event, verdict)
        self.marks.append(incident)
        return incident

    def plot(self, series: str | None = None) -> go.Figure:
        """Draw each series with its band and its events, and the scores below.

        Parameters
        ----------
        series : str, optional
            The one series to draw.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        UnknownSeriesError
            If there is no such series.
        """
        from monitorlab.anomaly.pictures import draw

        if series is not None:
            self.trace(series)
        return draw(self, series)

    def _sentence(self, row: pd.Series) -> str:
        text = explain_event(row)
        shares = row.get("shares")
        if not isinstance(shares, Mapping) or not shares:
            return text
        told = list(shares.items())[:TOLD]
        ranked = ", ".join(f"{name} {100 * share:.0f} %" for name, share in told)
        if len(shares) > TOLD:
            rest = 100 * (1.0 - sum(share for _, share in told))
            ranked += f", {len(shares) - TOLD} more {rest:.0f} %"
        return f"{text} Shares: {ranked}."
