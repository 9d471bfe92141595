"""A whole series at once gives what one sample after the other gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab import anomaly
from monitorlab.anomaly.batch import score_all
from tests.anomaly.builders import START, rough_cases

LENGTH = 5_200
KINDS = ("noise", "ties", "constant", "walk", "day", "huge", "counter", "near ties", "offset")
TIMES = ("5min", "1min", "1h", "irregular", "gaps", "same time", "uneven")


def values_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    plain = rng.normal(size=LENGTH)
    return {
        "noise": plain,
        "ties": np.round(2.0 * plain) * 0.1,
        "constant": np.where(rng.random(LENGTH) < 0.001, 4.0, 3.3),
        "walk": np.cumsum(plain),
        "day": 30.0 * np.sin(2.0 * np.pi * np.arange(LENGTH) / 288) + plain,
        "huge": 1e300 * plain,
        "counter": np.arange(LENGTH) % 1_700 * 3.0,
        "near ties": 5.0 + 1e-12 * plain,
        "offset": 1e12 + plain,
    }[kind]


def index_of(kind: str, rng: np.random.Generator) -> pd.DatetimeIndex:
    if kind in ("5min", "1min", "1h"):
        return pd.date_range(START, periods=LENGTH, freq=kind, tz="UTC")
    steps = {
        "irregular": rng.exponential(300.0, LENGTH),
        "gaps": np.where(rng.random(LENGTH) < 0.002, 30_000.0, 300.0),
        "same time": np.where(rng.random(LENGTH) < 0.3, 0.0, 500.0),
        "uneven": np.where(np.arange(LENGTH) < LENGTH // 2, 60.0, 301.5),
    }[kind]
    return pd.Timestamp(START, tz="UTC") + pd.to_timedelta(np.cumsum(steps), unit="s")


def stepped(detector: anomaly.Ensemble, series: pd.Series) -> pd.DataFrame:
    """Give score, tail, expected, spread and surprises by one step for each sample."""
    from monitorlab.kernels import anomaly_auto as kernel

    fresh = detector.clone()
    found = np.empty((len(series), kernel.OUTPUTS))
    seconds = series.index.as_unit("ns").asi8 / 1e9
    for i, (t, v) in enumerate(zip(seconds, series, strict=True)):
        fresh.update(t, v)
        found[i] = fresh._out
    columns = ["score", "tail", "expected", "spread", *kernel.CHANNELS]
    return pd.DataFrame(found, columns=columns, index=series.index)


def check(detector: anomaly.Ensemble, series: pd.Series) -> None:
    expected = stepped(detector, series)
    trace = detector.trace(series)
    same = [c for c in trace if c not in ("lower", "upper")]
    scale = np.maximum(expected["expected"].abs().to_numpy(), 1.0)
    for column in same:
        size = scale if column == "expected" else 1.0
        np.testing.assert_allclose(
            trace[column].to_numpy() / size,
            expected[column].to_numpy() / size,
            rtol=0.0,
            atol=1e-9,
            err_msg=column,
        )
    np.testing.assert_array_equal(detector.score(series), trace["score"])


@settings(max_examples=12, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    times=st.sampled_from(TIMES),
    missing=st.sampled_from([0.0, 0.01, 0.3]),
    seed=st.integers(0, 1_000),
)
def test_batch_equals_steps_over_many_days(
    kind: str, times: str, missing: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = values_of(kind, rng)
    values[rng.random(LENGTH) < missing] = np.nan
    check(anomaly.Ensemble(), pd.Series(values, index=index_of(times, rng)))


@pytest.mark.parametrize("kind", ["ties", "walk"])
def test_batch_equals_steps_over_several_blocks_of_ranks(kind: str) -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([values_of(kind, rng) for _ in range(7)])
    series = pd.Series(values, index=pd.date_range(START, periods=len(values), freq="1min"))
    check(anomaly.Ensemble(["value_novelty", "long_level_novelty", "day_novelty"]), series)


@pytest.mark.parametrize("statistic", sorted(anomaly.STATISTICS))
def test_each_statistic_alone_agrees(statistic: str) -> None:
    rng = np.random.default_rng(5)
    series = pd.Series(values_of("day", rng), index=index_of("gaps", rng)).iloc[:1_500]
    check(anomaly.Ensemble([statistic]), series)


def test_awkward_series_agree() -> None:
    for series in rough_cases().values():
        check(anomaly.Ensemble(), series)


def test_nothing_gives_nothing() -> None:
    state = anomaly.Ensemble()._fresh_state()
    rows, surprises = score_all(state, np.empty(0), np.empty(0), traced=True)
    assert rows.shape == (4, 0)
    assert surprises.shape == (12, 0)


def test_many_threads_may_score_at_once() -> None:
    rng = np.random.default_rng(3)
    index = index_of("5min", rng)
    each = [pd.Series(values_of(kind, rng), index) for kind in ("noise", "walk", "ties", "day") * 3]
    detector = anomaly.make_detector("auto")
    alone = [detector.score(series) for series in each]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(detector.score, each))
    for one, other in zip(alone, together, strict=True):
        pd.testing.assert_series_equal(one, other, check_exact=True)


def test_an_error_in_a_part_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from monitorlab.kernels import anomaly_batch

    def broken(*_: object) -> None:
        msg = "broken"
        raise ArithmeticError(msg)

    monkeypatch.setattr(anomaly_batch, "lifts", broken)
    rng = np.random.default_rng(4)
    series = pd.Series(values_of("noise", rng), index_of("5min", rng))
    with pytest.raises(ArithmeticError, match="broken"):
        anomaly.make_detector("auto").score(series)
