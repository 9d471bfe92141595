"""Bundled datasets: found, listed, loaded with incidents and rules."""

from __future__ import annotations

import pytest

from monitorlab import datasets
from monitorlab._frame_parts import example
from monitorlab.datasets import list_datasets, load_dataset
from monitorlab.errors import RecordingError, UnknownNameError

RULES = """groups:
  - name: latency
    rules:
      - alert: Slow
        expr: latency_ms > 10
        for: 1m
"""


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "tiny"
    place.mkdir()
    mf = example()
    mf.mark("2026-01-01T00:00Z", "2026-01-01T00:01Z", "leak")
    mf.to_parquet(place / "tiny.parquet")
    (place / "incidents.csv").write_text(
        "start,end,kind\n2026-01-01T00:00Z,2026-01-01T00:01Z,leak\n2026-01-01T00:02Z,2026-01-01T00:03Z,hog\n"
    )
    (place / "rules.yml").write_text(RULES)
    (place / "README.md").write_text("\n# A tiny recording\n\nText.\n")
    (tmp_path / "recorder").mkdir()
    (tmp_path / "recorder" / "other.parquet").write_text("not a dataset")
    return tmp_path


def test_load(folder):
    mf = load_dataset("tiny", folder=folder)
    assert len(mf) == 3
    assert mf.incidents["kind"].tolist() == ["leak", "hog"]
    assert [rule.name for rule in mf.rules] == ["Slow"]


def test_list(folder):
    table = list_datasets(folder=folder)
    assert table.index.tolist() == ["tiny"]
    assert table.iloc[0][["title", "series", "samples", "incidents"]].tolist() == [
        "A tiny recording",
        3,
        12,
        2,
    ]


def test_recording_alone_is_enough(folder):
    for name in ("incidents.csv", "rules.yml", "README.md"):
        (folder / "tiny" / name).unlink()
    mf = load_dataset("tiny", folder=folder)
    assert mf.incidents["kind"].tolist() == ["leak"]
    assert mf.rules == []
    assert list_datasets(folder=folder).iloc[0][["title", "incidents"]].tolist() == ["", 1]


def test_unknown_name(folder):
    with pytest.raises(UnknownNameError, match="no dataset 'tinny'; did you mean 'tiny'"):
        load_dataset("tinny", folder=folder)


def test_damaged_recording(folder):
    (folder / "tiny" / "tiny.parquet").write_text("damaged")
    with pytest.raises(RecordingError, match=r"tiny\.parquet"):
        list_datasets(folder=folder)


def test_installed_datasets_come_first(folder, monkeypatch, tmp_path):
    other = tmp_path / "checkout"
    (other / "tiny").mkdir(parents=True)
    (other / "tiny" / "tiny.parquet").write_text("never read")
    monkeypatch.setattr(datasets, "_PLACES", (folder, other))
    assert len(load_dataset("tiny")) == 3
    assert list_datasets().index.tolist() == ["tiny"]
