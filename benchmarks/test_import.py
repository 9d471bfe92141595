"""`import monitorlab` beside `import pandas`, each in a fresh process, in alternating rounds."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 7
GOAL_SECONDS = 0.100


def seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def test_import_costs_little_more_than_pandas(benchmark) -> None:
    for statement in ("import pandas", "import monitorlab"):
        seconds(statement)  # byte code and disk cache
    pandas, ours = [], []
    for _ in range(ROUNDS):
        pandas.append(seconds("import pandas"))
        ours.append(seconds("import monitorlab"))
    more = statistics.median(ours) - statistics.median(pandas)
    benchmark.extra_info["more_than_pandas_seconds"] = round(more, 4)
    benchmark.extra_info["pandas_seconds"] = round(statistics.median(pandas), 4)
    benchmark.pedantic(seconds, args=("import monitorlab",), rounds=1)
    print(
        f"\nimport pandas {statistics.median(pandas):.3f} s, "
        f"monitorlab {more * 1000:.0f} ms more (goal {GOAL_SECONDS * 1000:.0f} ms)"
    )
    assert more <= GOAL_SECONDS
