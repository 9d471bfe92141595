"""What an expected event says of others: those that are like it are expected too.

>>> import numpy as np, pandas as pd
>>> from monitorlab import anomaly
>>> index = pd.date_range("2026-01-01", periods=1200, freq="min", tz="UTC")
>>> values = pd.Series(np.random.default_rng(1).normal(size=1200), index=index, name="load")
>>> values.iloc[[500, 1000]] += [12.0, 30.0]
>>> found = anomaly.detect(values)
>>> mark = found.mark(0, "expected")
>>> again = anomaly.detect(values, marks=[mark])
>>> again.events["verdict"].tolist(), again.events["severity"].tolist()
(['expected', ''], ['info', 'error'])
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.verdicts import judged_by, verdicts_on
from monitorlab.model import Incident, Severity

__all__ = ["SO_MUCH_LARGER", "heed"]

SO_MUCH_LARGER = 1.3  # what is larger than an expected event by this factor is not like it
_SIDED = ("level shift", "trend change")  # kinds that go up or down without saying so


@dataclass(frozen=True)
class _Form:
    """What an event is compared by."""

    what: tuple[str, str, float, bool]  # series, kind, side, and whether samples are absent
    size: float


def heed(
    events: pd.DataFrame,
    known: pd.DataFrame,
    marks: Iterable[Incident],
    threshold: float,
    *,
    series: Mapping[str, pd.Series],
    traces: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Write verdicts beside events, and leave out the expected ones that are not rare.

    Parameters
    ----------
    events : pandas.DataFrame
        What was found with the adapted threshold.
    known : pandas.DataFrame
        What was found without verdicts: the events that people saw when they judged.
    marks : iterable of Incident
        Verdicts.
    threshold : float
        What was itself marked as expected is left out below this score
        (``Feedback.threshold_expected``).
    series, traces : mapping of str to Series and DataFrame
        Samples, and what was found for each.

    Returns
    -------
    pandas.DataFrame
        The events that stay; the expected ones are information.

    Notes
    -----
    An event without a verdict of its own is expected if it is like one that was: of the same
    series, kind and side, and not more than 1.3 times as large, in the greatest distance from
    the expected value (of gaps and of flat lines: in length). It stays in the table. Where an
    event that is as large as it, or at most 1.3 times larger, was marked as an anomaly, it is
    not expected. The time of the day is not asked. A mark over several events (a maintenance)
    judges those, and says nothing of others. Gaps and flat lines have no score: they stay.

    Examples
    --------
    >>> from monitorlab.anomaly.absences import find_gaps
    >>> index = pd.date_range("2026-01-01", periods=200, freq="min", tz="UTC")
    >>> lost = [*range(50, 80), *range(150, 170)]
    >>> load = pd.Series(1.0, index=index, name="load").drop(index[lost])
    >>> gaps = find_gaps(load, name="load")
    >>> mark = Incident.make(gaps["start"][0], gaps["end"][0], "expected", metrics=("load",))
    >>> heed(gaps, gaps, [mark], 0.999, series={"load": load}, traces={})["verdict"].tolist()
    ['expected', 'expected']
    """
    marks = list(marks)
    if not marks or not len(events):
        return events
    examples = _examples(known, marks, series, traces)
    own = verdicts_on(events, marks)
    usual = (events["score"] < threshold).to_numpy()
    events = events.assign(verdict=own)[~(usual & (own == "expected"))]
    said = [
        row["verdict"] or _likened(_form(row, series, traces), examples)
        for _, row in events.iterrows()
    ]
    events = events.assign(verdict=said).reset_index(drop=True)
    events.loc[events["verdict"] == "expected", "severity"] = Severity.INFO.value
    return events


def _likened(form: _Form, examples: list[tuple[_Form, str]]) -> str:
    alike = [(example.size, said) for example, said in examples if example.what == form.what]
    expected = max((size for size, said in alike if said == "expected"), default=-math.inf)
    fault = min((size for size, said in alike if said == "anomaly"), default=math.inf)
    within = form.size <= SO_MUCH_LARGER * expected and form.size * SO_MUCH_LARGER < fault
    return "expected" if within else ""


def _examples(known: pd.DataFrame, marks: list[Incident], *of: Any) -> list[tuple[_Form, str]]:
    """Give the events that a mark means: those that it meets alone among their sort."""
    said = verdicts_on(known, marks)
    silent = known["score"].isna().to_numpy()
    found = []
    for mark in marks:
        met = judged_by(known, mark)
        for sort in (silent, ~silent):
            same = np.flatnonzero(met & sort)
            if len(same) == 1:
                found.append((_form(known.iloc[same[0]], *of), str(said[same[0]])))
    return found


def _form(
    row: pd.Series, series: Mapping[str, pd.Series], traces: Mapping[str, pd.DataFrame]
) -> _Form:
    name, kind = str(row["series"]), str(row["kind"])
    if math.isnan(row["score"]):
        return _Form((name, kind, 0.0, True), (row["end"] - row["start"]).total_seconds())
    inside = slice(*series[name].index.searchsorted([row["start"], row["end"]]))
    away = series[name].to_numpy()[inside] - traces[name]["expected"].to_numpy()[inside]
    away = away[~np.isnan(away)]
    if not len(away):  # a detector that expects no value: as large as it is rare
        return _Form((name, kind, 0.0, False), 1.0 / max(1.0 - row["score"], 1e-12))
    side = float(np.sign(away.mean())) if kind in _SIDED else 0.0
    return _Form((name, kind, side, False), float(np.abs(away).max()))
