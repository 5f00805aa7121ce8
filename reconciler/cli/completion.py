"""`tnet completion`: the script that teaches a shell the verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.cli.output import example

COMPLETE_VARIABLE = "_TNET_COMPLETE"  # the name click's own scripts and `Command.main` agree on


@click.command(
    epilog=example(
        'eval "$(tnet completion bash)"',
        "tnet completion fish > ~/.config/fish/completions/tnet.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    complete = get_completion_class(shell)
    assert complete is not None
    script = complete(ctx.find_root().command, {}, "tnet", COMPLETE_VARIABLE).source()
    click.echo(script)
