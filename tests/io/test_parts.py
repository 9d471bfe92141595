"""A folder of parts: whole, torn at any byte, left by a dead writer, shared, on a full disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import RecordingError
from monitorlab.io import read_parquet
from monitorlab.io.parts import PartWriter, read_parts
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, is_stale

UP = SeriesKey("up", Labels(job="shop"))
HITS = SeriesKey("hits_total")


def piece(key: SeriesKey, *times: int) -> tuple[SeriesKey, np.ndarray, np.ndarray]:
    return key, np.array(times, np.int64), np.array(times, np.float64) / 2


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def leave(writer: PartWriter) -> None:
    """Do what a kill does: let go of the file (and its lock) and nothing else."""
    assert writer._file is not None
    writer._file.close()


def test_what_is_written_is_read_while_it_is_written_and_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "x.parquet"
    writer = PartWriter(folder)
    incident = Incident.make(5, 10**9, "cpu_hog", description="a")
    writer.append(
        [piece(UP, 1, 2), piece(HITS, 2)],
        [Metric("hits_total", MetricType.COUNTER, "1", "Hits.")],
        [incident],
    )
    writer.append([(UP, np.array([3]), np.array([STALE_NAN]))], incidents=[incident])
    live = read_parquet(folder)
    writer.close()
    writer.close()
    assert names(folder) == ["part-000001.parquet"]
    for store in (live, read_parquet(folder), read_parquet(folder / "part-000001.parquet")):
        assert store.view(UP).times.tolist() == [1, 2, 3]
        assert is_stale(store.view(UP).values).tolist() == [False, False, True]
        assert store.metric("hits_total").type is MetricType.COUNTER
        assert store.incidents == [incident]
    assert writer.samples == 4


def test_only_what_is_asked_for_is_given(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, part_samples=4)
    writer.append([piece(UP, 1, 2, 3, 4)])
    writer.append([piece(UP, 5), piece(HITS, 5)])
    assert names(tmp_path) == ["_live-000002.arrows", "part-000001.parquet"]
    assert read_parquet(tmp_path, "hits_total").keys == [HITS]
    begin, end = (pd.Timestamp(n, unit="ns", tz="UTC") for n in (2, 5))
    store = read_parquet(tmp_path, "up", start=begin, end=end)
    assert store.view(UP).times.tolist() == [2, 3, 4]
    writer.close()


def test_a_part_is_finished_when_it_is_long_and_a_description_may_change(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, part_samples=10)
    for start in range(0, 35, 5):
        writer.append([piece(UP, *range(start, start + 5))], [Metric("up", unit=str(start))])
    writer.append([], [Metric("up", unit="last")])
    assert names(tmp_path)[:2] == ["_live-000004.arrows", "part-000001.parquet"]
    assert read_parts(tmp_path).view(UP).times.tolist() == list(range(35))
    assert read_parts(tmp_path).metric("up").unit == "last"
    writer.close()
    assert read_parts(tmp_path).view(UP).times.tolist() == list(range(35))


@given(cut=st.floats(0, 1))
@settings(max_examples=60)
def test_torn_anywhere_all_whole_batches_before_are_read(
    tmp_path_factory: pytest.TempPathFactory, cut: float
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    writer = PartWriter(folder)
    ends = []
    live = folder / "_live-000001.arrows"
    for n in range(5):
        writer.append([piece(UP, 2 * n, 2 * n + 1), piece(SeriesKey(f"m{n}"), n)])
        ends.append(live.stat().st_size)
    leave(writer)
    content = live.read_bytes()
    size = round(cut * len(content))
    live.write_bytes(content[:size])
    whole = sum(end <= size for end in ends)
    store = read_parquet(folder)
    got = store.view(UP).times.tolist() if whole else []
    assert got == list(range(2 * whole))
    assert len(store) == whole + bool(whole)


def test_the_part_of_a_dead_writer_is_finished_by_the_next(tmp_path: Path) -> None:
    dead = PartWriter(tmp_path)
    dead.append([piece(UP, 1, 2)])
    leave(dead)
    writer = PartWriter(tmp_path)
    assert names(tmp_path) == ["part-000001.parquet"]
    writer.append([piece(UP, 3)])
    writer.close()
    assert names(tmp_path) == ["part-000001.parquet", "part-000002.parquet"]
    assert read_parts(tmp_path).view(UP).times.tolist() == [1, 2, 3]


def test_a_part_that_is_written_is_left_alone_and_two_may_write(tmp_path: Path) -> None:
    first, second = PartWriter(tmp_path), PartWriter(tmp_path)
    first.append([piece(UP, 1)])
    second.append([piece(HITS, 1)])
    third = PartWriter(tmp_path)
    assert names(tmp_path) == ["_live-000001.arrows", "_live-000002.arrows"]
    first.append([piece(UP, 2)])
    for writer in (first, second, third):
        writer.close()
    assert read_parts(tmp_path).sample_count == 3


def test_killed_between_finishing_and_taking_away(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path)
    writer.append([piece(UP, 1, 2)])
    shutil.copy(tmp_path / "_live-000001.arrows", tmp_path / "kept")
    writer.close()
    (tmp_path / "kept").rename(tmp_path / "_live-000001.arrows")
    assert read_parts(tmp_path).view(UP).times.tolist() == [1, 2]
    PartWriter(tmp_path)
    assert names(tmp_path) == ["part-000001.parquet"]


def test_after_a_disk_that_refused_another_part_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = PartWriter(tmp_path)
    writer.append([piece(UP, 1)])

    class Full:
        def write_batch(self, batch: object, custom_metadata: object) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_stream", Full())
    with pytest.raises(RecordingError, match="No space left on device"):
        writer.append([piece(UP, 2)])
    writer.append([piece(UP, 2), piece(HITS, 2)])
    assert read_parts(tmp_path).view(UP).times.tolist() == [1, 2]
    writer.close()
    PartWriter(tmp_path)
    assert names(tmp_path) == ["part-000001.parquet", "part-000002.parquet"]
    assert read_parts(tmp_path).keys == [HITS, UP]


def test_a_writer_that_was_given_nothing_leaves_nothing(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path / "a" / "b")
    writer.append([])
    writer.append([piece(UP)])
    writer.close()
    assert names(tmp_path / "a" / "b") == []


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    file.write_text("x")
    with pytest.raises(RecordingError, match="is a file"):
        PartWriter(file)
    with pytest.raises(RecordingError, match="cannot be made"):
        PartWriter(file / "below")
    with pytest.raises(RecordingError, match="no parts"):
        read_parquet(_empty(tmp_path))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "part-000001.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(RecordingError, match="cannot be read as Parquet"):
        read_parquet(tmp_path / "folder")


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_a_folder_of_others_files_is_read_too(tmp_path: Path) -> None:

    times = pd.date_range("2026-01-01", periods=4, freq="1s", tz="UTC", unit="ns")
    frame = pd.DataFrame({"cpu": [1.0, 2.0, 3.0, 4.0]}, index=times.rename("time"))
    frame.iloc[:2].to_parquet(tmp_path / "a.parquet")
    frame.iloc[2:].to_parquet(tmp_path / "b.parquet")
    store = read_parquet(tmp_path)
    assert isinstance(store, SeriesStore)
    assert store.view("cpu").values.tolist() == [1.0, 2.0, 3.0, 4.0]
