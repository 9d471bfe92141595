"""Score forecasts on M4 Hourly: OWA, sMAPE, MASE, MSIS, coverage and seconds a series.

Usage::

    python benchmarks/forecast_m4.py PATH [--models auto] [--peers ets mstl_ets] [--limit N]

PATH is a folder with ``Hourly-train.csv`` and ``Hourly-test.csv`` in the public layout of the
M4 competition (https://github.com/Mcompetitions/M4-methods, folder Dataset). The season is
never given. Results are printed and written to ``benchmarks/results/forecast_m4.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import time
from pathlib import Path

import numpy as np

from monitorlab.display import text_table
from monitorlab.forecasting import forecast
from monitorlab.forecasting.metrics import coverage, mase, msis, seasonal_naive_scale, smape

SEASON = 24
HORIZON = 48
LEVEL = 0.95
SURE = 1.645  # one-sided 5 % point of the normal distribution, as in the competition's test
RESULTS = Path(__file__).parent / "results" / "forecast_m4.json"


def read_values(path: Path) -> dict[str, np.ndarray]:
    """Read one CSV file: a header, then an id and its values in each row."""
    with path.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {
            row[0]: np.array([float(cell) for cell in row[1:] if cell not in {"", "NA"}])
            for row in rows
        }


def naive2(values: np.ndarray, horizon: int = HORIZON, season: int = SEASON) -> np.ndarray:
    """Forecast as M4's baseline does: the last value, deseasonalised where a test says so."""
    size = len(values)
    if not is_seasonal(values, season):
        return np.full(horizon, values[-1])
    window = np.full(season + 1, 1.0 / season)
    window[[0, -1]] /= 2
    trend = np.convolve(values, window, mode="valid")
    first = season // 2
    ratio = values[first : first + len(trend)] / trend
    phase = (first + np.arange(len(trend))) % season
    index = np.bincount(phase, weights=ratio) / np.bincount(phase)
    index /= index.mean()
    level = values[-1] / index[(size - 1) % season]
    return level * index[(size + np.arange(horizon)) % season]


def is_seasonal(values: np.ndarray, season: int = SEASON) -> bool:
    """Say whether the autocorrelation at the season is significant (Bartlett's bound)."""
    size = len(values)
    centred = values - values.mean()
    power = float(centred @ centred)
    acf = np.array([centred[k:] @ centred[:-k] for k in range(1, season + 1)]) / power
    bound = SURE * np.sqrt((1 + 2 * float(acf[:-1] @ acf[:-1])) / size)
    return bool(abs(acf[-1]) > bound)


def score(
    train: dict[str, np.ndarray],
    test: dict[str, np.ndarray],
    forecasts: dict[str, tuple[np.ndarray, np.ndarray | None, np.ndarray | None]],
) -> dict[str, float | int | None]:
    """Score forecasts (mean, lower, upper) by id; bounds may be None."""
    rows, base, widths, inside = [], [], [], []
    for name, (mean, lower, upper) in forecasts.items():
        actual = test[name]
        scale = seasonal_naive_scale(train[name], SEASON)
        simple = naive2(train[name], len(actual))
        rows.append((smape(actual, mean), mase(actual, mean, scale=scale)))
        base.append((smape(actual, simple), mase(actual, simple, scale=scale)))
        if lower is not None and upper is not None:
            widths.append(msis(actual, lower, upper, scale=scale, level=LEVEL))
            inside.append(coverage(actual, lower, upper))
    ours, theirs = np.mean(rows, axis=0), np.mean(base, axis=0)
    return {
        "n": len(rows),
        "sMAPE": float(ours[0]),
        "MASE": float(ours[1]),
        "OWA": float(np.mean(ours / theirs)),
        "MSIS": float(np.mean(widths)) if widths else None,
        "coverage95": float(np.mean(inside)) if inside else None,
    }


def measure(
    train: dict[str, np.ndarray], test: dict[str, np.ndarray], model: str
) -> dict[str, float | int | str | None]:
    """Forecast every series with one model, timed one by one."""
    forecasts, seconds, fallbacks = {}, [], 0
    used = time.process_time()
    for name, values in train.items():
        start = time.perf_counter()
        fc = forecast(values, horizon=HORIZON, season=None, level=LEVEL, model=model)
        seconds.append(time.perf_counter() - start)
        forecasts[name] = tuple(line.to_numpy() for line in (fc.mean, fc.lower, fc.upper))
        fallbacks += fc.fallback is not None
    used = time.process_time() - used
    return {
        "model": model,
        **score(train, test, forecasts),
        "cpu_seconds_mean": used / len(train),
        "seconds_mean": float(np.mean(seconds)),
        "seconds_max": float(np.max(seconds)),
        "fallbacks": fallbacks,
    }


def plain_seasonal_naive(
    train: dict[str, np.ndarray], test: dict[str, np.ndarray]
) -> dict[str, float | int | str | None]:
    """Score the last day repeated, the season known: the competition's own baseline."""
    step = np.arange(HORIZON) % SEASON
    said = {k: (v[len(v) - SEASON + step], None, None) for k, v in train.items()}
    return {"model": "last day (season given)", **score(train, test, said)}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    import pandas as pd

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="folder with Hourly-train.csv and Hourly-test.csv")
    parser.add_argument("--models", nargs="+", default=["auto", "seasonal_naive"])
    parser.add_argument(
        "--peers", nargs="*", default=[], help="slow models, on --peer-limit series"
    )
    parser.add_argument("--peer-limit", type=int, default=20)
    parser.add_argument("--limit", type=int, default=None, help="only the first N series")
    chosen = parser.parse_args(arguments)
    train = read_values(chosen.path / "Hourly-train.csv")
    test = read_values(chosen.path / "Hourly-test.csv")
    ids = list(train)[: chosen.limit]
    train, test = ({k: part[k] for k in ids} for part in (train, test))
    first = next(iter(train.values()))
    for model in chosen.models:  # imports and first calls are not timed
        forecast(first, horizon=HORIZON, model=model)
    rows = [measure(train, test, model) for model in chosen.models]
    rows.append(plain_seasonal_naive(train, test))
    if chosen.peers:  # evenly spread, so that every kind of series is among them
        spread = ids[:: max(1, len(ids) // chosen.peer_limit)][: chosen.peer_limit]
        few, later = ({k: part[k] for k in spread} for part in (train, test))
        for model in (chosen.models[0], *chosen.peers):
            forecast(first, horizon=HORIZON, model=model)
            rows.append(measure(few, later, model))
    print(text_table(pd.DataFrame(rows), index=False))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    made = {
        "benchmark": "M4 Hourly, horizon 48, season not given, 95 % intervals",
        "command": f"python benchmarks/forecast_m4.py {chosen.path.name} --models "
        + " ".join(chosen.models)
        + (
            f" --peers {' '.join(chosen.peers)} --peer-limit {chosen.peer_limit}"
            * bool(chosen.peers)
        )
        + ("" if chosen.limit is None else f" --limit {chosen.limit}"),
        "series": len(train),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(made, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
