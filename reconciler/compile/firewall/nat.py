"""The table in the NAT namespace: from NRs to the node and answers back, never from NR to NR.

The kernel's strict rp_filter holds every NR to its own IPv4 transit address; there is none for IPv6, so the
prefix is checked here, and a NR's own masquerading does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.compile.addresses import TRANSIT_IPV4, TRANSIT_IPV6
from reconciler.compile.firewall.blocked import blocked_sets, drop_blocked
from reconciler.compile.firewall.match import ND, REPLIES, iif, oif, rule, source_not, states
from reconciler.compile.names import NAT_LINK, NAT_NAMESPACE, TABLE, TRANSIT_NAMES
from reconciler.kernel.nftables import Chain, NftRule, NftTable
from reconciler.kernel.objects import NODE_OWNER, IPNetwork


def nat_table(underlay: Iterable[IPNetwork]) -> NftTable:
    """`underlay` is all that no tenant on this node may reach."""
    return NftTable(
        namespace=NAT_NAMESPACE,
        name=TABLE,
        owner=NODE_OWNER,
        chains=(
            Chain("input", "filter", "input", 0, "drop", tuple(_input())),
            Chain("forward", "filter", "forward", 0, "drop", tuple(_forward())),
            Chain("postrouting", "nat", "postrouting", 100, "accept", (_masquerade(),)),
        ),
        sets=blocked_sets(underlay),
    )


def _input() -> Iterable[NftRule]:
    yield rule("accept", iif("lo"), why="the namespace itself")
    yield rule("accept", REPLIES, why="ICMP errors about what was sent")
    yield rule("accept", ND, why="neighbour discovery of the transit links")


def _forward() -> Iterable[NftRule]:
    resources, node = iif(TRANSIT_NAMES), oif(NAT_LINK)
    yield from drop_blocked(resources)
    for transit in (TRANSIT_IPV4, TRANSIT_IPV6):
        yield rule("drop", resources, source_not(transit), why="a NR masquerades as its transit address")
    yield rule("accept", resources, node, states("new", "established", "related"), why="to the outside")
    yield rule("accept", iif(NAT_LINK), oif(TRANSIT_NAMES), REPLIES, why="answers from the outside")


def _masquerade() -> NftRule:
    return rule("masquerade", oif(NAT_LINK), why="as the node's one tenant address")
