"""Which NRs of an accepted network don't run, because what they stand on has gone.

A farmer may remove a node or a grant whatever hangs on it. The NRs concerned stay in their document and keep
their claims; they run again when the node (the same machine) and the grant are back.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.documents import Resource
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why an NR doesn't run: `reason` for programs, `message` for people."""

    reason: str
    message: str

    def __str__(self) -> str:
        return self.message


def suspensions(model: Model, tenant: str, network: str) -> dict[str, Suspension]:
    """The suspended NRs of a network, by node (`<farm>/<node>`); empty if all run."""
    document = model.network(tenant, network)
    resources = () if document is None else document.spec.resources
    found = ((nr.node, _suspension(model, tenant, network, nr)) for nr in resources)
    return {node: suspension for node, suspension in found if suspension is not None}


def _suspension(model: Model, tenant: str, network: str, nr: Resource) -> Suspension | None:
    if model.tenant(tenant) is None:
        return Suspension("TenantGone", f"the tenant {tenant} is no longer registered")
    return _ground(model, nr) or _grant(model, tenant, network, nr)


def _ground(model: Model, nr: Resource) -> Suspension | None:
    node, farm_name = model.node(nr.node), nr.node.partition("/")[0]
    farm = model.farm(farm_name)
    if node is None or farm is None:
        return Suspension("NodeGone", f"the node {nr.node} is no longer in the repository")
    if node.spec.id != nr.node_id:
        return Suspension("NodeReplaced", f"{nr.node} is another machine than the one the NR was bought on")
    if nr.slot > farm.spec.udp_ports.count:
        message = (
            f"slot {nr.slot} is beyond the {farm.spec.udp_ports.count} UDP ports of the farm {farm_name}"
        )
        return Suspension("SlotOutOfRange", message)
    return None


def _grant(model: Model, tenant: str, network: str, nr: Resource) -> Suspension | None:
    farm, _, node = nr.node.partition("/")
    grant = model.grant(farm, tenant)
    if grant is None:
        return Suspension("NotGranted", f"the farm {farm} no longer grants {tenant} anything")
    if grant.spec.nodes and node not in grant.spec.nodes:
        return Suspension("NotGranted", f"the farm {farm} no longer grants {tenant} the node {node}")
    if not _within(model, tenant, network, nr, grant.spec.max_resources):
        return Suspension(
            "GrantExceeded", f"the farm {farm} grants {tenant} only {grant.spec.max_resources} NRs"
        )
    return None


def _within(model: Model, tenant: str, network: str, nr: Resource, most: int) -> bool:
    """Whether the NR is among those that still run: the first `most`, by network's name and index."""
    farm = nr.node.partition("/")[0]
    if model.resource_count(farm, tenant) <= most:
        return True
    return (network, nr.index) in _first(model, tenant, farm, most)


def _first(model: Model, tenant: str, farm: str, most: int) -> frozenset[tuple[str, int]]:
    held = (
        (network.metadata.name, resource.index)
        for network in model.networks_of(tenant)
        for resource in network.spec.resources
        if resource.node.partition("/")[0] == farm
    )
    return frozenset(sorted(held)[:most])
