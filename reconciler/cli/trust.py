"""`tnet trust`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.reanchoring import believe
from reconciler.authoring.worktree import WorkTree
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reanchoring import read_record
from reconciler.ledger.anchor import Anchor, write_anchor, write_reanchored
from reconciler.ledger.repository.objects import CommitId


@click.command(
    epilog=example("tnet trust --anchor 3f1c… --root-key SHA256:Qm9v…", "tnet trust --reanchor fork.reanchor")
)
@click.option("--anchor", metavar="COMMIT", help="The ledger's first commit, its whole id.")
@click.option(
    "--root-key",
    "root_keys",
    multiple=True,
    metavar="SHA256:…",
    help="A root key's fingerprint; repeat it for each root key.",
)
@click.option(
    "--reanchor",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Root's record on which side of a fork the ledger goes on, for a clone that is pinned already.",
)
@repo_option
@output_option
def command(
    anchor: str | None, root_keys: tuple[str, ...], reanchor: Path | None, repo: Path, output: str
) -> None:
    """Pin in your clone where its ledger begins and who is root there.

    Take both from somebody you trust, not from the forge the clone came from. Nothing is pinned unless
    the clone's history leads there. With --reanchor: believe root's record about a fork; from then on,
    editing verbs refuse to work on the side that was left.
    """
    if reanchor is not None and anchor is None and not root_keys:
        return _believe(repo, reanchor, output)
    if anchor is None or not root_keys or reanchor is not None:
        raise click.UsageError("give --anchor and --root-key, or --reanchor alone")
    return _pin(repo, anchor, root_keys, output)


def _believe(repo: Path, file: Path, output: str) -> None:
    with Author.open(repo) as author:
        told = believe(author, read_record(file))
        write_reanchored(author.tree.root, told)
        head = str(author.tree.head)[:12]
    if output == "json":
        return print_json({"sequence": told.sequence, "old": told.old, "new": told.new})
    click.echo(f"{author.tree.root}: the ledger goes on at {told.new[:12]}, and {told.old[:12]} is left")
    return click.echo(f"next: git fetch && git reset --keep origin/main, if HEAD ({head}) is on the old side")


def _pin(repo: Path, anchor: str, root_keys: tuple[str, ...], output: str) -> None:
    pinned = Anchor(CommitId(anchor), frozenset(root_keys))
    with Author(WorkTree.open(repo), pinned) as author:
        transactions = len(author.replay.view.verdicts)
    write_anchor(author.tree.root, pinned)
    if output == "json":
        return print_json(
            {"anchor": anchor, "root_keys": sorted(root_keys), "transactions_to_head": transactions}
        )
    click.echo(
        f"{author.tree.root}: trusts anchor {anchor[:12]}, {transactions} transaction"
        f"{'' if transactions == 1 else 's'} from there to HEAD"
    )
    return click.echo("next: tnet log")
