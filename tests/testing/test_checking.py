"""A changed number, figure, alert event and an exception turn a run red; unchanged is green."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient
from nbformat import v4

from monitorlab.cli import main
from monitorlab.errors import RecordingError
from monitorlab.testing import check_notebooks, find_notebooks, sanitize_file, strip
from monitorlab.testing.checking import NotebookCheck

ROOT = Path(__file__).parents[2]
CELLS = [
    """import numpy as np
import pandas as pd
import monitorlab as ml
frozen = ml.testing.freeze("2026-01-01T12:00Z")
mf = ml.load_dataset("tiny")
print(f"mean {mf.series('load').mean():.4f}")""",
    "mf.alert('High', 'load > 5', for_='30s')\nmf.backtest(interval='15s').events[['time', 'state']]",
    "fig = ml.plotting.new_figure(title='load')\nfig.add_scatter(y=mf.series('load').to_numpy())",
    "mf.record('now', 1)\nprint(mf.series('now').index[0], object())",
    "list(mf.incidents['kind'])",
]

SMALL = [
    "print('mean 1.2345')",
    """from IPython.display import display
data = [{"name": "p95", "mode": "lines", "y": [1.0, 2.0], "uid": str(id(object()))}]
display({"application/vnd.plotly.v1+json": {"data": data}}, raw=True)""",
    "object()",
    "1 + 1",
]


def make_dataset(folder: Path, change: Callable[[Any], Any] = lambda values: values) -> Path:
    import numpy as np
    import pandas as pd

    import monitorlab as ml

    values = np.sin(np.arange(240) / 20) * 2 + 2
    values[100:130] = 9.0
    mf = ml.MonitoringFrame()
    times = pd.date_range("2026-01-01", periods=240, freq="15s", tz="UTC")
    mf.extend("load", times, change(values))
    mf.mark(times[100], times[130], "overload")
    place = folder / "tiny"
    place.mkdir(parents=True)
    mf.to_parquet(place / "tiny.parquet")
    return folder


def execute(path: Path, sources: list[str], data: Path | None = None) -> Path:
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    with pytest.MonkeyPatch.context() as patch:
        if data is not None:
            patch.setenv("MONITORLAB_DATASETS", str(data))
        NotebookClient(notebook, kernel_name="python3").execute()
    nbformat.write(strip(notebook), path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A notebook that ran against a recording, and the folder of the recording."""
    folder = tmp_path_factory.mktemp("nb")
    data = make_dataset(folder / "data")
    return execute(folder / "n.ipynb", CELLS, data), data


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that imports nothing of ours: a number, a figure, an id, a sum."""
    return execute(tmp_path_factory.mktemp("nb") / "n.ipynb", SMALL)


def check(path: Path, data: Path | None = None, **options: Any) -> NotebookCheck:
    return check_notebooks(path, datasets=data, **options)


def wheres(result: NotebookCheck) -> str:
    return " ".join(result.to_frame()["where"])


def test_unchanged_is_green(executed: tuple[Path, Path]) -> None:
    result = check(*executed)
    assert result.is_same, str(result)
    assert result.outcomes[0].compared == result.outcomes[0].cells == len(CELLS)
    assert result.to_frame().empty
    assert "1 of 1 notebooks give what is stored" in result.summary()
    assert json.dumps(result.to_dict())
    assert result.plot().data


def test_changed_data_is_red_in_number_events_and_figure(
    executed: tuple[Path, Path], tmp_path: Path
) -> None:
    data = make_dataset(tmp_path, lambda v: [*v[:105], 0.0, 0.0, 0.0, *v[108:]])
    result = check(executed[0], data, rtol=1e-3)
    found = {f.cell: " ".join(d.where for d in f.differences) for f in result.outcomes[0].failures}
    assert "stdout, line 1" in found[0]
    assert "table" in found[1]  # an alert that resolved and fired again
    assert "figure: data[0].y[105]" in found[2]
    assert set(found) == {0, 1, 2}
    assert "stored" in str(result)


def test_a_tolerance_forgives_a_small_change_of_the_data(
    executed: tuple[Path, Path], tmp_path: Path
) -> None:
    data = make_dataset(tmp_path, lambda v: v * (1 + 1e-5))
    assert check(executed[0], data, rtol=1e-4).is_same


def change_output(path: Path, folder: Path, cell: int, change: Callable[[Any], None]) -> Path:
    notebook = nbformat.read(path, as_version=4)
    change(notebook.cells[cell])
    nbformat.write(notebook, folder / "changed.ipynb")
    return folder / "changed.ipynb"


def test_a_changed_figure_alone_is_red(small: Path, tmp_path: Path) -> None:
    def markers(cell: Any) -> None:
        data = cell.outputs[0]["data"]["application/vnd.plotly.v1+json"]["data"]
        data[0]["mode"] = "markers"

    result = check(change_output(small, tmp_path, 1, markers))
    row = result.to_frame().iloc[0]
    assert row[["cell", "where", "stored", "now"]].tolist() == [
        1, "figure: data[0](p95).mode", "markers", "lines"
    ]  # fmt: skip
    assert len(result.to_frame()) == 1


def test_an_exception_is_red_and_the_rest_is_left_out(small: Path, tmp_path: Path) -> None:
    def fail(cell: Any) -> None:
        cell.source = "{}['load']"

    result = check(change_output(small, tmp_path, 1, fail))
    (failure,) = result.outcomes[0].failures
    assert failure.cell == 1
    assert "exception" in failure.message
    assert "KeyError" in failure.traceback
    assert result.outcomes[0].cells == 2


def test_a_kernel_that_dies_is_red(small: Path, tmp_path: Path) -> None:
    def die(cell: Any) -> None:
        cell.source = "import os; os._exit(1)"

    result = check(change_output(small, tmp_path, 0, die))
    assert "the kernel died" in str(result)


def test_the_tolerance_of_a_tag_goes_before_that_of_the_run(small: Path, tmp_path: Path) -> None:
    def tag(cell: Any) -> None:
        cell.outputs[0]["text"] = "mean 1.2399\n"
        cell.metadata["tags"] = ["rtol=0.1"]

    assert check(change_output(small, tmp_path, 0, tag), rtol=1e-9).is_same


def test_a_cell_that_never_ran_is_counted_as_not_compared(small: Path, tmp_path: Path) -> None:
    def forget(cell: Any) -> None:
        cell.outputs, cell.execution_count = [], None

    result = check(change_output(small, tmp_path, 3, forget))
    assert result.is_same
    assert result.outcomes[0].compared == len(SMALL) - 1


def other_mean(cell: Any) -> None:
    cell.outputs[0]["text"] = "mean 1.0000\n"


def test_the_command_says_what_differs_and_exits_with_3(small: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["nbcheck", str(change_output(small, tmp_path, 0, other_mean))])
    assert done.exit_code == 3
    assert "stored  mean 1.0000" in done.stdout
    assert "DIFFERENT" in done.stderr
    done = CliRunner().invoke(main, ["nbcheck", str(small), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["outcomes"][0]["failures"] == []


def test_further_sanitising_rules_are_applied(small: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.cfg"
    rules.write_text("[mean]\nregex: mean [\\d.]+\nreplace: MEAN\n")
    assert check(change_output(small, tmp_path, 0, other_mean), sanitize=rules).is_same
    with pytest.raises(RecordingError, match="no such file of sanitising rules"):
        check(small, sanitize=tmp_path / "none.cfg")


def test_notebooks_are_found_and_wrong_paths_named(tmp_path: Path) -> None:
    nbformat.write(v4.new_notebook(), tmp_path / "a.ipynb")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    nbformat.write(v4.new_notebook(), tmp_path / ".ipynb_checkpoints" / "a.ipynb")
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "empty").mkdir()
    assert find_notebooks([tmp_path]) == [tmp_path / "a.ipynb"]
    for wrong, message in [("b.txt", "not a notebook"), ("c", "no such"), ("empty", "no notebook")]:
        with pytest.raises(RecordingError, match=message):
            find_notebooks([tmp_path / wrong])


def test_a_file_that_is_no_notebook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text("{}")
    result = check_notebooks(path)
    assert not result.is_same
    assert "could not be run" in str(result)
    for command in ("nbstrip", "nbrun"):
        done = CliRunner().invoke(main, [command, str(path)])
        assert done.exit_code == 1
        assert "not a notebook" in done.stderr


def test_the_rules_beside_the_notebooks_are_those_of_the_package() -> None:
    assert (ROOT / "notebooks" / "sanitize.cfg").read_text() == sanitize_file().read_text()


def test_strip_takes_the_noise_and_keeps_the_outputs(tmp_path: Path) -> None:
    view = "application/vnd.jupyter.widget-view+json"
    cell = v4.new_code_cell("1", metadata={"execution": {"x": "2026"}, "tags": ["keep"]})
    cell.outputs = [v4.new_output("display_data", {view: {"model_id": "a"}, "text/plain": "w"})]
    notebook = v4.new_notebook(
        cells=[cell, v4.new_markdown_cell("words")],
        metadata={
            "widgets": {"state": 1},
            "language_info": {"version": "3.11.7", "name": "python"},
        },
    )
    path = tmp_path / "a.ipynb"
    nbformat.write(notebook, path)
    assert CliRunner().invoke(main, ["nbstrip", str(path), "--check"]).exit_code == 3
    done = CliRunner().invoke(main, ["nbstrip", str(path), "--json"])
    assert json.loads(done.stdout) == {"changed": [str(path)]}
    kept = nbformat.read(path, as_version=4)
    assert kept.metadata == {"language_info": {"name": "python"}}
    assert kept.cells[0].metadata == {"tags": ["keep"]}
    assert kept.cells[0].outputs[0]["data"] == {"text/plain": "w"}
    assert CliRunner().invoke(main, ["nbstrip", str(path), "--check"]).exit_code == 0
