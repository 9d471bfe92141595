"""Answers are kept by content: equal content hits, anything else is computed anew."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import monitorlab as ml
from monitorlab.cache import NoContentError, ResultCache, fingerprint
from monitorlab.model import Labels, SeriesKey

TIMES = pd.date_range("2026-01-01", periods=300, freq="5s", tz="UTC")
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    ml.cache.clear()
    yield
    ml.cache.configure(enabled=True, max_entries=1024, max_bytes=256 * 2**20)
    ml.cache.clear()


def frame(label: str = "a", rise: float = 0.0) -> ml.MonitoringFrame:
    made = ml.MonitoringFrame()
    values = 10 + np.random.default_rng(1).normal(0, 1, 300) + rise
    made.extend("load", TIMES, values, labels={"host": label})
    return made


@given(plain)
def test_equal_content_has_one_fingerprint(value: Any) -> None:
    import copy

    assert fingerprint(value) == fingerprint(copy.deepcopy(value))


@given(plain, plain)
def test_unequal_content_has_two(one: Any, other: Any) -> None:
    if repr(one) != repr(other) and one != other:
        assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (1, 1.0),
        (1, True),
        ("1", 1),
        ([1], (1,)),
        (np.array([1.0]), np.array([1])),
        (np.zeros(2), np.zeros((2, 1))),
        (SeriesKey("m", Labels(a="1")), SeriesKey("m", Labels(a="2"))),
        (pd.Series([1.0], name="a"), pd.Series([1.0], name="b")),
        (pd.Series([1.0], index=[0]), pd.Series([1.0], index=[1])),
        (pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-01")),
        (ml.Severity.ERROR, "error"),
    ],
)
def test_what_looks_alike_is_told_apart(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_a_function_has_no_content() -> None:
    with pytest.raises(NoContentError, match="function"):
        fingerprint({"capacity": [lambda: 1]})


def test_the_same_name_with_other_labels_is_another_answer() -> None:
    one, other = frame("a"), frame("b", rise=50.0)
    first, second = one.anomalies("load"), other.anomalies("load")
    assert ml.cache.info().misses == 2
    assert first.scores.columns.tolist() != second.scores.columns.tolist()


def test_the_same_name_and_labels_with_other_values_is_another_answer() -> None:
    assert fingerprint(frame().selection) != fingerprint(frame(rise=1.0).selection)
    frame().trend("load")
    frame(rise=1.0).trend("load")
    assert ml.cache.info().hits == 0


def test_a_repeated_question_hits_and_says_the_same() -> None:
    mf = frame()
    first, second = mf.anomalies("load"), mf.anomalies("load")
    assert (ml.cache.info().hits, ml.cache.info().misses) == (1, 1)
    pd.testing.assert_frame_equal(first.events, second.events)
    mf.anomalies("load", detector="auto")
    assert ml.cache.info().hits == 2
    assert frame().anomalies("load").events.equals(first.events)  # another store, same content
    assert ml.cache.info().hits == 3


def test_one_sample_more_is_another_question() -> None:
    mf = frame()
    assert mf.snapshot("1m").series.loc['load{host="a"}', "current"] < 20
    mf.record("load", 99.0, TIMES[-1] + pd.Timedelta("5s"), {"host": "a"})
    assert mf.snapshot("1m").series.loc['load{host="a"}', "current"] == 99.0
    assert (ml.cache.info().hits, ml.cache.info().misses) == (0, 2)


def test_a_corrected_sample_of_the_same_count_is_another_question() -> None:
    mf = frame()
    mf.snapshot("1m")
    mf.record("load", 55.0, TIMES[-1], {"host": "a"})
    assert mf.snapshot("1m").series.loc['load{host="a"}', "current"] == 55.0


@pytest.mark.parametrize("change", ["rule", "direction", "incident", "option", "as of"])
def test_everything_that_an_answer_depends_on_is_in_the_key(change: str) -> None:
    mf = frame()
    before = ml.Report(mf, horizons=("10m",), progress=False)
    before.to_dict()
    misses = ml.cache.info().misses
    options: dict[str, Any] = {"horizons": ("10m",)}
    if change == "rule":
        mf.alert("Busy", "value > 5", "load", for_="0s")
    elif change == "direction":
        mf.describe_metric("load", direction="down")
    elif change == "incident":
        mf.alert("Busy", "value > 5", "load", for_="0s")
        mf.mark(TIMES[10], TIMES[20], "hog")
    elif change == "option":
        options["objectives"] = [ml.report.Objective("Low", holds="load < 11", target=0.5)]
    else:
        mf = mf.at(TIMES[200])
    ml.Report(mf, progress=False, **options).to_dict()
    assert ml.cache.info().misses > misses


def test_nobody_changes_what_the_next_one_sees() -> None:
    mf = frame()
    first = mf.snapshot("1m")
    first.series.loc[:, "current"] = -1.0
    assert (mf.snapshot("1m").series["current"] > 0).all()
    report = ml.Report(mf, horizons=("10m",), progress=False)
    report.to_dict()["horizons"].clear()
    assert len(report.to_dict()["horizons"]) == 1


def test_it_can_be_switched_off() -> None:
    mf = frame()
    mf.trend("load")
    with ml.cache.disabled():
        mf.trend("load")
    assert (ml.cache.info().hits, ml.cache.info().bypassed) == (0, 1)
    mf.trend("load")
    assert ml.cache.info().hits == 1


def test_a_function_as_a_parameter_is_computed_each_time() -> None:
    mf = frame()
    for _ in range(2):
        mf.forecast("load", horizon="1m", capacity=lambda time: 50.0)
    assert (ml.cache.info().hits, ml.cache.info().bypassed) == (0, 2)


def test_entries_are_bounded_and_the_oldest_leaves() -> None:
    cache = ResultCache(max_entries=2)
    calls: list[int] = []
    for number in (1, 2, 1, 3, 1, 2):
        cache.remember("n", lambda number=number: calls.append(number), number)
    assert calls == [1, 2, 3, 2]
    info = cache.info()
    assert (info.entries, info.evictions, info.hits) == (2, 2, 2)


@given(st.lists(st.integers(0, 40), max_size=60))
def test_bytes_are_bounded_and_counted(sizes: list[int]) -> None:
    cache = ResultCache(max_bytes=2_000)
    for size in sizes:
        assert cache.remember("bytes", lambda size=size: bytes(100 * size), size) == bytes(
            100 * size
        )
        info = cache.info()
        assert info.nbytes <= 2_000
        assert info.nbytes == sum(len(data) for data, _ in cache._kept.values())
    assert cache.configure(max_bytes=0).entries == 0


def test_an_answer_bound_to_this_process_is_given_and_not_kept() -> None:
    cache = ResultCache()
    assert cache.remember("lock", threading.Lock, 1) is not None
    assert (cache.info().entries, cache.info().bypassed) == (0, 1)


def test_an_error_is_not_kept() -> None:
    cache = ResultCache()

    def fails() -> int:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.remember("x", fails, 1)
    assert cache.remember("x", lambda: 3, 1) == 3


def test_threads_share_it() -> None:
    cache = ResultCache(max_entries=8)
    wrong: list[int] = []

    def work(seed: int) -> None:
        numbers = np.random.default_rng(seed).integers(0, 20, 200).tolist()
        wrong.extend(n for n in numbers if cache.remember("square", lambda n=n: n**2, n) != n**2)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = cache.info()
    assert not wrong
    assert info.entries <= 8
    assert info.hits + info.misses == 1200


def test_info_has_every_form() -> None:
    frame().trend("load")
    info = ml.cache.info()
    assert info.to_frame().loc["trend", "misses"] == 1
    assert info.to_dict()["by_topic"] == {"trend": {"hits": 0, "misses": 1}}
    assert len(info.plot().data) == 2
    assert "0 hits, 1 misses" in repr(info)
