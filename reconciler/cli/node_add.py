"""`tnet node add`."""

from __future__ import annotations

from typing import BinaryIO

import click

from reconciler.authoring import nodes
from reconciler.authoring.errors import AuthoringError
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NODE, Pair
from reconciler.cli.output import example
from reconciler.model.documents import Node
from reconciler.model.loader import load
from reconciler.model.paths import node_path
from reconciler.model.problems import DocumentError


@click.command(epilog=example("tnet node add paris/p1 --from p1.yaml"))
@click.argument("node", type=NODE, metavar="FARM/NODE")
@click.option(
    "--from",
    "source",
    type=click.File("rb"),
    required=True,
    help="What `tnet node init` printed on the host; - for standard input.",
)
@click.option("--replace", is_flag=True, help="Another host takes over the name.")
@editing_options
def command(editor: Editor, node: Pair, source: BinaryIO, replace: bool) -> None:
    """Write a node into the ledger, or describe a known one anew. Signed by a farmer."""
    described = _described(node, source)
    editor.make(nodes.add_node(editor.model, *node, described.spec, replace_host=replace))


def _described(node: Pair, source: BinaryIO) -> Node:
    """What the file says of the host. Its problems are told of the file that the person has named."""
    advice = f"what belongs there is printed on the host by: tnet node init {node}"
    try:
        document = load(node_path(*node), source.read())
    except DocumentError as error:
        found = (f"{source.name}:{each.line}:{each.column}: {each.message}" for each in error.problems)
        raise AuthoringError("\n".join(found), f"{error.advice}\n{advice}".strip()) from None
    if not isinstance(document, Node):
        raise AuthoringError(f"{source.name}: this is not a Node", advice)
    return document
