"""`tnet trust`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.worktree import WorkTree
from reconciler.cli.options import repo_option
from reconciler.cli.output import example
from reconciler.ledger.anchor import Anchor, write_anchor
from reconciler.ledger.objects import CommitId


@click.command(epilog=example("tnet trust --anchor 3f1c… --root-key SHA256:Qm9v…"))
@click.option("--anchor", required=True, metavar="COMMIT", help="The ledger's first commit, its whole id.")
@click.option(
    "--root-key",
    "root_keys",
    required=True,
    multiple=True,
    metavar="SHA256:…",
    help="A root key's fingerprint; repeat it for each root key.",
)
@repo_option
def command(anchor: str, root_keys: tuple[str, ...], repo: Path) -> None:
    """Pin in your clone where its ledger begins and who is root there.

    Take both from somebody you trust, not from the forge the clone came from. Nothing is pinned unless
    the clone's history leads there.
    """
    pinned = Anchor(CommitId(anchor), frozenset(root_keys))
    with Author(WorkTree.open(repo), pinned) as author:
        transactions = len(author.replay.view.verdicts)
    write_anchor(author.tree.root, pinned)
    click.echo(
        f"{author.tree.root}: trusts anchor {anchor[:12]}, {transactions} transactions from there to HEAD"
    )
    click.echo("next: tnet log")
