"""Between pandas and the store: wide and long frames in, wide and long frames out.

>>> import pandas as pd
>>> index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
>>> store = from_pandas(pd.DataFrame({"cpu": [0.5, 0.7]}, index=index))
>>> to_wide(store.select())["cpu"].tolist()
[0.5, 0.7]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.errors import InvalidSeriesError
from monitorlab.io.labels import escape
from monitorlab.io.layout import LABEL_TEXT_NAMES, LayoutName, TableLayout, find_roles
from monitorlab.io.rows import BadNameError, Coded, Rows
from monitorlab.io.stamps import BadCellError, BadTableError, index_to_ns, warn_naive
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore, SeriesView, values_to_floats
from monitorlab.times import to_index

__all__ = ["from_pandas", "label_columns", "to_long", "to_pandas", "to_wide", "wide_columns"]

_INDEX = "timestamp"


def from_pandas(
    data: pd.DataFrame | pd.Series,
    *,
    layout: TableLayout = "auto",
    labels: Sequence[str] | None = None,
    tz: str | None = None,
    store: SeriesStore | None = None,
) -> SeriesStore:
    """Put a wide or a long frame, or one series, into a store.

    Parameters
    ----------
    data : pandas.DataFrame, pandas.Series, or anything with ``to_pandas()``
        Wide: a ``DatetimeIndex`` (or a column of times) and a column a series, whose name
        may carry labels (``latency_ms{route="/cart"}``). Long: columns timestamp, metric,
        value, and labels.
    layout : {"auto", "wide", "long"}
        Long when there are a metric and a value column, else wide.
    labels : sequence of str, optional
        Label columns; by default all others of a long frame, none of a wide one.
    tz : str, optional
        Zone of naive times; without it they are UTC, with a warning.
    store : SeriesStore, optional
        Where to put the samples; a new one by default.

    Returns
    -------
    SeriesStore
        The store.

    Raises
    ------
    InvalidSeriesError
        If there are no times, or a cell is no number; names row and column.

    Warns
    -----
    MonitorlabWarning
        If the times carry no zone and ``tz`` is not given.

    Notes
    -----
    NaN in a float column is a sample that is NaN; a missing value of a nullable column
    (``pd.NA``, None) is no sample in a wide frame, a NaN sample in a long one.

    Examples
    --------
    >>> frame = pd.DataFrame({"ts": [1767225600], "metric": ["cpu"], "value": [0.5], "host": ["a"]})
    >>> from_pandas(frame).keys
    [cpu{host="a"}]
    """
    target = SeriesStore() if store is None else store
    frame = _as_frame(data)
    if not len(frame.columns) or not len(frame):
        return target
    frame, time_column = _with_time_column(frame)
    if frame.columns.nlevels > 1:
        raise InvalidSeriesError("a frame with levels of columns needs a DatetimeIndex")
    frame = frame.rename(columns=str)
    try:
        roles = find_roles(list(frame.columns), layout=layout, timestamp=time_column, labels=labels)
        times, naive = _times(frame[roles.timestamp], roles.timestamp, tz)
        rows = Rows(roles)
        codes = rows.numbers([_coded(frame[name]) for name in rows.coded])
    except BadNameError as error:
        message = f"column {error.column!r}, row {error.row}: {error}"
        raise InvalidSeriesError(message) from error
    except BadTableError as error:
        hint = "make it the index: frame.set_index(…)"
        message = str(error).replace("name it with timestamp=…", hint)
        raise InvalidSeriesError(message) from error
    columns = []
    for name in roles.values:
        present = _present(frame[name])
        columns.append((values_to_floats(frame[name], what=f"column {name!r}"), present))
    rows.append(times, codes, columns)
    if naive and tz is None:
        warn_naive(f"column {roles.timestamp!r}" if time_column is None else "the index")
    rows.into(target)
    return target


def to_pandas(views: Sequence[SeriesView], layout: LayoutName = "wide") -> pd.DataFrame:
    """Give series as a frame.

    Parameters
    ----------
    views : sequence of SeriesView
        The series.
    layout : {"wide", "long"}
        As in ``to_wide`` and ``to_long``.

    Returns
    -------
    pandas.DataFrame
        The samples.

    Raises
    ------
    InvalidSeriesError
        If the layout is unknown.

    Examples
    --------
    >>> to_pandas([SeriesView.make("up", [0], [1.0])], "long")["metric"].tolist()
    ['up']
    """
    if layout == "wide":
        return to_wide(views)
    if layout == "long":
        return to_long(views)
    raise InvalidSeriesError(f"layout={layout!r} is not one of 'wide', 'long'")


def to_wide(views: Sequence[SeriesView]) -> pd.DataFrame:
    """Give series as one frame with a column for each.

    Parameters
    ----------
    views : sequence of SeriesView
        The series.

    Returns
    -------
    pandas.DataFrame
        All times that occur as a UTC index; NaN where a series has no sample. Columns are
        named like ``latency_ms{route="/cart"}``.

    Notes
    -----
    Memory is times × series × 8 bytes: for series sampled at different moments prefer
    ``to_long``.

    Examples
    --------
    >>> to_wide([SeriesView.make("a", [1, 2], [1.0, 2.0]), SeriesView.make("b", [2], [5.0])])
                                           a    b
    timestamp
    1970-01-01 00:00:00.000000001+00:00  1.0  NaN
    1970-01-01 00:00:00.000000002+00:00  2.0  5.0
    """
    times, columns = wide_columns(views)
    names = [str(view.key) for view in views]
    data = np.column_stack([values for values, _ in columns]) if columns else None
    return pd.DataFrame(data, index=to_index(times), columns=names, copy=False)


def wide_columns(
    views: Sequence[SeriesView],
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Align series on all times that occur.

    Parameters
    ----------
    views : sequence of SeriesView
        The series.

    Returns
    -------
    times : numpy.ndarray of int64
        All times, in order.
    columns : list of (numpy.ndarray of float64, numpy.ndarray of bool)
        For each series its values, NaN where there is none, and where there is one.

    Examples
    --------
    >>> wide_columns([SeriesView.make("a", [1, 2], [1.0, 2.0])])[0].tolist()
    [1, 2]
    """
    if not views:
        return np.empty(0, np.int64), []
    first = views[0].times
    if all(np.array_equal(view.times, first) for view in views[1:]):
        every = np.ones(len(first), bool)
        return np.array(first), [(view.values, every) for view in views]
    times = np.unique(np.concatenate([view.times for view in views]))
    columns = []
    for view in views:
        values = np.full(len(times), np.nan)
        present = np.zeros(len(times), bool)
        at = times.searchsorted(view.times)
        values[at] = view.values
        present[at] = True
        columns.append((values, present))
    return times, columns


