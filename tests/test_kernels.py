"""Compiled code is kept, but never longer than the sources that it was made of."""

import subprocess
import sys
from pathlib import Path

import pytest

SIDE = "from compiled import njit\n\n\n@njit(cache=True)\ndef side(x):\n    return x + {}\n"
USER = (
    "from compiled import njit\nfrom side import side\n\n\n"
    "@njit(cache=True)\ndef user(x):\n    return 10 * side(x)\n"
)
ASK = "from user import user\nprint(user(1), sum(user.stats.cache_hits.values()))"


def ask(folder: Path) -> list[int]:
    run = subprocess.run(
        [sys.executable, "-c", ASK], cwd=folder, capture_output=True, text=True, check=True
    )
    return [int(word) for word in run.stdout.split()]


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    from monitorlab.kernels import compiled

    (tmp_path / "compiled.py").write_text(Path(compiled.__file__).read_text("utf-8"), "utf-8")
    (tmp_path / "side.py").write_text(SIDE.format(1))
    (tmp_path / "user.py").write_text(USER)
    return tmp_path


def test_a_kernel_follows_a_change_of_another_that_it_calls(kernels: Path) -> None:
    assert ask(kernels) == [20, 0]
    assert ask(kernels) == [20, 1]  # from the disk
    (kernels / "side.py").write_text(SIDE.format(2))
    assert ask(kernels) == [30, 0]
    assert ask(kernels) == [30, 1]


def test_where_the_stamp_cannot_be_set_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    from monitorlab.kernels.compiled import njit

    asked = []

    class Plain:
        def __init__(self, function: object) -> None:
            self.function = function

    def fake(**options: object) -> type[Plain]:
        asked.append(options)
        return Plain

    monkeypatch.setattr(numba, "njit", fake)
    njit(cache=True, nogil=True)(len)
    assert asked == [{"cache": True, "nogil": True}, {"cache": False, "nogil": True}]


def test_all_kernels_are_compiled_so() -> None:
    from monitorlab import kernels

    folder = Path(kernels.__file__).parent
    files = [path for path in folder.glob("*.py") if path.stem not in ("compiled", "__init__")]
    text = {path.name: path.read_text("utf-8") for path in files}
    using = {name for name, source in text.items() if "\n@njit(" in source}
    kept = {name for name, source in text.items() if "kernels.compiled import njit\n" in source}
    assert len(using) > 10
    assert using <= kept
