"""`tnet farm add`."""

from __future__ import annotations

import click

from reconciler.authoring import farms
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.keys import PRINCIPAL_KEY, principals
from reconciler.cli.names import LABEL
from reconciler.cli.output import example
from reconciler.model.documents import FarmSpec, FastNetwork, PortRange, Signers


class PortRangeType(click.ParamType[PortRange]):
    """`FIRST:COUNT`."""

    name = "FIRST:COUNT"

    def convert(
        self, value: str | PortRange, param: click.Parameter | None, ctx: click.Context | None
    ) -> PortRange:
        if isinstance(value, PortRange):
            return value
        first, _, count = value.partition(":")
        if not (first.isdecimal() and count.isdecimal()):
            self.fail(f"{value!r} is not {self.name}, as in 51820:1000", param, ctx)
        return PortRange(first=int(first), count=int(count))


@click.command(
    epilog=example(
        "tnet farm add paris --farmer bob=bob.pub --udp-ports 51820:1000 \\",
        "    --reserved 192.168.0.0/16 --fast 10.99.0.0/24",
    )
)
@click.argument("farm", type=LABEL)
@click.option(
    "--farmer",
    "farmers",
    type=PRINCIPAL_KEY,
    multiple=True,
    required=True,
    help="Who operates the farm; repeatable, also for several keys of one.",
)
@click.option(
    "--threshold", type=click.IntRange(1), default=1, help="How many farmers have to sign (default 1)."
)
@click.option(
    "--udp-ports",
    type=PortRangeType(),
    default="51820:1000",
    show_default=True,
    help="WireGuard ports of its nodes, one a resource.",
)
@click.option("--reserved", multiple=True, metavar="PREFIX", help="What no tenant may reach; repeatable.")
@click.option("--fast", metavar="PREFIX", help="A network between its nodes trusted to carry VXLAN.")
@click.option("--fast-mtu", type=int, default=1500, show_default=True, metavar="BYTES")
@click.option("--ipv6", metavar="PREFIX", help="The farm's IPv6 allocation.")
@editing_options
def command(
    editor: Editor,
    farm: str,
    farmers: tuple[tuple[str, str], ...],
    threshold: int,
    udp_ports: PortRange,
    reserved: tuple[str, ...],
    fast: str | None,
    fast_mtu: int,
    ipv6: str | None,
) -> None:
    """Write a farm into the ledger: who operates it, and what its nodes share. Signed by root."""
    spec = FarmSpec(
        farmers=Signers(principals=principals(farmers), threshold=threshold),
        udp_ports=udp_ports,
        fast_network=FastNetwork(prefix=fast, mtu_bytes=fast_mtu) if fast else None,
        reserved=reserved,
        ipv6_allocation=ipv6,
    )
    editor.make(farms.add_farm(editor.model, farm, spec), f"on each of its hosts: tnet node init {farm}/NODE")
