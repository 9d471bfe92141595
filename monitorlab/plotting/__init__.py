"""The shared look of every figure: palette, template, bands, downsampling (Plotly).

>>> from monitorlab import plotting
>>> plotting.PALETTE[0]
'#0072B2'
"""

from monitorlab.plotting.look import (
    PALETTE,
    SEVERITY_COLORS,
    Theme,
    add_bands,
    add_threshold,
    downsample,
    new_figure,
    rarity,
    rarity_axis,
    rgba,
    time_axis,
)

__all__ = [
    "PALETTE",
    "SEVERITY_COLORS",
    "Theme",
    "add_bands",
    "add_threshold",
    "downsample",
    "new_figure",
    "rarity",
    "rarity_axis",
    "rgba",
    "time_axis",
]
