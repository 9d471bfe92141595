"""The ``completion`` command: what makes a shell complete commands, options and files."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options, files and datasets.

    \b
    Examples:
      monitorlab completion bash >> ~/.bashrc
      monitorlab completion zsh  >> ~/.zshrc
      monitorlab completion fish > ~/.config/fish/completions/monitorlab.fish
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> "complete" in CliRunner().invoke(completion, ["fish"]).output
    True
    """
    from monitorlab.cli.app import main

    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(maker(main, {}, "monitorlab", "_MONITORLAB_COMPLETE").source())
