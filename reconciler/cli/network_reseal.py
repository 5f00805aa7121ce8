"""`tnet network reseal`."""

from __future__ import annotations

import click

from reconciler.authoring import networks
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NETWORK, Pair
from reconciler.cli.output import example


@click.command(epilog=example("tnet network reseal acme/web"))
@click.argument("network", type=NETWORK, metavar="TENANT/NETWORK")
@editing_options
def command(editor: Editor, network: Pair) -> None:
    """Give all resources of a network fresh keys, sealed to its nodes as they are now. Signed by the tenant.

    For after a node was set up anew, or when a node's secrets may have leaked.
    """
    editor.make(networks.reseal(editor.model, *network))
