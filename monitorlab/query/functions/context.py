"""What a function is told besides its arguments.

>>> from monitorlab.query.ast import Call
>>> Context(np.array([0, 1_000_000_000]), Call("time", ())).seconds
array([0., 1.])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from monitorlab.errors import QueryError
from monitorlab.query.matrix import Floats, Ints, to_seconds
from monitorlab.query.options import QueryOptions

if TYPE_CHECKING:
    from monitorlab.query.ast import Call

__all__ = ["Context", "Function"]


@dataclass(frozen=True, slots=True)
class Context:
    """The steps of the evaluation and the place of the call.

    Parameters
    ----------
    steps : numpy.ndarray of int64
        Times of the steps, in nanoseconds.
    node : Call
        The call in the tree.
    options : QueryOptions
        Settings of the evaluation.
    text : str
        The whole expression.

    Examples
    --------
    >>> from monitorlab.query.ast import Call
    >>> len(Context(np.arange(3), Call("time", ())).steps)
    3
    """

    steps: Ints
    node: Call
    options: QueryOptions = field(default_factory=QueryOptions)
    text: str = ""

    @property
    def seconds(self) -> Floats:
        """Times of the steps in seconds."""
        return to_seconds(np.asarray(self.steps))

    def fail(self, message: str, argument: int | None = None) -> NoReturn:
        """Raise a ``QueryError`` that points at the call or at one of its arguments."""
        node = self.node if argument is None else self.node.args[argument]
        raise QueryError(message, text=self.text, position=node.position)


Function: TypeAlias = Callable[..., Any]
