"""Read the tables of an HTML output, to say which cell of a table changed.

>>> read_tables("<table><tr><th>a</th></tr><tr><td>1</td></tr></table>")
[[['a'], ['1']]]
"""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["read_tables"]


def read_tables(html: str) -> list[list[list[str]]]:
    """Give each table of an HTML text as rows of cell texts.

    Parameters
    ----------
    html : str
        HTML, as pandas and monitorlab write it.

    Returns
    -------
    list of list of list of str
        Tables, rows, cells.

    Examples
    --------
    >>> read_tables("<p>no table</p>")
    []
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.tables


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.tables[-1][-1][-1] += data.strip()
