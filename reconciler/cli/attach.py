"""`tnet attach`: plug a network namespace into a network on this node."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import click

from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example, output_option, print_json, say


class _Address(click.ParamType[IPv4Address]):
    name = "ipv4"

    def convert(
        self, value: str | IPv4Address, param: click.Parameter | None, ctx: click.Context | None
    ) -> IPv4Address:
        try:
            return IPv4Address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(
    epilog=example(
        "ip netns add web1 && tnet attach acme/web web1",
        "tnet attach acme/web web1 --address 10.10.1.20 --interface eth1",
        "tnet attach acme/web /proc/4711/ns/net",
    )
)
@click.argument("network", metavar="TENANT/NETWORK")
@click.argument("namespace", metavar="NETNS")
@click.option("--address", type=_Address(), help="IPv4 address; the first free one if left out.")
@click.option(
    "--interface", metavar="NIC", default="eth0", show_default=True, help="The interface's name in NETNS."
)
@config_option
@output_option
def command(
    network: str, namespace: str, address: IPv4Address | None, interface: str, config: Path, output: str
) -> None:
    """Plug NETNS (a name of `ip netns`, or a path) into TENANT/NETWORK on this node.

    NETNS gets an interface with an IPv4 and an IPv6 address of the network and, where it has none, default
    routes. The node remembers it: when the network is built anew, NETNS is plugged in again.
    """
    from reconciler.agent.attaching import attach
    from reconciler.agent.config import load_config

    made = attach(load_config(config), network, namespace, interface, address)
    if output == "json":
        print_json({"ipv4": str(made.ipv4), "ipv6": str(made.ipv6), "port": made.port})
    else:
        click.echo(f"{made.ipv4.ip} {made.ipv6.ip}")
        say(f"{namespace} is in {network} as {interface}; undo: tnet detach {network} {namespace}")
