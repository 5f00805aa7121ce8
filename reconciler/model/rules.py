"""The rules between documents: who may have what, and what must be there for it.

Every violation has an owner, the document that claims what it can't have. A transaction answers only for what
its own documents claim anew: removing a node, a grant or a tenant is never refused for the sake of what
hangs on it. What loses its ground that way is suspended (see `suspension`) and keeps its claims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from ipaddress import IPv4Network
from itertools import islice

from reconciler.model import claims
from reconciler.model.addresses import parse_ip, parse_prefix
from reconciler.model.allowance import Allowance, allowance
from reconciler.model.claims import Claim
from reconciler.model.documents import Document, Farm, Grant, Network, Node, Resource, Suspension
from reconciler.model.model import Model
from reconciler.model.paths import (
    Place,
    farm_path,
    grant_path,
    node_ref_path,
    place_of,
    suspension_path,
    tenant_path,
)
from reconciler.model.problems import shown
from reconciler.model.suspension import Suspended, suspensions
from reconciler.model.yaml import Pointer

__all__ = ["Suspended", "Violation", "newly_owned", "suspensions", "violations"]

MAX_NETWORKS = 1024
"""Of one tenant. Networks without NRs need nobody's grant, and every node keeps all documents in memory."""

MAX_NODES = 4096
"""Of one farm. Every node of every farm knows the endpoints of all."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule between documents that one of them breaks.

    `rival_path` is the document it collides with. `subject` and `weight` tell whether it was there
    before: the same subject with no more weight is nothing new.
    """

    owner_path: str
    pointer: str
    code: str
    message: str
    advice: str = ""
    rival_path: str | None = None
    subject: str = ""
    weight: int = 0

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.owner_path, self.code, self.subject

    def __str__(self) -> str:
        return f"{self.owner_path}: {self.message}"


def violations(model: Model, paths: Collection[str] | None = None) -> tuple[Violation, ...]:
    """What the documents at `paths` (all, if None) claim and can't have, in order of path.

    Of two in conflict, the one in `paths` owns the violation; of two that both are, the later path.
    """
    concerned = frozenset(model.documents if paths is None else paths)
    found = (violation for path in sorted(concerned) for violation in _at(model, path, concerned))
    return tuple(_with_advice(model, violation) for violation in found)


def newly_owned(
    before: Model, after: Model, paths: Collection[str], at_most: int | None = None
) -> tuple[Violation, ...]:
    """The violations that a transaction changing `paths` brings in: those not there before it.

    With `at_most`, the search ends at so many: a document may break a rule a hundred times, a transaction
    have thousands of documents, and finding what was meant in each place is dear.
    """
    concerned = frozenset(paths)
    found = (each for path in sorted(concerned) for each in _new_at(before, after, path, concerned))
    return tuple(_with_advice(after, violation) for violation in islice(found, at_most))


def _with_advice(model: Model, violation: Violation) -> Violation:
    """What was probably meant is dear to find, so it is looked for only where it is shown."""
    if violation.code != "unknown-node":
        return violation
    return replace(violation, advice=_nearest_node(model, violation.subject.partition(" ")[0]))


def _new_at(before: Model, after: Model, path: str, concerned: frozenset[str]) -> Iterator[Violation]:
    known: dict[tuple[str, str, str], int] | None = None
    for violation in _at(after, path, concerned):
        if known is None:
            known = {each.identity: each.weight for each in _at(before, path, concerned)}
        if violation.identity not in known or violation.weight > known[violation.identity]:
            yield violation


def _at(model: Model, path: str, concerned: frozenset[str]) -> Iterator[Violation]:
    document, place = model.documents.get(path), place_of(path)
    if document is None or place is None:
        return
    yield from _conflicts(model, path, document, place, concerned)
    if isinstance(document, Network):
        yield from _network(model, path, document, place)
    elif isinstance(document, Node):
        yield from _node(model, path, document, place)
    elif isinstance(document, Grant) and model.farm(place.farm) is None:
        yield _unknown_farm(path, place.farm)
    elif isinstance(document, Suspension) and model.tenant(place.tenant) is None:
        yield _unknown_tenant(path, place.tenant, "Look for a slip in the file's name.")


# --- Two documents with one claim -----------------------------------------------------------------------


