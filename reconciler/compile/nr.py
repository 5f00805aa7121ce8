"""The graph of one NR: its namespace with everything in it, and its end in the NAT namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from reconciler.compile.addresses import (
    LOWER_LINK_LOCAL,
    UPPER_LINK_LOCAL,
    gateway,
    link_local,
    next_hop,
    transit,
)
from reconciler.compile.firewall.resource import Borders, resource_table
from reconciler.compile.mesh import KEEPALIVE_S, Mesh, Neighbour, dials
from reconciler.compile.mtu import UNDERLAY_MTU_BYTES, WIREGUARD_MTU_BYTES, vxlan_mtu_bytes
from reconciler.compile.names import (
    NAT_NAMESPACE,
    TABLE,
    VXLAN_PORT,
    bridge_name,
    mac,
    namespace_name,
    transit_name,
    uplink_name,
    vxlan_name,
    wireguard_name,
)
from reconciler.compile.sysctls import links_after, router_sysctls
from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.objects import (
    HOST,
    Address,
    Bridge,
    FdbEntry,
    IPAddress,
    IPInterface,
    IPNetwork,
    Key,
    Namespace,
    Route,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    WireGuardPeer,
    link_key,
)
from reconciler.kernel.objects import Neighbour as PermanentNeighbour


@dataclass(frozen=True, slots=True)
class NetworkResource:
    """All that a NR's graph is made from. `fast_nic` is the node's port in its farm's fast network, if it
    has one; `reserved` what the farm keeps from tenants."""

    netid: str
    ranges: tuple[IPv4Network, IPv6Network]
    mtu_bytes: int
    mesh: Mesh
    fast_nic: str | None
    reserved: frozenset[IPNetwork]

    @property
    def namespace(self) -> str:
        return namespace_name(self.netid)


def resource_graph(nr: NetworkResource) -> Graph:
    links = (*_bridge(nr), *_uplink(nr), *_wireguard(nr), *_vxlan(nr))
    objects = (
        Namespace(nr.namespace),
        *router_sysctls(nr.namespace),
        resource_table(_borders(nr)),
        *links,
        *_addresses(nr),
        *_default_routes(nr),
        *_peers(nr),
        *_segment(nr),
    )
    return Graph.of(nr.netid, objects, _edges(nr, links, objects))


def _borders(nr: NetworkResource) -> Borders:
    links = [link.name for link in (*_wireguard(nr), *_vxlan(nr))]
    return Borders(
        netid=nr.netid,
        slice=nr.mesh.me.slice,
        ranges=nr.ranges,
        links=tuple(links),
        relaying=nr.mesh.relaying,
        reserved=nr.reserved,
    )


# --- links -------------------------------------------------------------------------------------------


def _bridge(nr: NetworkResource) -> Iterator[Bridge]:
    address = mac("bridge", nr.netid, nr.mesh.me.index)
    yield Bridge(nr.namespace, bridge_name(nr.netid), nr.mtu_bytes, address)


def _uplink(nr: NetworkResource) -> Iterator[Veth | VethPeer]:
    here, there = uplink_name(nr.netid), transit_name(nr.netid)
    yield Veth(nr.namespace, here, UNDERLAY_MTU_BYTES, NAT_NAMESPACE, there)
    yield VethPeer(NAT_NAMESPACE, there, UNDERLAY_MTU_BYTES, nr.namespace, here)


def _wireguard(nr: NetworkResource) -> Iterator[WireGuard]:
    if nr.mesh.of_kind("wireguard"):
        yield WireGuard(
            namespace=nr.namespace,
            name=wireguard_name(nr.netid),
            mtu=WIREGUARD_MTU_BYTES,
            public_key=nr.mesh.me.public_key,
            listen_port=nr.mesh.me.listen_port,
            underlay_namespace=HOST,
        )


def _vxlan(nr: NetworkResource) -> Iterator[Vxlan]:
    me = nr.mesh.me
    if nr.mesh.of_kind("vxlan"):
        assert me.fast is not None and me.fast_address is not None and nr.fast_nic is not None
        yield Vxlan(
            namespace=nr.namespace,
            name=vxlan_name(nr.netid),
            mtu=vxlan_mtu_bytes(me),
            mac=mac("vxlan", nr.netid, me.index),
            vni=me.fast.vni,
            local=me.fast_address,
            port=VXLAN_PORT,
            underlay_namespace=HOST,
            underlay_device=nr.fast_nic,
        )


# --- the NR's own addresses, and its way out -----------------------------------------------------------


def _addresses(nr: NetworkResource) -> Iterator[Address]:
    own, bridge = nr.mesh.me.slice, bridge_name(nr.netid)
    for address in (own.gateway_ipv4, own.gateway_ipv6, link_local(nr.mesh.me.index)):
        yield Address(nr.namespace, bridge, address)
    for link in _vxlan(nr):
        yield Address(nr.namespace, link.name, link_local(nr.mesh.me.index))
    yield from _transit_addresses(nr)


def _transit_addresses(nr: NetworkResource) -> Iterator[Address]:
    pair = transit(nr.mesh.me.slot)
    for address in (pair.upper_ipv4, pair.upper_ipv6, UPPER_LINK_LOCAL):
        yield Address(nr.namespace, uplink_name(nr.netid), address)
    for address in (pair.lower_ipv4, pair.lower_ipv6, LOWER_LINK_LOCAL):
        yield Address(NAT_NAMESPACE, transit_name(nr.netid), address)


def _default_routes(nr: NetworkResource) -> Iterator[Route]:
    pair, link = transit(nr.mesh.me.slot), uplink_name(nr.netid)
    yield Route(nr.namespace, IPv4Network("0.0.0.0/0"), link, via=pair.lower_ipv4.ip)
    yield Route(nr.namespace, IPv6Network("::/0"), link, via=pair.lower_ipv6.ip)


# --- other NRs over WireGuard -----------------------------------------------------------------------------


def _peers(nr: NetworkResource) -> Iterator[KernelObject]:
    for neighbour in nr.mesh.of_kind("wireguard"):
        yield _peer(nr, neighbour)
        for destination in _destinations(neighbour):
            yield Route(nr.namespace, destination, wireguard_name(nr.netid), source=_source(nr, destination))


def _peer(nr: NetworkResource, neighbour: Neighbour) -> WireGuardPeer:
    me, member = nr.mesh.me, neighbour.member
    return WireGuardPeer(
        namespace=nr.namespace,
        device=wireguard_name(nr.netid),
        public_key=member.public_key,
        allowed_ips=frozenset(_destinations(neighbour)),
        endpoint=member.endpoint,
        keepalive_s=KEEPALIVE_S if dials(me, member) else 0,
    )


def _destinations(neighbour: Neighbour) -> Iterator[IPNetwork]:
    """What lies beyond a neighbour: its slice, and those of the NRs it is the relay to."""
    for member in neighbour.carried:
        yield member.slice.ipv4
        yield member.slice.ipv6


def _source(nr: NetworkResource, destination: IPNetwork) -> IPAddress:
    """Our end for packets of the NR itself, ICMP errors above all: a link has no address in the network."""
    own = nr.mesh.me.slice
    return own.gateway_ipv4.ip if destination.version == 4 else own.gateway_ipv6.ip


# --- other NRs over VXLAN -----------------------------------------------------------------------------------


def _segment(nr: NetworkResource) -> Iterator[KernelObject]:
    for neighbour in nr.mesh.of_kind("vxlan"):
        yield from _resolution(nr, neighbour)
        for destination in _destinations(neighbour):
            yield _route_over(nr, neighbour, destination)


def _resolution(nr: NetworkResource, neighbour: Neighbour) -> Iterator[KernelObject]:
    """Next hop to MAC to tunnel end point, so that nothing is ever asked or learned on the segment."""
    link, member = vxlan_name(nr.netid), neighbour.member
    address = mac("vxlan", nr.netid, member.index)
    assert member.fast_address is not None
    yield PermanentNeighbour(nr.namespace, link, gateway(member.slice), address)
    yield PermanentNeighbour(nr.namespace, link, next_hop(member.index), address)
    yield FdbEntry(nr.namespace, link, address, member.fast_address)


def _route_over(nr: NetworkResource, neighbour: Neighbour, destination: IPNetwork) -> Route:
    link, source = vxlan_name(nr.netid), _source(nr, destination)
    if destination.version == 4:
        via = gateway(neighbour.member.slice)
        return Route(nr.namespace, destination, link, via=via, onlink=True, source=source)
    return Route(nr.namespace, destination, link, via=next_hop(neighbour.member.index), source=source)


# --- order -----------------------------------------------------------------------------------------------


def _edges(
    nr: NetworkResource, links: Iterable[KernelObject], objects: Iterable[KernelObject]
) -> Iterator[tuple[Key, Key]]:
    """Beyond what objects need by themselves: firewall before links, and before a route the address that it
    speaks from, or that makes its next hop a neighbour."""
    inside = [link for link in links if link.key.namespace == nr.namespace]
    yield from links_after(nr.namespace, inside)
    yield link_key(NAT_NAMESPACE, transit_name(nr.netid)), Key(NAT_NAMESPACE, "nft-table", TABLE)
    sources = {item.address.ip: item.key for item in objects if isinstance(item, Address)}
    for item in objects:
        if isinstance(item, Route) and item.source is not None:
            yield item.key, sources[item.source]
    pair = transit(nr.mesh.me.slot)
    ends: tuple[IPInterface, IPInterface] = (pair.upper_ipv4, pair.upper_ipv6)
    for route, address in zip(_default_routes(nr), ends, strict=True):
        yield route.key, Address(nr.namespace, route.link, address).key
