"""Free numbers for a network whose numbers somebody else was faster to take."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.authoring.allocation import next_slot, next_vni
from reconciler.model.documents import Network, Resource
from reconciler.model.model import Model


def renumber(model: Model, network: Network, path: str) -> Network:
    """`network`, meant for `path`, with a free slot and VNI in place of each that another network has.

    `model` is what is in effect. Keys stay: a sealed key isn't bound to the numbers.
    """
    others = model.with_changes({path: None})
    resources = tuple(_with_free_slot(others, resource) for resource in network.spec.resources)
    vnis = {
        farm: next_vni(others, farm) if others.vni_taken(farm, vni) else vni
        for farm, vni in network.spec.vnis.items()
    }
    return replace(network, spec=replace(network.spec, resources=resources, vnis=vnis))


def _with_free_slot(others: Model, resource: Resource) -> Resource:
    if not others.slot_taken(resource.node, resource.node_id, resource.slot):
        return resource
    return replace(resource, slot=next_slot(others, resource.node))
