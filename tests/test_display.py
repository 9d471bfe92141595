"""Results as text, HTML and plain JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.display import Result, format_number, html_table, text_table, to_plain
from monitorlab.model import Incident, Severity


@dataclass(frozen=True, repr=False, eq=False)
class Answer(Result):
    table: pd.DataFrame
    when: pd.Timestamp

    def summary(self) -> str:
        return "two <rows>"

    def to_frame(self) -> pd.DataFrame:
        return self.table


def answer(rows: int = 2) -> Answer:
    return Answer(pd.DataFrame({"x": np.arange(rows) / 3}), pd.Timestamp("2026-01-01", tz="UTC"))


def test_a_result_has_all_its_forms() -> None:
    made = answer()
    assert repr(made) == "Answer: two <rows>"
    assert str(made).splitlines() == ["Answer: two <rows>", "     x", "     0", "0.3333"]
    assert "two &lt;rows&gt;" in made._repr_html_()
    assert made.to_dict() == {
        "table": [{"x": 0.0}, {"x": 1 / 3}],
        "when": "2026-01-01T00:00:00+00:00",
    }


def test_long_tables_are_cut_and_counted() -> None:
    assert text_table(answer(30).table).endswith("… and 10 more")
    assert "… and 10 more" in html_table(answer(30).table)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1e-9, "1e-09"), (123456.7, "123457"), (float("inf"), "∞"), (None, "–"), (True, "True"),
     (pd.Timedelta("26h"), "1d02h"), (pd.Timedelta("90s"), "1m30s"), (Severity.ERROR, "error"),
     (("a", 1.0), "a, 1")],
)  # fmt: skip
def test_numbers_are_for_people(value: object, text: str) -> None:
    assert format_number(value) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.datetimes(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_anything_becomes_json(value: object) -> None:
    json.dumps(to_plain(value), allow_nan=False)


def test_numpy_pandas_and_dataclasses_become_json() -> None:
    value = {
        "a": np.float32(1.5), "b": np.array([1, 2]), "c": pd.Series([1.0, np.nan]), "d": pd.NaT,
        "e": Incident.make("2026-01-01T00:00Z", "2026-01-01T01:00Z"), "f": pd.Timedelta("1s"),
        "g": np.bool_(True), "h": np.datetime64("2026-01-01"),
    }  # fmt: skip
    plain = to_plain(value)
    json.dumps(plain, allow_nan=False)
    assert plain["c"]["values"] == [1.0, None]
    assert plain["e"]["severity"] == "error"
    assert plain["f"] == 1.0
