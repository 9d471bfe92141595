"""Imports go down the floors only, and heavy packages are imported on first use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "monitorlab"

# Lower number = lower floor; a module may import from its own part and from lower floors.
FLOORS = {
    "errors": 0,
    "times": 1,
    "wallclock": 1,
    "model": 2,
    "display": 2,
    "kernels": 3,
    "rulebook": 3,
    "storage": 4,
    "plotting": 4,
    "windows": 5,
    "cache": 5,
    "analysis_input": 6,
    "columns": 5,
    "headline": 5,
    "tables": 5,
    "io": 5,
    "query": 6,
    "seasonality": 7,
    "alerting": 8,
    "anomaly": 8,
    "degradation": 8,
    "forecasting": 8,
    "recommend": 8,
    "overview": 9,
    "frame": 10,
    "accessor": 11,
    "recordings": 11,
    "datasets": 12,
    "warmup": 12,
    "feed": 12,
    "sources": 13,
    "report": 13,
    "dashboard": 14,
    "testing": 14,
    "cli": 15,
    "__init__": 16,
    "__main__": 16,
}
# Two files of one part.
ALIASES = {"_frame_parts": "frame"}
HEAVY = (
    "anywidget", "httpx", "ipywidgets", "jinja2", "numba", "plotly", "promql_parser", "psutil",
    "pyarrow", "scipy", "statsmodels", "tsdownsample", "yaml",
)  # fmt: skip


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    name = relative.parts[0] if len(relative.parts) > 1 else relative.stem
    return ALIASES.get(name, name)


def runtime_imports(tree: ast.Module) -> list[str]:
    """Names imported anywhere except under ``if TYPE_CHECKING``."""
    names: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"relative import at line {node.lineno}"
            names.append(node.module)
            if node.module == "monitorlab":
                names.extend(f"monitorlab.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    part = part_of(path)
    assert part in FLOORS, f"{part} has no floor: add it to FLOORS"
    for name in runtime_imports(ast.parse(path.read_text())):
        if not name.startswith("monitorlab."):
            continue
        target = ALIASES.get(name.split(".")[1], name.split(".")[1])
        if target == part or target not in FLOORS:
            continue
        assert FLOORS[target] < FLOORS[part], f"{path.name} imports {name}, which stands above it"


def test_import_stays_light() -> None:
    code = (
        "import sys, monitorlab; "
        f"print(','.join(n for n in {HEAVY!r} if n in sys.modules and n not in BASE))"
    )
    program = "import sys, pandas; BASE = set(sys.modules)\n" + code
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == ""


def test_modules_have_a_docstring_and_an_all() -> None:
    for path in modules():
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), f"{path} has no docstring"
        if path.stem.startswith("__main__"):
            continue
        names = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert "__all__" in names, f"{path} has no __all__"


def test_no_string_of_a_user_is_evaluated() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{path}:{node.lineno}"
