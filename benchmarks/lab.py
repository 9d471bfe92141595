"""A real JupyterLab in headless Chromium, for what must be measured or looked at in a page."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["browser", "chromium", "notebook", "run_cell", "serve", "wait"]

ROOT = Path(__file__).parents[1]
TOKEN = "monitorlab"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def chromium() -> str | None:
    """Give the path of the system's browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    made = [
        {
            "cell_type": "code", "id": f"cell{n}", "metadata": {}, "outputs": [],
            "execution_count": None, "source": textwrap.dedent(text).strip(),
        }
        for n, text in enumerate(cells)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book))


@contextlib.contextmanager
def serve(home: Path, *, patience: float = 120.0) -> Iterator[str]:
    """Start a JupyterLab on a folder; gives its address without a path."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={home}",
    ]  # fmt: skip
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"

            def ready() -> bool:
                if server.poll() is not None:
                    raise RuntimeError((home / "server.log").read_text()[-2000:])
                return _answers(f"{address}/api?token={TOKEN}")

            wait(ready, "the server", patience)
            yield address
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)
            if server.poll() is None:
                server.kill()
                server.wait()


@contextlib.contextmanager
def browser(
    address: str,
    *,
    width: int = 1280,
    height: int = 1000,
    patience: float = 120.0,
    counting: bool = False,
) -> Iterator[Any]:
    """Open an address in Chromium; the page keeps ``problems``, ``said``, ``outside``, ``got``.

    ``got[0]`` is the number of bytes that came over web sockets where ``counting``: each
    message is then copied to here, which costs the processors more than the page's work.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = chrome.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(patience * 1000)
        page.problems, page.said, page.outside = [], [], []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda line: page.said.append(f"{line.type}: {line.text}"))
        page.on("request", lambda request: page.outside.append(request.url))
        page.got = [0]

        def count(frame: str | bytes) -> None:
            page.got[0] += len(frame)

        if counting:
            page.on("websocket", lambda socket: socket.on("framereceived", count))
        page.goto(address)
        page.locator(".jp-CodeCell .cm-content").first.wait_for()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(
            state="attached"
        )
        try:
            yield page
        finally:
            chrome.close()


def run_cell(page: Any, number: int) -> Any:
    """Run one cell and give it."""
    cell = page.locator(".jp-CodeCell").nth(number)
    prompt = cell.locator(".jp-InputArea-prompt")

    def ran() -> bool:
        # A key pressed while the page still loads is lost, so it is pressed again.
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1000)
        return bool(prompt.inner_text().strip() != "[ ]:")

    wait(ran, f"the start of cell {number}")
    return cell


def wait(condition: Callable[[], Any], what: str, patience: float = 120.0) -> Any:
    """Wait until something is true."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    msg = f"{what} did not come in {patience:g} s"
    raise TimeoutError(msg)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
