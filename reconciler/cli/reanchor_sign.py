"""`tnet reanchor sign`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.reanchoring import add_signature
from reconciler.authoring.signing_key import choose_signing_key
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reanchoring import as_plain, lines, next_step, read_record
from reconciler.whole_file import write_whole


@click.command(epilog=example("git fetch && tnet reanchor sign fork.reanchor"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@key_option
@repo_option
@output_option
def command(file: Path, key: str | None, repo: Path, output: str) -> None:
    """Add your signature to the record in FILE, as one of root.

    Nothing is signed unseen: your clone judges the new history for itself and has to come to the same.
    """
    with Author.open(repo) as author:
        signing = choose_signing_key(key, author.tree.config("user.signingkey"))
        made = add_signature(author, read_record(file), signing)
        write_whole(file, made.signed.encoded, mode=0o644)
        if output == "json":
            return print_json({"file": str(file), **as_plain(author, made)})
        for line in (*lines(author, made), next_step(author, made, file)):
            click.echo(line)
    return None
