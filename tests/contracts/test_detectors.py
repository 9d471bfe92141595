"""Every detector that can be named, and every class of detectors, found by itself.

``tests/anomaly/test_contract.py`` holds what they must compute on awkward series; here stands
what they must be: whole before the first sample, independent after a copy, small for ever,
the same one by one, in pieces, in batch and as a column of a query.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import itertools
import math
import pickle
import pkgutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from monitorlab.anomaly.column import ScoreColumn
from monitorlab.columns import columns, make_column

START = pd.Timestamp("2026-01-05", tz="UTC")
NAMES = anomaly.detectors()


def restless(count: int = 900, seed: int = 1) -> pd.Series:
    """A daily series with noise, a spike, a step, a stuck stretch, holes and a gap."""
    rng = np.random.default_rng(seed)
    values = 20.0 * np.sin(np.arange(count) / 30.0) + rng.normal(0.0, 1.0, count)
    values[count // 2] += 80.0
    values[2 * count // 3 :] += 30.0
    values[-60:-30] = values[-61]
    values[rng.integers(0, count, 5)] = np.nan
    index = pd.date_range(START, periods=count, freq="5min")
    kept = np.ones(count, dtype=bool)
    kept[count // 4 : count // 4 + 15] = False
    return pd.Series(values, index=index)[kept]


def seconds(series: pd.Series) -> np.ndarray:
    return series.index.as_unit("ns").asi8 / 1e9


def stream(detector: anomaly.Detector, series: pd.Series) -> np.ndarray:
    return np.array([detector.update(t, v) for t, v in zip(seconds(series), series, strict=True)])


def classes() -> list[type[anomaly.Detector]]:
    """Give every detector class that the package defines, wherever it stands."""
    found = set()
    for module in pkgutil.iter_modules(anomaly.__path__, "monitorlab.anomaly."):
        for _, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(thing, anomaly.Detector) and not inspect.isabstract(thing):
                found.add(thing)
    return sorted(found, key=lambda cls: cls.__name__)


def options_of(name: str) -> list[dict[str, Any]]:
    """Give every way to set the boolean and the enumerated options of a detector."""
    parameters = inspect.signature(anomaly.base._REGISTRY[name]).parameters.values()
    ways: list[list[tuple[str, Any]]] = []
    for parameter in parameters:
        if isinstance(parameter.default, bool):
            ways.append([(parameter.name, True), (parameter.name, False)])
        choices = getattr(parameter.annotation, "__args__", ())
        if choices and all(isinstance(choice, str) for choice in choices):
            ways.append([(parameter.name, choice) for choice in choices])
    return [dict(way) for way in itertools.product(*ways)]


def test_there_are_detectors_and_each_class_can_be_named() -> None:
    assert "auto" in NAMES
    made = {type(anomaly.make_detector(name)) for name in NAMES}
    assert classes()
    for cls in classes():
        assert cls.__name__ in anomaly.__all__, f"{cls.__name__} is not in __all__"
        assert cls in made, f"no name makes a {cls.__name__}"


@pytest.mark.parametrize("name", NAMES)
def test_answers_before_the_first_sample(name: str) -> None:
    detector = anomaly.make_detector(name)
    assert 0.0 < detector.threshold < 1.0
    assert "object at 0x" not in repr(detector)
    assert detector.parameters()["threshold"] == detector.threshold
    detector.reset()
    empty = detector.score(restless().iloc[:0])
    assert len(empty) == 0
    assert empty.dtype == np.float64
    assert math.isnan(detector.update(0.0, math.nan))
    assert 0.0 <= detector.update(1.0, 5.0) < detector.threshold
    assert len(anomaly.detect(restless().iloc[:0], anomaly.make_detector(name)).events) == 0
    assert pickle.loads(pickle.dumps(anomaly.make_detector(name))).threshold == detector.threshold


@pytest.mark.parametrize("name", NAMES)
def test_a_constructor_only_stores_and_a_clone_has_the_same_parameters(name: str) -> None:
    detector = anomaly.make_detector(name)
    stream(detector, restless(300))
    fresh = detector.clone()
    assert type(fresh) is type(detector)
    assert fresh.parameters() == detector.parameters()
    np.testing.assert_array_equal(
        stream(fresh, restless(300)), stream(anomaly.make_detector(name), restless(300))
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))]
)
def test_a_copy_goes_its_own_way(name: str, copied: Any) -> None:
    series = restless(500)
    detector = anomaly.make_detector(name, threshold=0.995)
    expected = stream(anomaly.make_detector(name, threshold=0.995), series)
    stream(detector, series.iloc[:250])
    twin = copied(detector)
    stream(twin, series.iloc[:200] * -1e6)  # whatever it sees
    twin.threshold = 0.5
    assert detector.threshold == 0.995
    np.testing.assert_array_equal(stream(detector, series.iloc[250:]), expected[250:])


@pytest.mark.parametrize("name", NAMES)
def test_batch_pieces_column_and_one_by_one_agree(name: str) -> None:
    series = restless()
    one_by_one = stream(anomaly.make_detector(name), series)
    np.testing.assert_allclose(
        anomaly.make_detector(name).score(series), one_by_one, atol=1e-9, equal_nan=True
    )
    detector, pieces = anomaly.make_detector(name), []
    for part in np.array_split(np.arange(len(series)), 7):
        pieces.append(stream(detector, series.iloc[part]))
        detector = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(np.concatenate(pieces), one_by_one)
    times = series.index.as_unit("ns").asi8
    values = series.to_numpy()
    column = make_column("anomaly_score", name)
    np.testing.assert_allclose(column.whole(times, values), one_by_one, atol=1e-9)
    grown = [column.extend(times[:100], values[:100]), column.extend(times[100:], values[100:])]
    np.testing.assert_allclose(np.concatenate(grown), one_by_one, atol=1e-9)
    np.testing.assert_allclose(anomaly.detect(series, name).scores, one_by_one, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_memory_does_not_grow(name: str) -> None:
    detector = anomaly.make_detector(name)
    stream(detector, restless(200))
    sizes = []
    for n in range(4):
        later = restless(3_000, seed=n)
        later.index = later.index + pd.Timedelta(days=30 * n)
        stream(detector, later)
        sizes.append(len(pickle.dumps(detector)))
    assert max(sizes) <= 1_000_000
    assert max(sizes) <= 1.02 * min(sizes)


@pytest.mark.parametrize("name", NAMES)
def test_the_threshold_decides_and_never_changes_what_is_learned_of_the_values(name: str) -> None:
    series = restless()
    low = anomaly.detect(series, anomaly.make_detector(name, threshold=0.99))
    high = anomaly.detect(series, anomaly.make_detector(name, threshold=0.9999))
    assert (low.scores >= 0.99).sum() >= (high.scores >= 0.9999).sum()
    learned = [c for c in low.trace() if c not in ("score", "tail")]
    pd.testing.assert_frame_equal(low.trace()[learned], high.trace()[learned])


@pytest.mark.parametrize("name", NAMES)
def test_every_boolean_and_enumerated_option_works_both_ways(name: str) -> None:
    for options in filter(None, options_of(name)):
        detector = anomaly.make_detector(name, **options)
        kept = detector.parameters()
        assert {key: kept[key] for key in options} == options
        scores = stream(detector, restless(400))
        assert np.nanmax(scores) > 0.0, f"{name} with {options} never learns"


def test_the_column_of_queries_is_that_of_the_detectors() -> None:
    assert "anomaly_score" in columns()
    assert isinstance(make_column("anomaly_score"), ScoreColumn)
