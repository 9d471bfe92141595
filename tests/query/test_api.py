"""Asking a source: tables, ranges, options, limits, unknown names, own functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitorlab import query
from monitorlab.errors import QueryError, TimeError, UnknownSeriesError
from monitorlab.model import SeriesKey
from monitorlab.query import (
    Limits,
    QueryOptions,
    RangeResult,
    evaluate,
    evaluate_at,
    evaluate_range,
    load_notation,
    parse,
    register_function,
)
from monitorlab.query.functions import FUNCTIONS
from monitorlab.query.signatures import SIGNATURES


@pytest.fixture
def store():
    return load_notation(
        [('up{job="a"}', "1 1 0 1"), ('up{job="b"}', "1 _ _ 1"), ("load", "3x3")], "1m"
    )


def test_an_instant_answer_is_a_table(store):
    table = evaluate(store, "up", 180)
    assert table.columns.tolist() == ["metric", "job", "timestamp", "value"]
    assert table["job"].tolist() == ["a", "b"]
    assert table["timestamp"].iloc[0] == pd.Timestamp(180, unit="s", tz="UTC")
    assert evaluate(store, "sum(up)", 180)["metric"].tolist() == [""]


def test_the_newest_sample_is_now_unless_told(store):
    assert evaluate(store, "time()")["value"].tolist() == [180.0]
    assert evaluate(store.selection().at(60), "time()")["value"].tolist() == [60.0]
    assert evaluate(store.selection().at(60), "up")["value"].tolist() == [1.0, 1.0]


def test_scalars_texts_and_ranges(store):
    assert evaluate(store, "1 + 1")["value"].tolist() == [2.0]
    assert evaluate(store, '"a"')["value"].tolist() == ["a"]
    raw = evaluate(store, "up[2m]", 180)
    assert raw["value"].tolist() == [0.0, 1.0, 1.0]
    assert raw["job"].tolist() == ["a", "a", "b"]


def test_a_range_answer(store):
    result = evaluate_range(store, "up == 0", 0, 180, "1m")
    assert isinstance(result, RangeResult)
    assert result.keys == (SeriesKey("up", parse('up{job="a"}') and result.keys[0].labels),)
    assert result.present.tolist() == [[False, False, True, False]]
    assert result.to_frame()["value"].tolist() == [0.0]
    assert result.to_pandas().shape == (4, 1)
    assert [len(view) for view in result.to_views()] == [1]
    assert result.to_dict()["series"][0]["values"] == [0.0]
    assert "1 series × 4 steps, 1 point" in repr(result)
    assert "up" in result._repr_html_()
    assert len(result.plot().data) == 1


def test_a_range_result_makes_a_new_source(store):
    from monitorlab.storage import SeriesStore

    again = SeriesStore()
    for view in evaluate_range(store, "up * 2", 0, 180, "1m").to_views():
        again.extend(SeriesKey("double", view.key.labels), view.times, view.values)
    assert evaluate(again, "sum(double)")["value"].tolist() == [4.0]


def test_irregular_steps(store):
    result = evaluate_at(store, "up", np.array([0, 130, 180]) * 10**9)
    assert result.values.tolist() == [[1, 0, 1], [1, 1, 1]]


def test_a_compiled_expression_is_remembered_and_accepted(store):
    assert query.compile("up > 0") is query.compile("up > 0")
    assert len(evaluate(store, query.compile("up > 0"), 180)) == 2
    with pytest.raises(QueryError):
        evaluate(store, parse("topk(scalar(nothing), up)"), 180)


def test_unknown_metrics_offer_near_names(store):
    with pytest.raises(UnknownSeriesError, match="did you mean 'load'"):
        evaluate(store, "laod > 1")
    with pytest.raises(UnknownSeriesError, match="did you mean 'load'"):
        evaluate_range(store, "sum(laod)", 0, 60, 60)
    for expr in ("absent(laod)", "laod or vector(1)", "up unless laod"):
        assert len(evaluate(store, expr))
    assert len(evaluate(store, "laod", unknown="empty")) == 0
    assert len(evaluate(store, 'up{job="nobody"}')) == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"lookback": "0s"}, QueryError),
        ({"lookback": "5 minutes"}, TimeError),
        ({"prom_compat": "1"}, QueryError),
        ({"default_step": "0s"}, QueryError),
    ],
)
def test_wrong_options(store, options, error):
    with pytest.raises(error):
        evaluate(store, "up", 0, **options)


def test_limits_are_clear_errors(store):
    for expr, limits, words in (
        ("up", Limits(max_points=3), "Limits.max_points"),
        ("up", Limits(max_steps=2), "Limits.max_steps"),
        ("max_over_time(up[1h:1s])", Limits(max_subquery_points=100), "Limits.max_subquery_points"),
        ('count_values("v", load)', Limits(max_points=5), "max_points|more than"),
    ):
        with pytest.raises(QueryError, match=words):
            evaluate_range(store, expr, 0, 180, 30, limits=limits)


@pytest.mark.parametrize(("start", "end", "step"), [(60, 0, 60), (0, 60, 0)])
def test_wrong_ranges(store, start, end, step):
    with pytest.raises(QueryError):
        evaluate_range(store, "up", start, end, step)


@pytest.mark.parametrize("expr", ['"text"', "up[5m]"])
def test_ranges_need_a_vector_or_a_number(store, expr):
    with pytest.raises(QueryError, match="needs an instant vector"):
        evaluate_range(store, expr, 0, 60, 60)
    with pytest.raises(QueryError, match="needs an instant vector"):
        evaluate_at(store, expr, np.array([0]))


def test_lookback_and_closed_windows(store):
    assert len(evaluate(store, "up", 179 + 60, lookback="1m")) == 2
    assert len(evaluate(store, "up", 180 + 60, lookback="1m")) == 0
    assert len(evaluate(store, "up", 180 + 60, lookback="1m", prom_compat="2")) == 2
    assert QueryOptions(prom_compat="2").closed


def test_asking_changes_nothing(store):
    before = [(v.key, v.values.tolist()) for v in store.select()]
    evaluate_range(store, 'label_replace(-up, "job", "x", "job", "a")', 0, 180, 60)
    assert [(v.key, v.values.tolist()) for v in store.select()] == before


def test_own_functions(store):
    def excess(context, vector, limit):
        assert len(context.steps) == len(limit)
        return vector.with_values(vector.values - limit)

    register_function("excess", excess, ["vector", "scalar"])
    try:
        assert evaluate(store, "excess(load, 1) > 1", 180)["value"].tolist() == [2.0]
        with pytest.raises(QueryError, match="expected 2 argument"):
            parse("excess(load)")
        with pytest.raises(QueryError, match="did you mean `excess`"):
            parse("exces(load, 1)")
    finally:
        del FUNCTIONS["excess"], SIGNATURES["excess"]


@pytest.mark.parametrize(
    ("name", "arguments", "optional"),
    [
        ("rate", ["matrix"], 0),
        ("sum", ["vector"], 0),
        ("A b", ["vector"], 0),
        ("mad_over_time", ["matrix"], 0),
        ("fine", ["wrong"], 0),
        ("fine", ["vector"], 3),
    ],
)
def test_own_functions_are_checked(name, arguments, optional):
    with pytest.raises(QueryError):
        register_function(name, lambda c, v: v, arguments, optional=optional)


def test_labels_named_like_columns():
    store = load_notation([('x{value="v", metric="m"}', "1")], "1m")
    table = evaluate(store, "x")
    assert table.columns.tolist() == ["metric", "label_metric", "label_value", "timestamp", "value"]
    assert table["label_metric"].tolist() == ["m"]
