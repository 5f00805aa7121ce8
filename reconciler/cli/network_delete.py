"""`tnet network delete`."""

from __future__ import annotations

import click

from reconciler.authoring import networks
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NETWORK, Pair
from reconciler.cli.output import example


@click.command(epilog=example("tnet network delete acme/web"))
@click.argument("network", type=NETWORK, metavar="TENANT/NETWORK")
@editing_options
def command(editor: Editor, network: Pair) -> None:
    """Give a network up, on all its nodes. Signed by the tenant.

    `tnet rollback` of this commit brings it back with the keys it had.
    """
    editor.make(networks.delete(editor.model, *network))
