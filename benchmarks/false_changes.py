"""How often is a change told where there is none? Share of series of noise with a change.

Usage: ``python benchmarks/false_changes.py [--series 100] [--nab PATH]``.

1. Noise of many kinds (white, autoregressive, random walks, long memory, bursts, heavy tails,
   counts, states that jump to and fro) at three lengths.
2. Recorded noise: spans of the clean half hour of the bundled recording ``shop`` and, with
   ``--nab``, of the files of the Numenta benchmark, their samples or blocks of five of them in a
   random order. So each has the values of a real metric (spikes, steps of rounding, zeros) and
   its short memory, and surely no change: whatever changed is spread over the whole span.
3. The clean half hour as recorded: nothing was injected there, but not all of its changes are
   false (caches that fill, the first checkpoint, files written), so their series are listed for
   the reader to judge.
4. The share of steps of 1, 2 and 3 deviations that are found.
5. The streaming monitor: its false alarms over what it states.

Writes ``benchmarks/results/false_changes.json``.
"""

from __future__ import annotations

import argparse
import json
import pathlib
from collections.abc import Callable

import numpy as np
import pandas as pd

import monitorlab as ml
from monitorlab import analysis_input
from monitorlab.degradation import DegradationMonitor, segment

RESULTS = pathlib.Path(__file__).parent / "results" / "false_changes.json"
LENGTHS = (100, 300, 1000)
ALPHA = 0.01  # where ``analyze`` calls a change significant
CLEAN = ("2026-11-23 14:36:16Z", "2026-11-23 15:07:16Z")
BLOCKS = (1, 5)  # samples kept together when a recording is made noise
STATED = ((2_000, 10_000, 12), (20_000, 40_000, 6))  # samples an alarm, a stream; streams
WARMUP = 200
Noise = Callable[[np.random.Generator, int], np.ndarray]


