"""Where each plot stands: rows of one or two, their heights, and room above for titles.

>>> from monitorlab.dashboard.answers import Answer
>>> from monitorlab.dashboard.panels import Panel
>>> grid = arrange([Answer(Panel("a")), Answer(Panel("b")), Answer(Panel("c", wide=True))], 2)
>>> [(cell.row, cell.column, cell.width) for cell in grid.cells]
[(0, 0, 1), (0, 1, 1), (1, 0, 2)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitorlab.dashboard.answers import Answer

__all__ = ["Arrangement", "Cell", "arrange"]

PLOT_PX = {1: 300, 2: 230}  # height of a plot when there are so few rows
ROW_PX = 176
TITLE_PX, LEGEND_PX, AXIS_PX = 37, 18, 30
TOP_PX, BOTTOM_PX = 2, 30
COLUMN_GAP = 0.062
LANE_PX, LEAST_LANES_PX = 24, 60
CELL_PX, MOST_TABLE_PX = 25, 330
OWN_AXIS = ("heatmap", "forecast")  # their x axis is not the time on the screen


@dataclass(frozen=True)
class Cell:
    """Place of one plot.

    Parameters
    ----------
    row, column, width : int
        Place in the grid; the width in columns.
    left, right, bottom, top : float
        Its part of the figure inside the margins.

    Examples
    --------
    >>> Cell(0, 0, 1, 0.0, 1.0, 0.0, 1.0).width
    1
    """

    row: int
    column: int
    width: int
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Arrangement:
    """All places.

    Parameters
    ----------
    cells : tuple of Cell
        One for each answer.
    inside_px : int
        Height between the margins.
    has_legend : tuple of bool
        For each row whether room for a legend is kept above its plots.

    Examples
    --------
    >>> arrange([], 2).height_px
    120
    """

    cells: tuple[Cell, ...]
    inside_px: int
    has_legend: tuple[bool, ...]

    @property
    def height_px(self) -> int:
        """Height of the figure."""
        return self.inside_px + TOP_PX + BOTTOM_PX if self.cells else 120


def arrange(answers: Sequence[Answer], columns: int) -> Arrangement:
    """Give every plot its place, row by row.

    Parameters
    ----------
    answers : sequence of Answer
        What the plots show, in order.
    columns : {1, 2}
        Plots beside each other at the most.

    Returns
    -------
    Arrangement
        A wide plot has a row of its own, and so has the last one where its neighbour is
        missing.

    Examples
    --------
    >>> from monitorlab.dashboard.panels import Panel
    >>> one = Answer(Panel("up"))
    >>> [cell.row for cell in arrange([one, one, one], 2).cells]
    [0, 0, 1]
    """
    rows: list[list[int]] = []
    for number, one in enumerate(answers):
        alone = one.panel.wide or columns == 1
        room = rows and len(rows[-1]) < columns and not answers[rows[-1][0]].panel.wide
        if alone or not room:
            rows.append([number])
        else:
            rows[-1].append(number)
    plots = [max(_height(answers[n], len(rows)) for n in row) for row in rows]
    legends = tuple(any(len(answers[n].lines) > 1 for n in row) for row in rows)
    below = [AXIS_PX * _ends_an_axis(rows, n, answers) for n in range(len(rows))]
    strips = [TITLE_PX + LEGEND_PX * legend for legend in legends]
    inside = sum(plots) + sum(strips) + sum(below)
    cells: list[Cell] = []
    used = 0
    for number, row in enumerate(rows):
        top = used + strips[number]
        used = top + plots[number] + below[number]
        # A lone plot that is not wide still takes the row: an empty half looks forgotten.
        width = (1.0 - COLUMN_GAP * (len(row) - 1)) / len(row)
        for column, _ in enumerate(row):
            left = column * (width + COLUMN_GAP)
            cells.append(
                Cell(number, column, columns if len(row) == 1 else 1, left, left + width,
                     1.0 - (top + plots[number]) / inside, 1.0 - top / inside)
            )  # fmt: skip
    return Arrangement(tuple(cells), inside, legends)


def _height(one: Answer, rows: int) -> int:
    plain = PLOT_PX.get(rows, ROW_PX)
    if one.panel.kind == "alerts" and one.content is not None:
        return max(LEAST_LANES_PX, LANE_PX * len(one.content.names) + 12)
    if one.panel.kind == "table" and one.content is not None:
        return min(MOST_TABLE_PX, max(plain, CELL_PX * (len(one.content.rows) + 1) + 4))
    return plain


def _ends_an_axis(rows: Sequence[Sequence[int]], number: int, answers: Sequence[Answer]) -> bool:
    """Whether the times stand below this row, and it is not the last."""
    if number + 1 == len(rows):
        return False
    kinds = [answers[n].panel.kind for n in rows[number]]
    if any(kind in OWN_AXIS for kind in kinds):
        return True
    timed = any(kind != "table" for kind in kinds)
    later = [
        row
        for row in rows[number + 1 :]
        if len(row) == len(rows[number])
        and any(answers[n].panel.kind not in (*OWN_AXIS, "table") for n in row)
    ]
    return timed and not later
