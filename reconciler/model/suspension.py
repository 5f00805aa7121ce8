"""Which NRs of an accepted network don't run, because what they stand on has gone.

A farmer may remove a node or a grant whatever hangs on it, and root may suspend a tenant. The NRs concerned
stay in their document and keep their claims; they run again when the node (the same machine) and the grant
are back and the suspension has gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.allowance import Allowance, allowance, may_run
from reconciler.model.documents import Resource
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Suspended:
    """Why an NR doesn't run: `reason` for programs, `message` for people."""

    reason: str
    message: str

    def __str__(self) -> str:
        return self.message


def suspensions(model: Model, tenant: str, network: str) -> dict[str, Suspended]:
    """The suspended NRs of a network, by node (`<farm>/<node>`); empty if all run."""
    document = model.network(tenant, network)
    resources = () if document is None else document.spec.resources
    found = ((nr.node, _why(model, tenant, network, nr)) for nr in resources)
    return {node: why for node, why in found if why is not None}


def _why(model: Model, tenant: str, network: str, nr: Resource) -> Suspended | None:
    return _tenant(model, tenant) or _ground(model, nr) or _grant(model, tenant, network, nr)


def _tenant(model: Model, tenant: str) -> Suspended | None:
    if model.tenant(tenant) is None:
        return Suspended("TenantGone", f"the tenant {tenant} is no longer registered")
    suspension = model.suspension(tenant)
    if suspension is not None:
        return Suspended("TenantSuspended", f"root has suspended {tenant}: {suspension.spec.reason}")
    return None


def _ground(model: Model, nr: Resource) -> Suspended | None:
    node, farm_name = model.node(nr.node), nr.node.partition("/")[0]
    farm = model.farm(farm_name)
    if node is None or farm is None:
        return Suspended("NodeGone", f"the node {nr.node} is no longer in the repository")
    if node.spec.id != nr.node_id:
        return Suspended("NodeReplaced", f"{nr.node} is another machine than the one the NR was bought on")
    if nr.slot > farm.spec.udp_ports.count:
        message = (
            f"slot {nr.slot} is beyond the {farm.spec.udp_ports.count} UDP ports of the farm {farm_name}"
        )
        return Suspended("SlotOutOfRange", message)
    return None


def _grant(model: Model, tenant: str, network: str, nr: Resource) -> Suspended | None:
    farm, _, node = nr.node.partition("/")
    granted = allowance(model, farm, tenant)
    if granted is None:
        return Suspended("NotGranted", f"the farm {farm} no longer grants {tenant} anything")
    if not granted.has_node(node):
        return Suspended("NotGranted", f"the farm {farm} no longer grants {tenant} the node {node}")
    most = may_run(model, farm, tenant, granted)
    if not _runs(model, tenant, network, nr, most):
        return _exceeded(model, tenant, network, nr, granted)
    return _too_many_on_node(model, tenant, network, nr, granted)


def _exceeded(model: Model, tenant: str, network: str, nr: Resource, granted: Allowance) -> Suspended:
    farm = nr.node.partition("/")[0]
    if granted.is_open and _runs(model, tenant, network, nr, granted.max_resources):
        message = (
            f"the farm {farm} has {granted.together} NRs for all tenants without a grant, and more are held"
        )
        return Suspended("OpenGrantExceeded", message)
    return Suspended("GrantExceeded", f"the farm {farm} grants {tenant} only {granted.max_resources} NRs")


def _too_many_on_node(
    model: Model, tenant: str, network: str, nr: Resource, granted: Allowance
) -> Suspended | None:
    """Each network has one NR on a node, so the first so many networks are the first so many NRs."""
    most = granted.per_node
    if most is None or model.resource_count_on(nr.node, tenant) <= most:
        return None
    names = (other.metadata.name for other in model.networks_of_on(tenant, nr.node))
    if network in sorted(names)[:most]:
        return None
    return Suspended(
        "GrantExceeded", f"{nr.node} is granted to {tenant} for {most} NRs, and it has more there"
    )


def _runs(model: Model, tenant: str, network: str, nr: Resource, most: int) -> bool:
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
