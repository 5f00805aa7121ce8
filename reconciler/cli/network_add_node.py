"""`tnet network add-node`."""

from __future__ import annotations

import click

from reconciler.authoring import networks
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NETWORK, NODE, Pair
from reconciler.cli.output import example


@click.command(epilog=example("tnet network add-node acme/web paris/p2"))
@click.argument("network", type=NETWORK, metavar="TENANT/NETWORK")
@click.argument("node", type=NODE, metavar="FARM/NODE")
@click.option("--relay", is_flag=True, help="Let it carry what hidden nodes send each other.")
@editing_options
def command(editor: Editor, network: Pair, node: Pair, relay: bool) -> None:
    """Extend a network by a resource on one more node. Signed by the tenant."""
    editor.make(networks.add_node(editor.model, *network, str(node), relay=relay))
