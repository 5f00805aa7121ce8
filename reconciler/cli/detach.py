"""`tnet detach`: pull a network namespace out of a network on this node."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example, output_option, print_json, say


@click.command(epilog=example("tnet detach acme/web web1", "tnet detach acme/web web1 --interface eth1"))
@click.argument("network", metavar="TENANT/NETWORK")
@click.argument("namespace", metavar="NETNS")
@click.option(
    "--interface", metavar="NIC", default="eth0", show_default=True, help="The interface's name in NETNS."
)
@config_option
@output_option
def command(network: str, namespace: str, interface: str, config: Path, output: str) -> None:
    """Undo `tnet attach`: the interface goes, NETNS itself stays."""
    from reconciler.agent.attaching import detach
    from reconciler.agent.config import load_config

    detach(load_config(config), network, namespace, interface)
    if output == "json":
        return print_json({"network": network, "namespace": namespace, "interface": interface})
    return say(f"{namespace} is no longer in {network}")
