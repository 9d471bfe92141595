"""``python -m monitorlab`` is the ``monitorlab`` command."""

from monitorlab.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main(prog_name="monitorlab")
