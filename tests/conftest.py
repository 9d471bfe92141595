"""What all tests share: hypothesis' profile and the tests that need a program of the system."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,  # a first call compiles kernels
    derandomize=True,  # the same examples on every machine
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")

_PROGRAMS = {
    "browser": (("chromium", "chromium-browser", "google-chrome"), "MONITORLAB_REQUIRE_BROWSER"),
    "prometheus": (("prometheus",), "MONITORLAB_REQUIRE_PROMETHEUS"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing, or fail it where that program is required."""
    for marker, (names, variable) in _PROGRAMS.items():
        if item.get_closest_marker(marker) is None:
            continue
        if any(shutil.which(name) for name in names):
            continue
        if os.environ.get(variable):
            pytest.fail(f"{names[0]} is required here ({variable} is set) but is not installed")
        pytest.skip(f"{names[0]} is not installed")