def _conflicts(
    model: Model, path: str, document: Document, place: Place, concerned: frozenset[str]
) -> Iterator[Violation]:
    for claim, pointer in claims.claims(document, place):
        rival = _rival(model.claimants(claim), path, concerned)
        if rival is not None:
            message, advice = _taken(claim, rival)
            yield Violation(path, shown(pointer), f"{claim.kind}-taken", message, advice, rival, str(claim))


def _rival(owners: tuple[str, ...], path: str, concerned: frozenset[str]) -> str | None:
    """Whom `path` collides with, if it is the one to answer for it."""
    others = [owner for owner in owners if owner != path]
    standing = [owner for owner in others if owner not in concerned]
    if standing:
        return standing[0]
    return others[0] if others and path == max(owners) else None


def _taken(claim: Claim, rival: str) -> tuple[str, str]:
    message, advice = _TAKEN[claim.kind]
    node = claim.scope.partition(" ")[0]
    return message.format(value=claim.value, scope=node, rival=rival), advice


_TAKEN = {
    "netid": ("the network's id {value} is already that of {rival}", "Choose another name for the network."),
    "slot": (
        "slot {value} on {scope} is taken by {rival}",
        "Take a free one: `tnet network renumber`.",
    ),
    "wireguard-key": ("the WireGuard key {value} is already in {rival}", "Run `tnet network reseal`."),
    "vni": (
        "VNI {value} in the farm {scope} is taken by {rival}",
        "Take a free one: `tnet network renumber`.",
    ),
    "node-id": ("the unique id {value} is already that of {rival}", "Make a new one: `tnet node init`."),
    "endpoint": ("the endpoint {value} is already that of {rival}", "Each node has endpoints of its own."),
    "fast-address": ("{value} in the fast network is already {rival}'s", "Choose a free address."),
    "ipv6-allocation": ("{value} is already allocated to {rival}", "Each farm has an allocation of its own."),
}


# --- Suspensions, nodes and grants --------------------------------------------------------------------


def _unknown_tenant(path: str, tenant: str, advice: str) -> Violation:
    message = f"there is no tenant `{tenant}`"
    return Violation(path, "metadata.name", "unknown-tenant", message, advice, subject=tenant)


def _unknown_farm(path: str, farm: str) -> Violation:
    message = f"there is no farm `{farm}`"
    return Violation(
        path, "metadata.name", "unknown-farm", message, f"Add {farm_path(farm)} first.", subject=farm
    )


def _node(model: Model, path: str, node: Node, place: Place) -> Iterator[Violation]:
    farm = model.farm(place.farm)
    if farm is None:
        yield _unknown_farm(path, place.farm)
    elif node.spec.fast is not None:
        yield from _fast_port(path, node.spec.fast.address, farm)
    count = model.node_count(place.farm)
    if count > MAX_NODES:
        message = f"the farm `{place.farm}` would have {count} nodes, and a farm has {MAX_NODES} at most"
        advice = "Remove some first, or make another farm."
        yield Violation(path, "metadata.name", "too-many-nodes", message, advice, None, place.farm, count)


def _fast_port(path: str, text: str, farm: Farm) -> Iterator[Violation]:
    rival = farm_path(farm.metadata.name)
    if farm.spec.fast_network is None:
        message = f"the farm `{farm.metadata.name}` has no fast network"
        yield Violation(path, "spec.fast", "no-fast-network", message, "Remove `fast`.", rival)
        return
    prefix = parse_prefix(farm.spec.fast_network.prefix)
    if parse_ip(text) not in prefix or _is_reserved(text, prefix):
        message = f"{text} is no address of a node in the farm's fast network {prefix}"
        pointer = "spec.fast.address"
        yield Violation(path, pointer, "fast-address-outside", message, "", rival, subject=text)


def _is_reserved(text: str, prefix: object) -> bool:
    """The first and last address of an IPv4 prefix name the network and everybody in it (RFC 919)."""
    address = parse_ip(text)
    return isinstance(prefix, IPv4Network) and address in (prefix.network_address, prefix.broadcast_address)


# --- Networks ----------------------------------------------------------------------------------------


