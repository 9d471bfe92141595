"""The shop's frame, made once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from monitorlab.frame import MonitoringFrame


def _maker() -> Callable[..., MonitoringFrame]:
    path = Path(__file__).with_name("shop.py")
    spec = importlib.util.spec_from_file_location("dashboard_shop", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.shop


@pytest.fixture(scope="session")
def make_shop() -> Callable[..., MonitoringFrame]:
    return _maker()


@pytest.fixture(scope="session")
def shop(make_shop: Callable[..., MonitoringFrame]) -> MonitoringFrame:
    return make_shop()
