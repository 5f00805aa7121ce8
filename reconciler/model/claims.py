"""What each document claims for itself alone, and what it mentions.

A claim is something that only one document may have: a slot on a node, a VNI in a farm, a key. The model
indexes claims and mentions, so that judging one document costs its own size and not the repository's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from reconciler.model.documents import Document, Farm, Network, Node
from reconciler.model.netid import netid
from reconciler.model.paths import Place
from reconciler.model.yaml import Pointer


class Claim(NamedTuple):
    """`value` of `kind`, which one document may have within `scope` ("" is everywhere)."""

    kind: str
    scope: str
    value: str | int


class Mention(NamedTuple):
    """That a document has to do with something: `kind` says in which way, `name` with what."""

    kind: str
    name: str


def slot_claim(node: str, node_id: str, slot: int) -> Claim:
    """A slot belongs to one machine under one name: its successor under that name has all slots free."""
    return Claim("slot", f"{node} {node_id}", slot)


def vni_claim(farm: str, vni: int) -> Claim:
    return Claim("vni", farm, vni)


def on_node(node: str) -> Mention:
    return Mention("network-on-node", node)


def resources_on_node(node: str, tenant: str) -> Mention:
    """Mentioned once for each NR: one for each network of the tenant that is on the node."""
    return Mention("resource-on-node", f"{node} {tenant}")


def of_tenant(tenant: str) -> Mention:
    return Mention("network-of-tenant", tenant)


def in_farm(farm: str) -> Mention:
    return Mention("node-in-farm", farm)


A_FARM = Mention("farm", "")
"""Every farm mentions itself, so that all of them are found at once."""


_ON_FARM = "network-on-farm"


def on_farm(farm: str) -> Mention:
    """Mentioned by networks once for each NR on the farm."""
    return Mention(_ON_FARM, farm)


def farm_of(mention: Mention) -> str | None:
    """The farm of an `on_farm`; None for any other mention."""
    return mention.name if mention.kind == _ON_FARM else None


def open_in_farm(farm: str) -> Mention:
    """No document's mention: counts the NRs of tenants that the farm has given no grant of their own."""
    return Mention("open-resource-in-farm", farm)


def resources_in_farm(farm: str, tenant: str) -> Mention:
    """Mentioned once for each NR."""
    return Mention("resource-in-farm", f"{farm} {tenant}")


def claims(document: Document, place: Place) -> Iterator[tuple[Claim, Pointer]]:
    """Every claim of a document, with where it makes it."""
    if isinstance(document, Network):
        yield from _network_claims(document, place)
    elif isinstance(document, Node):
        yield from _node_claims(document, place)
    elif isinstance(document, Farm) and document.spec.ipv6_allocation is not None:
        at = ("spec", "ipv6Allocation")
        yield Claim("ipv6-allocation", "", document.spec.ipv6_allocation), at


def _network_claims(network: Network, place: Place) -> Iterator[tuple[Claim, Pointer]]:
    yield Claim("netid", "", netid(place.tenant, place.name)), ("metadata", "name")
    for number, nr in enumerate(network.spec.resources):
        at = ("spec", "resources", number)
        yield slot_claim(nr.node, nr.node_id, nr.slot), (*at, "slot")
        yield Claim("wireguard-key", "", nr.public_key), (*at, "publicKey")
    for farm, vni in network.spec.vnis.items():
        yield vni_claim(farm, vni), ("spec", "vnis", farm)


def _node_claims(node: Node, place: Place) -> Iterator[tuple[Claim, Pointer]]:
    """All are unique within their farm only: a farmer must not be able to squat another's address, nor the id
    of a node that is away and shall come back."""
    yield Claim("node-id", place.farm, node.spec.id), ("spec", "id")
    for number, endpoint in enumerate(node.spec.endpoints):
        yield Claim("endpoint", place.farm, endpoint), ("spec", "endpoints", number)
    if node.spec.fast is not None:
        yield Claim("fast-address", place.farm, node.spec.fast.address), ("spec", "fast", "address")


def mentions(document: Document, place: Place) -> Iterator[Mention]:
    """Everything a document mentions; the same thing as often as it does."""
    if isinstance(document, Network):
        yield of_tenant(place.tenant)
        for nr in document.spec.resources:
            yield on_node(nr.node)
            yield resources_on_node(nr.node, place.tenant)
            farm = nr.node.partition("/")[0]
            yield on_farm(farm)
            yield resources_in_farm(farm, place.tenant)
    elif isinstance(document, Farm):
        yield A_FARM
    elif isinstance(document, Node):
        yield in_farm(place.farm)
