"""`tnet network remove-node`."""

from __future__ import annotations

import click

from reconciler.authoring import networks
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NETWORK, NODE, Pair
from reconciler.cli.output import example


@click.command(epilog=example("tnet network remove-node acme/web paris/p2"))
@click.argument("network", type=NETWORK, metavar="TENANT/NETWORK")
@click.argument("node", type=NODE, metavar="FARM/NODE")
@editing_options
def command(editor: Editor, network: Pair, node: Pair) -> None:
    """Take a network off a node. Signed by the tenant."""
    editor.make(networks.remove_node(editor.model, *network, str(node)))
