"""What users give as times and values, and what becomes of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import InvalidSeriesError, MonitorlabWarning, TimeError
from monitorlab.storage import times_to_ns, values_to_floats

T0 = 1_767_225_600_000_000_000
ISO = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]
EXPECTED = [T0, T0 + 1_000_000_000]


@pytest.mark.parametrize(
    "times",
    [
        ISO,
        tuple(ISO),
        np.array(ISO),
        pd.Series(ISO),
        ["2026-01-01 00:00:00", "2026-01-01 00:00:01"],
        ["2026-01-01T01:00:00+01:00", "2025-12-31T19:00:01-05:00"],
        ["Jan 1 2026 00:00:00", "2026-01-01T00:00:01Z"],
        pd.DatetimeIndex(ISO),
        pd.DatetimeIndex(ISO).tz_convert("Europe/Zurich"),
        pd.Series(pd.DatetimeIndex(ISO)),
        pd.Series(pd.DatetimeIndex(ISO)).astype(object),
        list(pd.DatetimeIndex(ISO)),
        [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), pd.Timestamp(ISO[1])],
        np.array(["2026-01-01T00:00:00", "2026-01-01T00:00:01"], dtype="datetime64[s]"),
        [np.datetime64("2026-01-01T00:00:00"), np.datetime64("2026-01-01T00:00:01")],
        [1_767_225_600, 1_767_225_601],
        [1_767_225_600.0, 1_767_225_601.0],
        [1_767_225_600_000, 1_767_225_601_000],
        [1_767_225_600_000_000, 1_767_225_601_000_000],
        EXPECTED,
        np.array(EXPECTED),
        np.array([1_767_225_600, 1_767_225_601], dtype=np.int32),
        np.array([1_767_225_600, 1_767_225_601], dtype=np.uint64),
        np.array([1_767_225_600, 1_767_225_601], dtype=object),
        pd.Series([1_767_225_600, 1_767_225_601], dtype="Int64"),
        pd.Index([1_767_225_600, 1_767_225_601]),
        pd.Series(pd.DatetimeIndex(ISO)).astype("timestamp[us, tz=UTC][pyarrow]"),
        iter(EXPECTED),
    ],
)
def test_times(times: Any) -> None:
    out = times_to_ns(times)
    assert out.dtype == np.int64
    assert out.tolist() == EXPECTED


def test_int64_arrays_are_nanoseconds_when_asked() -> None:
    times = np.array([1, 2])
    assert times_to_ns(times, int64_is_ns=True) is times
    assert times_to_ns(times).tolist() == [1_000_000_000, 2_000_000_000]


@pytest.mark.parametrize(
    "times",
    [
        pd.DatetimeIndex(["2026-01-01T00:00:00", "2026-01-01T00:00:01"]),
        pd.Series(pd.DatetimeIndex(["2026-01-01T00:00:00", "2026-01-01T00:00:01"])),
        [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, 0, 0, 1)],
    ],
)
def test_naive_times_are_utc_with_a_warning(times: Any) -> None:
    with pytest.warns(MonitorlabWarning, match="UTC"):
        assert times_to_ns(times).tolist() == EXPECTED


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (pd.DatetimeIndex([ISO[0], None]), "row 1"),
        ([ISO[0], None], "row 1"),
        ([ISO[0], float("nan")], "row 1"),
        ([1.0, float("nan")], "row 1"),
        ([1.0, float("inf")], "row 1"),
        (pd.Series([1, None], dtype="Int64"), "row 1"),
        ([ISO[0], "yesterday-ish"], "row 1 is 'yesterday-ish'"),
        ([ISO[0], object()], "row 1"),
        ([True, False], "bool"),
        (np.array([1 + 2j]), "complex"),
        (np.zeros((2, 2)), "one dimension"),
        ("2026-01-01", "list"),
        (5, "list"),
        ([1e30], "1678 to 2262"),
        (pd.DatetimeIndex(["2026-01-01", "3000-01-01"], tz="UTC"), "row 1"),
        (np.array([5, -(2**63)]), "row 1|1678"),
    ],
)
def test_wrong_times_name_the_row(times: Any, message: str) -> None:
    with pytest.raises(TimeError, match=message):
        times_to_ns(times)


def test_missing_nanoseconds_are_noticed() -> None:
    with pytest.raises(TimeError, match="row 1"):
        times_to_ns(np.array([5, -(2**63)]), int64_is_ns=True)
    with pytest.raises(TimeError, match="one dimension"):
        times_to_ns(np.zeros((2, 2), np.int64), int64_is_ns=True)


def test_empty_input() -> None:
    for nothing in ([], np.array([]), pd.DatetimeIndex([], tz="UTC"), pd.Series([], dtype=object)):
        assert times_to_ns(nothing).tolist() == []
        assert times_to_ns(nothing).dtype == np.int64
    assert values_to_floats([]).tolist() == []


@pytest.mark.parametrize(
    "values",
    [
        [1, 2.5],
        (1, 2.5),
        np.array([1, 2.5], dtype=np.float32),
        np.array([1, 2.5], dtype=object),
        [Decimal(1), Decimal("2.5")],
        ["1", "2.5"],
        pd.Series(["1", "2.5"]),
        pd.Series([1.0, 2.5], dtype="Float64"),
        pd.Series([1.0, 2.5], dtype="double[pyarrow]"),
        iter([1, 2.5]),
    ],
)
def test_values(values: Any) -> None:
    out = values_to_floats(values)
    assert out.dtype == np.float64
    assert out.tolist() == [1.0, 2.5]


def test_missing_values_become_nan() -> None:
    for values in ([1, None], ["1", None], ["1", "NaN"], pd.Series([1, pd.NA], dtype="Int64")):
        out = values_to_floats(values)
        assert out[0] == 1.0
        assert np.isnan(out[1])
    assert values_to_floats([True, False]).tolist() == [1.0, 0.0]


def test_floats_are_not_copied() -> None:
    values = np.array([1.0, 2.0])
    assert values_to_floats(values) is values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, "abc"], "row 1 is 'abc'"),
        ([1.0, object()], "row 1"),
        (np.array([1 + 2j]), "complex"),
        (np.zeros((2, 2)), "one dimension"),
        ("12", "list"),
        (5, "list"),
        (np.array(["2026-01-01"], dtype="datetime64[s]"), "datetime64"),
    ],
)
def test_wrong_values_name_the_row(values: Any, message: str) -> None:
    with pytest.raises(InvalidSeriesError, match=message):
        values_to_floats(values)
