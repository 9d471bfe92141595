"""Small pictures as SVG: they need no script, take the page's colours, and print sharp.

>>> sparkline([1.0, 2.0]).startswith('<svg class="spark"')
True
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["meter", "paths", "sparkline", "strip", "text", "tick_label", "ticks", "time_ticks"]

_STEPS = (
    "1s", "5s", "15s", "30s", "1min", "2min", "5min", "10min", "15min", "30min", "1h", "2h", "3h",
    "6h", "12h", "1D", "2D", "7D", "14D", "28D", "56D", "91D", "182D", "365D",
)  # fmt: skip


def sparkline(
    values: Sequence[float | None], *, split: float | None = 0.5, width: int = 132, height: int = 30
) -> str:
    """Draw a line as small as a word; the part before the split is soft.

    Parameters
    ----------
    values : sequence of float or None
        At equal distances; None is a gap.
    split : float, optional
        Share of the width that belongs to the previous period.
    width, height : int
        Size in pixels.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> sparkline([])
    ''
    """
    ys = np.array([np.nan if v is None else v for v in values], dtype=float)
    finite = ys[np.isfinite(ys)]
    if len(finite) < 2:
        return ""
    low, high = float(finite.min()), float(finite.max())
    span = high - low or 1.0
    xs = 2 + (width - 4) * np.arange(len(ys)) / max(len(ys) - 1, 1)
    points = height - 3 - (height - 6) * (ys - low) / span
    cut = 0 if split is None else int(len(ys) * split)
    before = paths(xs[: cut + 1], points[: cut + 1])
    after = paths(xs[cut:], points[cut:])
    last = np.flatnonzero(np.isfinite(ys))[-1]
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-hidden="true"><path class="before" d="{before}"/><path class="now" d="{after}"/>'
        f'<circle cx="{xs[last]:.1f}" cy="{points[last]:.1f}" r="2.2"/></svg>'
    )


def strip(shares: Sequence[float | None], target: float, *, width: int = 210) -> str:
    """Draw how well a promise was kept over time: one cell for each part of the span.

    Parameters
    ----------
    shares : sequence of float or None
        Share that was good, oldest first.
    target : float
        What was promised.
    width : int
        In pixels.

    Returns
    -------
    str
        SVG: kept, missed by up to ten budgets, missed by more, not measured.

    Examples
    --------
    >>> strip([1.0, None, 0.5], 0.99).count("<rect")
    3
    """
    if not shares:
        return ""
    step = width / len(shares)
    cells = []
    for i, share in enumerate(shares):
        burn = None if share is None else (1 - share) / (1 - target)
        kind = (
            "none" if burn is None
            else "kept" if burn <= 1 + 1e-9
            else "missed" if burn <= 10
            else "lost"
        )  # fmt: skip
        said = "nothing measured" if share is None else f"{100 * share:.3g} %"
        cells.append(
            f'<rect class="{kind}" x="{i * step:.2f}" y="0" width="{step - 1:.2f}" height="18" '
            f'rx="1.5"><title>{said}</title></rect>'
        )
    return (
        f'<svg class="strip" viewBox="0 0 {width} 18" width="{width}" height="18" role="img" '
        f'aria-label="attainment over the span">{"".join(cells)}</svg>'
    )


def meter(ratio: float | None, *, warn: float = 0.8, bad: float = 0.95, width: int = 120) -> str:
    """Draw how full something is.

    Parameters
    ----------
    ratio : float or None
        0 to 1; more is drawn as full.
    warn, bad : float
        From where on it takes the colours of a warning and of trouble.
    width : int
        In pixels.

    Returns
    -------
    str
        SVG; empty for None.

    Examples
    --------
    >>> 'class="fill critical"' in meter(0.99)
    True
    """
    if ratio is None:
        return ""
    kind = "critical" if ratio >= bad else "warning" if ratio >= warn else "ok"
    filled = width * min(max(ratio, 0.0), 1.0)
    return (
        f'<svg class="meter" viewBox="0 0 {width} 8" width="{width}" height="8" aria-hidden="true">'
        f'<rect class="back" width="{width}" height="8" rx="4"/>'
        f'<rect class="fill {kind}" width="{max(filled, 4):.1f}" height="8" rx="4"/></svg>'
    )


def paths(xs: np.ndarray, ys: np.ndarray) -> str:
    """Give the path of a line through points, interrupted where one is missing.

    Parameters
    ----------
    xs, ys : numpy.ndarray
        Pixels; NaN is a gap.

    Returns
    -------
    str
        SVG path data.

    Examples
    --------
    >>> paths(np.array([0.0, 1.0, 2.0]), np.array([5.0, np.nan, 6.0]))
    'M0.0 5.0M2.0 6.0'
    """
    parts = []
    pen = "M"
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if not math.isfinite(y):
            pen = "M"
            continue
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(parts)


def ticks(low: float, high: float, most: int = 3) -> list[float]:
    """Choose round numbers for an axis.

    Parameters
    ----------
    low, high : float
        What the axis spans.
    most : int
        About how many.

    Returns
    -------
    list of float

    Examples
    --------
    >>> ticks(0.0, 97.0)
    [0.0, 50.0]
    """
    span = high - low
    if not span > 0:
        return [low]
    rough = span / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(step * i, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def time_ticks(start: pd.Timestamp, end: pd.Timestamp, most: int = 9) -> list[pd.Timestamp]:
    """Choose round times for an axis.

    Parameters
    ----------
    start, end : pandas.Timestamp
        What the axis spans.
    most : int
        At most how many.

    Returns
    -------
    list of pandas.Timestamp

    Examples
    --------
    >>> len(time_ticks(pd.Timestamp("2026-01-01T00:00Z"), pd.Timestamp("2026-01-01T02:00Z")))
    9
    """
    span = end - start
    step = next((pd.Timedelta(s) for s in _STEPS if span / pd.Timedelta(s) <= most), span)
    if step >= pd.Timedelta("28D"):
        months = max(1, round(step / pd.Timedelta("30.4D")))
        first = start.normalize().replace(day=1)
        return [t for t in pd.date_range(first, end, freq=f"{months}MS", tz=start.tz) if t >= start]
    return list(pd.date_range(start.ceil(step), end, freq=step))


def tick_label(time: pd.Timestamp, span: pd.Timedelta) -> str:
    """Write a time on an axis, as short as the span allows.

    Parameters
    ----------
    time : pandas.Timestamp
        The tick.
    span : pandas.Timedelta
        What the axis spans.

    Returns
    -------
    str

    Examples
    --------
    >>> tick_label(pd.Timestamp("2026-01-02T10:30Z"), pd.Timedelta("2h"))
    '10:30'
    """
    if span <= pd.Timedelta("36h"):
        return time.strftime("%H:%M")
    if span <= pd.Timedelta("60D"):
        return f"{time.day} {time.strftime('%b')}"
    return time.strftime("%b %Y")


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Write words into a picture.

    Parameters
    ----------
    x, y : float
        Pixels, at the base line.
    words : str
        Escaped here.
    kind : str
        Class.
    anchor : {"start", "middle", "end"}
        Which part of the words stands at ``x``.

    Returns
    -------
    str
        SVG.

    Examples
    --------
    >>> text(1, 2, "<b>")
    '<text class="" x="1.0" y="2.0" text-anchor="start">&lt;b&gt;</text>'
    """
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{html.escape(words)}</text>"
    )
