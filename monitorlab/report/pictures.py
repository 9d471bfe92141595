"""The two large pictures of the page, as SVG: what happened, and where capacity goes.

>>> import monitorlab as ml
>>> mf = ml.MonitoringFrame()
>>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
>>> happened(ml.Report(mf, progress=False).findings).startswith("<svg")
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.plotting import downsample
from monitorlab.recommend.quantities import human, unit_of
from monitorlab.report.charts import paths, text, tick_label, ticks, time_ticks
from monitorlab.report.figure import telling

if TYPE_CHECKING:
    from monitorlab.overview import Findings

__all__ = ["fan", "happened"]

_WIDTH, _LEFT, _RIGHT = 1120, 136, 12
_ROW, _GAP, _LANE = 76, 30, 17
_POINTS = 900


class _Axis:
    """Turns times into pixels."""

    def __init__(self, start: pd.Timestamp, end: pd.Timestamp, left: float, right: float) -> None:
        self.start, self.end = start, end
        self.left, self.right = left, right
        self._from = start.value
        self._scale = (right - left) / max(end.value - start.value, 1)

    def at(self, times: Any) -> Any:
        """Give pixels of nanoseconds."""
        return self.left + (np.asarray(times, dtype=float) - self._from) * self._scale

    def span(self, start: pd.Timestamp, end: pd.Timestamp) -> tuple[float, float]:
        """Give left edge and width of a span, cut at the axis."""
        left = float(np.clip(self.at(start.value), self.left, self.right))
        right = float(np.clip(self.at(end.value), self.left, self.right))
        return left, max(right - left, 2.0)

    def grid(self, top: float, bottom: float, *, most: int = 9) -> list[str]:
        """Draw the ticks of time with their labels below."""
        parts = []
        for tick in time_ticks(self.start, self.end, most):
            x = float(self.at(tick.value))
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
            anchor = "start" if x < self.left + 16 else "end" if x > self.right - 16 else "middle"
            words = tick_label(tick, self.end - self.start)
            parts.append(text(x, bottom + 16, words, "tick", anchor))
        return parts


def happened(findings: Findings, start: pd.Timestamp | None = None) -> str:
    """Draw the signals that tell most, the incidents behind them, and when rules fired below.

    Parameters
    ----------
    findings : Findings
        Of a recording with at least one sample.
    start : pandas.Timestamp, optional
        Where the picture begins; the first sample by default.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
    >>> "queue" in happened(ml.Report(mf, progress=False).findings)
    True
    """
    first, last = findings.start, findings.end
    if first is None or last is None:
        return ""
    begin = first if start is None else max(start, first)
    axis = _Axis(begin, last, _LEFT, _WIDTH - _RIGHT)
    chosen = telling(findings)
    inside = findings.firings
    if len(inside):
        inside = inside[inside["end"] >= begin]
    rules = sorted(set(inside["rule"])) if len(inside) else []
    lanes_top = len(chosen) * (_ROW + _GAP) + 8
    bottom = lanes_top + (22 + _LANE * len(rules) if rules else -8)
    parts = axis.grid(4, bottom)
    for _, incident in findings.incidents.iterrows():
        if incident["end"] < begin:
            continue
        x, width = axis.span(incident["start"], incident["end"])
        parts.append(
            f'<rect class="incident {incident["severity"]}" x="{x:.1f}" y="4" '
            f'width="{width:.1f}" height="{bottom - 4}"><title>'
            f"{_said(incident['kind'], incident['start'], incident['end'])}</title></rect>"
        )
    for row, key in enumerate(chosen):
        parts += _line(findings, key, axis, 22 + row * (_ROW + _GAP), row)
    if rules:
        parts.append(text(_LEFT, lanes_top + 10, "alert rules firing", "name"))
    for lane, rule in enumerate(rules):
        y = lanes_top + 20 + lane * _LANE
        for _, one in inside[inside["rule"] == rule].iterrows():
            x, width = axis.span(one["start"], one["end"])
            parts.append(
                f'<rect class="lane {one["severity"]}" x="{x:.1f}" y="{y}" width="{width:.1f}" '
                f'height="{_LANE - 5}" rx="2"><title>'
                f"{_said(rule, one['start'], one['end'])}</title></rect>"
            )
        parts.append(text(_LEFT - 6, y + 10, _short(rule, 18), "tick", "end"))
    height = bottom + 24
    return (
        f'<svg class="happened" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="signals, incidents and firing rules over time">{"".join(parts)}</svg>'
    )


def fan(forecast: Any, *, width: int = 548, height: int = 190) -> str:
    """Draw a forecast: the past, the mean, the interval, and the limit if there is one.

    Parameters
    ----------
    forecast : Forecast
        What to draw.
    width, height : int
        In pixels.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.forecasting import forecast_series
    >>> index = pd.date_range("2026-01-01", periods=60, freq="1h", tz="UTC")
    >>> series = pd.Series(np.arange(60.0), index=index, name="disk_used_bytes")
    >>> "limit" in fan(forecast_series(series, "12h", capacity=80.0))
    True
    """
    past = forecast.history.dropna()
    ahead = forecast.mean.index[-1] - past.index[-1]
    past = past[past.index >= past.index[-1] - 3 * ahead]
    axis = _Axis(past.index[0], forecast.mean.index[-1], 58, width - 8)
    limit = None if forecast.capacity is None else forecast.capacity.to_numpy(dtype=float)
    values = past.to_numpy(dtype=float)
    both = [values, forecast.lower.to_numpy(float), forecast.upper.to_numpy(float)]
    data = np.concatenate(both)
    low, high = float(np.nanmin(data)), float(np.nanmax(data))
    if limit is not None and np.isfinite(limit).any():
        high = max(high, min(float(np.nanmax(limit)), high + 2 * (high - low)))
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    top, bottom = 12.0, height - 26.0
    scale = (bottom - top) / (high - low + 2 * pad)

    def y(value: Any) -> Any:
        return bottom - (np.asarray(value, dtype=float) - low + pad) * scale

    unit = unit_of(str(forecast.history.name))
    parts = axis.grid(top, bottom, most=5)
    for tick in ticks(low, high):
        parts.append(text(54, float(y(tick)) + 4, human(tick, unit), "tick", "end"))
    times = forecast.mean.index.as_unit("ns").asi8
    keep = np.unique(np.linspace(0, len(times) - 1, min(len(times), 240)).astype(int))
    xs = axis.at(times[keep])
    upper, lower = y(forecast.upper.to_numpy(float)[keep]), y(forecast.lower.to_numpy(float)[keep])
    edge = paths(xs, upper) + "L" + paths(xs[::-1], lower[::-1])[1:] + "Z"
    parts.append(f'<path class="band" d="{edge}"/>')
    then, seen = downsample(past.index.as_unit("ns").asi8, values, 500)
    parts.append(f'<path class="past" d="{paths(axis.at(then), y(seen))}"/>')
    parts.append(f'<path class="mean" d="{paths(xs, y(forecast.mean.to_numpy(float)[keep]))}"/>')
    if limit is not None and float(np.nanmin(limit)) <= high + pad:
        parts.append(f'<path class="limit" d="{paths(xs, y(limit[keep]))}"/>')
        at = float(y(limit[keep][0]))
        said = f"limit {human(limit[keep][0], unit)}"
        parts.append(text(float(xs[0]) - 6, at + 4, said, "limit", "end"))
    elif limit is not None:
        parts.append(text(width - 8, top + 8, f"limit {human(limit[0], unit)} ↑", "limit", "end"))
    return (
        f'<svg class="fan" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="forecast">{"".join(parts)}</svg>'
    )


def _line(findings: Findings, key: Any, axis: _Axis, top: float, number: int) -> list[str]:
    series = findings.signals[key]
    times = series.index.as_unit("ns").asi8
    values = series.to_numpy(dtype=float)
    values = np.where(times >= axis.start.value, values, np.nan)
    shown = values[np.isfinite(values)]
    if not len(shown):
        return []
    low, high = float(shown.min()), float(shown.max())
    low = 0.0 if 0 <= low < 0.35 * high else low
    span = (high - low) or 1.0
    x, seen = downsample(
        times[times >= axis.start.value], values[times >= axis.start.value], _POINTS
    )
    y = top + _ROW - _ROW * (seen - low) / span
    unit = unit_of(str(key), findings.units.get(key.metric, ""))
    return [
        text(_LEFT, top - 6, _short(str(key), 100), "name"),
        (
            f'<line class="base" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{top + _ROW}" '
            f'y2="{top + _ROW}"/>'
        ),
        f'<path class="line c{number % 5}" d="{paths(axis.at(x), y)}"/>',
        text(_LEFT - 6, top + 10, human(high, unit), "tick", "end"),
        text(_LEFT - 6, top + _ROW, human(low, unit), "tick", "end"),
    ]


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _said(what: str, start: pd.Timestamp, end: pd.Timestamp) -> str:
    import html

    return html.escape(f"{what}: {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC")
