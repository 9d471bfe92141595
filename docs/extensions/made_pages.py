"""Pages that are made when the site is built: API, commands, notebooks, benchmark tables.

They go to ``docs/generated``, which is not committed.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import shutil
from pathlib import Path
from typing import Any

import benchmark_tables
import click
from sphinx.application import Sphinx

__all__ = ["setup"]

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "generated"
PLOTLY = "application/vnd.plotly.v1+json"

_REFERENCES = re.compile(r"^References\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
# Chapter -> modules, in the order of a reader's questions.
API = {
    "Frames and data": ["frame", "recordings", "datasets", "io", "model", "storage"],
    "Questions": ["query", "windows"],
    "Alerts": ["alerting"],
    "Analyses": ["anomaly", "seasonality", "degradation", "forecasting", "recommend", "overview"],
    "Looking": ["dashboard", "report", "plotting", "display"],
    "Live": ["feed"],
    "Testing and the rest": ["testing", "times", "errors"],
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the pages before Sphinx looks for sources."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    for make in (
        make_api,
        make_sources,
        make_commands,
        make_notebooks,
        make_benchmarks,
        make_static,
    ):
        make()
    app.add_js_file("plotly.min.js", loading_method="defer")
    app.add_js_file("figures.js", loading_method="defer")
    return {"parallel_read_safe": True}


def write(name: str, text: str) -> None:
    """Write one generated page."""
    path = GENERATED / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_api() -> None:
    """Write a page for each module, from its ``__all__``."""
    index = ["# API reference", "", "From the docstrings; every example is run as a test.", ""]
    told: set[int] = set()
    for chapter, names in API.items():
        index += [f"## {chapter}", "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""]
        for name in names:
            module = importlib.import_module(f"monitorlab.{name}")
            head = f"monitorlab.{name}"
            # Touching each name imports what is lazy; submodules have no place here.
            found = {public: getattr(module, public) for public in sorted(module.__all__)}
            vars(module).update(found)
            # What a page before this one describes is described there.
            own = [n for n, t in found.items() if not inspect.ismodule(t) and id(t) not in told]
            told |= {id(t) for t in found.values() if inspect.isclass(t) or inspect.isfunction(t)}
            members = f"   :members: {', '.join(own)}\n" if own else ""
            write(
                f"api/{name}.rst",
                f"{head}\n{'=' * len(head)}\n\n.. automodule:: {head}\n{members}",
            )
    write("api/index.md", "\n".join(index))


def make_sources() -> None:
    """List the references of all docstrings, with what they are for."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "monitorlab").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        name = name.removesuffix(".__init__").removeprefix("monitorlab.")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
                continue
            match = _REFERENCES.search(ast.get_docstring(node) or "")
            if match is not None:
                where = f"{name}.{node.name}" if hasattr(node, "name") else name
                found.setdefault(" ".join(match[1].replace("``", "`").split()), set()).add(where)
    lines = ["| used in | source |", "| --- | --- |"]
    rows = ((", ".join(f"`{n}`" for n in sorted(names)), text) for text, names in found.items())
    lines += [f"| {names} | {text.replace('|', ' ')} |" for names, text in sorted(rows)]
    write("sources.txt", "\n".join(lines) + "\n")


def make_commands() -> None:
    """Write the help of every command, and the exit codes."""
    from monitorlab.cli import main
    from monitorlab.cli.app import EXIT_CODES

    parts = [
        "# The command line",
        "",
        "The same functions as in a notebook, for a shell and for CI. Results go to standard",
        "output, progress and remarks to standard error, `--json` gives plain JSON where there",
        "is a result, and `--debug` shows the traceback of an error.",
        "",
        "| exit code | says |",
        "| --- | --- |",
        *(f"| {code} | {text} |" for code, text in EXIT_CODES.items()),
        "",
        "`monitorlab completion bash` prints what makes a shell complete commands, options,",
        "files and datasets; zsh and fish are known too.",
        "",
    ]
    context = click.Context(main, info_name="monitorlab", max_content_width=88)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context, max_content_width=88)
        parts += [f"## monitorlab {name}", "", "```text", command.get_help(inner), "```", ""]
    write("commands.md", "\n".join(parts))


def make_notebooks() -> None:
    """Copy the notebooks, their Plotly figures as HTML that needs no network."""
    names = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for i, cell in enumerate(notebook["cells"]):
            for j, output in enumerate(cell.get("outputs", [])):
                figure_as_html(output, f"figure-{i}-{j}")
        write(f"notebooks/{path.name}", json.dumps(notebook))
        names.append(path.stem)
    text = [
        "# Notebooks",
        "",
        "Each asks a question, shows a picture and gives an answer. They",
        "are run again in every check, and every output is compared with what is shown here.",
        "",
    ]
    write(
        "notebooks/index.md",
        "\n".join([*text, "```{toctree}", ":maxdepth: 1", "", *names, "```", ""]),
    )


def figure_as_html(output: dict[str, Any], name: str) -> None:
    """Give an output with a Plotly figure an HTML form, drawn by ``figures.js``."""
    data = output.get("data", {})
    if PLOTLY not in data:
        return
    figure = data.pop(PLOTLY)
    packed = json.dumps({"data": figure["data"], "layout": figure["layout"]}).replace("</", "<\\/")
    height = figure["layout"].get("height", 450)
    data["text/html"] = (
        f'<div class="plotly-figure" id="{name}" style="min-height:{height}px"></div>'
        f'<script type="application/json" data-figure="{name}">{packed}</script>'
    )
    data["text/plain"] = "a figure"


def make_benchmarks() -> None:
    """Write the tables of ``benchmarks/results``."""
    write("benchmarks.md", benchmark_tables.page(ROOT / "benchmarks" / "results"))


def make_static() -> None:
    """Copy Plotly's JavaScript from the installed package."""
    import plotly

    place = GENERATED / "static"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", place)
