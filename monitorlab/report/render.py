"""Report as a page: a template file filled with the plain dictionary, and its pictures.

>>> import monitorlab as ml
>>> "<html" in ml.Report(ml.MonitoringFrame(), progress=False).to_html()
True
"""

from __future__ import annotations

import html
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from monitorlab.recommend.quantities import human, unit_of
from monitorlab.report import charts, pictures
from monitorlab.report.numbers import cell, percent, series_html, when
from monitorlab.report.summary import headline_of

if TYPE_CHECKING:
    from monitorlab.overview import Findings

__all__ = ["fragment", "page"]

_FANS = 6


def page(report: dict[str, Any], findings: Findings) -> str:
    """Fill the page.

    Parameters
    ----------
    report : dict
        As ``Report.to_dict`` gives it.
    findings : Findings
        For the pictures.

    Returns
    -------
    str
        HTML of one file: styles and pictures inside, no script, nothing to load.

    Examples
    --------
    >>> import monitorlab as ml
    >>> "<script" in ml.Report(ml.MonitoringFrame(), progress=False).to_html()
    False
    """
    import jinja2
    from markupsafe import Markup

    from monitorlab import __version__

    def safe(words: str) -> Markup:
        return Markup(words)  # noqa: S704 - made here, what comes from data is escaped

    static = files("monitorlab") / "static"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        when=when,
        cell=cell,
        human=human,
        percent=percent,
        unit=unit_of,
        series=lambda name: safe(series_html(name)),
        spark=lambda values: safe(charts.sparkline(values)),
        strip=lambda slices, target: safe(charts.strip(slices, target)),
        meter=lambda ratio: safe(charts.meter(ratio)),
    )
    template = environment.from_string((static / "report.html.j2").read_text(encoding="utf-8"))
    main = headline_of(report["horizons"])
    start = None if main is None or findings.start is None else _start_of(main, findings)
    fans = [(name, safe(pictures.fan(f))) for name, f in list(findings.forecasts.items())[:_FANS]]
    return template.render(
        report=report,
        main=main,
        css=safe((static / "report.css").read_text(encoding="utf-8")),
        happened=safe(pictures.happened(findings, start)),
        fans=fans,
        version=__version__,
    )


def fragment(report: dict[str, Any]) -> str:
    """Give summary, health and first advice as a small piece of HTML for a notebook.

    Parameters
    ----------
    report : dict
        As ``Report.to_dict`` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> import monitorlab as ml
    >>> "Monitoring report" in ml.Report(ml.MonitoringFrame(), progress=False)._repr_html_()
    True
    """
    style = (files("monitorlab") / "static" / "report_fragment.css").read_text(encoding="utf-8")
    cards = "".join(_card(h) for h in report["horizons"])
    words = "".join(f"<p>{html.escape(text)}</p>" for text in report["summary"])
    advice = "".join(
        f'<li><span class="tag {html.escape(a["severity"])}">{html.escape(a["severity"])}</span> '
        f"{html.escape(a['title'])}</li>"
        for a in report["recommendations"][:5]
    )
    return (
        f'<div class="ml-report"><style>{style}</style><h3>{html.escape(report["title"])}</h3>'
        f'<div class="cards">{cards}</div>{words}<ol>{advice}</ol></div>'
    )


def _card(section: dict[str, Any]) -> str:
    health = section["health"]
    promises = "".join(
        f'<div class="small">{html.escape(one["name"])}: {cell(one["attainment"], "attainment")} '
        f"of {cell(one['target'], 'target')}</div>"
        for one in section["objectives"]
    )
    return (
        f'<div class="card {health["status"]}"><div class="small">last '
        f'{html.escape(section["horizon"])}</div><div class="score">{health["score"]}'
        f"<small> / 100 · {health['status']}</small></div>"
        f'<div class="small">{html.escape(health["reasons"][0])}</div>{promises}</div>'
    )


def _start_of(main: dict[str, Any], findings: Findings) -> Any:
    """Give the picture some of the time before the horizon, where it was recorded."""
    import pandas as pd

    start, end = pd.Timestamp(main["start"]), pd.Timestamp(main["end"])
    return max(start - 0.25 * (end - start), findings.start)
