"""The short notation for series in rule tests: ``1 _ 3``, ``0+10x5``, ``stale``.

>>> values, present = parse_notation("0+10x2 _ 7")
>>> values[present].tolist()
[0.0, 10.0, 20.0, 7.0]
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from monitorlab.errors import QueryError
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, parse_selector
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitorlab.query.matrix import Bools, Floats

__all__ = ["load_notation", "parse_notation", "parse_series"]

MAX_SAMPLES = 10_000_000  # of one notation
_NUMBER = r"[+-]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
_STEP = r"[+-](?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
_ITEM = re.compile(
    rf"(?P<gap>_)(?:x(?P<gaps>\d+))?|(?P<stale>stale)(?:x(?P<stales>\d+))?"
    rf"|(?P<value>{_NUMBER})(?:(?P<add>{_STEP})?x(?P<times>\d+))?",
    re.IGNORECASE,
)


def parse_notation(text: str) -> tuple[Floats, Bools]:
    """Read the values of one series.

    Parameters
    ----------
    text : str
        Items between blanks: a number; ``_`` for no sample (``_x5``: five of them);
        ``stale`` for the end of a series; ``a+bxn`` or ``a-bxn`` for a and n more, each b
        further; ``axn`` for n + 1 times a.

    Returns
    -------
    values : numpy.ndarray
        One value an interval; 0 where there is no sample.
    present : numpy.ndarray of bool
        Where there is a sample.

    Raises
    ------
    QueryError
        At the first item that cannot be read.

    References
    ----------
    The Prometheus Authors, "Unit testing for rules".

    Examples
    --------
    >>> parse_notation("1x2 _x2 -2-1x1")[0].tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0, -2.0, -3.0]
    """
    parts: list[Floats] = [np.zeros(0)]
    masks: list[Bools] = [np.zeros(0, bool)]
    total = 0
    for word in re.finditer(r"\S+", text):
        item = _ITEM.fullmatch(word.group())
        if item is None:
            what = word.group()
            msg = f"{what!r} is no value; write a number, _, _x5, stale, 1x4, 0+10x4 or 8-2x4"
            if what.startswith("{{"):
                msg = "native histograms are not supported; use classic `le` buckets"
            raise QueryError(msg, text=text, position=word.start())
        repeat = item["gaps"] or item["stales"] or item["times"]
        count = (
            min(int(repeat or 0), MAX_SAMPLES + 1) if len(repeat or "") < 16 else MAX_SAMPLES + 1
        )
        if item["gap"]:
            values = np.zeros(count if repeat else 1)
        elif item["stale"]:
            values = np.full(count + 1, STALE_NAN)
        else:
            values = np.full(count + 1, float(item["value"]))
            if item["add"]:
                values[1:] = float(item["add"])
                values = np.cumsum(values)
        total += len(values)
        if total > MAX_SAMPLES:
            msg = f"the notation has more than {MAX_SAMPLES} samples"
            raise QueryError(msg, text=text, position=word.start())
        parts.append(values)
        masks.append(np.full(len(values), not item["gap"]))
    return np.concatenate(parts), np.concatenate(masks)


def parse_series(text: str) -> SeriesKey:
    """Read the name and labels of a series, as in ``up{job="shop"}``.

    Parameters
    ----------
    text : str
        A selector with ``=`` matchers only; ``""`` and ``{}`` have neither.

    Returns
    -------
    SeriesKey
        Metric (``""`` without a name) and labels.

    Raises
    ------
    QueryError
        If another kind of matcher is used.

    Examples
    --------
    >>> parse_series('up{job="shop"}').labels
    {job="shop"}
    """
    if not text.strip():
        return SeriesKey("")
    selector = parse_selector(text)
    for matcher in selector.matchers:
        if matcher.op != "=":
            msg = f"a series is named with '=' only, not {matcher.op!r}"
            raise QueryError(msg, text=text, position=0)
    labels = {matcher.name: matcher.value for matcher in selector.matchers}
    return SeriesKey(labels.pop("__name__", ""), Labels(labels))


def load_notation(
    series: Iterable[tuple[str, str]],
    interval: DurationLike,
    *,
    start_ns: int = 0,
    store: SeriesStore | None = None,
) -> SeriesStore:
    """Put series in test notation into a store, one sample an interval.

    Parameters
    ----------
    series : iterable of (str, str)
        Name with labels, and values.
    interval : duration
        Distance of the samples.
    start_ns : int
        Time of the first.
    store : SeriesStore, optional
        Where to put them; a new store unless given.

    Returns
    -------
    SeriesStore
        The store.

    Raises
    ------
    QueryError
        If a name or a notation cannot be read.

    Examples
    --------
    >>> load_notation([("up", "1 1 0")], "1m").select("up")[0].values.tolist()
    [1.0, 1.0, 0.0]
    """
    filled = SeriesStore() if store is None else store
    step = parse_duration(interval)
    for name, notation in series:
        key = parse_series(name)
        values, present = parse_notation(notation)
        times = start_ns + step * np.arange(len(values), dtype=np.int64)
        filled.extend(key, times[present], values[present])
    return filled
