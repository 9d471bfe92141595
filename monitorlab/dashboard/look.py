"""Colours and sizes of the figure, on a light and on a dark page.

>>> line_colors("light")[0], INK["dark"]["paper"]
('#0072B2', '#14171c')
"""

from __future__ import annotations

from typing import Any

from monitorlab.plotting import PALETTE, Theme

__all__ = ["ACCENT", "CLEAR", "FONT", "INK", "SCALES", "line_colors"]

INK: dict[str, dict[str, str]] = {
    "light": {
        "ink": "#24292f",
        "muted": "#57606a",
        "grid": "rgba(15,23,42,0.08)",
        "rule": "rgba(15,23,42,0.11)",
        "paper": "#ffffff",
        "field": "#f7f8fa",
        "veil": "rgba(255,255,255,0.78)",
    },
    "dark": {
        "ink": "#e6e8eb",
        "muted": "#a3adba",
        "grid": "rgba(255,255,255,0.09)",
        "rule": "rgba(255,255,255,0.13)",
        "paper": "#14171c",
        "field": "#1c2027",
        "veil": "rgba(20,23,28,0.78)",
    },
}
ACCENT = {"light": "#0072B2", "dark": "#56B4E9"}
CLEAR = "rgba(0,0,0,0)"
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
# From the paper to the ink of one hue: reads without colour too.
SCALES: dict[str, list[list[Any]]] = {
    "light": [[0.0, "#d3e6f2"], [0.35, "#9ccbe6"], [0.7, "#2f8fc4"], [1.0, "#003f66"]],
    "dark": [[0.0, "#24465c"], [0.35, "#2b6f9c"], [0.7, "#56b4e9"], [1.0, "#e8f6ff"]],
}
_DARK = ("#56B4E9", "#E69F00", "#2BB594", "#CC79A7", "#F0E442", "#E8743B", "#8FA8FF", "#B0B0B0")


def line_colors(theme: Theme) -> tuple[str, ...]:
    """Give the colours of lines: Okabe and Ito's, those first that read on the background.

    Parameters
    ----------
    theme : {"light", "dark"}
        The background.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> line_colors("dark")[0]
    '#56B4E9'
    """
    return PALETTE if theme == "light" else _DARK
