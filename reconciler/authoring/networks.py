"""Tenant networks: create, extend, shrink, reseal, give up (the tenant signs)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from reconciler.authoring import allocation, resources
from reconciler.authoring.change import Change, require_new
from reconciler.authoring.document_text import new_text
from reconciler.authoring.errors import AuthoringError
from reconciler.model import paths
from reconciler.model.documents import Metadata, Network, NetworkSpec, Resource
from reconciler.model.loader import load
from reconciler.model.model import Model
from reconciler.model.netid import netid

_HIDDEN_NEED_RELAY = 2  # one hidden node dials the public ones; two can't reach each other by themselves


def create(
    model: Model,
    tenant: str,
    name: str,
    nodes: Sequence[str] = (),
    *,
    ipv4: str | None = None,
    ipv6: str | None = None,
    relays: Sequence[str] = (),
) -> Change:
    """A new network with a resource on each of `nodes` ("farm/node")."""
    path = paths.network_path(tenant, name)
    if model.tenant(tenant) is None:
        raise AuthoringError(f"there is no tenant {tenant}", f"root adds it: tnet tenant add {tenant} …")
    require_new(model, path, f"network {tenant}/{name}")
    spec = NetworkSpec(
        ipv4=ipv4 or str(allocation.ipv4_range(model, netid(tenant, name))),
        ipv6=ipv6 or str(allocation.ula_prefix(netid(tenant, name))),
    )
    network = Network(api_version="tnet/v1", metadata=Metadata(name=name), spec=spec)
    load(path, new_text(path, network))  # numbers are picked within the ranges: they have to be right
    for node in nodes:
        network = _extended(model, tenant, network, node)
    for node in relays:
        network = _with_relay(model, network, node)
    network = _with_needed_relay(model, network)
    notes = (f"ranges: {spec.ipv4}, {spec.ipv6}", *_resource_notes(network, network.spec.resources))
    return Change(f"network {tenant}/{name}: create", {path: network}, notes)


def add_node(model: Model, tenant: str, name: str, node: str, *, relay: bool = False) -> Change:
    """The network with one more resource; `relay` lets it carry what hidden nodes send each other."""
    path, before = _existing(model, tenant, name)
    network = _extended(model, tenant, before, node)
    if relay:
        network = _with_relay(model, network, node)
    network = _with_needed_relay(model, network)
    notes = list(_resource_notes(network, network.spec.resources[-1:]))
    if network.spec.relays != before.spec.relays:
        notes.append(f"relays: {', '.join(network.spec.relays)}")
    return Change(f"network {tenant}/{name}: add {node}", {path: network}, tuple(notes))


def remove_node(model: Model, tenant: str, name: str, node: str) -> Change:
    """The network without its resource on `node`."""
    path, before = _existing(model, tenant, name)
    kept = tuple(resource for resource in before.spec.resources if resource.node != node)
    if len(kept) == len(before.spec.resources):
        have = ", ".join(resource.node for resource in kept) or "none"
        raise AuthoringError(f"{tenant}/{name} has no resource on {node}", f"it has: {have}")
    spec = replace(
        before.spec,
        resources=kept,
        relays=tuple(relay for relay in before.spec.relays if relay != node),
        vnis={farm: vni for farm, vni in before.spec.vnis.items() if _is_on(kept, farm)},
    )
    notes = ("it was a relay",) if node in before.spec.relays else ()
    return Change(f"network {tenant}/{name}: remove {node}", {path: replace(before, spec=spec)}, notes)


def reseal(model: Model, tenant: str, name: str) -> Change:
    """The network with fresh keys for every resource, sealed to the nodes as they are now."""
    path, before = _existing(model, tenant, name)
    return Change(
        f"network {tenant}/{name}: reseal",
        {path: resources.reseal(model, tenant, before)},
        ("sessions of this network start anew on every node",),
    )


def delete(model: Model, tenant: str, name: str) -> Change:
    """No such network any more."""
    path, _ = _existing(model, tenant, name)
    return Change(f"network {tenant}/{name}: delete", {path: None})


def _existing(model: Model, tenant: str, name: str) -> tuple[str, Network]:
    network = model.network(tenant, name)
    if network is not None:
        return paths.network_path(tenant, name), network
    known = sorted(f"{t}/{n.metadata.name}" for t, n in model.networks() if t == tenant)
    raise AuthoringError(
        f"there is no network {tenant}/{name} in effect",
        f"{tenant} has: {', '.join(known)}" if known else f"make it: tnet network create {tenant}/{name}",
    )


def _extended(model: Model, tenant: str, network: Network, node: str) -> Network:
    resource = resources.new_resource(model, tenant, network, node)
    spec = replace(network.spec, resources=(*network.spec.resources, resource))
    farm_name = node.split("/")[0]
    farm = model.farm(farm_name)
    if farm is not None and farm.spec.fast_network and farm_name not in spec.vnis:
        spec = replace(spec, vnis={**spec.vnis, farm_name: allocation.next_vni(model, farm_name)})
    return replace(network, spec=spec)


def _with_relay(model: Model, network: Network, node: str) -> Network:
    if not any(resource.node == node for resource in network.spec.resources):
        raise AuthoringError(f"{node} can't be a relay: the network has no resource there")
    if not _is_public(model, node):
        raise AuthoringError(
            f"{node} can't be a relay: it is hidden", "a relay has to be reachable: a public node"
        )
    if node in network.spec.relays:
        return network
    return replace(network, spec=replace(network.spec, relays=(*network.spec.relays, node)))


def _with_needed_relay(model: Model, network: Network) -> Network:
    """The first public node becomes the relay once two hidden ones have none; no working pair changes."""
    public = [r.node for r in network.spec.resources if _is_public(model, r.node)]
    hidden = len(network.spec.resources) - len(public)
    if network.spec.relays or not public or hidden < _HIDDEN_NEED_RELAY:
        return network
    return _with_relay(model, network, public[0])


def _is_public(model: Model, node_ref: str) -> bool:
    node = model.node(node_ref)
    return node is not None and node.spec.reachability == "public"


def _is_on(held: Sequence[Resource], farm: str) -> bool:
    return any(resource.node.split("/")[0] == farm for resource in held)


def _resource_notes(network: Network, made: Sequence[Resource]) -> tuple[str, ...]:
    return tuple(f"{resource.node}: index {resource.index}, slot {resource.slot}" for resource in made)
