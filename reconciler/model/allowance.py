"""How much of a farm a tenant may hold: by its own grant, or by the farm's open grant if it has none.

An open grant has two bounds: for each tenant, and for all of them together. When less is granted than is held
already (the farmer lowered a bound, or took away a tenant's own grant), what is left is shared out in turns
(`sharing`). So nobody who holds much takes away the little that another has.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.model import Model
from reconciler.model.paths import farm_path, grant_path


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one tenant may hold of one farm, by the document at `path`.

    `nodes` are those it may be on; empty means all. `per_node` bounds what it holds on one of them, if it is
    not None. `together` bounds what all tenants on an open grant hold; it is None for a tenant's own.
    """

    path: str
    max_resources: int
    nodes: tuple[str, ...]
    per_node: int | None
    together: int | None = None

    @property
    def is_open(self) -> bool:
        return self.together is not None

    def has_node(self, node: str) -> bool:
        """Whether the node (its name in the farm) is among those granted."""
        return not self.nodes or node in self.nodes


def allowance(model: Model, farm: str, tenant: str) -> Allowance | None:
    """None if the farm lets the tenant place nothing."""
    own = model.grant(farm, tenant)
    if own is not None:
        spec = own.spec
        path = grant_path(farm, tenant)
        return Allowance(path, spec.max_resources, spec.nodes, spec.max_resources_per_node)
    site = model.farm(farm)
    shared = None if site is None else site.spec.open_grant
    if shared is None:
        return None
    return Allowance(
        farm_path(farm),
        shared.max_resources_per_tenant,
        shared.nodes,
        shared.max_resources_per_node,
        shared.max_resources,
    )


def may_run(model: Model, farm: str, tenant: str, granted: Allowance) -> int:
    """How many of the tenant's NRs on the farm may run."""
    if granted.together is None or model.open_resource_count(farm) <= granted.together:
        return granted.max_resources
    return model.open_shares(farm).get(tenant, 0)
