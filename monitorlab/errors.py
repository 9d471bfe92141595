"""Every error and warning that monitorlab raises on purpose.

Draw of the tree (each class also derives from the builtin that fits, so that
``except ValueError`` written by someone who has never heard of us still works)::

    MonitorlabError
      InvalidSeriesError (ValueError)     index not increasing, naive, duplicated, wrong kind
      NotEnoughDataError (ValueError)     has .needed and .got
      MatcherError       (ValueError)     a selector cannot be parsed; has .text and .position
      QueryError         (ValueError)     a PromQL expression is wrong; has .text and .position
      UnknownSeriesError (KeyError)       nothing matches; offers the nearest names
      UnknownNameError   (KeyError)       no such dataset, detector, model …; offers the nearest
      RuleError          (ValueError)     an alert rule, rule file or duration is wrong
      LayoutError        (ValueError)     a saved dashboard is wrong; has .problems
      TimeError          (ValueError)     a time or duration cannot be read
      RecordingError     (ValueError)     a file is wrong; has .path, .line and .column
      SourceError        (RuntimeError)   a live source failed
      FeedStateError     (RuntimeError)   used before start or after close
      MissingExtraError  (ImportError)    an optional dependency is not installed; names the extra
    MonitorlabWarning (UserWarning)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "FeedStateError",
    "InvalidSeriesError",
    "LayoutError",
    "MatcherError",
    "MissingExtraError",
    "MonitorlabError",
    "MonitorlabWarning",
    "NotEnoughDataError",
    "QueryError",
    "RecordingError",
    "RuleError",
    "SourceError",
    "TimeError",
    "UnknownNameError",
    "UnknownSeriesError",
    "did_you_mean",
]


# What an extra brings first of all; enough where monitorlab itself was installed from a checkout.
_EXTRAS = {
    "host": "psutil",
    "lab": "jupyterlab",
    "notify": "apprise",
    "prometheus": "httpx",
    "re2": "google-re2",
    "testing": "nbval",
}

MOST_NAMES = 30  # told when none is near


class MonitorlabError(Exception):
    """Base of every error that monitorlab raises on purpose.

    Examples
    --------
    >>> import monitorlab as ml
    >>> issubclass(ml.errors.RuleError, ml.MonitorlabError)
    True
    """


class InvalidSeriesError(MonitorlabError, ValueError):
    """A series cannot be used as it is (index naive, unsorted, duplicated, wrong kind)."""


class NotEnoughDataError(MonitorlabError, ValueError):
    """An analysis needs more samples than it was given.

    Parameters
    ----------
    message : str
        What was asked, of which series, and how to mend it.
    needed, got : int
        Number of samples needed, and given.
    """

    def __init__(self, message: str, *, needed: int, got: int) -> None:
        super().__init__(message)
        self.needed = needed
        self.got = got


class _PointedError(MonitorlabError, ValueError):
    """An error in a text that somebody wrote; points at the place with a caret."""

    def __init__(self, message: str, *, text: str = "", position: int | None = None) -> None:
        self.message = message
        self.text = text
        self.position = position
        super().__init__(message)

    def __str__(self) -> str:
        if not self.text or self.position is None:
            return self.message
        before = self.text[: self.position]
        line = self.text.splitlines()[before.count("\n")] if self.text.strip() else self.text
        column = len(before) - (before.rfind("\n") + 1)
        return f"{self.message}\n    {line}\n    {' ' * column}^"


class MatcherError(_PointedError):
    """A selector such as ``latency{route="/cart"}`` cannot be parsed."""


class QueryError(_PointedError):
    """A PromQL expression is malformed, unsupported, or breaks a limit."""


class _PlainKeyError(MonitorlabError, KeyError):
    """A ``KeyError`` whose text is shown as it is, not quoted."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownSeriesError(_PlainKeyError):
    """No series, or no single series, answers the selector."""


class UnknownNameError(_PlainKeyError):
    """A name (dataset, detector, model, panel …) is not among the known ones."""


class RuleError(MonitorlabError, ValueError):
    """An alert rule or a rule file is wrong.

    Parameters
    ----------
    message : str
        All problems found, one a line.
    problems : sequence of str, optional
        The same problems one by one.
    """

    def __init__(self, message: str, *, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class LayoutError(MonitorlabError, ValueError):
    """A saved dashboard is wrong.

    Parameters
    ----------
    message : str
        All problems found, one a line.
    problems : sequence of str, optional
        The same problems one by one.
    """

    def __init__(self, message: str, *, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class TimeError(MonitorlabError, ValueError):
    """A time or a duration cannot be read."""


class RecordingError(MonitorlabError, ValueError):
    """A recorded file is wrong; says where.

    Parameters
    ----------
    message : str
        What is wrong and how to mend it.
    path : str or os.PathLike, optional
        The file.
    line : int, optional
        Line in the file, counted from 1, the header included.
    column : str, optional
        Name of the column.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Any = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        self.path = None if path is None else str(path)
        self.line = line
        self.column = column
        where = ", ".join(
            part
            for part in (
                self.path,
                None if line is None else f"line {line}",
                None if column is None else f"column {column!r}",
            )
            if part
        )
        super().__init__(f"{where}: {message}" if where else message)


class SourceError(MonitorlabError, RuntimeError):
    """A live source failed in a way that retrying may mend."""


class FeedStateError(MonitorlabError, RuntimeError):
    """A feed was used before it was started or after it was closed."""


class MissingExtraError(MonitorlabError, ImportError):
    """An optional dependency is missing; the message names the extra to install.

    Parameters
    ----------
    what : str
        The feature that was asked for.
    extra : str
        Name of the extra in ``pip install "monitorlab[extra]"``.
    """

    def __init__(self, what: str, extra: str) -> None:
        package = _EXTRAS.get(extra)
        only = f", or only what it brings: pip install {package}" if package else ""
        super().__init__(f'{what} needs an extra: pip install "monitorlab[{extra}]"{only}')
        self.extra = extra


class MonitorlabWarning(UserWarning):
    """Input that is usable but doubtful (naive time stamps, a rate of a gauge …)."""


def did_you_mean(name: str, known: Iterable[str], *, limit: int = 3) -> str:
    """Say which known names are nearest to a name that is not known.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    limit : int
        At most so many suggestions.

    Returns
    -------
    str
        ``"; did you mean 'a' or 'b'?"``, else the first known names, else ``""``.

    Examples
    --------
    >>> did_you_mean("latncy", ["latency", "errors"])
    "; did you mean 'latency'?"
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=limit, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(repr(n) for n in near)}?"
    if not names:
        return ""
    shown = ", ".join(names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"; there are {shown}{more}"
