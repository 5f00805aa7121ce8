"""`tnet node add`."""

from __future__ import annotations

from typing import TextIO

import click

from reconciler.authoring import nodes
from reconciler.authoring.errors import AuthoringError
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NODE, Pair
from reconciler.cli.output import example
from reconciler.model.documents import Node
from reconciler.model.loader import load
from reconciler.model.paths import node_path


@click.command(epilog=example("tnet node add paris/p1 --from p1.yaml"))
@click.argument("node", type=NODE, metavar="FARM/NODE")
@click.option(
    "--from",
    "source",
    type=click.File(encoding="utf-8"),
    required=True,
    help="What `tnet node init` printed on the host; - for standard input.",
)
@click.option("--replace", is_flag=True, help="Another host takes over the name.")
@editing_options
def command(editor: Editor, node: Pair, source: TextIO, replace: bool) -> None:
    """Write a node into the ledger, or describe a known one anew. Signed by a farmer."""
    described = load(node_path(*node), source.read().encode())
    if not isinstance(described, Node):
        raise AuthoringError(f"{source.name}: this is not a Node", f"on the host: tnet node init {node}")
    editor.make(nodes.add_node(editor.model, *node, described.spec, replace_host=replace))
