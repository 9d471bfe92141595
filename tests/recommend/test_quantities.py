"""Numbers with units read well at any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.recommend.quantities import human, unit_of


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "bytes", "0 B"), (1536, "bytes", "1536 B"), (2e9, "bytes/s", "2 GB/s"),
        (0, "seconds", "0 s"), (3e-7, "seconds", "0.3 µs"), (5400, "s", "90 min"),
        (90 * 86400, "s", "90 d"), (-0.25, "ratio", "-25 %"), (12, "", "12"), (None, "s", "–"),
        (3.0, "requests/s", "3 requests/s"), (0.1, "1/s", "0.1/s"), (0.02, "seconds/s", "0.02 s/s"),
    ],
)  # fmt: skip
def test_sizes(value: float | None, unit: str, text: str) -> None:
    assert human(value, unit) == text


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["", "bytes", "s", "ratio", "x"]),
)
def test_any_number_is_short(value: float, unit: str) -> None:
    assert 0 < len(human(value, unit)) < 24


def test_the_unit_is_given_or_in_the_name() -> None:
    assert unit_of("anything", "ms") == "ms"
    assert unit_of('node_disk_read_bytes_total:rate{d="a"}') == "bytes/s"
    assert unit_of("requests_per_second") == "1/s"
    assert unit_of("queue_length") == ""
