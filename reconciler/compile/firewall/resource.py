"""The table in a NR's namespace.

Forward, policy drop: a bridge source outside the NR's slice is dropped; between bridge and links, and
between links where this NR is a relay, only what stays in the network; from the bridge to the uplink all
but the blocked prefixes; back, only answers. Input, policy drop: answers, neighbour discovery, and pings
of the NR's own addresses. Everything that leaves by the uplink has the NR's transit address.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Network

from reconciler.compile.addresses import Slice
from reconciler.compile.firewall.blocked import blocked_sets, drop_blocked
from reconciler.compile.firewall.match import (
    ECHO,
    ND,
    ND_TYPES,
    REPLIES,
    destination,
    icmp,
    iif,
    oif,
    rule,
    source,
    source_not,
    states,
)
from reconciler.compile.names import TABLE, bridge_name, namespace_name, uplink_name
from reconciler.kernel.nftables import Chain, NftRule, NftTable
from reconciler.kernel.objects import IPNetwork

_LINK_LOCAL = IPv6Network("fe80::/10")
_UNSPECIFIED = IPv6Network("::/128")
_ON_LINK_MULTICAST = IPv6Network("ff02::/16")


@dataclass(frozen=True, slots=True)
class Borders:
    """What the table must know of a NR. `ranges` are the network's, `links` those to other NRs by name,
    `reserved` what its own farm wants kept from tenants."""

    netid: str
    slice: Slice
    ranges: tuple[IPNetwork, IPNetwork]
    links: tuple[str, ...]
    relaying: bool
    reserved: frozenset[IPNetwork]

    @property
    def bridge(self) -> str:
        return bridge_name(self.netid)

    @property
    def uplink(self) -> str:
        return uplink_name(self.netid)

    @property
    def families(self) -> tuple[tuple[IPNetwork, IPNetwork], tuple[IPNetwork, IPNetwork]]:
        """The network's range and the NR's slice of it, of IPv4 and of IPv6."""
        ipv4, ipv6 = self.ranges
        return (ipv4, self.slice.ipv4), (ipv6, self.slice.ipv6)


def resource_table(borders: Borders) -> NftTable:
    return NftTable(
        namespace=namespace_name(borders.netid),
        name=TABLE,
        owner=borders.netid,
        chains=(
            Chain("input", "filter", "input", 0, "drop", tuple(_input(borders))),
            Chain("forward", "filter", "forward", 0, "drop", tuple(_forward(borders))),
            Chain("postrouting", "nat", "postrouting", 100, "accept", (_masquerade(borders),)),
        ),
        sets=blocked_sets((*borders.reserved, *borders.ranges)),
    )


def _forward(borders: Borders) -> Iterable[NftRule]:
    bridge, uplink = iif(borders.bridge), oif(borders.uplink)
    for prefix in (borders.slice.ipv4, borders.slice.ipv6):
        yield rule("drop", bridge, source_not(prefix), why="a container may only use the NR's addresses")
    yield rule("accept", bridge, oif(borders.bridge), why="bridged frames that br_netfilter shows us")
    yield from drop_blocked(bridge, uplink)
    yield rule("accept", REPLIES, why="answers, and ICMP errors about what was let through")
    if borders.links:
        yield from _forward_links(borders)
    yield rule("accept", bridge, uplink, states("new"), why="to the outside, by the node")


def _forward_links(borders: Borders) -> Iterable[NftRule]:
    links_in, links_out = iif(*borders.links), oif(*borders.links)
    for whole, own in borders.families:
        yield rule("accept", iif(borders.bridge), links_out, destination(whole), why="to other NRs")
        yield rule(
            "accept", links_in, oif(borders.bridge), source(whole), destination(own), why="from other NRs"
        )
        if borders.relaying:
            yield rule("accept", links_in, links_out, source(whole), destination(whole), why="relay")


def _input(borders: Borders) -> Iterable[NftRule]:
    bridge = iif(borders.bridge)
    own = borders.slice
    yield rule("accept", iif("lo"), why="the NR itself")
    yield rule("drop", bridge, source_not(own.ipv4), why="a container may only use the NR's addresses")
    yield rule(
        "drop",
        bridge,
        source_not(own.ipv6, _LINK_LOCAL, _UNSPECIFIED),
        why="a container may only use the NR's addresses",
    )
    yield rule("accept", REPLIES, why="answers, and ICMP errors about what was sent")
    yield rule(
        "accept", bridge, icmp(6, *ND_TYPES, "nd-router-solicit"), why="neighbour discovery of containers"
    )
    yield rule("accept", iif(borders.uplink), ND, why="neighbour discovery of the transit link")
    yield from _pings(borders)


def _pings(borders: Borders) -> Iterable[NftRule]:
    bridge, own = iif(borders.bridge), borders.slice
    yield rule("accept", bridge, destination(own.ipv4), ECHO[0], why="pings of the gateway")
    near = (own.ipv6, _LINK_LOCAL, _ON_LINK_MULTICAST)
    yield rule("accept", bridge, destination(*near), ECHO[1], why="pings of the gateway")
    if borders.links:
        yield from _pings_of_peers(borders)


def _pings_of_peers(borders: Borders) -> Iterable[NftRule]:
    for (whole, own), echo in zip(borders.families, ECHO, strict=True):
        peers = (iif(*borders.links), source(whole), destination(own), echo)
        yield rule("accept", *peers, why="pings from other NRs")


def _masquerade(borders: Borders) -> NftRule:
    return rule("masquerade", oif(borders.uplink), why="as the NR's transit address")
