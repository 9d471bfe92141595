"""Read from a Prometheus server (or anything that speaks its HTTP API) over its query API.

>>> import httpx
>>> answer = {"status": "success", "data": {"resultType": "matrix", "result": [
...     {"metric": {"__name__": "up"}, "values": [[0, "1"], [15, "0"]]}]}}
>>> transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
>>> client = httpx.Client(transport=transport)
>>> store = read_prometheus("http://p", ["up"], start=0, end=15, client=client, metadata=False)
>>> store.select("up")[0].values.tolist()
[1.0, 0.0]
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.errors import MissingExtraError, MonitorlabWarning, SourceError, TimeError
from monitorlab.model import Labels, MetricType, SeriesKey
from monitorlab.storage import SeriesStore
from monitorlab.times import DurationLike, TimeLike, parse_duration, to_ns

if TYPE_CHECKING:
    import httpx

__all__ = ["MAX_POINTS", "read_prometheus"]

MAX_POINTS = 11_000  # of one series in one answer: the server's own limit
_MAX_BYTES = 256 << 20
_TYPES = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
}
_PARTS = ("_bucket", "_count", "_sum")


def read_prometheus(
    url: str,
    match: str | Sequence[str],
    start: TimeLike,
    end: TimeLike,
    step: DurationLike = "15s",
    *,
    timeout: float = 30.0,
    headers: Mapping[str, str] | None = None,
    auth: Any = None,
    max_bytes: int = _MAX_BYTES,
    metadata: bool = True,
    client: httpx.Client | None = None,
) -> SeriesStore:
    """Read series from a Prometheus server over a range of time.

    Parameters
    ----------
    url : str
        Address of the server, for example ``"http://localhost:9090"``.
    match : str or sequence of str
        Selectors (or other expressions that give series).
    start, end : time
        First and last step, both included.
    step : duration
        Distance of the samples.
    timeout : float
        Seconds that one request may take.
    headers, auth
        Passed to httpx (for a token, or a user and password).
    max_bytes : int
        An answer larger than this is refused.
    metadata : bool
        Whether to ask for types, units and descriptions too.
    client : httpx.Client, optional
        One's own client; ``timeout``, ``headers`` and ``auth`` are then left to it.

    Returns
    -------
    SeriesStore
        Samples at the steps, as the server looks them up (each up to 5 minutes old).

    Raises
    ------
    MissingExtraError
        If httpx is not installed.
    SourceError
        If the server cannot be reached, answers with an error or with something that is no
        answer, or with too much.
    TimeError
        If the range ends before it starts or the step is nothing.

    Warns
    -----
    MonitorlabWarning
        If the server gives no metadata, or warns itself.

    Notes
    -----
    The range is asked for in pieces of at most 11 000 steps, the limit of the server.

    Examples
    --------
    >>> import httpx
    >>> broken = httpx.MockTransport(lambda request: httpx.Response(500, text="out of memory"))
    >>> read_prometheus("http://p", "up", 0, 60, client=httpx.Client(transport=broken))
    Traceback (most recent call last):
    ...
    monitorlab.errors.SourceError: http://p/api/v1/query_range answered 500: out of memory
    """
    try:
        import httpx
    except ImportError as error:
        raise MissingExtraError("reading from Prometheus", "prometheus") from error
    first, last, width = to_ns(start), to_ns(end), parse_duration(step)
    if last < first:
        raise TimeError(f"the range {start!r} to {end!r} ends before it starts")
    if width < 1_000_000:
        raise TimeError(f"the step {step!r} must be a millisecond or more")
    base = url.rstrip("/")
    own = (
        None
        if client is not None
        else httpx.Client(
            timeout=timeout, headers=dict(headers or {}), auth=auth, follow_redirects=True
        )
    )
    session = client or own
    store = SeriesStore()
    try:
        for expr in [match] if isinstance(match, str) else match:
            for begin, stop in _pieces(first, last, width):
                query = {
                    "query": expr,
                    "start": _seconds(begin),
                    "end": _seconds(stop),
                    "step": _seconds(width),
                }
                data = _ask(session, f"{base}/api/v1/query_range", query, max_bytes)
                _add(store, data, expr, f"{base}/api/v1/query_range")
        if metadata:
            _describe(store, session, f"{base}/api/v1/metadata", max_bytes)
    finally:
        if own is not None:
            own.close()
    return store


def _pieces(first: int, last: int, width: int) -> Iterator[tuple[int, int]]:
    """Split a range into stretches of at most ``MAX_POINTS`` steps on one common grid."""
    begin = first
    while begin <= last:
        stop = min(begin + (MAX_POINTS - 1) * width, last)
        yield begin, stop
        begin += MAX_POINTS * width


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.3f}"


def _ask(session: Any, url: str, query: Mapping[str, str], max_bytes: int) -> Any:
    """Ask, read the answer up to a size, and give its data."""
    import httpx

    try:
        method = "POST" if query else "GET"
        with session.stream(method, url, data=dict(query) if query else None) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > max_bytes:
                    raise SourceError(
                        f"{url} answers with more than {max_bytes >> 20} MB; ask for fewer "
                        "series, a shorter range or a wider step, or raise max_bytes"
                    )
            status = response.status_code
    except httpx.TimeoutException as error:
        raise SourceError(f"{url} did not answer in time; raise timeout=…") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{url} cannot be reached: {error}") from error
    try:
        answer = json.loads(bytes(body))
    except ValueError as error:
        if status != 200:
            raise SourceError(f"{url} answered {status}: {_excerpt(body)}") from error
        raise SourceError(f"{url} did not answer in JSON but: {_excerpt(body)}") from error
    if not isinstance(answer, dict) or "status" not in answer:
        raise SourceError(f"{url} did not answer as Prometheus does: {_excerpt(body)}")
    if status != 200 or answer["status"] != "success":
        raise SourceError(f"{url} answered {status}: {answer.get('error', _excerpt(body))}")
    for text in answer.get("warnings") or ():
        warnings.warn(f"{url}: {text}", MonitorlabWarning, stacklevel=4)
    return answer.get("data")


def _excerpt(body: bytearray) -> str:
    text = " ".join(bytes(body[:200]).decode("utf-8", "replace").split())
    return text or "(nothing)"


def _add(store: SeriesStore, data: Any, expr: str, url: str) -> None:
    try:
        if data["resultType"] != "matrix":
            raise SourceError(f"{expr!r} gives a {data['resultType']}, not series")
        for series in data["result"]:
            labels = dict(series["metric"])
            name = labels.pop("__name__", "") or expr
            pairs = series.get("values") or []
            if not pairs:
                continue
            times = np.array([round(float(t) * 1000) for t, _ in pairs], np.int64) * 1_000_000
            values = np.array([float(v) for _, v in pairs])
            store.extend(SeriesKey(name, Labels(labels)), times, values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"{url} answered with series that cannot be read: {error!r}") from error


def _describe(store: SeriesStore, session: Any, url: str, max_bytes: int) -> None:
    """Describe the metrics that were read; without metadata they stay gauges, with a warning."""
    try:
        data = _ask(session, url, {}, max_bytes)
    except SourceError as error:
        warnings.warn(
            f"no types are known, every metric is taken as a gauge: {error}",
            MonitorlabWarning,
            stacklevel=4,
        )
        return
    known = data if isinstance(data, dict) else {}
    for name in store.metric_names:
        base = next((name.removesuffix(p) for p in _PARTS if name.removesuffix(p) in known), name)
        entries = known.get(name) or known.get(base) or known.get(name.removesuffix("_total"))
        if not entries or not isinstance(entries[0], dict):
            continue
        found = entries[0]
        kind = str(found.get("type", ""))
        is_part = base != name and kind in ("histogram", "summary")
        unit, text = str(found.get("unit") or ""), str(found.get("help") or "")
        if is_part:
            store.describe(name, type=MetricType.COUNTER, description=text)
            if kind == "histogram":
                store.describe(base, type=MetricType.HISTOGRAM, unit=unit, description=text)
        else:
            store.describe(
                name, type=_TYPES.get(kind, MetricType.GAUGE), unit=unit, description=text
            )
