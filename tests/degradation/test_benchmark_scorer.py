"""The benchmark's scorer: known answers."""

import importlib.util
import pathlib

import pytest

PATH = pathlib.Path(__file__).parents[2] / "benchmarks" / "changepoints_tcpd.py"
SPEC = importlib.util.spec_from_file_location("changepoints_tcpd", PATH)
assert SPEC is not None
assert SPEC.loader is not None
tcpd = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tcpd)


def test_f1_by_hand() -> None:
    assert tcpd.f1_score([[50], [50]], [50]) == 1.0
    assert tcpd.f1_score([[50], []], []) == pytest.approx(2 * 1 * 0.75 / 1.75)
    assert tcpd.f1_score([[50]], [56]) == pytest.approx(0.5)
    assert tcpd.f1_score([[50]], [55]) == 1.0
    # one change cannot answer two marks
    assert tcpd.f1_score([[50, 52]], [51]) == pytest.approx(2 * 1 * (2 / 3) / (5 / 3))


def test_covering_by_hand() -> None:
    assert tcpd.covering([[50]], [50], 100) == 1.0
    assert tcpd.covering([[50]], [], 100) == pytest.approx(0.5)
    assert tcpd.covering([[]], [25], 100) == pytest.approx(0.75)
