"""Options that verbs share."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem


def _complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The keys in ~/.ssh, and below what is typed any file."""
    files = sorted(Path("~/.ssh").expanduser().glob("*.pub"))
    private = [(file.with_suffix(""), file) for file in files]
    names = [str(key if key.is_file() else public) for key, public in private]
    found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


key_option = click.option(
    "--key",
    metavar="FILE",
    shell_complete=_complete_key,
    help="Your SSH key: a private key's file, or a .pub file (or the public key itself) of one that an "
    "ssh-agent holds. Default: $TNET_SIGNING_KEY, then git's user.signingkey.",
)
repo_option = click.option(
    "--repo",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    metavar="DIR",
    help="Your clone of the ledger (default: where you are).",
)
