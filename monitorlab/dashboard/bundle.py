"""Plotly's code in the page: sent once, while the kernel still works, not with each figure.

A ``FigureWidget`` brings five megabytes of code with it, every one anew, and a page needs a
second to read them. Here a widget of its own brings the code as soon as a dashboard begins, so
that the page reads it while the data are thinned out; a second dashboard finds it there.

>>> figure = new_figure([{"type": "scatter", "y": [1.0, 2.0]}], {"height": 300})
>>> figure.data[0].y, type(figure).__name__
((1.0, 2.0), 'Figure')
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from monitorlab.dashboard.postponed import import_plotly
from monitorlab.dashboard.tiles import template

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["begin_loading", "eager", "new_figure", "wire"]

# Plotly's code stands in two functions inside each other. A browser reads a function quickly
# over when it meets it and in full when it is called: all the code once more for each of the
# two. A function in parentheses is read in full at once.
_HEAD = re.compile(
    r"(=\w+\()\((\w+),(\w+)\)=>\{"
    r'(\(function\((\w+),(\w+)\)\{typeof \3=="object"&&\3\.exports\?\3\.exports=\6\(\):'
    r'\5\.moduleName=\6\(\)\}\)\(typeof self<"u"\?self:\2,)\(\)=>\{"use strict";'
)
_TAIL = re.compile(r"(return window\.Plotly=(\w+),\2\})\)\}\);")
_SAMPLES = (
    "_widget_layout", "_widget_data", "_config", "_py2js_addTraces", "_py2js_restyle",
    "_py2js_relayout", "_py2js_update",
)  # fmt: skip


class _Code(anywidget.AnyWidget):
    """Brings Plotly's code to the page."""

    _esm = template("dashboard_plotly.js")
    _plotly_key = traitlets.Unicode().tag(sync=True)
    _plotly_code = traitlets.Bytes().tag(sync=True)


_plotly = import_plotly()  # now, and not when somebody waits for a picture
_sent: list[_Code] = []  # the one of this process


def begin_loading() -> bool:
    """Send Plotly's code to the page, unless it was sent before.

    Returns
    -------
    bool
        False where this Plotly has no such code: figures then bring their own.

    Examples
    --------
    >>> begin_loading()
    True
    """
    if _sent and _sent[0].comm is not None:
        return True
    path = _path()
    if path is None:
        return False
    code = eager(path.read_text(encoding="utf-8")).encode()
    _sent[:] = [_Code(_plotly_key=_key(), _plotly_code=code)]
    return True


def new_figure(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> go.FigureWidget:
    """Make a figure widget that uses the code which the page has.

    Parameters
    ----------
    data, layout : list of dict, dict
        Traces and layout.

    Returns
    -------
    plotly.graph_objects.FigureWidget

    Examples
    --------
    >>> new_figure([], {"height": 300}).layout.height
    300
    """
    figure: go.FigureWidget = _figure_class(light=begin_loading())(data, layout)
    return figure


def eager(code: str) -> str:
    """Tell the browser to read Plotly's code in one go.

    Parameters
    ----------
    code : str
        What Plotly's widget runs in the page.

    Returns
    -------
    str
        The same with its two outer functions in parentheses; unchanged where they are not
        found, which is slower and as right.

    Notes
    -----
    Chromium read Plotly 7.1 in 0.87 s in place of 1.4 s.

    Examples
    --------
    >>> eager("export default 1")
    'export default 1'
    """
    head = _HEAD.search(code)
    tail = _TAIL.search(code, head.end()) if head else None
    if head is None or tail is None:
        return code
    before = (
        f"{head[1]}(function({head[2]},{head[3]}){{{head[4]}"
        '(function(){"use strict";'
    )  # fmt: skip
    return "".join(
        [code[: head.start()], before, code[head.end() : tail.start()], tail[1], "))}));",
         code[tail.end() :]]
    )  # fmt: skip


def wire(value: Any, _: Any = None) -> Any:
    """Give what a figure holds as it goes to the page: samples as bytes, times as text.

    Parameters
    ----------
    value : object
        Traces, layouts and messages of Plotly, with arrays in them.

    Returns
    -------
    object
        For ipywidgets. Times are written by numpy: as ``datetime`` objects, six thousand of
        them cost the kernel a tenth of a second.

    Examples
    --------
    >>> wire({"x": np.array([0, 1_500], dtype="datetime64[ms]")})
    {'x': ['1970-01-01T00:00:00.000', '1970-01-01T00:00:01.500']}
    """
    if isinstance(value, dict):
        return {name: wire(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [wire(one) for one in value]
    if value is None or isinstance(value, (str, int, float)):
        return None if isinstance(value, float) and not math.isfinite(value) else value
    if isinstance(value, np.ndarray) and value.dtype.kind == "M":
        seconds = value.astype("datetime64[s]")
        whole = bool((seconds == value).all())
        return np.datetime_as_string(seconds if whole else value).tolist()
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 1:
        return np.where(np.isfinite(value), value, np.array(None)).tolist()
    from plotly.serializers import custom_serializers

    return custom_serializers["to_json"](value, None)


def _path() -> Path | None:
    found = importlib.util.find_spec("plotly")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "package_data" / "widgetbundle.js"
    return path if path.is_file() else None


def _key() -> str:
    return importlib.metadata.version("plotly")


@functools.cache
def _figure_class(*, light: bool) -> Any:
    """Make the class of figures; ``light`` ones bring no code."""
    from plotly.serializers import custom_serializers

    ways = {"to_json": wire, "from_json": custom_serializers["from_json"]}
    parts: dict[str, Any] = {
        name: traitlets.List().tag(sync=True, **ways)
        if name == "_widget_data"
        else traitlets.Dict(allow_none=name.startswith("_py2js")).tag(sync=True, **ways)
        for name in _SAMPLES
    }
    if light:
        parts["_esm"] = template("dashboard_plotly.js")
        parts["_plotly_key"] = traitlets.Unicode(_key()).tag(sync=True)
    return type("Figure", (_plotly.FigureWidget,), {"__module__": __name__, **parts})
