"""The store against a sorted dictionary, and its promises one by one."""

from __future__ import annotations

import math
import pickle
import struct
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import (
    InvalidSeriesError,
    MonitorlabError,
    MonitorlabWarning,
    TimeError,
    UnknownSeriesError,
)
from monitorlab.model import Incident, Labels, MetricType, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView, is_stale
from monitorlab.storage import column as column_module

T0 = 1_767_225_600_000_000_000
SECOND = 1_000_000_000


def _contents(store: SeriesStore, name: str = "m") -> dict[int, float]:
    views = store.select(name)
    if not views:
        return {}
    return dict(zip(views[0].times.tolist(), views[0].values.tolist(), strict=True))


# -- against the model -----------------------------------------------------------------

_TIMES = st.integers(0, 40)
_VALUE = st.one_of(st.floats(-10, 10), st.just(math.nan), st.just(math.inf))
_OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), _TIMES, _VALUE),
        st.tuples(st.just("extend"), st.lists(st.tuples(_TIMES, _VALUE), max_size=12)),
        st.tuples(st.just("read")),
        st.tuples(st.just("pickle")),
    ),
    max_size=40,
)


class _Model:
    """A dictionary that does what the store promises, slowly."""

    def __init__(self, policy: str, max_age: int | None, max_samples: int | None) -> None:
        self.policy, self.max_age, self.max_samples = policy, max_age, max_samples
        self.samples: dict[int, float] = {}
        self.received = 0
        self.newest = -1

    def add(self, batch: list[tuple[int, float]]) -> bool:
        if self.policy == "error":
            times = [t for t, _ in batch]
            if len(set(times)) < len(times) or any(t in self.samples for t in times):
                return False
        for t, v in batch:
            self.received += 1
            if self.policy == "last" or t not in self.samples:
                self.samples[t] = v
            self.newest = max(self.newest, t)
        return True

    def kept(self) -> dict[int, float]:
        times = sorted(self.samples)
        if self.max_age is not None:
            times = [t for t in times if t >= self.newest - self.max_age]
        if self.max_samples is not None:
            times = times[-self.max_samples :]
        return {t: self.samples[t] for t in times}


@settings(max_examples=300, deadline=None)
@given(
    operations=_OPERATIONS,
    policy=st.sampled_from(["last", "first", "error"]),
    max_age=st.sampled_from([None, 0, 7, 20]),
    max_samples=st.sampled_from([None, 1, 5, 17]),
    late_minimum=st.sampled_from([0, 3, 1024]),
)
def test_store_equals_a_sorted_dictionary(
    operations: list[tuple[Any, ...]],
    policy: Any,
    max_age: int | None,
    max_samples: int | None,
    late_minimum: int,
) -> None:
    if policy == "error":
        max_age = max_samples = None  # what was dropped may come again: tested elsewhere
    patch = pytest.MonkeyPatch()
    patch.setattr(column_module, "LATE_MINIMUM", late_minimum)
    store = SeriesStore(
        duplicates=policy,
        max_age=None if max_age is None else max_age * 1e-9,
        max_samples=max_samples,
    )
    model = _Model(policy, max_age, max_samples)
    held: list[tuple[SeriesView, list[int], bytes]] = []
    try:
        for operation in operations:
            if operation[0] == "append":
                batch = [operation[1:]]
                call = lambda b=batch, s=store: s.append("m", b[0][0], b[0][1])  # noqa: E731
            elif operation[0] == "extend":
                batch = operation[1]
                times = np.array([t for t, _ in batch], dtype=np.int64)
                values = [v for _, v in batch]
                call = lambda t=times, v=values, s=store: s.extend("m", t, v)  # noqa: E731
            elif operation[0] == "pickle":
                store = pickle.loads(pickle.dumps(store))
                continue
            else:
                held += [(v, v.times.tolist(), v.values.tobytes()) for v in store.select("m")]
                assert _bits(_contents(store)) == _bits(model.kept())
                continue
            if model.add(batch):
                call()
            else:
                with pytest.raises(InvalidSeriesError, match="nothing was added"):
                    call()
        assert _bits(_contents(store)) == _bits(model.kept())
        lost = sum(store.dropped.values())
        assert model.received == store.sample_count + lost
        for view, times, data in held:  # nothing that came later changed an older view
            assert view.times.tolist() == times
            assert view.values.tobytes() == data
            assert not view.times.flags.writeable
            assert not view.values.flags.writeable
    finally:
        patch.undo()


