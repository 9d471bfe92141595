"""Every public name of the Contract is there, exported, documented, with an example."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import monitorlab as ml

ROOT = Path(__file__).parents[1]

CONTRACT = [
    "AlertRule", "Dashboard", "LiveFeed", "MonitoringFrame", "Report", "alerting.AlertRule",
    "anomaly.make_detector", "degradation.changepoints", "forecasting.forecast", "list_datasets",
    "load_dataset", "load_rules", "read_csv", "read_openmetrics", "read_parquet",
    "read_prometheus", "save_rules", "seasonality.decompose", "seasonality.find_periods",
    "sources.HostSource", "sources.PrometheusSource", "sources.QueueSource", "sources.Replay",
    "sources.ScrapeSource",
]  # fmt: skip
FRAME = [
    "alert", "anomalies", "at", "backtest", "between", "degradation", "describe_metric", "extend",
    "forecast", "incidents", "last", "mark", "metrics", "pipe", "query", "query_range",
    "recommendations", "record", "seasonality", "select", "series", "snapshot", "stats",
    "to_openmetrics", "to_pandas", "to_parquet", "trend", "tune",
]  # fmt: skip


def public_modules() -> list[str]:
    names = ["monitorlab"]
    found = (info.name for info in pkgutil.walk_packages(ml.__path__, "monitorlab."))
    names += [n for n in found if not any(p.startswith("_") for p in n.split(".")[1:])]
    return names


def public_objects() -> dict[str, object]:
    found: dict[str, object] = {}
    for name in public_modules():
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            thing = getattr(module, public)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found[f"{thing.__module__}.{thing.__qualname__}"] = thing
    return {k: v for k, v in found.items() if k.startswith("monitorlab.")}


OBJECTS = public_objects()


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contract_is_there(name: str) -> None:
    thing = ml
    for part in name.split("."):
        thing = getattr(thing, part)


@pytest.mark.parametrize("name", FRAME)
def test_the_frame_has_the_contract(name: str) -> None:
    assert hasattr(ml.MonitoringFrame, name)


def test_all_is_sorted_and_true() -> None:
    assert list(ml.__all__) == sorted(ml.__all__)
    for name in ml.__all__:
        assert getattr(ml, name) is not None
    assert set(ml.__all__) <= set(dir(ml))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="did you mean 'Dashboard'"):
        ml.Dashbord  # noqa: B018


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_a_public_name_has_a_docstring_with_an_example(name: str) -> None:
    thing = OBJECTS[name]
    text = inspect.getdoc(thing) or ""
    first = text.splitlines()[0] if text else ""
    assert first, f"{name} has no docstring"
    assert len(first) <= 100, f"{name}: the first line is long"
    if isinstance(thing, type) and issubclass(thing, BaseException):
        return  # errors are shown by the functions that raise them
    assert ">>>" in text, f"{name} has no example"


@pytest.mark.parametrize("name", FRAME)
def test_a_frame_method_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(ml.MonitoringFrame, name)) or "")


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.search(
        r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert newest is not None
    assert project["version"] == ml.__version__ == newest[1]