def _network(model: Model, path: str, network: Network, place: Place) -> Iterator[Violation]:
    if model.tenant(place.tenant) is None:
        yield _unknown_tenant(path, place.tenant, f"Root adds {tenant_path(place.tenant)} first.")
    if model.suspension(place.tenant) is not None:
        yield from _while_suspended(path, network, place)
    for number, resource in enumerate(network.spec.resources):
        at = ("spec", "resources", number)
        yield from _ground(model, path, resource, at)
        yield from _granted(model, path, place.tenant, resource, at)
    yield from _number(model, path, place.tenant)
    yield from _farms(model, path, network, place.tenant)
    yield from _relays(model, path, network)


def _while_suspended(path: str, network: Network, place: Place) -> Iterator[Violation]:
    """A suspended tenant keeps what it has claimed, may give it up, and takes nothing new."""
    for claim, pointer in claims.claims(network, place):
        if claim.kind in _HELD_WHILE_SUSPENDED:
            message = f"`{place.tenant}` is suspended: {_HELD_WHILE_SUSPENDED[claim.kind]}"
            advice = "It may give up what it has; for more, root removes the suspension first."
            rival = suspension_path(place.tenant)
            yield Violation(path, shown(pointer), "tenant-suspended", message, advice, rival, str(claim))


_HELD_WHILE_SUSPENDED = {
    "netid": "it makes no new network",
    "slot": "it takes no slot that it doesn't hold already",
    "vni": "it takes no VNI that it doesn't hold already",
}
"""What others could have instead. A WireGuard key isn't of that sort: a stolen one must be made anew."""


def _ground(model: Model, path: str, resource: Resource, at: Pointer) -> Iterator[Violation]:
    """The node is there, is the machine that was meant, has the slot and can open the key."""
    node, rival = model.node(resource.node), node_ref_path(resource.node)
    subject = f"{resource.node} {resource.node_id}"
    farm = resource.node.partition("/")[0]
    if model.farm(farm) is None:
        message, advice = f"there is no farm `{farm}`", f"Its farmer adds {farm_path(farm)} first."
        yield Violation(path, shown((*at, "node")), "unknown-farm", message, advice, None, subject)
    elif node is None:
        message = f"there is no node `{resource.node}`"
        yield Violation(path, shown((*at, "node")), "unknown-node", message, "", None, subject)
    elif node.spec.id != resource.node_id:
        message = f"`{resource.node}` is another machine now, with the unique id {node.spec.id}"
        advice = "Remove the NR and add it again: `tnet network add-node`."
        yield Violation(path, shown((*at, "nodeId")), "other-node", message, advice, rival, subject)
    else:
        yield from _slot(model, path, resource, at)
        yield from _sealed(path, resource, node, at)


