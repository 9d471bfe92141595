"""Every error says what, where, and how to mend it; the tree is as drawn."""

from __future__ import annotations

import inspect
import re

import pytest

from monitorlab import errors


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = dict(re.findall(r"^      (\w+)\s+\((\w+)\)", errors.__doc__ or "", re.MULTILINE))
    real = {
        name: thing
        for name, thing in vars(errors).items()
        if inspect.isclass(thing)
        and issubclass(thing, errors.MonitorlabError)
        and not name.startswith("_")
        and thing is not errors.MonitorlabError
    }
    assert set(drawn) == set(real)
    for name, builtin in drawn.items():
        assert builtin in {base.__name__ for base in real[name].__mro__}


def test_a_place_is_pointed_at() -> None:
    error = errors.QueryError("unknown function `rte`", text="1 +\nrte(x)", position=4)
    assert str(error).splitlines() == ["unknown function `rte`", "    rte(x)", "    ^"]


def test_a_key_error_is_not_quoted() -> None:
    assert str(errors.UnknownSeriesError("no series 'x'")) == "no series 'x'"


def test_a_file_error_names_the_place() -> None:
    error = errors.RecordingError("not a number: 'abc'", path="a.csv", line=3, column="value")
    assert str(error) == "a.csv, line 3, column 'value': not a number: 'abc'"


def test_a_missing_extra_is_named() -> None:
    assert 'pip install "monitorlab[host]"' in str(errors.MissingExtraError("HostSource", "host"))


@pytest.mark.parametrize(
    ("known", "answer"),
    [(["latency"], "; did you mean 'latency'?"), (["aaa", "bbb"], "; there are aaa, bbb"), ([], ""),
     ([f"n{i:02}" for i in range(32)], "n29 and 2 more")],
)  # fmt: skip
def test_the_nearest_name_is_offered(known: list[str], answer: str) -> None:
    assert errors.did_you_mean("latncy", known).endswith(answer)
