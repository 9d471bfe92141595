"""Plotly's import without a package that it needs only now and then.

Plotly asks for ``nbformat`` at its import, for the one case that a figure is shown by MIME
type. Where JupyterLab is installed, ``nbformat`` brings ``jsonschema`` with all its formats,
and one of those compiles its grammar at import: seconds before the first picture.

>>> import_plotly().Figure().data
()
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

__all__ = ["import_plotly"]

_RENDERERS = "plotly.io._renderers"
_POSTPONED = "nbformat"


class _Later(ModuleType):
    """Stands for a module that is imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def import_plotly() -> Any:
    """Give ``plotly.graph_objects``, imported without ``nbformat``.

    Returns
    -------
    module
        ``figure.show()`` works as ever: it imports ``nbformat`` then.

    Notes
    -----
    Does nothing special where Plotly's renderers or ``nbformat`` are imported already.

    Examples
    --------
    >>> import_plotly().__name__
    'plotly.graph_objects'
    """
    if _RENDERERS not in sys.modules and _POSTPONED not in sys.modules:
        optional_imports = importlib.import_module("_plotly_utils.optional_imports")
        sys.modules[_POSTPONED] = None  # type: ignore[assignment]
        try:
            renderers = importlib.import_module(_RENDERERS)
        finally:
            del sys.modules[_POSTPONED]
            getattr(optional_imports, "_not_importable", set()).discard(_POSTPONED)
        if importlib.util.find_spec(_POSTPONED) is not None:
            renderers.nbformat = _Later(_POSTPONED)  # type: ignore[attr-defined]
    return importlib.import_module("plotly.graph_objects")
