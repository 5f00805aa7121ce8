"""`tnet checkpoint snapshot`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checkpoints import CheckpointDesk
from reconciler.authoring.signing_key import choose_signing_key
from reconciler.cli.checkpointing import branch_option, push_option, tell_made
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option


@click.command(epilog=example("tnet checkpoint snapshot", "tnet checkpoint snapshot --key root.pub --push"))
@push_option
@branch_option
@key_option
@repo_option
@output_option
def command(push: bool, branch: str, remote: str, key: str | None, repo: Path, output: str) -> None:
    """Sign the whole state, so that new nodes needn't judge all that came before (signed by root).

    It counts for nodes whose anchor's policy names you as root. Where it takes several roots, the others
    add their signatures with `tnet checkpoint sign snapshot`.
    """
    with Author.open(repo) as author:
        desk = CheckpointDesk(author, branch, remote)
        signing = choose_signing_key(key, author.tree.config("user.signingkey"))
        tell_made(desk.snapshot(signing, datetime.now(UTC)), desk, author.tree, remote, push, output)
