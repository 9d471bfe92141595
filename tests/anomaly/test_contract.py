"""What every registered detector must keep, found by itself."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from monitorlab.errors import InvalidSeriesError, UnknownNameError
from tests.anomaly.builders import daily, noise, rough_cases

NAMES = anomaly.detectors()
CASES = sorted(rough_cases())


def stream(detector: anomaly.Detector, series: pd.Series) -> np.ndarray:
    seconds = series.index.as_unit("ns").asi8 / 1e9
    return np.array([detector.update(t, v) for t, v in zip(seconds, series, strict=True)])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_update_equals_score_and_scores_are_tail_probabilities(name: str, case: str) -> None:
    series = rough_cases()[case]
    detector = anomaly.make_detector(name)
    one_by_one = stream(detector, series)
    batch = detector.score(series)
    assert batch.index.equals(series.index)
    np.testing.assert_allclose(batch.to_numpy(), one_by_one, atol=1e-9)
    missing = ~np.isfinite(series.to_numpy())
    assert (np.isnan(one_by_one) == missing).all()
    assert ((one_by_one[~missing] >= 0) & (one_by_one[~missing] <= 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_never_looks_ahead(name: str) -> None:
    series = daily(900, seed=3)
    changed = series.copy()
    changed.iloc[600:] = np.random.default_rng(4).normal(1e6, 1e3, 300)
    detector = anomaly.make_detector(name)
    before, after = detector.score(series), detector.score(changed)
    np.testing.assert_array_equal(before.iloc[:600], after.iloc[:600])
    shorter = detector.score(series.iloc[:600])
    np.testing.assert_array_equal(before.iloc[:600], shorter)


@pytest.mark.parametrize("name", NAMES)
def test_pickles_midway_and_goes_on_alike(name: str) -> None:
    series = noise(600, seed=5)
    whole = anomaly.make_detector(name)
    expected = stream(whole, series)
    first = anomaly.make_detector(name)
    stream(first, series.iloc[:300])
    thawed = pickle.loads(pickle.dumps(first))
    copied = copy.copy(first)
    rest = series.iloc[300:]
    np.testing.assert_array_equal(stream(thawed, rest), expected[300:])
    np.testing.assert_array_equal(stream(copied, rest), expected[300:])
    np.testing.assert_array_equal(stream(first, rest), expected[300:])


@pytest.mark.parametrize("name", NAMES)
def test_memory_stays_bounded(name: str) -> None:
    detector = anomaly.make_detector(name)
    stream(detector, noise(100))
    small = len(pickle.dumps(detector))
    stream(detector, noise(9_000))
    assert len(pickle.dumps(detector)) < 1.1 * small
    assert small < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_reset_and_clone_forget(name: str) -> None:
    series = noise(300)
    detector = anomaly.make_detector(name)
    first = stream(detector, series)
    twin = detector.clone()
    detector.reset()
    np.testing.assert_array_equal(stream(detector, series), first)
    np.testing.assert_array_equal(stream(twin, series), first)


@pytest.mark.parametrize("name", NAMES)
def test_score_leaves_the_detector_as_it_is(name: str) -> None:
    series = noise(400)
    detector, other = anomaly.make_detector(name), anomaly.make_detector(name)
    stream(detector, series.iloc[:200])
    stream(other, series.iloc[:200])
    detector.score(noise(300, seed=9))
    np.testing.assert_array_equal(
        stream(detector, series.iloc[200:]), stream(other, series.iloc[200:])
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_sample_is_not_learned(name: str) -> None:
    series = noise(400)
    with_hole = series.copy()
    with_hole.iloc[200] = np.nan
    without = series.drop(series.index[200])
    detector = anomaly.make_detector(name)
    a, b = detector.score(with_hole), detector.score(without)
    np.testing.assert_array_equal(a.drop(a.index[200]), b)


@pytest.mark.parametrize("name", NAMES)
def test_options_are_kept(name: str) -> None:
    detector = anomaly.make_detector(name, threshold=0.99, warmup=10, refractory=5)
    assert detector.threshold == 0.99
    assert detector.parameters()["warmup"] == 10
    assert detector.clone().parameters() == detector.parameters()
    detector.threshold = 0.9999
    assert detector.clone().threshold == 0.9999


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_a_threshold_outside_is_refused(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        anomaly.make_detector(name, threshold=bad)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_series_are_refused(name: str) -> None:
    detector = anomaly.make_detector(name)
    with pytest.raises(InvalidSeriesError, match="goes back in time"):
        detector.score(noise(10).iloc[::-1])
    with pytest.raises(InvalidSeriesError, match="DatetimeIndex"):
        detector.score(pd.Series([1.0, 2.0]))
    with pytest.raises(InvalidSeriesError, match="not numbers"):
        detector.score(noise(3).astype(str))
    with pytest.raises(InvalidSeriesError, match="finite seconds"):
        detector.update(float("nan"), 1.0)


def test_a_naive_index_is_read_as_utc() -> None:
    series = daily(1_500)
    detector = anomaly.make_detector("auto")
    naive = series.tz_localize(None)
    np.testing.assert_array_equal(detector.score(naive), detector.score(series))


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'auto'"):
        anomaly.make_detector("auot")
    with pytest.raises(TypeError, match="its options are"):
        anomaly.make_detector("auto", treshold=0.9)
    with pytest.raises(UnknownNameError, match="robust_z"):
        anomaly.Ensemble(["robustz"])
    with pytest.raises(ValueError, match="at least one"):
        anomaly.Ensemble([])
    with pytest.raises(ValueError, match="zero or more"):
        anomaly.Ensemble(warmup=-1)
