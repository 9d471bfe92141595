"""The notation of series in rule tests."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitorlab.errors import QueryError
from monitorlab.query import load_notation, parse_notation
from monitorlab.query.notation import parse_series
from monitorlab.storage import is_stale


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0+10x3", [0, 10, 20, 30]),
        ("1 _ 3", [1, None, 3]),
        ("_x5 1", [None] * 5 + [1]),
        ("8-2x2", [8, 6, 4]),
        ("1x2", [1, 1, 1]),
        ("0x5", [0] * 6),
        ("-1-1x1", [-1, -2]),
        ("1e2+.5x1", [100, 100.5]),
        ("Inf -inf", [math.inf, -math.inf]),
        ("-3x0", [-3]),
        ("", []),
    ],
)
def test_values(text, expected):
    values, present = parse_notation(text)
    assert [v if p else None for v, p in zip(values, present, strict=True)] == expected


def test_stale_is_a_sample_with_the_marker_and_nan_is_not():
    values, present = parse_notation("1 stale NaN")
    assert is_stale(values).tolist() == [False, True, False]
    assert present.all()


@pytest.mark.parametrize(
    "text", ["1 2x", "a", "1+x3", "{{schema:0}}", "1__", "0x99999999999999999999"]
)
def test_what_cannot_be_read_is_pointed_at(text):
    with pytest.raises(QueryError) as caught:
        parse_notation(text)
    assert caught.value.__class__ is QueryError


def test_series_are_loaded_at_their_interval():
    store = load_notation([('x{a="b"}', "1 _ 3")], "30s", start_ns=10)
    view = store.select("x")[0]
    assert view.times.tolist() == [10, 10 + 60 * 10**9]
    np.testing.assert_array_equal(view.values, [1.0, 3.0])


def test_a_series_is_named_by_equality_only():
    assert parse_series("{}").labels == {}
    with pytest.raises(QueryError, match="'=' only"):
        parse_series('x{a=~"b"}')
