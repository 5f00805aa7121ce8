"""Options that verbs share."""

from __future__ import annotations

from pathlib import Path

import click

key_option = click.option(
    "--key",
    metavar="FILE",
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
