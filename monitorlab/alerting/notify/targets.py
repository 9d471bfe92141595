"""Where notifications go: a log, a function, a webhook, or anything that Apprise reaches.

Addresses are secrets: they are in no repr, no log line and no error text.

>>> WebhookTarget("https://hooks.example.com/services/T0/secret")
WebhookTarget('hooks', https://hooks.example.com/…)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from monitorlab.alerting.notify.quiet import silenced
from monitorlab.errors import MissingExtraError, MonitorlabError, RuleError
from monitorlab.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitorlab.alerting.notify.messages import Notification

__all__ = [
    "AppriseTarget",
    "CallbackTarget",
    "DeliveryError",
    "LogTarget",
    "Target",
    "WebhookTarget",
]

_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}
_TOO_MANY, _SERVER_FAULT, _CLIENT_FAULT, _TIMED_OUT = 429, 500, 400, 408


class DeliveryError(MonitorlabError, RuntimeError):
    """A notification could not be delivered; ``retry`` says whether trying again may help."""

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


class Target(Protocol):
    """Anything that can be told.

    Examples
    --------
    >>> LogTarget("console").name
    'console'
    """

    name: str

    def send(self, notification: Notification) -> None:
        """Deliver, or raise ``DeliveryError``."""
        ...


class LogTarget:
    """Write notifications to a logger.

    Parameters
    ----------
    name : str
        Name of the target.
    logger : str
        Name of the logger.

    Examples
    --------
    >>> LogTarget()
    LogTarget('log', logger='monitorlab.alerts')
    """

    def __init__(self, name: str = "log", *, logger: str = "monitorlab.alerts") -> None:
        self.name = name
        self._logger = logging.getLogger(logger)

    def send(self, notification: Notification) -> None:
        """Write one record; its level follows the severity."""
        firing = notification.status == "firing"
        level = _LEVELS[notification.severity] if firing else logging.INFO
        self._logger.log(level, "%s\n%s", notification.title, notification.text)

    def __repr__(self) -> str:
        return f"LogTarget({self.name!r}, logger={self._logger.name!r})"


class CallbackTarget:
    """Call a function with each notification.

    Parameters
    ----------
    function : callable
        Takes a ``Notification``; an exception in it counts as a failed delivery.
    name : str
        Name of the target.

    Examples
    --------
    >>> told = []
    >>> CallbackTarget(told.append)
    CallbackTarget('callback')
    """

    def __init__(self, function: Callable[[Notification], object], name: str = "callback") -> None:
        if not callable(function):
            msg = f"a callback target needs a function, not {function!r}"
            raise RuleError(msg)
        self.name = name
        self._function = function

    def send(self, notification: Notification) -> None:
        """Call the function."""
        try:
            self._function(notification)
        except Exception as error:  # whatever the user's function raises must not end the feed
            msg = f"target {self.name!r}: the function raised {type(error).__name__}: {error}"
            raise DeliveryError(msg) from error

    def __repr__(self) -> str:
        return f"CallbackTarget({self.name!r})"


class WebhookTarget:
    """Post notifications as Alertmanager's webhook JSON (version 4).

    Parameters
    ----------
    url : str
        Where to; kept secret but for scheme and host.
    name : str
        Name of the target; the first part of the host by default.
    headers : mapping of str to str, optional
        Sent along (``Authorization`` …); kept secret.
    timeout : float
        Seconds.
    transport : object, optional
        An ``httpx`` transport, for tests.

    Raises
    ------
    RuleError
        If the address is no http or https address.
    MissingExtraError
        If httpx is not installed.

    Examples
    --------
    >>> WebhookTarget("https://hooks.example.com/secret", "team")
    WebhookTarget('team', https://hooks.example.com/…)
    """

    def __init__(
        self,
        url: str,
        name: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        transport: Any = None,
    ) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except (ValueError, AttributeError, TypeError):
            parts, host = None, None
        if parts is None or parts.scheme not in ("http", "https") or not host:
            msg = (
                "a webhook needs an address such as https://host/path (the one given is not shown)"
            )
            raise RuleError(msg)
        _httpx()
        self.name = name or host.split(".")[0]
        self._shown = f"{parts.scheme}://{host}/…"
        self._url = url
        self._headers = dict(headers or {})
        self._timeout = timeout
        self._transport = transport

    def send(self, notification: Notification) -> None:
        """Post one notification; 408, 429 and 5xx may be tried again, other 4xx not."""
        httpx = _httpx()
        fault: str
        retry = True
        try:
            with (
                silenced(),
                httpx.Client(timeout=self._timeout, transport=self._transport) as client,
            ):
                answer = client.post(
                    self._url, json=notification.to_alertmanager(), headers=self._headers
                )
            if answer.status_code < _CLIENT_FAULT:
                return
            fault = f"HTTP status {answer.status_code}"
            retry = answer.status_code >= _SERVER_FAULT or answer.status_code in (
                _TOO_MANY,
                _TIMED_OUT,
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            fault = type(error).__name__  # its text may hold the address
            retry = isinstance(error, httpx.TransportError)
        msg = f"target {self.name!r} ({self._shown}): {fault}"
        raise DeliveryError(msg, retry=retry)

    def __repr__(self) -> str:
        return f"WebhookTarget({self.name!r}, {self._shown})"


class AppriseTarget:
    """Send notifications by e-mail, Slack, PagerDuty … through Apprise.

    Parameters
    ----------
    *urls : str
        Apprise addresses (``mailto://…``, ``slack://…``); kept secret but for the scheme.
    name : str
        Name of the target.

    Raises
    ------
    MissingExtraError
        If Apprise is not installed.
    RuleError
        If an address is not one that Apprise knows.

    Examples
    --------
    >>> AppriseTarget("json://localhost/secret")  # doctest: +SKIP
    AppriseTarget('apprise', json://…)
    """

    def __init__(self, *urls: str, name: str = "apprise") -> None:
        try:
            import apprise
        except ImportError as error:
            what = "notification through Apprise"
            raise MissingExtraError(what, "notify") from error
        self.name = name
        self._schemes = [str(url).partition(":")[0] for url in urls]
        self._client = apprise.Apprise()
        for url, scheme in zip(urls, self._schemes, strict=True):
            if not self._client.add(url):
                msg = f"target {name!r}: Apprise cannot read the {scheme} address"
                raise RuleError(msg)

    def send(self, notification: Notification) -> None:
        """Send title and text."""
        with silenced():
            told = self._client.notify(title=notification.title, body=notification.text)
        if not told:
            msg = f"target {self.name!r} ({', '.join(self._schemes)}): not delivered"
            raise DeliveryError(msg)

    def __repr__(self) -> str:
        return f"AppriseTarget({self.name!r}, {', '.join(s + '://…' for s in self._schemes)})"


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        what = "a webhook target"
        raise MissingExtraError(what, "notify") from error
    return httpx