def _bits(samples: dict[int, float]) -> list[tuple[int, bytes]]:
    return [(t, struct.pack("<d", v)) for t, v in sorted(samples.items())]


# -- reading -----------------------------------------------------------------------------


def _filled(count: int = 100) -> SeriesStore:
    store = SeriesStore()
    times = T0 + np.arange(count) * SECOND
    for route in ("/", "/cart"):
        store.extend("latency_ms", times, np.arange(count) * 1.0, {"route": route})
    store.extend("up", times, np.ones(count))
    return store


def test_select_by_text_name_key_and_matchers() -> None:
    store = _filled()
    assert [str(v.key) for v in store.select()] == [
        'latency_ms{route="/"}',
        'latency_ms{route="/cart"}',
        "up",
    ]
    assert [str(v.key) for v in store.select('{route=~".+"}')] == [
        'latency_ms{route="/"}',
        'latency_ms{route="/cart"}',
    ]
    key = SeriesKey("latency_ms", Labels(route="/cart"))
    assert [v.key for v in store.select(key)] == [key]
    assert store.select("nothing") == []
    store.append("CPU usage %", 1, 1.0)
    assert [v.metric for v in store.select("CPU usage %")] == ["CPU usage %"]
    assert store.label_names() == ["route"]
    assert store.label_values("route") == ["/", "/cart"]
    assert store.metric_names == ["CPU usage %", "latency_ms", "up"]
    assert len(store) == 4
    assert store.keys[0] == SeriesKey("CPU usage %")


