"""`tnet adopt`."""

from __future__ import annotations

import click

from reconciler.authoring.adopt import Takeover, take_over
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import DOCUMENT_OR_COMMIT
from reconciler.cli.output import example


@click.command(
    epilog=example(
        "tnet adopt --dry-run 1f3a9c2",
        "tnet adopt 1f3a9c2",
        "tnet adopt tenants/ac/acme/networks/web.yaml",
    )
)
@click.argument("what", nargs=-1, required=True, type=DOCUMENT_OR_COMMIT, metavar="PATH|COMMIT...")
@editing_options
def command(editor: Editor, what: tuple[str, ...]) -> None:
    """Take over, by your signature, what isn't in effect: squashed by the forge, unsigned, or rejected.

    A PATH (a file, or all below a directory) is taken as HEAD has it, a COMMIT as it made what it changed,
    also one on another branch. The difference to what is in effect is shown; the new commit names each
    object that you take and the one that it replaces, so nothing else can come into effect by it. Who may
    change a document may adopt it.

    On a branch that others merge it approves what the first person signed.
    """
    takeover = take_over(editor.author, what)
    editor.author.tree.require_ready(takeover.documents.keys())
    editor.adopt(_subject(takeover), takeover)


def _subject(takeover: Takeover) -> str:
    paths = list(takeover.documents)
    return f"Adopt {paths[0]}" if len(paths) == 1 else f"Adopt {len(paths)} documents"
