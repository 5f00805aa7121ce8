"""One network on one node: its graph there, or why there is none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from reconciler.compile.conditions import (
    Condition,
    peers_suspended,
    sealed_to_old_key,
    suspended,
    unreachable,
)
from reconciler.compile.member import Member, member
from reconciler.compile.mesh import Mesh, mesh_of
from reconciler.compile.mtu import network_mtu_bytes
from reconciler.compile.names import netid
from reconciler.compile.nr import NetworkResource, resource_graph
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import IPNetwork
from reconciler.model.addresses import parse_prefix
from reconciler.model.documents import Farm, Network
from reconciler.model.model import Model
from reconciler.model.suspension import Suspended, suspensions


@dataclass(frozen=True, slots=True)
class NetworkPart:
    """`graph` is None where the NR is suspended; `conditions` then say why. `grounds` is all that both were
    made from: equal grounds, equal part."""

    tenant: str
    network: str
    netid: str
    graph: Graph | None
    conditions: tuple[Condition, ...]
    grounds: tuple[object, ...] = field(default=(), compare=False, repr=False)


def network_part(
    model: Model, tenant: str, network: Network, node: str, previous: NetworkPart | None = None
) -> NetworkPart:
    """`previous` is taken again if it was made from the same documents."""
    name = network.metadata.name
    idle = suspensions(model, tenant, name)
    grounds = _grounds(model, network, idle)
    if previous is not None and previous.grounds == grounds:
        return previous
    if node in idle:
        return NetworkPart(tenant, name, netid(tenant, name), None, (suspended(idle[node]),), grounds)
    members = tuple(_members(model, network, idle))
    me = next(item for item in members if item.node == node)
    mesh = mesh_of(me, members, network.spec.relays)
    graph = resource_graph(_resource(model, tenant, network, members, mesh))
    conditions = (*_sealing(model, network, node), *_conditions(mesh, idle))
    return NetworkPart(tenant, name, graph.owner, graph, conditions, grounds)


def grounds(model: Model, tenant: str, network: Network) -> tuple[object, ...]:
    """All that the network's parts, on whatever node, are made from: equal grounds, equal parts."""
    return _grounds(model, network, suspensions(model, tenant, network.metadata.name))


def _grounds(model: Model, network: Network, idle: Mapping[str, Suspended]) -> tuple[object, ...]:
    """Documents that didn't change are the same values from model to model, so comparing them is cheap."""
    nodes = dict.fromkeys(resource.node for resource in network.spec.resources)
    farms = dict.fromkeys(node.partition("/")[0] for node in nodes)
    return (network, idle, *map(model.node, nodes), *map(model.farm, farms))


def _members(model: Model, network: Network, idle: Collection[str]) -> Iterator[Member]:
    """The NRs that run."""
    for resource in network.spec.resources:
        if resource.node in idle:
            continue
        farm, node = model.farm(resource.node.partition("/")[0]), model.node(resource.node)
        assert farm is not None and node is not None, "else the NR were suspended"
        yield member(network, resource, farm, node, model.fast_address(resource.node))


def _resource(
    model: Model, tenant: str, network: Network, members: tuple[Member, ...], mesh: Mesh
) -> NetworkResource:
    node, farm = model.node(mesh.me.node), model.farm(mesh.me.node.partition("/")[0])
    assert node is not None and farm is not None
    return NetworkResource(
        netid=netid(tenant, network.metadata.name),
        ranges=(IPv4Network(network.spec.ipv4), IPv6Network(network.spec.ipv6)),
        mtu_bytes=network_mtu_bytes(members),
        mesh=mesh,
        fast_nic=node.spec.fast.nic if node.spec.fast else None,
        reserved=farm_reserved(farm),
    )


def farm_reserved(farm: Farm) -> frozenset[IPNetwork]:
    """What the farm keeps from tenants: its reserved prefixes, and its fast network."""
    fast = farm.spec.fast_network
    prefixes = (*farm.spec.reserved, *(() if fast is None else (fast.prefix,)))
    return frozenset(parse_prefix(prefix) for prefix in prefixes)


def _sealing(model: Model, network: Network, ref: str) -> Iterator[Condition]:
    key = next(resource.sealed.key for resource in network.spec.resources if resource.node == ref)
    node = model.node(ref)
    if node is not None and key not in {known.id for known in node.spec.sealing_keys}:
        yield sealed_to_old_key(ref, key)


def _conditions(mesh: Mesh, idle: Mapping[str, Suspended]) -> Iterator[Condition]:
    if idle:
        yield peers_suspended(idle)
    if mesh.unreachable:
        yield unreachable(mesh.unreachable)
