from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitorlab.dashboard.live.wire import Block, decode, encode
from monitorlab.errors import SourceError

floats = st.floats(width=64)
shapes = st.tuples(st.integers(0, 4), st.integers(0, 30))


@given(st.lists(st.tuples(st.integers(0, 99), shapes), max_size=6), st.data())
def test_what_is_written_is_read_again(parts: list, data: st.DataObject) -> None:
    blocks = [
        Block(
            panel,
            data.draw(hnp.arrays(np.float64, shape[1], elements=floats)),
            data.draw(hnp.arrays(np.float64, shape, elements=floats)),
        )
        for panel, shape in parts
    ]
    header, buffer = encode(blocks)
    found = decode(header, buffer)
    assert [block.panel for block in found] == [block.panel for block in blocks]
    for one, other in zip(blocks, found, strict=True):
        assert one.times.tobytes() == other.times.tobytes()
        assert one.values.tobytes() == other.values.tobytes()
        assert one.values.shape == other.values.shape


def test_an_update_of_eight_panels_is_small() -> None:
    blocks = [Block(i, np.ones(1), np.ones((4, 1))) for i in range(8)]
    assert len(encode(blocks)[1]) == 8 * 40


def test_a_buffer_of_another_length_is_refused() -> None:
    header, buffer = encode([Block(0, np.ones(2), np.ones((1, 2)))])
    with pytest.raises(SourceError, match="asks for 32 bytes, the buffer has 24"):
        decode(header, buffer[:-8])
