"""A public function or class without an example is a warning, and with -W a failed build."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Watch every docstring that autodoc reads."""
    # Before numpydoc, which turns the section into other markup.
    app.connect("autodoc-process-docstring", look, priority=1)
    return {"parallel_read_safe": True}


def look(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Warn of a function or class without ``>>>``."""
    is_error = isinstance(thing, type) and issubclass(thing, BaseException)
    if what in {"function", "class"} and not is_error and not any(">>>" in line for line in lines):
        logging.getLogger(__name__).warning("%s has no example in its docstring", name)
