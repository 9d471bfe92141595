"""The code of docs/add-a-source.md runs, and is as short as it says."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from monitorlab.feed import LiveFeed, SimulatedClock
from monitorlab.storage import SeriesStore

PAGE = Path(__file__).parents[2] / "docs" / "add-a-source.md"


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def names(blocks: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec("\n".join(blocks), found)
    return found


def test_the_sources_are_short(blocks: list[str]) -> None:
    for name in ("FolderSource", "StatsdSource"):
        (block,) = [text for text in blocks if f"class {name}" in text]
        body = block[block.index("class ") :]
        assert len([line for line in body.splitlines() if line.strip()]) <= 20


def test_a_folder_is_watched(names: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    clock = SimulatedClock()
    feed = LiveFeed(SeriesStore(), names["FolderSource"](tmp_path), clock=clock, own_metrics=False)

    async def main() -> None:
        async with feed:
            await clock.sleep(7)
            (tmp_path / "b").write_text("abcd")
            await clock.sleep(5)

    asyncio.run(main())
    assert feed.frame.view("folder_files").values.tolist() == [1.0, 1.0, 2.0]
    assert feed.frame.view("folder_bytes").values.tolist() == [3.0, 3.0, 7.0]


def test_statsd_lines_come_in(names: dict[str, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    feed = LiveFeed(SeriesStore(), names["StatsdSource"](port), own_metrics=False)

    async def main() -> None:
        heard = asyncio.Event()
        feed.subscribe(lambda update: heard.set() if feed.status().samples else None)
        async with feed:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                while not heard.is_set():
                    sender.sendto(b"queue_depth:7|g", ("127.0.0.1", port))
                    await asyncio.sleep(0)

    asyncio.run(main())
    assert feed.frame.view("queue_depth").values[0] == 7.0


def test_a_batch_of_columns_is_made(names: dict[str, Any]) -> None:
    assert names["batch"].samples == 2
    assert names["batch"].newest_ns == names["times"][-1]