def to_long(views: Sequence[SeriesView]) -> pd.DataFrame:
    """Give series as one frame with a row for each sample.

    Parameters
    ----------
    views : sequence of SeriesView
        The series.

    Returns
    -------
    pandas.DataFrame
        Columns ``timestamp``, ``metric``, one for each label name (``""`` where a series has
        no such label), ``value``; series after series, each in time order. Where a label
        name would clash with another column, one column ``labels`` holds the label sets.

    Examples
    --------
    >>> view = SeriesView.make("up", [0], [1.0], {"job": "shop"})
    >>> to_long([view]).columns.tolist()
    ['timestamp', 'metric', 'job', 'value']
    """
    counts = [len(view) for view in views]
    numbers = np.repeat(np.arange(len(views)), counts)
    columns: dict[str, Any] = {
        "timestamp": to_index(_joined([v.times for v in views], np.int64), name=None),
        "metric": _repeated([v.key.metric for v in views], numbers),
    }
    for name, words in label_columns([v.key for v in views]).items():
        columns[name] = _repeated(words, numbers)
    columns["value"] = _joined([v.values for v in views], np.float64)
    return pd.DataFrame(columns, copy=False)


def label_columns(keys: Sequence[SeriesKey]) -> dict[str, list[str]]:
    """Give the label columns of a long table, one word for each series.

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series.

    Returns
    -------
    dict of str to list of str
        By label name; or only ``labels`` with whole label sets, where names clash.

    Examples
    --------
    >>> label_columns([SeriesKey("up", Labels(job="shop")), SeriesKey("load")])
    {'job': ['shop', '']}
    """
    names = sorted({name for key in keys for name in key.labels})
    roles = find_roles(["timestamp", "metric", *names, "value"]) if _plain(names) else None
    if roles is not None and roles.label_text is None and list(roles.labels) == names:
        return {name: [key.labels.get(name, "") for key in keys] for name in names}
    return {LABEL_TEXT_NAMES[0]: [_label_text(key.labels) for key in keys]}


