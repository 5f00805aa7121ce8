"""`tnet node init`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from reconciler.authoring.document_text import new_text
from reconciler.cli.names import NODE, Pair
from reconciler.cli.output import example, say
from reconciler.errors import TnetError
from reconciler.host.identity import Identity
from reconciler.host.uplink import NoUplink, Uplink, find_uplink
from reconciler.model.addresses import AddressError, parse_ip
from reconciler.model.documents import FastPort, Metadata, Node, NodeSpec
from reconciler.model.paths import node_path

Reachability = Literal["public", "hidden"]


@click.command(
    epilog=example(
        "tnet node init paris/p1 > p1.yaml",
        "tnet node init paris/p1 --uplink eth0 --endpoint 203.0.113.7 --fast eth1 > p1.yaml",
        "tnet node init lyon/l2 --hidden > l2.yaml",
    )
)
@click.argument("node", type=NODE, metavar="FARM/NODE")
@click.option("--uplink", metavar="NIC", help="The interface to the outside (default: the default route's).")
@click.option(
    "--endpoint",
    "endpoints",
    multiple=True,
    metavar="ADDRESS",
    help="Where others reach this host; repeatable (default: the uplink's public addresses).",
)
@click.option("--hidden", is_flag=True, help="Nobody reaches this host from outside; it dials.")
@click.option("--fast", metavar="NIC[=ADDRESS]", help="The interface in the farm's fast network.")
@click.option("--new-sealing-key", is_flag=True, help="Make a fresh sealing key; the older ones still open.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default="/var/lib/tnet",
    show_default=True,
    help="Where the node keeps its identity.",
)
def command(
    node: Pair,
    uplink: str | None,
    endpoints: tuple[str, ...],
    hidden: bool,
    fast: str | None,
    new_sealing_key: bool,
    state_dir: Path,
) -> None:
    """Make this host's identity and print the node's document, for its farmer to sign.

    The private keys never leave the host. Running it again describes the same host anew.
    """
    if hidden and endpoints:
        raise click.UsageError("--hidden and --endpoint contradict each other")
    for endpoint in endpoints:
        _require_address(endpoint)
    link = find_uplink(uplink)
    reachability, addresses = _reachability(link, endpoints, hidden)
    fast_port = _fast_port(fast)
    identity = _identity(state_dir / "identity", new_sealing_key)
    spec = NodeSpec(
        id=identity.node_id,
        reachability=reachability,
        uplink=link.interface,
        sealing_keys=identity.public_keys(),
        endpoints=tuple(addresses),
        fast=fast_port,
    )
    document = Node(api_version="tnet/v1", metadata=Metadata(name=node.inner), spec=spec)
    click.echo(new_text(node_path(*node), document), nl=False)
    say(f"{node} is {reachability}, uplink {' '.join([link.interface, *addresses])}")
    if reachability == "hidden" and not hidden:
        say(
            f"{link.interface} has no public address; if others reach this host under one: --endpoint ADDRESS"
        )
    say(f"next: hand this to the farmer of {node.outer}, who runs: tnet node add {node} --from FILE")


def _require_address(text: str) -> None:
    try:
        parse_ip(text)
    except AddressError as error:
        raise click.BadParameter(str(error), param_hint="--endpoint") from None


def _reachability(link: Uplink, endpoints: Sequence[str], hidden: bool) -> tuple[Reachability, Sequence[str]]:
    """Public if somebody says so or the uplink has an address that the whole internet can route to."""
    addresses = endpoints or [str(address) for address in link.public]
    return ("hidden", ()) if hidden or not addresses else ("public", addresses)


def _fast_port(option: str | None) -> FastPort | None:
    if option is None:
        return None
    nic, _, address = option.partition("=")
    if not address:
        found = find_uplink(nic).addresses
        if not found:
            raise NoUplink(f"{nic} has no address", f"name it: --fast {nic}=ADDRESS")
        address = str(found[0])
    return FastPort(nic=nic, address=address)


def _identity(directory: Path, new_sealing_key: bool) -> Identity:
    """The host's identity, made if there is none; what can be read is never replaced."""
    if not directory.exists():
        try:
            identity = Identity.create(directory)
        except OSError as error:
            raise TnetError(
                f"{directory}: can't be made: {error.strerror}", "run it as root, or choose: --state-dir DIR"
            ) from error
        say(f"made this host's identity in {directory}: back it up, nobody can make it again")
        return identity
    identity = Identity.load(directory)
    return identity.rotated(directory) if new_sealing_key else identity
