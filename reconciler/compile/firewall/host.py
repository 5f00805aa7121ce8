"""The table in the node's own namespace. It rules our veth and, where there is a fast port, VXLAN; all else
there is the node's own affair, so every chain's policy is accept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from reconciler.compile.addresses import NODE_TRANSIT
from reconciler.compile.firewall.blocked import blocked_sets, drop_blocked
from reconciler.compile.firewall.match import ND, REPLIES, iif, oif, rule, source, source_not, states
from reconciler.compile.names import NODE_LINK, TABLE, VXLAN_PORT
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable, PrefixSet
from reconciler.kernel.objects import HOST, NODE_OWNER, IPAddress, IPNetwork
from reconciler.model.documents import PortRange

_TENANTS: tuple[IPNetwork, IPNetwork] = (
    IPv4Network(NODE_TRANSIT.upper_ipv4.ip),
    IPv6Network(NODE_TRANSIT.upper_ipv6.ip),
)
"""The addresses that all tenants of the node have when they get here."""

_EPHEMERAL = (32768, 65535)
"""Where no service of the node should listen: from Linux's first (net.ipv4.ip_local_port_range) up."""

_UNPRIVILEGED = (1024, 65535)
_ENOUGH = 4096
"""So many ports are so many flows of all the node's tenants to one port of one host outside."""

_FAST_SET = "fast-nodes"


@dataclass(frozen=True, slots=True)
class FastSide:
    """The node's port in the fast network, and the addresses of the farm's other nodes there."""

    nic: str
    peers: frozenset[IPAddress]
    version: int


def host_table(
    uplink: str, underlay: Iterable[IPNetwork], fast: FastSide | None, wireguard: PortRange
) -> NftTable:
    """`underlay` is all that no tenant on this node may reach, `wireguard` the farm's UDP ports."""
    blocked = blocked_sets(underlay)
    return NftTable(
        namespace=HOST,
        name=TABLE,
        owner=NODE_OWNER,
        chains=(
            Chain("input", "filter", "input", 0, "accept", tuple(_input(fast))),
            Chain("forward", "filter", "forward", 0, "accept", tuple(_forward(uplink, fast))),
            Chain("postrouting", "nat", "postrouting", 100, "accept", tuple(_masquerade(uplink, wireguard))),
        ),
        sets=blocked if fast is None else (*blocked, _fast_set(fast)),
    )


def _input(fast: FastSide | None) -> Iterable[NftRule]:
    tenants = iif(NODE_LINK)
    yield rule("accept", tenants, ND, why="neighbour discovery of the transit link")
    yield rule("accept", tenants, REPLIES, why="answers to the node itself")
    yield rule("drop", tenants, why="no tenant reaches the node")
    if fast is not None:
        yield from _vxlan(fast)


def _vxlan(fast: FastSide) -> Iterable[NftRule]:
    port = Match("udp dport", frozenset({VXLAN_PORT}))
    peers = Match("ip saddr" if fast.version == 4 else "ip6 saddr", frozenset({f"@{_FAST_SET}"}))
    yield rule("accept", iif(fast.nic), peers, port, why="VXLAN of the farm's nodes")
    yield rule("drop", port, why="VXLAN from anywhere else")


def _fast_set(fast: FastSide) -> PrefixSet:
    hosts: Iterable[IPNetwork] = (
        IPv4Network(peer) if peer.version == 4 else IPv6Network(peer) for peer in fast.peers
    )
    return PrefixSet(_FAST_SET, 4 if fast.version == 4 else 6, frozenset(hosts))


def _forward(uplink: str, fast: FastSide | None) -> Iterable[NftRule]:
    tenants = iif(NODE_LINK)
    for address in _TENANTS:
        yield rule("drop", tenants, source_not(address), why="all tenants have one address here")
    yield from drop_blocked(tenants)
    yield rule("accept", tenants, oif(uplink), states("new", "established", "related"), why="to the outside")
    yield rule("drop", tenants, why="tenants go nowhere else")
    yield rule("accept", oif(NODE_LINK), REPLIES, why="answers from the outside")
    yield rule("drop", oif(NODE_LINK), why="nothing else comes in")
    if fast is not None and fast.nic != uplink:
        yield rule("drop", iif(uplink), oif(fast.nic), why="forwarding was switched on for tenants only")


def _masquerade(uplink: str, wireguard: PortRange) -> Iterable[NftRule]:
    """A tenant's flow that left from a WireGuard port, towards where a hidden peer dials from, would draw
    that peer's packets to itself: to connection tracking they would be its answers."""
    for address in _TENANTS:
        ports = NftRule(
            (oif(uplink), source(address), Match("meta l4proto", frozenset({"tcp", "udp"}))),
            "masquerade",
            "tenants as the node, never from its own ports",
            tenant_ports(wireguard),
        )
        yield ports
        yield rule("masquerade", oif(uplink), source(address), why="tenants as the node")


def tenant_ports(wireguard: PortRange) -> tuple[int, int]:
    """The ports that tenants' flows leave from: the larger part beside WireGuard's of the ephemeral ones or,
    where WireGuard has nearly all of these, of all that need no privilege."""
    ephemeral = _widest_beside(wireguard, _EPHEMERAL)
    if ephemeral[1] - ephemeral[0] >= _ENOUGH:
        return ephemeral
    return _widest_beside(wireguard, _UNPRIVILEGED)


def _widest_beside(taken: PortRange, whole: tuple[int, int]) -> tuple[int, int]:
    below = (whole[0], min(taken.first - 1, whole[1]))
    above = (max(taken.first + taken.count, whole[0]), whole[1])
    return max(below, above, key=lambda ports: ports[1] - ports[0])
