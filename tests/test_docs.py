"""What the documentation shows is run: Python blocks as doctests, monitorlab commands too."""

from __future__ import annotations

import doctest
import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from monitorlab.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted(p for p in (ROOT / "docs").rglob("*.md") if "generated" not in p.parts)
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT / "docs")))
def test_what_a_page_shows_is_true(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        file = re.match(r"# (\S+\.ya?ml)\n", block["text"])
        if block["kind"] == "yaml" and file:
            Path(file[1]).write_text(block["text"], encoding="utf-8")
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=_FLAGS)
    assert not failed
    for block in _BLOCK.finditer(text):
        if block["kind"] != "console" or block["mark"] == "not run":
            continue
        expected = int((block["mark"] or "exit code 0").rpartition(" ")[2])
        for line in block["text"].splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["$", "monitorlab"]:
                done = CliRunner().invoke(main, words[2:])
                assert done.exit_code == expected, f"{line}\n{done.output}"


def test_every_page_but_the_made_ones_is_reachable() -> None:
    text = "\n".join(p.read_text(encoding="utf-8") for p in PAGES)
    for page in PAGES:
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        assert name == "index" or re.search(rf"^{re.escape(name)}$", text, re.MULTILINE), name


def benchmark_tables() -> ModuleType:
    path = ROOT / "docs" / "extensions" / "benchmark_tables.py"
    spec = importlib.util.spec_from_file_location("benchmark_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"command": "python b.py", "score": 0.73271}', "| score | 0.7327 |"),
        ('{"rows": [{"a": 1, "b": [1]}, {"a": null, "c": "x|y"}]}', "| – | x\\|y |"),
        ('{"by": {"x": {"f1": 0.5}, "y": {"f1": 1.0, "n": 3}}}', "| y | 1 | 3 |"),
        ('{"empty": {}, "list": []}', "## some result"),
        ('[{"a": 1.0}]', "| 1 |"),
        ("half a file {", "cannot be read"),
    ],
)
def test_a_benchmark_table_takes_what_it_finds(tmp_path: Path, text: str, shown: str) -> None:
    (tmp_path / "some_result.json").write_text(text)
    assert shown in benchmark_tables().page(tmp_path)


def test_the_committed_results_all_have_their_part() -> None:
    folder = ROOT / "benchmarks" / "results"
    assert benchmark_tables().page(folder).count("\n## ") == len(list(folder.glob("*.json")))
