"""Bundled recordings, each with its incidents and a sensible set of rules.

A dataset is a folder: ``<name>.parquet``, ``incidents.csv``, ``rules.yml``, ``README.md``.
It is looked for in the folder that the environment variable ``MONITORLAB_DATASETS`` names, in
the installed package, then in the checkout.

>>> from monitorlab.datasets import list_datasets
>>> list_datasets().index.name
'dataset'
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from monitorlab.errors import UnknownNameError, did_you_mean
from monitorlab.frame import MonitoringFrame
from monitorlab.tables import read_incidents

__all__ = ["list_datasets", "load_dataset"]

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE / "_datasets", _HERE.parent / "datasets")


def load_dataset(name: str, *, folder: str | os.PathLike[str] | None = None) -> MonitoringFrame:
    """Open a bundled recording with its metadata, incidents and rules.

    Parameters
    ----------
    name : str
        Name of the dataset, see ``list_datasets``.
    folder : str or os.PathLike, optional
        Where to look for folders of datasets instead.

    Returns
    -------
    MonitoringFrame
        Series, metrics, incidents (of the file and of ``incidents.csv``), and rules.

    Raises
    ------
    UnknownNameError
        If there is no such dataset; offers the nearest names.
    RecordingError
        If a file of it cannot be read.

    Examples
    --------
    >>> load_dataset("shopp")
    Traceback (most recent call last):
    ...
    monitorlab.errors.UnknownNameError: there is no dataset 'shopp'...
    """
    from monitorlab.io import read_parquet

    found = _folders(folder)
    if name not in found:
        raise UnknownNameError(f"there is no dataset {name!r}{did_you_mean(name, found)}")
    place = found[name]
    frame = MonitoringFrame(read_parquet(place / f"{name}.parquet"))
    incidents = place / "incidents.csv"
    if incidents.exists():
        known = set(frame.store.incidents)
        frame.store.incidents.extend(i for i in read_incidents(incidents) if i not in known)
    rules = place / "rules.yml"
    if rules.exists():
        from monitorlab.alerting import load_rules

        frame.rules.extend(load_rules(rules))
    return frame


def list_datasets(*, folder: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """List the bundled recordings.

    Parameters
    ----------
    folder : str or os.PathLike, optional
        Where to look for folders of datasets instead.

    Returns
    -------
    pandas.DataFrame
        Indexed by name: title (of its README), series, samples, incidents, megabytes, path.

    Raises
    ------
    RecordingError
        If a recording is damaged.

    Examples
    --------
    >>> list_datasets().columns.tolist()
    ['title', 'series', 'samples', 'incidents', 'megabytes', 'path']
    """
    found = _folders(folder)
    rows = [_row(name, place) for name, place in found.items()]
    index = pd.Index(list(found), name="dataset", dtype=object)
    columns = ["title", "series", "samples", "incidents", "megabytes", "path"]
    return pd.DataFrame(rows, index=index, columns=columns)


def _folders(folder: str | os.PathLike[str] | None) -> dict[str, Path]:
    own = os.environ.get("MONITORLAB_DATASETS")
    places: tuple[Path, ...] = (Path(own), *_PLACES) if own else _PLACES
    if folder is not None:
        places = (Path(folder),)
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob("*/*.parquet")):
            if path.stem == path.parent.name:
                found.setdefault(path.stem, path.parent)
    return dict(sorted(found.items()))


def _row(name: str, place: Path) -> tuple[str, int, int, int, float, str]:
    from monitorlab.io.parquet import count_series

    file = place / f"{name}.parquet"
    series, samples, held = count_series(file)
    incidents = place / "incidents.csv"
    marked = len(read_incidents(incidents)) if incidents.exists() else held
    readme = place / "README.md"
    title = ""
    if readme.exists():
        lines = readme.read_text(encoding="utf-8").splitlines()
        title = next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")
    return title, series, samples, marked, round(file.stat().st_size / 1e6, 2), str(place)
