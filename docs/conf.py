"""Sphinx configuration: `make docs` builds with every warning an error.

Sphinx with MyST-NB, because both are maintained (Material for MkDocs ended its support in
November 2026), because numpydoc is what our docstrings are written in, and because the committed
outputs of the notebooks are rendered as they are, without running them and without a network.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

import monitorlab  # noqa: E402 - found through the line above

project = "monitorlab"
author = "The monitorlab developers"
copyright = "The monitorlab developers"  # noqa: A001 - Sphinx's name
version = release = monitorlab.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "made_pages",
    "examples_required",
]
exclude_patterns = ["extensions", "images"]
root_doc = "index"
default_role = "literal"

html_theme = "furo"
html_title = f"monitorlab {version}"
html_static_path = ["static", "generated/static"]
html_css_files = ["monitorlab.css"]
html_show_sphinx = False
templates_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
