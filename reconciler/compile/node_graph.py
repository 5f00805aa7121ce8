"""The graph that serves a node as a whole: the NAT namespace, the veth to it, and the node's own firewall."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from reconciler.compile.addresses import LOWER_LINK_LOCAL, NODE_TRANSIT, UPPER_LINK_LOCAL
from reconciler.compile.firewall.host import FastSide, host_table
from reconciler.compile.firewall.nat import nat_table
from reconciler.compile.mtu import UNDERLAY_MTU_BYTES
from reconciler.compile.names import NAT_LINK, NAT_NAMESPACE, NODE_LINK
from reconciler.compile.part import farm_reserved
from reconciler.compile.sysctls import host_edges, host_sysctls, links_after, router_sysctls
from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.objects import (
    HOST,
    NODE_OWNER,
    Address,
    IPNetwork,
    Key,
    Namespace,
    Route,
    Veth,
    VethPeer,
)
from reconciler.model.addresses import parse_ip
from reconciler.model.documents import Farm, Node
from reconciler.model.model import Model

_NAT_SIDE = VethPeer(NAT_NAMESPACE, NAT_LINK, UNDERLAY_MTU_BYTES, HOST, NODE_LINK)


def node_graph(model: Model, ref: str) -> Graph:
    """Empty for a node that the model doesn't know."""
    node, farm = model.node(ref), model.farm(ref.partition("/")[0])
    if node is None or farm is None:
        return Graph.of(NODE_OWNER, ())
    underlay = underlay_prefixes(model, farm)
    uplink = node.spec.uplink
    objects: tuple[KernelObject, ...] = (
        Namespace(NAT_NAMESPACE),
        *router_sysctls(NAT_NAMESPACE),
        nat_table(underlay),
        host_table(uplink, underlay, _fast_side(model, ref, node), farm.spec.udp_ports),
        Veth(HOST, NODE_LINK, UNDERLAY_MTU_BYTES, NAT_NAMESPACE, NAT_LINK),
        _NAT_SIDE,
        *_addresses(),
        *_default_routes(),
        *host_sysctls(uplink),
    )
    return Graph.of(NODE_OWNER, objects, (*_edges(), *host_edges(uplink)))


def underlay_prefixes(model: Model, farm: Farm) -> frozenset[IPNetwork]:
    """What no tenant on a node of this farm reaches: what the farm keeps to itself, and the endpoints of all
    nodes. What another farm reserves is that farm's affair: one farmer must not cut others' tenants off."""
    nodes = (node for name, _ in model.farms() for _, node in model.nodes_in(name))
    endpoints = (_host(endpoint) for node in nodes for endpoint in node.spec.endpoints)
    return farm_reserved(farm).union(endpoints)


def _host(address: str) -> IPNetwork:
    ip = parse_ip(address)
    return IPv4Network(ip) if isinstance(ip, IPv4Address) else IPv6Network(ip)


def _fast_side(model: Model, ref: str, node: Node) -> FastSide | None:
    own = model.fast_address(ref)
    if own is None or node.spec.fast is None:
        return None
    farm = ref.partition("/")[0]
    addresses = (model.fast_address(f"{farm}/{name}") for name, _ in model.nodes_in(farm))
    others = frozenset(address for address in addresses if address not in (None, own))
    return FastSide(node.spec.fast.nic, others, own.version)


def _addresses() -> Iterator[Address]:
    for address in (NODE_TRANSIT.lower_ipv4, NODE_TRANSIT.lower_ipv6, LOWER_LINK_LOCAL):
        yield Address(HOST, NODE_LINK, address)
    for address in (NODE_TRANSIT.upper_ipv4, NODE_TRANSIT.upper_ipv6, UPPER_LINK_LOCAL):
        yield Address(NAT_NAMESPACE, NAT_LINK, address)


def _default_routes() -> Iterator[Route]:
    yield Route(NAT_NAMESPACE, IPv4Network("0.0.0.0/0"), NAT_LINK, via=NODE_TRANSIT.lower_ipv4.ip)
    yield Route(NAT_NAMESPACE, IPv6Network("::/0"), NAT_LINK, via=NODE_TRANSIT.lower_ipv6.ip)


def _edges() -> Iterator[tuple[Key, Key]]:
    yield from links_after(NAT_NAMESPACE, (_NAT_SIDE,))
    addresses = tuple(_addresses())
    for route in _default_routes():
        yield from (
            (route.key, address.key)
            for address in addresses
            if address.namespace == NAT_NAMESPACE and route.via in address.address.network
        )