def _nearest_node(model: Model, ref: str) -> str:
    farm = ref.partition("/")[0]
    nodes = [f"{farm}/{name}" for name, _ in model.nodes_in(farm)]
    near = get_close_matches(ref, nodes, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"The nodes of a farm are under farms/{farm}/nodes/."


def _slot(model: Model, path: str, resource: Resource, at: Pointer) -> Iterator[Violation]:
    farm_name = resource.node.partition("/")[0]
    farm = model.farm(farm_name)
    if farm is not None and resource.slot > farm.spec.udp_ports.count:
        count = farm.spec.udp_ports.count
        message = f"slot {resource.slot} has no UDP port: the farm `{farm_name}` gives each node {count}"
        subject = f"{resource.node} {resource.slot}"
        pointer = shown((*at, "slot"))
        yield Violation(path, pointer, "slot-out-of-range", message, "", farm_path(farm_name), subject)


def _sealed(path: str, resource: Resource, node: Node, at: Pointer) -> Iterator[Violation]:
    if resource.sealed.key not in {key.id for key in node.spec.sealing_keys}:
        message = f"`{resource.node}` has no sealing key {resource.sealed.key}"
        pointer, rival = shown((*at, "sealed", "key")), node_ref_path(resource.node)
        advice = "Seal it again: `tnet network reseal`."
        subject = f"{resource.node} {resource.sealed.key}"
        yield Violation(path, pointer, "unknown-sealing-key", message, advice, rival, subject)


def _granted(model: Model, path: str, tenant: str, resource: Resource, at: Pointer) -> Iterator[Violation]:
    """Whose grant has gone keeps the slot it holds, and doesn't move to another."""
    farm, _, node = resource.node.partition("/")
    granted, pointer = allowance(model, farm, tenant), shown((*at, "node"))
    held = f"{resource.node} {resource.node_id} {resource.slot}"
    if granted is None:
        message = f"the farm `{farm}` grants `{tenant}` nothing"
        advice = f"Its farmer adds {grant_path(farm, tenant)}: `tnet farm grant`."
        yield Violation(path, pointer, "no-grant", message, advice, None, held)
    elif not granted.has_node(node):
        which = "open grant" if granted.is_open else f"grant to `{tenant}`"
        message = f"the farm's {which} does not list the node `{node}`"
        advice = "Choose one it lists, or ask the farmer."
        yield Violation(path, pointer, "node-not-granted", message, advice, granted.path, held)
    else:
        yield from _on_node(model, path, tenant, resource, granted, pointer)


def _on_node(
    model: Model, path: str, tenant: str, resource: Resource, granted: Allowance, pointer: str
) -> Iterator[Violation]:
    count, most = model.resource_count_on(resource.node, tenant), granted.per_node
    if most is not None and count > most:
        message = f"`{tenant}` would have {count} NRs on `{resource.node}`, and is granted {most} on one node"
        advice = "Choose another node, or ask the farmer for more."
        yield Violation(
            path, pointer, "too-many-on-node", message, advice, granted.path, resource.node, count
        )


def _number(model: Model, path: str, tenant: str) -> Iterator[Violation]:
    count = model.network_count(tenant)
    if count > MAX_NETWORKS:
        message = f"`{tenant}` would have {count} networks, and a tenant has {MAX_NETWORKS} at most"
        yield Violation(
            path, "metadata.name", "too-many-networks", message, "Delete some.", None, tenant, count
        )


def _farms(model: Model, path: str, network: Network, tenant: str) -> Iterator[Violation]:
    for farm, numbers in _resources_by_farm(network).items():
        yield from _within_grant(model, path, tenant, farm, numbers[0])
        yield from _vni(model, path, network, farm)


def _resources_by_farm(network: Network) -> dict[str, list[int]]:
    farms: dict[str, list[int]] = {}
    for number, resource in enumerate(network.spec.resources):
        farms.setdefault(resource.node.partition("/")[0], []).append(number)
    return farms


def _within_grant(model: Model, path: str, tenant: str, farm: str, first: int) -> Iterator[Violation]:
    granted, count = allowance(model, farm, tenant), model.resource_count(farm, tenant)
    if granted is None:
        return
    pointer = shown(("spec", "resources", first))
    if count > granted.max_resources:
        message = f"`{tenant}` would have {count} NRs on `{farm}`, and is granted {granted.max_resources}"
        advice = "Remove some, or ask the farmer for more."
        yield Violation(path, pointer, "too-many-resources", message, advice, granted.path, farm, count)
    yield from _within_open_grant(model, path, farm, granted, pointer)


def _within_open_grant(
    model: Model, path: str, farm: str, granted: Allowance, pointer: str
) -> Iterator[Violation]:
    count = model.open_resource_count(farm)
    if granted.together is not None and count > granted.together:
        message = (
            f"tenants without a grant would have {count} NRs on `{farm}` together, and it has"
            f" {granted.together} for all of them"
        )
        advice = "Ask the farmer for a grant, or wait until somebody leaves."
        yield Violation(path, pointer, "open-grant-full", message, advice, granted.path, farm, count)


def _vni(model: Model, path: str, network: Network, farm: str) -> Iterator[Violation]:
    if farm in network.spec.vnis:
        return
    nodes = [nr.node for nr in network.spec.resources if nr.node.partition("/")[0] == farm]
    fast = [node for node in nodes if model.fast_address(node) is not None]
    if len(fast) > 1:
        message = f"{fast[0]} and {fast[1]} share a fast network, and the network has no VNI in `{farm}`"
        advice = f"Add `{farm}: <number>` to spec.vnis, one that no other network has in this farm."
        yield Violation(path, "spec.vnis", "no-vni", message, advice, farm_path(farm), farm)


def _relays(model: Model, path: str, network: Network) -> Iterator[Violation]:
    for number, ref in enumerate(network.spec.relays):
        node = model.node(ref)
        if node is not None and node.spec.reachability != "public":
            message = f"`{ref}` can't relay: it is hidden, and hidden nodes can't dial it"
            pointer = shown(("spec", "relays", number))
            yield Violation(path, pointer, "hidden-relay", message, "", node_ref_path(ref), ref)
