"""`tnet server-hook uninstall`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.output import example
from reconciler.cli.pinned_ledger import own_git_directory
from reconciler.forge.hook_file import find_place, uninstall
from reconciler.forge.server_config import restore_config


@click.command(epilog=example("tnet server-hook uninstall /srv/git/ledger.git"))
@click.argument("repository", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[REPO]")
def command(repository: Path) -> None:
    """Take the hook away: what was there before comes back, settings too. The pinned anchor stays."""
    git_dir = own_git_directory(repository)
    place = find_place(git_dir)
    gone = uninstall(place)
    restored = restore_config(git_dir)
    click.echo(f"{place.path}: {'taken away' if gone else 'was not ours, and stays'}")
    if restored:
        click.echo(f"as before: {', '.join(restored)}")
