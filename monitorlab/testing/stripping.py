"""Take out of a notebook what changes from run to run without meaning anything.

>>> import nbformat.v4 as v4
>>> strip(v4.new_notebook(metadata={"widgets": {"state": "5 MB"}})).metadata
{}
"""

from __future__ import annotations

from typing import Any

__all__ = ["strip"]

_CELL_NOISE = ("execution", "collapsed", "scrolled", "ExecuteTime", "trusted")
_VIEW = "application/vnd.jupyter.widget-view+json"


def strip(notebook: Any) -> Any:
    """Remove widget state and execution metadata from a notebook; outputs stay.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place and returned.

    Returns
    -------
    nbformat.NotebookNode
        Without widget state (5 MB a figure), execution times, the exact Python version, and
        widget views where the output also has another form.

    Notes
    -----
    Unlike tools that strip all outputs, this keeps them: they are what a later run is compared
    with. Stripping twice is stripping once.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> cell = v4.new_code_cell("1 + 1", metadata={"execution": {"shell.execute_reply": "x"}})
    >>> strip(v4.new_notebook(cells=[cell])).cells[0].metadata
    {}
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata.pop("signature", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        for name in _CELL_NOISE:
            cell.metadata.pop(name, None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if len(data) > 1:
                data.pop(_VIEW, None)
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return notebook
