"""Count how many cases of a PromQL conformance file the query engine answers rightly.

Usage: ``python benchmarks/promql_conformance.py cases.json [--out results.json]``. Prints
``passed N of M`` and every case that failed, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from monitorlab.query.conformance import run_cases

RESULTS = Path(__file__).parent / "results" / "promql_conformance.json"


def main(argv: list[str] | None = None) -> int:
    """Run the cases of a file and write the result beside the other benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="file with a list of cases")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to write the result")
    given = parser.parse_args(argv)
    cases = json.loads(given.path.read_text(encoding="utf-8"))
    began = time.perf_counter()
    answers = run_cases(cases)
    seconds = time.perf_counter() - began
    failed = [(name, why) for name, passed, why in answers if not passed]
    for name, why in failed:
        print(f"FAILED {name}: {why}")
    print(f"passed {len(answers) - len(failed)} of {len(answers)}")
    result = {
        "cases": len(answers),
        "passed": len(answers) - len(failed),
        "failed": [{"id": name, "why": why} for name, why in failed],
        "seconds": round(seconds, 2),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