def test_stretch_is_half_open() -> None:
    store = _filled()
    view = store.select("up", T0 + 3 * SECOND, T0 + 6 * SECOND)[0]
    assert ((view.times - T0) // SECOND).tolist() == [3, 4, 5]
    assert store.select("up", T0 + 200 * SECOND) == []
    assert store.select("up", None, T0) == []
    assert len(store.select("up", -(10**30), 10**30)[0]) == 100
    assert len(store.view("up", start_ns=T0 + SECOND, end_ns=T0)) == 0


def test_views_share_memory_with_the_store_and_with_pandas() -> None:
    store = _filled()
    one, two = store.view("up"), store.view("up", start_ns=T0 + SECOND)
    assert np.shares_memory(one.values, two.values)
    series = one.to_pandas()
    assert np.shares_memory(series.to_numpy(), one.values)
    assert np.shares_memory(series.index.asi8, one.times)
    assert series.index.tz is not None
    assert str(series.index.dtype) == "datetime64[ns, UTC]"
    assert series.index.name == "timestamp"
    assert series.name == "up"
    assert series.index[0] == pd.Timestamp("2026-01-01", tz="UTC")
    with pytest.raises(ValueError, match="read-only"):
        one.values[0] = 5.0
    with pytest.raises(AttributeError):
        one.values = np.zeros(1)  # type: ignore[misc]


def test_view_keeps_its_length_when_the_column_grows_in_place() -> None:
    store = SeriesStore()
    store.append("m", 1, 1.0)
    view = store.view("m")
    store.append("m", 2, 2.0)
    assert view.values.tolist() == [1.0]
    assert np.shares_memory(view.values, store.view("m").values)


def test_view_between_and_addresses() -> None:
    view = _filled().view("up")
    part = view.between(T0 + SECOND, T0 + 3 * SECOND)
    assert len(part) == 2
    assert part.addresses[0] == view.addresses[0] + 8
    assert part.addresses[0] == part.times.__array_interface__["data"][0]
    assert view.between(None, None) is view
    assert len(view.between(10**30, None)) == 0
    own = SeriesView.make("x", np.arange(10)[::2], np.arange(10.0)[::2])
    assert own.addresses[1] == own.values.__array_interface__["data"][0]
    assert own.values.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_view_make_checks() -> None:
    with pytest.raises(InvalidSeriesError, match="as many"):
        SeriesView.make("x", [1, 2], [1.0])
    with pytest.raises(InvalidSeriesError, match="increasing"):
        SeriesView.make("x", [2, 1], [1.0, 2.0])


def test_unknown_series_offers_near_names() -> None:
    with pytest.raises(UnknownSeriesError, match="did you mean 'up'"):
        _filled().view("upp")


def test_view_pickles_with_metadata() -> None:
    store = SeriesStore()
    store.record("m", 1.0, T0, metadata={"trace": "a"})
    view = pickle.loads(pickle.dumps(store.view("m")))
    assert view.values.tolist() == [1.0]
    assert view.metadata == {T0: {"trace": "a"}}
    assert not view.values.flags.writeable


# -- writing -----------------------------------------------------------------------------


def test_three_ways_to_name_a_series_meet() -> None:
    store = SeriesStore()
    key = SeriesKey("m", Labels(a="1", b="2"))
    store.append("m", 1, 1.0, {"a": "1", "b": "2"})
    store.append("m", 2, 2.0, {"b": "2", "a": "1"})
    store.append(key, 3, 3.0)
    store.append("m", 4, 4.0, key.labels)
    store.append(SeriesKey("m", Labels(a="1")), 5, 5.0, {"b": "2"})
    store.append(store.keys[0], 6, 6.0)
    store.writer("m", {"a": "1", "b": "2"}).append(7, 7.0)
    for round_ in range(2):  # the second time through the remembered way
        store.append("m", 8 + 2 * round_, 1.0, {"a": "1", "b": "2"})
        store.append("m", 9 + 2 * round_, 1.0, key.labels)
    assert len(store) == 1
    assert store.view(key).times.tolist() == list(range(1, 12))


def test_label_values_that_are_equal_as_numbers_stay_apart() -> None:
    store = SeriesStore()
    for round_ in range(2):
        store.append("m", 1 + round_, 1.0, {"code": 1})  # type: ignore[dict-item]
        store.append("m", 1 + round_, 1.0, {"code": True})  # type: ignore[dict-item]
    assert store.label_values("code") == ["1", "True"]


def test_record_reads_times_and_asks_the_clock() -> None:
    store = SeriesStore(clock=lambda: T0)
    store.record("m", 1.0)
    store.record("m", 2.0, "2026-01-01T00:00:01Z")
    store.record("m", 3.0, 1_767_225_602)
    store.record("m", 4.0, T0 + 3 * SECOND)
    store.record("m", 5.0, pd.Timestamp("2026-01-01T01:00:04", tz="Europe/Zurich"))
    with pytest.warns(MonitorlabWarning, match="UTC"):
        store.record("m", 6.0, pd.Timestamp("2026-01-01T00:00:05"))
    assert ((store.view("m").times - T0) // SECOND).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("time_ns", "value", "error"),
    [
        (1, "5", InvalidSeriesError),
        (1, None, InvalidSeriesError),
        (1, [1.0], InvalidSeriesError),
        (0, "5", InvalidSeriesError),
        (1.5, 1.0, TimeError),
        (float("nan"), 1.0, TimeError),
        ("2026", 1.0, TimeError),
        (None, 1.0, TimeError),
        (2**63, 1.0, TimeError),
        (-(2**63), 1.0, TimeError),
        (-(2**70), 1.0, TimeError),
    ],
)
@pytest.mark.parametrize("policy", ["last", "error"])
def test_wrong_samples_change_nothing(
    time_ns: Any, value: Any, error: type[MonitorlabError], policy: Any
) -> None:
    store = SeriesStore(duplicates=policy)
    with pytest.raises(error):
        store.append("other", time_ns, value)
    assert len(store) == 0
    store.append("m", 0 if policy == "last" else -5, 1.0)
    version = store.version
    for add in (store.append, lambda _, t, v: store.writer("m").append(t, v)):
        with pytest.raises(error):
            add("m", time_ns, value)
    assert store.version == version
    assert store.sample_count == 1
    store.append("m", 1, 2.0)
    assert store.view("m").values.tolist() == [1.0, 2.0]


def test_wrong_names_and_labels() -> None:
    store = SeriesStore()
    for metric, labels in (("", None), (3, None), ("m", "x"), ("m", {"__name__": "n"})):
        with pytest.raises(InvalidSeriesError):
            store.append(metric, 1, 1.0, labels)  # type: ignore[arg-type]
        with pytest.raises(InvalidSeriesError):
            store.extend(metric, np.array([1]), [1.0], labels)  # type: ignore[arg-type]
    assert len(store) == 0


def test_wrong_options() -> None:
    with pytest.raises(InvalidSeriesError, match="'last', 'first' or 'error'"):
        SeriesStore(duplicates="both")  # type: ignore[arg-type]
    with pytest.raises(InvalidSeriesError, match="at least 1"):
        SeriesStore(max_samples=0)
    with pytest.raises(TimeError):
        SeriesStore(max_age="soon")


def test_extend_checks_before_it_changes() -> None:
    store = SeriesStore()
    store.extend("m", np.array([1, 2]), [1.0, 2.0])
    with pytest.raises(InvalidSeriesError, match="3 times for 2 values"):
        store.extend("m", np.array([3, 4, 5]), [1.0, 2.0])
    with pytest.raises(InvalidSeriesError, match="row 1 is 'x'"):
        store.extend("m", np.array([3, 4]), [1.0, "x"])
    with pytest.raises(TimeError, match="row 1"):
        store.extend("m", pd.DatetimeIndex(["2026-01-01T00:00Z", None]), [1.0, 2.0])
    store.extend("m", [], [])
    store.extend("new", [], [])
    assert _contents(store) == {1: 1.0, 2: 2.0}
    assert len(store) == 1


def test_error_policy_keeps_everything_that_was_there() -> None:
    store = SeriesStore(duplicates="error")
    store.extend("m", np.array([10, 20, 30]), [1.0, 2.0, 3.0])
    store.append("m", 15, 1.5)  # waits with the late ones
    for times in ([40, 15], [5, 20], [50, 50]):
        with pytest.raises(InvalidSeriesError, match="1970-01-01"):
            store.extend("m", np.array(times), [0.0] * len(times))
    for time_ns in (15, 20, 30):
        with pytest.raises(InvalidSeriesError, match="already there"):
            store.append("m", time_ns, 0.0)
    assert _contents(store) == {10: 1.0, 15: 1.5, 20: 2.0, 30: 3.0}
    assert store.dropped == {}


def test_many_late_samples_cost_no_merge_each(monkeypatch: pytest.MonkeyPatch) -> None:
    merges: list[int] = []
    settle = column_module.Column.settle

    def counted(self: column_module.Column) -> None:
        merges.append(len(self.late_times))
        settle(self)

    monkeypatch.setattr(column_module.Column, "settle", counted)
    store = SeriesStore()
    count = 20_000
    store.extend("m", np.arange(count) * 2 + 1, np.zeros(count))
    for t in range(0, 2 * count, 2):
        store.append("m", t, 1.0)
    assert len(merges) < 10
    view = store.view("m")
    assert view.times.tolist() == list(range(2 * count))
    assert view.values[::2].sum() == count


def test_late_sample_in_a_series_that_lost_everything() -> None:
    store = SeriesStore(max_age="10s")
    store.append("m", T0, 1.0)
    store.append("n", T0 + 100 * SECOND, 1.0)
    assert store.select("m") == []
    store.append("m", T0 - SECOND, 1.0)
    assert store.select("m") == []
    store.append("m", T0 + 95 * SECOND, 2.0)
    assert store.view("m").values.tolist() == [2.0]
    assert store.dropped == {"age": 2}


def test_retention_by_count_bounds_memory_without_reads() -> None:
    store = SeriesStore(max_samples=100)
    for t in range(10_000):
        store.append("m", t, float(t))
    assert store.nbytes <= 16 * 512
    assert store.view("m").times[0] == 9_900
    assert store.dropped == {"count": 9_900}
    assert store.dropped_by_series() == {SeriesKey("m"): {"count": 9_900}}


def test_retention_gives_memory_back() -> None:
    store = SeriesStore(max_age="1s")
    store.extend("m", T0 + np.arange(100_000), np.zeros(100_000))
    before = store.nbytes
    store.append("m", T0 + 10 * SECOND, 1.0)
    assert store.sample_count == 1
    assert store.nbytes < before / 100


def test_nan_and_stale_are_kept_and_counted() -> None:
    store = SeriesStore()
    store.extend("m", np.arange(3), [1.0, math.nan, STALE_NAN])
    store.append("m", 3, STALE_NAN)
    store.append("m", -1, STALE_NAN)
    view = store.view("m")
    assert view.stale.tolist() == [True, False, False, True, True]
    assert store.nan_count == 1
    assert store.stale_count == 3
    assert is_stale(np.array([], dtype=float)).tolist() == []
    assert pickle.loads(pickle.dumps(store)).stale_count == 3


# -- metadata and descriptions -------------------------------------------------------------


def test_metadata_goes_with_its_sample() -> None:
    store = SeriesStore()
    store.record("m", 1.0, T0, metadata={"trace": "a"})
    store.record("m", 2.0, T0 + SECOND)
    store.record("m", 3.0, T0 + 2 * SECOND, metadata={"trace": "c"})
    view = store.view("m")
    assert view.metadata == {T0: {"trace": "a"}, T0 + 2 * SECOND: {"trace": "c"}}
    assert store.view("m", start_ns=T0 + SECOND).metadata == {T0 + 2 * SECOND: {"trace": "c"}}
    store.record("m", 1.5, T0)  # replaces the sample, and so its metadata
    store.record("m", 0.5, T0 - SECOND, metadata={"trace": "late"})
    store.extend("m", np.array([T0 + 2 * SECOND]), [9.0])
    assert store.view("m").metadata == {T0 - SECOND: {"trace": "late"}}
    assert view.metadata == {T0: {"trace": "a"}, T0 + 2 * SECOND: {"trace": "c"}}
    view.metadata[T0]["trace"] = "changed"
    assert view.metadata[T0] == {"trace": "a"}
    assert SeriesView.make("m", [], []).metadata == {}


def test_metadata_of_a_duplicate_that_is_not_kept() -> None:
    store = SeriesStore(duplicates="first")
    store.record("m", 1.0, T0)
    store.record("m", 2.0, T0, metadata={"trace": "b"})
    store.record("m", 2.0, T0 - 1, metadata={"trace": "c"})
    assert store.view("m").metadata == {T0 - 1: {"trace": "c"}}
    strict = SeriesStore(duplicates="error")
    strict.record("m", 1.0, T0, metadata={"trace": "a"})
    with pytest.raises(InvalidSeriesError):
        strict.record("m", 2.0, T0, metadata={"trace": "b"})
    assert strict.view("m").metadata == {T0: {"trace": "a"}}


def test_metadata_leaves_with_retention() -> None:
    store = SeriesStore(max_samples=2)
    for t in range(5):
        store.record("m", 1.0, T0 + t, metadata={"n": t})
    assert store.view("m").metadata == {T0 + 3: {"n": 3}, T0 + 4: {"n": 4}}
    assert store._columns[0].metadata.keys() == {T0 + 3, T0 + 4}
    aged = SeriesStore(max_age="1s")
    aged.record("m", 1.0, T0, metadata={"n": 1})
    aged.record("other", 1.0, T0 + 5 * SECOND)
    assert aged.view("m").metadata == {}


def test_describe() -> None:
    store = SeriesStore()
    store.record("requests_total", 1.0, T0, type="counter")
    store.record("requests_total", 2.0, T0 + 1, type="gauge")  # described already
    assert store.metric("requests_total").type is MetricType.COUNTER
    store.describe("requests_total", unit="1", direction="up", description="All.")
    metric = store.describe("requests_total", unit="requests")
    assert (metric.type, metric.unit, metric.direction) == (
        MetricType.COUNTER,
        "requests",
        "up",
    )
    assert store.metric("other").type is MetricType.GAUGE
    with pytest.raises(InvalidSeriesError, match="counter, gauge"):
        store.record("x", 1.0, T0, type="odd")
    with pytest.raises(InvalidSeriesError, match="direction"):
        store.describe("x", direction="left")
    assert "x" not in store.metric_names


def test_version_newest_and_repr() -> None:
    store = SeriesStore()
    assert store.newest_ns is None
    assert store
    seen = [store.version]
    store.append("m", T0, 1.0)
    seen.append(store.version)
    store.extend("m", np.array([T0 + 5]), [1.0])
    seen.append(store.version)
    store.append("m", T0 + 1, 1.0)
    seen.append(store.version)
    assert seen == sorted(set(seen))
    assert store.newest_ns == T0 + 5
    assert repr(store) == "SeriesStore(1 series of 1 metrics, 3 samples)"
    assert [v.metric for v in store] == ["m"]


def test_pickle_keeps_everything() -> None:
    store = _filled()
    store.describe("up", type="gauge", unit="1")
    store.incidents.append(Incident.make(T0, T0 + SECOND, "cpu_hog"))
    store.append("up", T0 - 5, 2.0)
    again = pickle.loads(pickle.dumps(store))
    assert again.keys == store.keys
    assert again.incidents == store.incidents
    assert again.metrics == store.metrics
    assert again.newest_ns == store.newest_ns
    for one, two in zip(store, again, strict=True):
        assert one.times.tobytes() == two.times.tobytes()
        assert one.values.tobytes() == two.values.tobytes()
    again.append("up", T0 + 10**12, 1.0)
    assert again.sample_count == store.sample_count + 1