def _plain(names: list[str]) -> bool:
    return not {"timestamp", "metric", "value"}.intersection(names)


def _label_text(labels: Labels) -> str:
    pairs = (f'"{escape(k)}"="{escape(v)}"' for k, v in labels.items())
    return "{" + ", ".join(pairs) + "}"


def _as_frame(data: Any) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, pd.Series):
        return data.to_frame("value" if data.name is None else data.name)
    if hasattr(data, "to_pandas"):
        return _as_frame(data.to_pandas())
    raise InvalidSeriesError(
        f"cannot read a {type(data).__name__}; give a pandas DataFrame or Series "
        "with a DatetimeIndex or a column of times"
    )


def _with_time_column(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """Move an index of times into a column; leave a frame that has such a column alone."""
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return frame.reset_index(), None
    if isinstance(index, pd.RangeIndex) and _column_of_times(frame) is not None:
        return frame.rename(columns={_column_of_times(frame): _INDEX}), None
    if not isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        named = str(index.name).lower() if index.name is not None else ""
        if named not in ("timestamp", "time", "ts", "date", "datetime"):
            return frame, None
    times = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
    name = _INDEX
    flat = frame.set_axis(_flat_names(frame.columns), axis=1)
    while name in flat.columns:
        name = f"_{name}"
    flat.insert(0, name, times)
    return flat.reset_index(drop=True), name


def _column_of_times(frame: pd.DataFrame) -> Any:
    """Find the only column of dtype datetime whose name does not tell it."""
    try:
        find_roles([str(c) for c in frame.columns])
    except BadTableError:
        found = [c for c in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[c])]
        return found[0] if len(found) == 1 else None
    return None


def _flat_names(columns: pd.Index) -> list[str]:
    """Give column names; levels beside the first become labels."""
    if columns.nlevels == 1:
        return [str(name) for name in columns]
    levels = [str(n) if n is not None else f"level_{i}" for i, n in enumerate(columns.names)]
    return [
        str(SeriesKey(str(name[0]), Labels(dict(zip(levels[1:], name[1:], strict=True)))))
        for name in columns
    ]


def _times(column: pd.Series, name: str, tz: str | None) -> tuple[np.ndarray, bool]:
    try:
        return index_to_ns(column, tz=tz)
    except BadCellError as error:
        raise InvalidSeriesError(f"column {name!r}, row {error.row}: {error}") from error


def _coded(column: pd.Series) -> Coded:
    codes, words = pd.factorize(column)
    texts = [str(word) for word in words]
    if len(codes) and codes.min() < 0:
        texts.append("")
        codes = np.where(codes < 0, len(texts) - 1, codes)
    return np.asarray(codes), texts


def _present(column: pd.Series) -> np.ndarray | None:
    """Tell which cells are there; NaN in a plain float column is."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind != "O":
        return None
    missing = column.isna().to_numpy()
    if column.dtype == object:
        missing = missing & np.array([not isinstance(v, float) for v in column])
    return ~missing if missing.any() else None


def _joined(parts: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _repeated(words: list[str], numbers: np.ndarray) -> pd.Categorical:
    known = sorted(set(words))
    place = {word: i for i, word in enumerate(known)}
    codes = np.array([place[word] for word in words], np.int32)
    chosen = codes[numbers] if len(codes) else np.empty(0, np.int32)
    return pd.Categorical.from_codes(chosen, categories=pd.Index(known, dtype=object))
