"""Selections: narrowing, snapshots, as-of times."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import MatcherError, TimeError
from monitorlab.model import Incident, MetricType
from monitorlab.storage import Matcher, Selection, SeriesStore

T0 = 1_767_225_600_000_000_000
SECOND = 1_000_000_000


def _store() -> SeriesStore:
    store = SeriesStore()
    times = T0 + np.arange(100) * SECOND
    for route in ("/", "/cart"):
        store.extend("latency_ms", times, np.arange(100.0), {"route": route})
    store.extend("up", times[:50], np.ones(50))
    store.describe("up", type="gauge")
    return store


def _seconds(selection: Selection) -> list[list[int]]:
    return [((view.times - T0) // SECOND).tolist() for view in selection.series()]


def test_root_is_live_and_narrowed_ones_are_not() -> None:
    store = _store()
    root = store.selection()
    narrowed = root.select("up")
    assert root.is_live
    assert not narrowed.is_live
    store.append("up", T0 + 200 * SECOND, 1.0)
    store.append("up", T0 - SECOND, 1.0)
    assert root.sample_count == 252
    assert narrowed.sample_count == 50
    assert root.snapshot().sample_count == 252
    assert narrowed.snapshot() is narrowed
    assert root.as_of_ns == T0 + 200 * SECOND
    assert narrowed.as_of_ns == T0 + 99 * SECOND


def test_last_is_open_on_the_left_and_ends_at_the_as_of_time() -> None:
    root = _store().selection()
    assert _seconds(root.last("3s")) == [[97, 98, 99], [97, 98, 99]]
    assert _seconds(root.at(T0 + 40 * SECOND).last("2s")) == [[39, 40]] * 3
    assert _seconds(root.at(T0 + 40 * SECOND + 1).last("2s")) == [[39, 40]] * 3
    assert root.last("3s").as_of == pd.Timestamp("2026-01-01T00:01:39", tz="UTC")
    assert root.last("1000y").sample_count == 250


def test_selecting_and_windowing_commute() -> None:
    root = _store().selection()
    assert _seconds(root.select("up").last("60s")) == _seconds(root.last("60s").select("up"))
    assert len(root.select("up").last("10s")) == 0


def test_at_sees_nothing_later_and_between_is_half_open() -> None:
    root = _store().selection()
    at = root.at("2026-01-01T00:00:10Z")
    assert at.select("up")[0].times[-1] == T0 + 10 * SECOND
    assert at.as_of_ns == T0 + 10 * SECOND
    between = root.between("2026-01-01T00:00:05Z", "2026-01-01T00:00:08Z")
    assert _seconds(between) == [[5, 6, 7]] * 3
    assert between.as_of_ns == T0 + 7 * SECOND
    assert _seconds(between.last("2s")) == [[6, 7]] * 3
    assert _seconds(root.between(None, T0 + SECOND)) == [[0]] * 3
    late = root.between(T0, T0 + 5 * SECOND).at(T0 + 60 * SECOND)
    assert late.as_of_ns == T0 + 60 * SECOND
    assert late.select("up").as_of_ns == T0 + 60 * SECOND
    assert len(late.last("10s")) == 0
    with pytest.raises(TimeError, match="before it starts"):
        root.between(T0 + SECOND, T0)
    empty = root.between(T0 - 5 * SECOND, T0)
    assert len(empty) == 0
    assert empty.as_of_ns == T0 - 1


def test_narrowing_never_widens() -> None:
    root = _store().selection()
    part = root.between(T0 + 10 * SECOND, T0 + 20 * SECOND)
    assert _seconds(part.between(T0, T0 + 12 * SECOND)) == [[10, 11]] * 3
    assert (part.start_ns, part.end_ns) == (T0 + 10 * SECOND, T0 + 20 * SECOND)


def test_is_the_sequence_of_its_series_and_a_source() -> None:
    root = _store().selection()
    found = root.select([Matcher("route", "=~", "/.+")], T0, T0 + 2 * SECOND)
    assert [view.key for view in found] == found.keys
    assert [str(key) for key in found.keys] == ['latency_ms{route="/cart"}']
    assert found[0] is found[-1]
    assert len(found[:1]) == 1
    assert found.sample_count == 2
    assert found.as_of_ns == T0 + 2 * SECOND - 1
    assert root.metric("up").type is MetricType.GAUGE
    assert list(root.metrics) == ["latency_ms", "up"]
    assert list(found.metrics) == ["latency_ms"]
    assert not root.select("nothing")
    assert [str(m) for m in root.select("up").select('{job=""}').matchers] == [
        '__name__="up"',
        'job=""',
    ]
    assert len(root.select("up").select('{job=""}')) == 1
    assert len(root.select("up").select('{job!=""}')) == 0
    with pytest.raises(MatcherError):
        root.select("up{")


def test_empty_store() -> None:
    root = SeriesStore().selection()
    assert root.as_of_ns is None
    assert root.as_of is None
    assert len(root.last("5m")) == 0
    assert repr(root) == "Selection(everything: 0 series, 0 samples)"


def test_incidents_that_touch_the_stretch() -> None:
    store = _store()
    store.incidents.append(Incident.make(T0 + 10 * SECOND, T0 + 20 * SECOND, "a"))
    store.incidents.append(Incident.make(T0 + 30 * SECOND, T0 + 40 * SECOND, "b"))
    root = store.selection()
    assert [i.kind for i in root.incidents] == ["a", "b"]
    assert [i.kind for i in root.between(T0, T0 + 30 * SECOND).incidents] == ["a"]
    assert [i.kind for i in root.between(T0 + 20 * SECOND, None).incidents] == ["b"]


def test_repr_and_pickle() -> None:
    part = _store().selection().select("up").between(T0, T0 + 2 * SECOND)
    expected = (
        'Selection(__name__="up": 1 series, 2 samples, '
        "2026-01-01 00:00:00+00:00 to 2026-01-01 00:00:01+00:00)"
    )
    assert repr(part) == expected
    assert repr(pickle.loads(pickle.dumps(part))) == expected
    assert part.store.metric_names == ["latency_ms", "up"]
