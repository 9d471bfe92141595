"""environment.yml, pyproject.toml and the lock say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def parse(requirement: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(.*)", requirement)
    assert match is not None
    return match[1].lower().replace("_", "-"), match[2].replace(" ", "")


def needed() -> dict[str, str]:
    extras = PROJECT["optional-dependencies"]
    names = [*PROJECT["dependencies"]]
    for extra in ("host", "lab", "notify", "prometheus", "re2", "testing"):
        names += extras[extra]
    return dict(parse(name) for name in names)


def test_conda_has_the_same_dependencies() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    plain = [item for item in environment if isinstance(item, str)]
    pip = next(item["pip"] for item in environment if isinstance(item, dict))
    found = dict(parse(item) for item in [*plain, *(p for p in pip if not p.startswith("-"))])
    assert found.pop("python") == PROJECT["requires-python"]
    found.pop("pip")
    assert found == needed()


def test_every_dependency_has_a_lower_bound() -> None:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for requirement in (item for group in groups for item in group):
        if not requirement.startswith("monitorlab["):
            assert parse(requirement)[1].startswith(">="), requirement


def test_the_lock_names_every_dependency() -> None:
    locked = {
        parse(line.split(";")[0].split("==")[0])[0]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras = dict(PROJECT["optional-dependencies"])
    extras.pop("statsforecast")  # holds pandas back; never part of the lock
    groups = [PROJECT["dependencies"], *extras.values()]
    names = {parse(item)[0] for group in groups for item in group} - {"monitorlab"}
    assert names <= locked
