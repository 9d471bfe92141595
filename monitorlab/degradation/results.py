"""What `degradation.analyze` answers: changes, drifts, and a status a series.

>>> Degradation((), {}, {}).summary()
'no series judged'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.degradation.comparison import Comparison
from monitorlab.display import Result, format_number, to_plain
from monitorlab.model import Severity
from monitorlab.seasonality.rows import row_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Change", "Degradation", "Drift", "SeriesDegradation"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change point of one series.

    Parameters
    ----------
    series : str
        Name of the series.
    time : pandas.Timestamp
        First sample of the new regime.
    position : int
        The same, counted among the finite samples.
    before, after : float
        Level on both sides (season removed).
    effect : float
        ``after - before``.
    ratio : float
        Effect over the absolute level before; NaN where that is zero.
    standardised : float
        Effect in robust deviations of the noise.
    p_value : float
        Chance of as good a change in noise with the same memory.
    is_significant : bool
        Whether that is below 1 %.
    is_worse : bool or None
        None where nobody knows which way is worse.
    kind : {"sudden", "gradual"}
        A step, or a bend of the slope.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.degradation import analyze
    >>> index = pd.date_range("2026-01-01", periods=400, freq="1min", tz="UTC")
    >>> noise = np.random.default_rng(0).normal(100, 5, 400)
    >>> latency = pd.Series(noise + 40 * (np.arange(400) >= 300), index=index, name="latency_ms")
    >>> change = analyze(latency)[0].changes[0]
    >>> change.position, round(change.effect), change.is_worse
    (300, 40, True)
    """

    series: str
    time: pd.Timestamp
    position: int
    before: float
    after: float
    effect: float
    ratio: float
    standardised: float
    p_value: float
    is_significant: bool
    is_worse: bool | None
    kind: str


@dataclass(frozen=True, slots=True)
class Drift:
    """The slow kind: a slope since the last change that noise does not explain.

    Parameters
    ----------
    kind : {"drift", "leak"}
        A leak is a drift for the worse of something limited.
    slope_per_hour, low_per_hour, high_per_hour : float
        Slope with its 99 % interval.
    p_value : float
        Mann-Kendall, corrected for autocorrelation.
    effect, ratio, standardised : float
        Rise over the span: absolute, over the level at its start, in deviations.
    since : pandas.Timestamp
        Start of the span.
    is_worse : bool or None
        None where nobody knows which way is worse.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.degradation import analyze
    >>> index = pd.date_range("2026-01-01", periods=400, freq="1min", tz="UTC")
    >>> noise = np.random.default_rng(0).normal(100, 5, 400)
    >>> memory = pd.Series(noise + 0.1 * np.arange(400), index=index, name="memory_used_bytes")
    >>> drift = analyze(memory)[0].drift
    >>> drift.kind, round(drift.slope_per_hour, 1), drift.low_per_hour < 6 < drift.high_per_hour
    ('leak', 5.9, True)
    """

    kind: str
    slope_per_hour: float
    low_per_hour: float
    high_per_hour: float
    p_value: float
    effect: float
    ratio: float
    standardised: float
    since: pd.Timestamp
    is_worse: bool | None


@dataclass(frozen=True, slots=True)
class SeriesDegradation:
    """What became of one series.

    Parameters
    ----------
    series : str
        Name of the series.
    status : str
        "degraded", "improved", "changed" (nobody knows which way is worse), "recovered",
        "drifting", "wandering" (no level to return to: changes cannot be told from
        chance) or "stable".
    severity : Severity or None
        Of a series degraded or drifting.
    changes : tuple of Change
        In time order, those not significant included.
    drift : Drift or None
        The slow kind.
    comparison : Comparison or None
        When spans were given; it then decides the status.
    direction : {"up", "down", None}
        Which way is worse.
    reason : str
        How that is known.
    wanders : bool
        Whether the series has no level to return to.
    noise : float
        Robust deviation round the regimes.
    n_samples : int
        Finite samples.
    start, end : pandas.Timestamp
        First and last of them.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.degradation import analyze
    >>> index = pd.date_range("2026-01-01", periods=400, freq="1min", tz="UTC")
    >>> noise = np.random.default_rng(0).normal(100, 5, 400)
    >>> latency = pd.Series(noise + 40 * (np.arange(400) >= 300), index=index, name="latency_ms")
    >>> row = analyze(latency)[0]
    >>> row.status, row.direction, row.is_worse
    ('degraded', 'up', True)
    """

    series: str
    status: str
    severity: Severity | None
    changes: tuple[Change, ...]
    drift: Drift | None
    comparison: Comparison | None
    direction: str | None
    reason: str
    wanders: bool
    noise: float
    n_samples: int
    start: pd.Timestamp
    end: pd.Timestamp

    @property
    def is_worse(self) -> bool:
        """Whether the series is worse now than it used to be."""
        drifting = self.status == "drifting" and self.drift is not None
        return self.status == "degraded" or (drifting and self.drift.is_worse is True)  # type: ignore[union-attr]


