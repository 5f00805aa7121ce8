"""Small graphs by hand, shaped like those that are compiled."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_interface, ip_network

from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable
from reconciler.kernel.objects import (
    HOST,
    NODE_OWNER,
    Address,
    Bridge,
    FdbEntry,
    Namespace,
    Neighbour,
    Route,
    Sysctl,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)

NAT = "tnet-nat"


def node() -> Graph:
    objects: list[KernelObject] = [
        Namespace(NAT),
        Sysctl(HOST, "net/ipv4/ip_forward", "1"),
        Veth(HOST, "tnet0", 1500, NAT, "host"),
        VethPeer(NAT, "host", 1500, HOST, "tnet0"),
        Address(HOST, "tnet0", ip_interface("100.64.0.0/31")),
        Address(NAT, "host", ip_interface("100.64.0.1/31")),
        table(HOST, NODE_OWNER),
        table(NAT, NODE_OWNER),
    ]
    return Graph.of(NODE_OWNER, objects)


def table(namespace: str, owner: str, allowed: str = "br0") -> NftTable:
    rule = NftRule((Match("iifname", frozenset({allowed})),), "accept", "containers")
    chain = Chain("forward", "filter", "forward", 0, "drop", (rule,))
    return NftTable(namespace, "tnet", owner, (chain,))


def peer(owner: str, number: int, port: int = 51820) -> WireGuardPeer:
    return WireGuardPeer(
        f"tnet-{owner}",
        f"w{owner}",
        f"key{number}",
        frozenset({ip_network(f"10.7.{number}.0/24")}),
        (ip_address("192.0.2.9"), port),
        25,
    )


def network_objects(
    owner: str, peers: Sequence[int] = (2, 3), slot: int = 1, port: int = 41000, bridge_mtu: int = 1420
) -> list[KernelObject]:
    space, bridge, wire, uplink, outer = (f"tnet-{owner}", *(f"{letter}{owner}" for letter in "bwun"))
    return [
        Namespace(space),
        Sysctl(space, "net/ipv4/ip_forward", "1"),
        Bridge(space, bridge, bridge_mtu, "02:00:00:00:00:01"),
        Sysctl(space, f"net/ipv6/conf/{bridge}/accept_ra", "0"),
        Address(space, bridge, ip_interface("10.7.1.1/24")),
        Address(space, bridge, ip_interface("fe80::1/64")),
        Veth(space, uplink, 1500, NAT, outer),
        VethPeer(NAT, outer, 1500, space, uplink),
        Address(space, uplink, ip_interface(f"100.64.0.{2 * slot + 1}/31")),
        Address(NAT, outer, ip_interface(f"100.64.0.{2 * slot}/31")),
        Route(space, ip_network("0.0.0.0/0"), uplink, ip_address(f"100.64.0.{2 * slot}")),
        WireGuard(space, wire, 1420, f"own-{owner}", port, HOST),
        *(peer(owner, number) for number in peers),
        *(Route(space, ip_network(f"10.7.{number}.0/24"), wire) for number in peers),
        table(space, owner),
    ]


def network(
    owner: str, peers: Sequence[int] = (2, 3), slot: int = 1, port: int = 41000, bridge_mtu: int = 1420
) -> Graph:
    return Graph.of(owner, network_objects(owner, peers, slot, port, bridge_mtu))


def fast_network(owner: str, vni: int = 7, local: str = "10.99.0.1", name: str = "") -> Graph:
    space, link = f"tnet-{owner}", name or f"x{owner}"
    objects: list[KernelObject] = [
        Namespace(space),
        Vxlan(space, link, 1450, "02:00:00:00:00:02", vni, ip_address(local), 4789, HOST, "fast0"),
        FdbEntry(space, link, "02:00:00:00:00:03", ip_address("10.99.0.2")),
        Neighbour(space, link, ip_address("10.7.2.1"), "02:00:00:00:00:03"),
        Route(space, ip_network("10.7.2.0/24"), link, ip_address("10.7.2.1"), onlink=True),
    ]
    return Graph.of(owner, objects)
