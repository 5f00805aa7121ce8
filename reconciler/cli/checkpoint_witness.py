"""`tnet checkpoint witness`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checkpoints import CheckpointDesk
from reconciler.authoring.signing_key import choose_signing_key
from reconciler.cli.checkpointing import branch_option, push_option, tell_made
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option


@click.command(
    epilog=example(
        "git pull --ff-only && tnet checkpoint witness --key /etc/tnet/witness --push",
        "tnet checkpoint witness --valid-hours 2",
    )
)
@click.option(
    "--valid-hours",
    type=click.FloatRange(min=0, min_open=True, max=24 * 366),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="For how long nodes take it for fresh.",
)
@push_option
@branch_option
@key_option
@repo_option
@output_option
def command(
    valid_hours: float,
    push: bool,
    branch: str,
    remote: str,
    key: str | None,
    repo: Path,
    output: str,
) -> None:
    """Sign what this clone sees now, so that nodes can tell whether they see the same, and how old it is.

    For a machine of its own that runs it every now and then, with a key that the policy names under
    `witness` and that is good for nothing else. It refuses to witness a branch that was set back or
    rewritten since the last time: run it on a clone that only goes forward (git pull --ff-only).
    """
    with Author.open(repo) as author:
        desk = CheckpointDesk(author, branch, remote)
        signing = choose_signing_key(key, author.tree.config("user.signingkey"))
        made = desk.witness(signing, datetime.now(UTC), timedelta(hours=valid_hours))
        tell_made(made, desk, author.tree, remote, push, output)
