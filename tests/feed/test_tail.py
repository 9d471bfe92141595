"""A CSV file that grows, is torn, cut short, replaced, wrong; no real time passes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import MonitorlabError
from monitorlab.feed import Backoff, CsvTail, LiveFeed, SimulatedClock
from monitorlab.io import read_csv
from monitorlab.storage import SeriesStore

HEADER = "timestamp,metric,value,route\n"


def row(second: int, value: object = 1.0, route: str = "/", metric: str = "hits") -> str:
    return f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}Z,{metric},{value},{route}\n"


def follow(
    path: Path, *steps: Callable[[], object], options: dict[str, object] | None = None
) -> LiveFeed:
    """Run a feed; each step happens a little after a reading."""
    clock = SimulatedClock()

    async def main() -> LiveFeed:
        feed = LiveFeed(
            SeriesStore(),
            CsvTail(path, interval="1s", **(options or {})),
            clock=clock,
            own_metrics=False,
            retry=Backoff(jitter=0.0),
        )
        async with feed:
            await clock.sleep(0.5)
            for step in steps:
                step()
                await clock.sleep(3.0)
        return feed

    return asyncio.run(main())


def append(path: Path, text: str) -> Callable[[], object]:
    def write() -> None:
        with path.open("a") as file:
            file.write(text)

    return write


def test_what_is_there_comes_first_and_then_what_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    path.write_text(HEADER + row(0) + row(1, 2.0, "/cart"))
    feed = follow(path, append(path, row(2, 3.0)), append(path, row(3, 4.0, "/cart")))
    assert feed.frame.view("hits", {"route": "/"}).values.tolist() == [1.0, 3.0]
    assert feed.frame.view("hits", {"route": "/cart"}).values.tolist() == [2.0, 4.0]
    assert feed.status().errors == 0
    assert str(feed.event_time) == "2026-01-01 00:00:03+00:00"


def test_a_torn_row_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("time,load\n2026-01-01T00:00:00Z,0.5\n2026-01-01T00:00:01Z,0.")
    feed = follow(path, append(path, "7"), append(path, "5\n"))
    assert feed.frame.view("load").values.tolist() == [0.5, 0.75]


@given(
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
    wide=st.booleans(),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=15)
def test_however_it_is_written_it_reads_as_read_csv_does(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], wide: bool, seed: int
) -> None:
    path = tmp_path_factory.mktemp("tail") / "x.csv"
    rng = np.random.default_rng(seed)
    if wide:
        lines = ["time,cpu,memory\n"]
        lines += [f"{1_767_225_600 + t},{rng.random()},\n" for t in range(8)]
        lines += [f"{1_767_225_608 + t},,{rng.random()}\n" for t in range(8)]
    else:
        lines = ['timestamp,metric,value,"a, b"\n']
        lines += [f'{1_767_225_600 + t},hits,{rng.random()},"x, {t % 3}"\n' for t in range(16)]
    text = "".join(lines)
    places = sorted({min(c, len(text)) for c in cuts} | {0, len(text)})
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    path.write_text("")
    feed = follow(path, *[append(path, piece) for piece in pieces])
    assert feed.status().errors == 0, feed.events
    expected = read_csv(path)
    assert feed.frame.keys == expected.keys
    for view in expected.select():
        got = feed.frame.view(view.key)
        assert got.times.tolist() == view.times.tolist()
        assert got.values.tolist() == view.values.tolist()


def test_a_rotated_file_is_read_to_its_end_and_then_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    path.write_text(HEADER + row(0))

    def rotate() -> None:
        append(path, row(1, 2.0))()
        path.rename(tmp_path / "hits.csv.1")
        path.write_text("value,metric,timestamp\n5,depth,2026-01-01T00:00:02Z\n")

    feed = follow(path, rotate, append(path, "6,depth,2026-01-01T00:00:03Z\n"))
    assert feed.frame.view("hits", {"route": "/"}).values.tolist() == [1.0, 2.0]
    assert feed.frame.view("depth").values.tolist() == [5.0, 6.0]


def test_a_file_cut_short_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    path.write_text(HEADER + row(0) + row(1, 2.0))
    feed = follow(path, lambda: path.write_text(HEADER + row(5, 7.0)))
    assert feed.frame.view("hits", {"route": "/"}).values.tolist() == [1.0, 2.0, 7.0]


def test_a_file_that_is_not_there_yet_is_said_and_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later.csv"
    feed = follow(path, lambda: path.write_text(HEADER + row(0)))
    assert "No such file" in feed.events[0].text
    assert len(feed.frame.view("hits", {"route": "/"})) == 1


def test_a_bad_row_is_named_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    path.write_text(HEADER + row(0))
    feed = follow(path, append(path, row(1, "much") + row(2, 3.0)), append(path, row(3, 4.0)))
    assert feed.frame.view("hits", {"route": "/"}).values.tolist() == [1.0, 3.0, 4.0]
    (error,) = [event for event in feed.events if event.kind == "error"]
    assert "line 3, column 'value': 'much' is not a number" in error.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b\x08rest of it", "gzipped"),
        (b"alpha,beta\n1,2\n3,4\n", "time"),
        (b"\xff\xfet\x00i\x00\n\x00\n\x00\n\x00", "UTF-16"),
    ],
)
def test_what_cannot_be_followed_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    feed = follow(path)
    assert said in str(feed.status().last_error)


def test_options_are_those_of_read_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("when;load\n01.02.2026 10:00;1,5\n")
    options: dict[str, object] = {
        "timestamp": "when", "tz": "Europe/Berlin", "time_format": "%d.%m.%Y %H:%M",
    }  # fmt: skip
    feed = follow(path, options=options)
    assert feed.frame.view("load").values.tolist() == [1.5]
    assert str(feed.event_time) == "2026-02-01 09:00:00+00:00"


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(MonitorlabError, match="above zero"):
        CsvTail("x.csv", interval=0)
