"""`tnet network create`."""

from __future__ import annotations

import click

from reconciler.authoring import networks
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import NETWORK, NODE, Pair
from reconciler.cli.output import example


@click.command(
    epilog=example(
        "tnet network create acme/web --node paris/p1 --node lyon/l1",
        "tnet network create acme/db --node lyon/l2 --node nice/n2 --node paris/p1 --relay paris/p1",
    )
)
@click.argument("network", type=NETWORK, metavar="TENANT/NETWORK")
@click.option(
    "--node", "nodes", type=NODE, multiple=True, metavar="FARM/NODE", help="Begin there; repeatable."
)
@click.option(
    "--ipv4", metavar="PREFIX", help="The network's range, /8 to /23 (default: a free /16 of 10/8)."
)
@click.option("--ipv6", metavar="PREFIX", help="The network's ULA /48 (default: derived from its name).")
@click.option(
    "--relay",
    "relays",
    type=NODE,
    multiple=True,
    metavar="FARM/NODE",
    help="A public node of the network that carries what hidden ones send each other; repeatable.",
)
@editing_options
def command(
    editor: Editor,
    network: Pair,
    nodes: tuple[Pair, ...],
    ipv4: str | None,
    ipv6: str | None,
    relays: tuple[Pair, ...],
) -> None:
    """Buy a new network, with a resource on each node named. Signed by the tenant."""
    change = networks.create(
        editor.model,
        *network,
        [str(node) for node in nodes],
        ipv4=ipv4,
        ipv6=ipv6,
        relays=[str(relay) for relay in relays],
    )
    editor.make(change)
