"""What the sources that ask a server have in common: one client, limits, clear errors.

>>> checked_url("http://localhost:9090/")
'http://localhost:9090'
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

from monitorlab.errors import MissingExtraError, SourceError
from monitorlab.feed.batch import Batch, PollingSource
from monitorlab.feed.clock import Clock
from monitorlab.times import DurationLike, parse_duration

__all__ = ["LARGE", "HttpSource", "checked_url", "shown_url"]

LARGE = 1_000_000  # characters of an answer above which it is read beside the event loop
_SHOWN = 200  # characters of an error page that are quoted


def checked_url(url: str) -> str:
    """Give a server's address without a slash at its end.

    Parameters
    ----------
    url : str
        Address with ``http://`` or ``https://``.

    Returns
    -------
    str

    Raises
    ------
    SourceError
        If it is no such address.

    Examples
    --------
    >>> checked_url("localhost:9090")
    Traceback (most recent call last):
    ...
    monitorlab.errors.SourceError: 'localhost:9090' is no address; write it with http:// or https://
    """
    text = str(url)
    if not text.startswith(("http://", "https://")) or len(text.split("://", 1)[1]) == 0:
        msg = f"{url!r} is no address; write it with http:// or https://"
        raise SourceError(msg)
    return text.rstrip("/")


def shown_url(url: str) -> str:
    """Give an address as people may see it: without user, password and query.

    Parameters
    ----------
    url : str
        Address.

    Returns
    -------
    str

    Examples
    --------
    >>> shown_url("https://me:secret@prom:9090/x?token=secret")
    'https://prom:9090/x?…'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


class HttpSource(PollingSource):
    """A source that asks a server; derive from it and write ``read``.

    Parameters
    ----------
    url : str
        Where to ask.
    interval : duration
        How often.
    timeout : duration
        How long one answer may take, from the question to its last byte.
    max_bytes : int
        An answer longer than this is refused while it arrives.
    headers : mapping of str to str, optional
        Sent with each request, for example an ``Authorization``.
    transport : httpx.AsyncBaseTransport, optional
        Replaces the network, for tests and unusual proxies.

    Raises
    ------
    MissingExtraError
        If httpx is not installed (``pip install "monitorlab[prometheus]"``).
    SourceError
        If the address is none.

    Examples
    --------
    >>> HttpSource("http://localhost:8000/metrics", interval="15s")
    HttpSource(http://localhost:8000/metrics every 15 s)
    """

    def __init__(
        self,
        url: str,
        *,
        interval: DurationLike = "15s",
        timeout: DurationLike = "10s",
        max_bytes: int = 50_000_000,
        headers: Mapping[str, str] | None = None,
        transport: Any = None,
    ) -> None:
        super().__init__(interval=interval)
        try:
            import httpx
        except ImportError as error:
            what = type(self).__name__
            raise MissingExtraError(what, "prometheus") from error
        self.url = checked_url(url)
        self.name = self.shown = shown_url(self.url)
        self.max_bytes = max_bytes
        self._httpx: Any = httpx
        self._options: dict[str, Any] = {
            "timeout": parse_duration(timeout) / 1e9,
            "headers": dict(headers or {}),
            "transport": transport,
            "follow_redirects": True,
        }
        self._client: Any = None

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        """Give one reading for each interval over one kept connection."""
        async with self._httpx.AsyncClient(**self._options) as client:
            self._client = client
            async with aclosing(super().batches(clock)) as readings:  # type: ignore[type-var]
                async for batch in readings:
                    yield batch

    async def fetch(self, url: str, params: Mapping[str, Any] | None = None) -> str:
        """Get a page as text.

        Parameters
        ----------
        url : str
            Where.
        params : mapping, optional
            The query.

        Returns
        -------
        str

        Raises
        ------
        SourceError
            If the server cannot be reached, is slow, answers with an error, sends too much
            or no text.
        """
        shown = shown_url(url)
        try:
            async with (
                asyncio.timeout(self._options["timeout"]),
                self._client.stream("GET", url, params=params) as response,
            ):
                page = await self._read(shown, response)
                status = response.status_code
        except TimeoutError as error:
            msg = f"{shown} took longer than {self._options['timeout']:g} s to answer"
            raise SourceError(msg) from error
        except self._httpx.HTTPError as error:
            reason = str(error).replace(url, shown) or "no answer in time"
            msg = f"{shown}: {type(error).__name__}: {reason}"
            raise SourceError(msg) from error
        if status != self._httpx.codes.OK:
            quoted = page[:_SHOWN].decode("utf-8", "replace").strip()
            msg = f"{shown} answered with status {status}: {quoted}"
            raise SourceError(msg)
        try:
            return page.decode("utf-8")
        except UnicodeDecodeError as error:
            msg = f"{shown} sent something that is not text: {error}"
            raise SourceError(msg) from error

    async def _read(self, url: str, response: Any) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self.max_bytes:
                msg = f"{url} sends more than {self.max_bytes} bytes; raise max_bytes to take it"
                raise SourceError(msg)
            parts.append(part)
        return b"".join(parts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown} every {self.interval_seconds:g} s)"
