"""`tnet checkpoint sign`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checkpoints import CheckpointDesk
from reconciler.authoring.signing_key import choose_signing_key
from reconciler.cli.checkpointing import branch_option, push_option, tell_made
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option
from reconciler.ledger.checkpoints.checkpoint import Kind


@click.command(epilog=example("git fetch && tnet checkpoint sign snapshot --push"))
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@push_option
@branch_option
@key_option
@repo_option
@output_option
def command(
    kind: str, push: bool, branch: str, remote: str, key: str | None, repo: Path, output: str
) -> None:
    """Add your signature to a checkpoint that waits for one.

    Nothing is signed unseen: your clone judges the ledger for itself and has to come to the same.
    """
    with Author.open(repo) as author:
        desk = CheckpointDesk(author, branch, remote)
        signing = choose_signing_key(key, author.tree.config("user.signingkey"))
        tell_made(desk.sign(Kind(kind), signing), desk, author.tree, remote, push, output)
