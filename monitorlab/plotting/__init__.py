"""The shared look of every figure: palette, template, bands, downsampling (Plotly).

>>> from monitorlab import plotting
>>> plotting.PALETTE[0]
'#0072B2'
"""

from monitorlab.plotting.look import (
    PALETTE,
    RARITY_TICKS,
    SEVERITY_COLORS,
    Theme,
    add_bands,
    add_threshold,
    downsample,
    new_figure,
    rarity,
    rgba,
    time_axis,
)

__all__ = [
    "PALETTE",
    "RARITY_TICKS",
    "SEVERITY_COLORS",
    "Theme",
    "add_bands",
    "add_threshold",
    "downsample",
    "new_figure",
    "rarity",
    "rgba",
    "time_axis",
]
