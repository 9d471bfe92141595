"""Labels, keys, severities and incidents."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.errors import RuleError
from monitorlab.model import Incident, Labels, MetricType, SeriesKey, Severity, TimeWindow

pairs = st.dictionaries(st.text("abc_", min_size=1, max_size=4), st.text(max_size=5), max_size=4)


@given(pairs)
def test_labels_do_not_depend_on_order_and_drop_empty_values(mapping: dict[str, str]) -> None:
    backwards = Labels(dict(reversed(mapping.items())))
    assert Labels(mapping) == backwards
    assert hash(Labels(mapping)) == hash(backwards)
    assert dict(backwards) == {k: v for k, v in mapping.items() if v}
    assert pickle.loads(pickle.dumps(backwards)) == backwards


def test_labels_are_changed_by_making_new_ones() -> None:
    labels = Labels(a="1", b="2")
    assert labels.without("a") == {"b": "2"}
    assert labels.only("a") == {"a": "1"}
    assert labels.replaced(a="3", b="") == {"a": "3"}
    assert labels == {"a": "1", "b": "2"}


def test_a_key_is_written_as_promql() -> None:
    assert str(SeriesKey("m", Labels(path='a"b\\c\n'))) == 'm{path="a\\"b\\\\c\\n"}'
    assert SeriesKey("a") < SeriesKey("a", Labels(x="1")) < SeriesKey("b")


def test_severities_are_ordered() -> None:
    assert max(Severity) is Severity.CRITICAL
    assert Severity.INFO < Severity.WARNING < Severity.ERROR < Severity.CRITICAL
    assert Severity.ERROR >= "error"
    assert max(Severity.WARNING, Severity.ERROR) is Severity.ERROR
    with pytest.raises(RuleError, match="use one of info, warning, error, critical"):
        Severity.parse("bad")


def test_types_say_what_fits_them() -> None:
    assert MetricType.COUNTER.is_cumulative
    assert MetricType.TIMER.is_distribution
    assert not MetricType.GAUGE.is_distribution


def test_a_window_is_open_on_the_left() -> None:
    start, end = TimeWindow.parse("1h").bounds("2026-01-01T01:00Z")
    assert (end - start).total_seconds() == 3600
    assert str(TimeWindow.parse("90m")) == "1h30m"


def test_an_incident_must_end_after_it_starts() -> None:
    with pytest.raises(RuleError, match="not after its start"):
        Incident.make("2026-01-01T01:00Z", "2026-01-01T01:00Z", "x")
    made = Incident.make("2026-01-01T01:00Z", "2026-01-01T02:00Z", "x", metrics="cpu")
    assert made.metrics == ("cpu",)
    assert made.duration.total_seconds() == 3600
