"""`tnet node remove`."""

from __future__ import annotations

import click

from reconciler.authoring import nodes
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NODE, Pair
from reconciler.cli.output import example


@click.command(epilog=example("tnet node remove paris/p1 --dry-run", "tnet node remove paris/p1"))
@click.argument("node", type=NODE, metavar="FARM/NODE")
@editing_options
def command(editor: Editor, node: Pair) -> None:
    """Take a node out of the ledger, whatever hangs on it; says what that suspends. Signed by a farmer.

    What is suspended keeps its numbers and runs again when the same machine comes back.
    """
    editor.make(nodes.remove_node(editor.model, *node))
