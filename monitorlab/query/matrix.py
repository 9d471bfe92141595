"""What expressions evaluate to: series × steps, with a mask of what is present.

A NaN in ``values`` is a sample like any other; only ``present`` says whether there is one.

>>> from monitorlab.model import Labels
>>> Vector.constant(Labels(), np.array([1.0, 2.0])).values
array([[1., 2.]])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from monitorlab.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from monitorlab.model import Labels

__all__ = [
    "NAME",
    "Bools",
    "Floats",
    "Ints",
    "Value",
    "Vector",
    "Windows",
    "merge_equal",
    "to_seconds",
    "unique_groups",
]

NAME = "__name__"
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector at every step at once.

    Parameters
    ----------
    labels : list of Labels
        One label set a series, the metric name among them as ``__name__``.
    drops_name : numpy.ndarray of bool, shape (n_series,)
        Whether the name is to be taken off at the end of the query.
    values : numpy.ndarray, shape (n_series, n_steps)
        Values; anything where ``present`` is False.
    present : numpy.ndarray of bool, shape (n_series, n_steps)
        Where there is a sample.
    ordered : bool
        Whether the order of the series is part of the answer (``sort``, ``topk``).

    Examples
    --------
    >>> Vector.empty(3).values.shape
    (0, 3)
    """

    labels: list[Labels]
    drops_name: Bools
    values: Floats
    present: Bools
    ordered: bool = False

    @classmethod
    def empty(cls, n_steps: int) -> Vector:
        """Give the vector without series."""
        shape = (0, n_steps)
        return cls([], np.zeros(0, bool), np.zeros(shape), np.zeros(shape, bool))

    @classmethod
    def constant(cls, labels: Labels, values: Floats, present: Bools | None = None) -> Vector:
        """Give a vector of one series; present at every step unless told otherwise."""
        mask = np.ones(len(values), bool) if present is None else present
        return cls([labels], np.zeros(1, bool), values[None, :], mask[None, :])

    @classmethod
    def stack(cls, parts: Sequence[Vector], n_steps: int) -> Vector:
        """Put the series of several vectors below each other."""
        if not parts:
            return cls.empty(n_steps)
        if len(parts) == 1:
            return parts[0]
        return cls(
            [labels for part in parts for labels in part.labels],
            np.concatenate([part.drops_name for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.present for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def with_values(
        self, values: Floats, present: Bools | None = None, *, drops_name: bool = True
    ) -> Vector:
        """Give the same series with other values; the name goes unless it is kept."""
        dropped = np.ones(len(self), bool) if drops_name else self.drops_name
        return Vector(self.labels, dropped, values, self.present if present is None else present)

    def take(self, rows: Sequence[int] | Ints | Bools, *, ordered: bool = False) -> Vector:
        """Give some of the series, in the order asked for."""
        index = np.asarray(rows)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        index = index.astype(np.int64)
        return Vector(
            [self.labels[i] for i in index.tolist()],
            self.drops_name[index],
            self.values[index],
            self.present[index],
            ordered,
        )

    def compact(self) -> Vector:
        """Leave out the series that are never present."""
        alive = np.asarray(self.present.any(axis=1))
        return self if alive.all() else self.take(alive, ordered=self.ordered)


@dataclass(frozen=True, slots=True)
class Windows:
    """The samples of several series and, for each step, which of them are in the window.

    ``times`` and ``values`` hold the samples of all series one after the other; the window
    of series ``s`` at step ``t`` is ``[first[s, t], last[s, t])``. Stale markers are left out.
    ``ends`` are the right edges; where an ``@`` fixed them they differ from the steps.

    Examples
    --------
    >>> from monitorlab.query import evaluate_value, load_notation, QueryOptions
    >>> store = load_notation([("up", "1 0 1")], "1m")
    >>> evaluate_value(store, "up[2m]", np.array([120 * 10**9]), QueryOptions()).counts
    array([[2]])
    """

    labels: list[Labels]
    drops_name: Bools
    times: Ints
    values: Floats
    first: Ints
    last: Ints
    ends: Ints
    range_ns: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def counts(self) -> Ints:
        """Number of samples in each window."""
        return self.last - self.first

    def vector(self, values: Floats, present: Bools, *, drops_name: bool = True) -> Vector:
        """Give the vector of what a function made of each window."""
        dropped = np.ones(len(self), bool) if drops_name else self.drops_name
        return Vector(self.labels, dropped, values, present)


Value: TypeAlias = "Vector | Windows | Floats | str"


def unique_groups(keys: Sequence[Hashable]) -> tuple[Ints, list[int]]:
    """Number equal keys alike, in the order of their first appearance.

    Parameters
    ----------
    keys : sequence of hashable
        One key a series.

    Returns
    -------
    groups : numpy.ndarray of int
        Group of each key.
    firsts : list of int
        Index of the first key of each group.

    Examples
    --------
    >>> unique_groups(["b", "a", "b"])
    (array([0, 1, 0]), [0, 1])
    """
    numbers: dict[Hashable, int] = {}
    firsts: list[int] = []
    groups = np.empty(len(keys), np.int64)
    for index, key in enumerate(keys):
        number = numbers.setdefault(key, len(numbers))
        if number == len(firsts):
            firsts.append(index)
        groups[index] = number
    return groups, firsts


def merge_equal(vector: Vector, *, text: str = "", position: int | None = None) -> Vector:
    """Join series with equal labels; two samples at one step are an error.

    Parameters
    ----------
    vector : Vector
        Any vector.
    text : str
        The expression, for the error message.
    position : int, optional
        Place in it.

    Returns
    -------
    Vector
        Each label set once.

    Raises
    ------
    QueryError
        If two series with equal labels are present at the same step.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> one = Vector.constant(Labels(), np.zeros(2), np.array([True, False]))
    >>> two = Vector.constant(Labels(), np.ones(2), np.array([False, True]))
    >>> merge_equal(Vector.stack([one, two], 2)).values
    array([[0., 1.]])
    """
    keys = list(zip(vector.labels, vector.drops_name.tolist(), strict=True))
    if len(set(keys)) == len(vector):
        return vector
    groups, firsts = unique_groups(keys)
    shape = (len(firsts), vector.values.shape[1])
    values = np.zeros(shape)
    present = np.zeros(shape, bool)
    for row, group in enumerate(groups.tolist()):
        mask = vector.present[row]
        if (present[group] & mask).any():
            msg = (
                f"the result has two series with the same labels {vector.labels[row]!r}; "
                "keep a label that tells them apart, or aggregate"
            )
            raise QueryError(msg, text=text, position=position)
        values[group, mask] = vector.values[row, mask]
        present[group] |= mask
    labels = [vector.labels[i] for i in firsts]
    return Vector(labels, vector.drops_name[firsts], values, present, vector.ordered)


def to_seconds(times_ns: Ints) -> Floats:
    """Give times as seconds, exact to the last bit that a float can hold.

    Parameters
    ----------
    times_ns : numpy.ndarray of int64
        Nanoseconds since the epoch.

    Returns
    -------
    numpy.ndarray of float64
        Seconds since the epoch.

    Examples
    --------
    >>> to_seconds(np.array([1_767_225_600_001_000_000]))
    array([1.7672256e+09])
    """
    whole, rest = np.divmod(times_ns, 1_000_000_000)
    return np.asarray(whole + rest / 1e9, dtype=np.float64)
