"""`tnet reanchor create`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.reanchoring import create
from reconciler.authoring.signing_key import choose_signing_key
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reanchoring import as_plain, lines, next_step
from reconciler.whole_file import write_whole


@click.command(epilog=example("tnet reanchor create fork.reanchor --old 3f1c… --new origin/main"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--old", required=True, metavar="COMMIT", help="A transaction on the side to leave: nodes' mark."
)
@click.option("--new", required=True, metavar="REVISION", help="Where the ledger goes on; in your clone.")
@click.option(
    "--sequence",
    type=click.IntRange(1, 10**15 - 1),
    metavar="N",
    help="Has to be higher than that of every record before (default: one more than the last one here).",
)
@key_option
@repo_option
@output_option
def command(
    file: Path, old: str, new: str, sequence: int | None, key: str | None, repo: Path, output: str
) -> None:
    """Write into FILE that the ledger goes on at NEW, for nodes that stand at OLD (signed by root).

    A node whose branch was rewritten stays where it is, whatever the forge shows. This record is the one
    way on. It can choose between two histories; it can't change what either of them comes to.
    """
    with Author.open(repo) as author:
        signing = choose_signing_key(key, author.tree.config("user.signingkey"))
        made = create(author, old, new, sequence, signing)
        write_whole(file, made.signed.encoded, mode=0o644)
        if output == "json":
            return print_json({"file": str(file), **as_plain(author, made)})
        for line in (*lines(author, made), next_step(author, made, file)):
            click.echo(line)
    return None
