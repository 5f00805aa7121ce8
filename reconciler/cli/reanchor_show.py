"""`tnet reanchor show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.reanchoring import require_true
from reconciler.cli import exits
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reanchoring import as_plain, lines, next_step, read_record
from reconciler.errors import TnetError


@click.command(epilog=example("tnet reanchor show fork.reanchor"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@repo_option
@output_option
@click.pass_context
def command(context: click.Context, file: Path, repo: Path, output: str) -> None:
    """Show the record in FILE, who of root has signed it, and whether your clone comes to the same.

    Exits 1 if your clone doesn't.
    """
    with Author.open(repo) as author:
        signed = read_record(file)
        trouble = ""
        try:
            require_true(author, signed.record)
        except TnetError as error:
            trouble = str(error)
        if output == "json":
            print_json({**as_plain(author, signed), "trouble": trouble})
        else:
            said = f"  NOT TRUE: {trouble}" if trouble else "  this clone comes to the same"
            click.echo("\n".join((*lines(author, signed), said, next_step(author, signed, file))))
    context.exit(exits.FAILED if trouble else exits.OK)
