"""Ask promtool, when it is there, what alerts do."""

import re
import shutil
import subprocess

import pytest
import yaml

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not on the PATH"
)
_ELEMENT = re.compile(r"(\{[^}]*\}) ([-+0-9.eE]+)")


def totals(folder, groups, series, *, step, until):
    """Give ``{(alertname, state, other labels): evaluations}`` as promtool counts them."""
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step}s",
        "tests": [
            {
                "interval": f"{step}s",
                "input_series": series,
                "promql_expr_test": [
                    {
                        "expr": "count_over_time(ALERTS[100d])",
                        "eval_time": f"{until}s",
                        "exp_samples": [{"labels": "nothing", "value": 0}],
                    }
                ],
            }
        ],
    }
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump(test))
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    text = done.stdout + done.stderr
    got = text[text.index("got:") :].split("\n", 1)[0]
    found = {}
    for labels, count in _ELEMENT.findall(got):
        pairs = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
        name, state = pairs.pop("alertname"), pairs.pop("alertstate")
        found[name, state, tuple(sorted(pairs.items()))] = int(float(count))
    assert found or "got: nil" in text or "got: \n" in got + "\n", text
    return found