def autoregressive(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """Unit variance, memory phi."""
    out = rng.normal(size=n + 500)
    for i in range(1, n + 500):
        out[i] += phi * out[i - 1]
    return out[-n:] * np.sqrt(1.0 - phi * phi)


def fractional(rng: np.random.Generator, n: int, hurst: float) -> np.ndarray:
    """Fractional Gaussian noise by circulant embedding (Davies and Harte 1987)."""
    lag, power = np.arange(n + 1.0), 2.0 * hurst
    cov = 0.5 * ((lag + 1) ** power - 2 * lag**power + np.abs(lag - 1) ** power)
    ring = np.concatenate((cov, cov[-2:0:-1]))
    size = np.sqrt(np.maximum(np.fft.fft(ring).real, 0.0) / len(ring))
    shocks = rng.normal(size=len(ring)) + 1j * rng.normal(size=len(ring))
    return np.fft.fft(size * shocks).real[:n]


def volatile(rng: np.random.Generator, n: int) -> np.ndarray:
    """GARCH(1, 1)."""
    out, variance = rng.normal(size=n + 300), 1.0
    for i in range(1, n + 300):
        variance = 0.05 + 0.12 * out[i - 1] ** 2 + 0.85 * variance
        out[i] *= np.sqrt(variance)
    return out[-n:]


def states(rng: np.random.Generator, n: int, noise: float = 0.0) -> np.ndarray:
    """Two states, each left after a twentieth of the series on average."""
    out: list[float] = []
    state = 0.0
    while len(out) < n:
        out += [state] * int(1 + rng.exponential(n / 20))
        state = 1.0 - state
    return np.array(out[:n]) + noise * rng.normal(size=n)


KINDS: dict[str, Noise] = {
    "white": lambda rng, n: rng.normal(size=n),
    "AR(0.5)": lambda rng, n: autoregressive(rng, n, 0.5),
    "AR(0.9)": lambda rng, n: autoregressive(rng, n, 0.9),
    "AR(0.97)": lambda rng, n: autoregressive(rng, n, 0.97),
    "random walk": lambda rng, n: np.cumsum(rng.normal(size=n)),
    "walk with t steps": lambda rng, n: np.cumsum(rng.standard_t(3, size=n)),
    "fractional, H 0.7": lambda rng, n: fractional(rng, n, 0.7),
    "fractional, H 0.8": lambda rng, n: fractional(rng, n, 0.8),
    "fractional, H 0.9": lambda rng, n: fractional(rng, n, 0.9),
    "exp of fractional": lambda rng, n: np.exp(1.2 * fractional(rng, n, 0.85)),
    "GARCH": volatile,
    "t, 3 degrees": lambda rng, n: rng.standard_t(3, size=n),
    "two states": states,
    "two states and noise": lambda rng, n: states(rng, n, 0.3),
    "Poisson, mean 0.3": lambda rng, n: rng.poisson(0.3, n).astype(float),
    "Poisson, mean 5": lambda rng, n: rng.poisson(5, n).astype(float),
    "rounded AR(0.8)": lambda rng, n: np.round(0.7 * autoregressive(rng, n, 0.8)),
}


def in_noise(count: int) -> dict[str, dict[str, float]]:
    """Share of series with any change, and with a significant one, by kind and length."""
    out = {}
    for number, (kind, make) in enumerate(KINDS.items()):
        for n in LENGTHS:
            rng = np.random.default_rng([number, n])
            cuts = [segment(make(rng, n)) for _ in range(count)]
            told = [cut for cut in cuts if cut.points]
            out[f"{kind}, n {n}"] = {
                "any change": len(told) / count,
                "significant": sum(min(cut.p_values) < ALPHA for cut in told) / count,
            }
    return out


def recorded(nab: pathlib.Path | None) -> dict[str, np.ndarray]:
    """Values of the recorded series."""
    clean = ml.load_dataset("shop").between(*CLEAN)
    series = analysis_input.prepare_all(clean.selection, None)
    out = {str(key): values.dropna().to_numpy() for key, values in series.items()}
    for file in sorted(nab.glob("data/*/*.csv")) if nab else ():
        out[file.stem] = pd.read_csv(file)["value"].to_numpy(np.float64)
    return {name: values for name, values in out.items() if np.ptp(values) > 0.0}


def in_recorded_noise(series: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Share of recorded spans in random order with a change, by what is kept together."""
    out = {}
    for block in BLOCKS:
        for n in LENGTHS:
            cuts = []
            for number, values in enumerate(series.values()):
                rng = np.random.default_rng([number, n])
                size = min(n, len(values))
                start = int(rng.integers(0, len(values) - size + 1))
                span = values[start : start + size // block * block].reshape(-1, block)
                cuts.append(segment(rng.permutation(span).ravel()))
            told = [cut for cut in cuts if cut.points]
            out[f"blocks of {block}, n {n}"] = {
                "series": len(cuts),
                "any change": len(told) / len(cuts),
                "significant": sum(min(cut.p_values) < ALPHA for cut in told) / len(cuts),
            }
    return out


def of_the_monitor() -> dict[str, dict[str, float]]:
    """False alarms of the streaming monitor over those it states, by kind of noise."""
    kinds = {
        **{kind: KINDS[kind] for kind in ("white", "AR(0.5)", "AR(0.9)", "t, 3 degrees")},
        "exponential": lambda rng, n: rng.exponential(size=n),
        "log-normal": lambda rng, n: np.exp(rng.normal(size=n)),
        **{kind: KINDS[kind] for kind in ("Poisson, mean 0.3", "Poisson, mean 5", "GARCH")},
        **{kind: KINDS[kind] for kind in ("fractional, H 0.7", "fractional, H 0.8")},
        "random walk": KINDS["random walk"],
    }
    out: dict[str, dict[str, float]] = {}
    for number, (kind, make) in enumerate(kinds.items()):
        for stated, n, streams in STATED:
            alarms = samples = 0
            for stream in range(streams):
                monitor = DegradationMonitor(
                    warmup=WARMUP, mean_samples_between_false_alarms=stated
                )
                values = make(np.random.default_rng([number, stream]), n)
                scores = [monitor.update(t, value) for t, value in enumerate(values.tolist())]
                alarms += sum(score >= 1.0 for score in scores)
                samples += n - WARMUP
            out.setdefault(kind, {})[f"1 in {stated}"] = alarms / samples * stated
    return out


def in_recording() -> dict[str, object]:
    """Series of the clean half hour in which a change is told."""
    clean = ml.load_dataset("shop").between(*CLEAN)
    series = {str(k): v for k, v in analysis_input.prepare_all(clean.selection, None).items()}
    cuts = {name: segment(values) for name, values in series.items()}
    told = {name: cut for name, cut in cuts.items() if cut.points}
    return {
        "series": len(series),
        "any change": len(told),
        "significant": sum(min(cut.p_values) < ALPHA for cut in told.values()),
        "which": {name: list(cut.points) for name, cut in told.items()},
    }


def found(count: int) -> dict[str, float]:
    """Share of steps found within five samples or 5 % of the series."""
    out = {}
    for phi in (0.0, 0.5, 0.9):
        for n in LENGTHS:
            for size in (1.0, 2.0, 3.0):
                rng = np.random.default_rng([n, int(size)])
                hits = 0
                for _ in range(count):
                    at = int(rng.uniform(0.25, 0.75) * n)
                    values = autoregressive(rng, n, phi) + size * (np.arange(n) >= at)
                    hits += any(abs(p - at) <= max(5, 0.05 * n) for p in segment(values).points)
                out[f"AR({phi:g}), n {n}, {size:g} deviations"] = hits / count
    return out


def main() -> None:
    """Run the benchmark from the command line."""
    from monitorlab.display import text_table

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=100, help="series of each kind")
    parser.add_argument("--nab", type=pathlib.Path, help="directory with data/*/*.csv")
    args = parser.parse_args()
    count = args.series
    noise, recording, power = in_noise(count), in_recording(), found(max(count // 4, 10))
    shuffled, monitor = in_recorded_noise(recorded(args.nab)), of_the_monitor()
    print(text_table(pd.DataFrame(noise).T.rename_axis("noise").reset_index(), index=False))
    print(text_table(pd.DataFrame(shuffled).T))
    print(json.dumps(recording, indent=1))
    print(text_table(pd.Series(power, name="found").to_frame()))
    print(text_table(pd.DataFrame(monitor).T))
    report = {
        "benchmark": "false change points",
        "command": f"python benchmarks/false_changes.py --series {count}"
        + (" --nab PATH" if args.nab else ""),
        "share_of_noise_with_a_change": noise,
        "share_of_recorded_noise_with_a_change": shuffled,
        "clean_half_hour_of_shop": recording,
        "share_of_steps_found": power,
        "false_alarms_of_the_monitor_over_stated": monitor,
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