@dataclass(frozen=True, repr=False, eq=False)
class Degradation(Result):
    """Lasting changes and drifts of several series.

    Parameters
    ----------
    rows : tuple of SeriesDegradation
        One a series, in the order given.
    skipped : dict of str to str
        Series that could not be judged, with the reason.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.degradation import analyze
    >>> index = pd.date_range("2026-01-01", periods=400, freq="1min", tz="UTC")
    >>> noise = pd.Series(np.random.default_rng(0).normal(100, 5, 400), index=index)
    >>> result = analyze({"calm_ms": noise, "slow_ms": noise + 40 * (np.arange(400) >= 300)})
    >>> [(row.series, row.status) for row in result.rows]
    [('calm_ms', 'stable'), ('slow_ms', 'degraded')]
    >>> result.changes[0].time
    Timestamp('2026-01-01 05:00:00+0000', tz='UTC')
    """

    rows: tuple[SeriesDegradation, ...]
    skipped: dict[str, str]
    _data: Mapping[str, pd.Series] = field(default_factory=dict)

    def __getitem__(self, name: object) -> SeriesDegradation:
        """Give the row of a series by its name, key or position."""
        return row_of(self.rows, name)

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes of all series, in time order."""
        return tuple(sorted((c for r in self.rows for c in r.changes), key=lambda c: c.time))

    @property
    def worse(self) -> tuple[SeriesDegradation, ...]:
        """Series that are worse now, most severe first."""
        return tuple(
            sorted(
                (r for r in self.rows if r.is_worse),
                key=lambda r: -(r.severity.rank if r.severity else -1),
            )
        )

    @property
    def events(self) -> pd.DataFrame:
        """One row a change: time, levels, effect, significance, verdict."""
        names = [
            "time", "series", "kind", "before", "after", "effect", "ratio", "standardised",
            "p_value", "is_significant", "is_worse",
        ]  # fmt: skip
        return pd.DataFrame([[getattr(c, n) for n in names] for c in self.changes], columns=names)

    def summary(self) -> str:
        """Say the result in one line."""
        if not self.rows:
            return "no series judged" + (f", {len(self.skipped)} skipped" if self.skipped else "")
        if len(self.rows) == 1:
            row = self.rows[0]
            text = f"{row.series} {row.status}"
            real = [c for c in row.changes if c.is_significant]
            if row.comparison is not None:
                text = row.comparison.summary()
            elif real:
                last = real[-1]
                text += (
                    f", last change {format_number(last.time)}: {format_number(last.before)} to "
                    f"{format_number(last.after)}"
                )
            elif row.drift is not None:
                text += f", {format_number(row.drift.slope_per_hour)} an hour"
            return text
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.status] = counts.get(row.status, 0) + 1
        text = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
        return text + (f", {len(self.skipped)} skipped" if self.skipped else "")

    def to_frame(self) -> pd.DataFrame:
        """Give one row a series: status, severity, last significant change, drift."""
        out = []
        for row in self.rows:
            real = [c for c in row.changes if c.is_significant]
            last = real[-1] if real else None
            out.append(
                {
                    "series": row.series,
                    "status": row.status,
                    "severity": None if row.severity is None else row.severity.value,
                    "changes": len(real),
                    "last_change": pd.NaT if last is None else last.time,
                    "before": None if last is None else last.before,
                    "after": None if last is None else last.after,
                    "ratio": None if last is None else last.ratio,
                    "p_value": None if last is None else last.p_value,
                    "drift_per_hour": None if row.drift is None else row.drift.slope_per_hour,
                    "worse_is": row.direction or "unknown",
                }
            )
        return pd.DataFrame(out)

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types."""
        return {"skipped": dict(self.skipped), "rows": [_plain(r) for r in self.rows]}

    def plot(self, series: object = None) -> go.Figure:
        """Draw series with their regimes; red where a change is for the worse."""
        import plotly.graph_objects as go

        from monitorlab import plotting

        rows = list(self.rows[:8]) if series is None else [self[series]]
        figure = plotting.new_figure(
            title="Degradation",
            rows=max(1, len(rows)),
            titles=[f"{r.series}: {r.status}" for r in rows],
        )
        for at, row in enumerate(rows, start=1):
            data = self._data[row.series]
            t, v = plotting.downsample(plotting.time_axis(data.index), data.to_numpy())
            figure.add_trace(
                go.Scatter(x=t, y=v, name=row.series, mode="lines", showlegend=False,
                           line={"color": plotting.PALETTE[7], "width": 1}),
                row=at, col=1,
            )  # fmt: skip
            for start, end, level, color in _regimes(row, plotting.PALETTE):
                figure.add_trace(
                    go.Scatter(x=plotting.time_axis(pd.DatetimeIndex([start, end])),
                               y=[level, level], mode="lines", showlegend=False,
                               hovertemplate=f"level {format_number(level)}<extra></extra>",
                               line={"color": color, "width": 3}),
                    row=at, col=1,
                )  # fmt: skip
        return figure


def _regimes(
    row: SeriesDegradation, palette: tuple[str, ...]
) -> list[tuple[pd.Timestamp, pd.Timestamp, float, str]]:
    real = [c for c in row.changes if c.is_significant]
    if not real:
        return []
    starts = [row.start, *(c.time for c in real)]
    ends = [*(c.time for c in real), row.end]
    levels = [real[0].before, *(c.after for c in real)]
    colors = [palette[0]]
    for change in real:
        shade = {True: palette[5], False: palette[2], None: palette[1]}[change.is_worse]
        colors.append(shade)
    return list(zip(starts, ends, levels, colors, strict=True))


def _plain(row: SeriesDegradation) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in row.__dataclass_fields__:
        value = getattr(row, name)
        out[name] = value.to_dict() if isinstance(value, Comparison) else to_plain(value)
    out["is_worse"] = row.is_worse
    return out
