"""What a change of the ledger would do on each node, as the engine's own plans.

A node's kernel isn't looked at, it may be anywhere: taken for seen is what the ledger said before. So drift
that a node would repair at the same time isn't shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.compile.concerned import concerned
from reconciler.compile.names import netid
from reconciler.compile.node_graph import node_graph
from reconciler.compile.part import NetworkPart, network_part
from reconciler.engine.node_plan import NodePlan, plan_node
from reconciler.engine.plan import Plan
from reconciler.kernel.graph import Graph, KernelObject, Observed
from reconciler.kernel.objects import NODE_OWNER, Key
from reconciler.model.affected import NetworkName
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Remark:
    """A network's condition on the node that the change brings about."""

    network: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeEffect:
    """`arrives`: the ledger hasn't had this node before, so all it should have is new. `leaves`: the ledger
    has it no longer; its agent then says so and leaves everything as it is, so there is nothing to plan."""

    node: str
    plan: NodePlan
    remarks: tuple[Remark, ...] = ()
    arrives: bool = False
    leaves: bool = False

    @property
    def empty(self) -> bool:
        return self.plan.empty and not (self.remarks or self.arrives or self.leaves)

    @property
    def changing(self) -> tuple[Plan, ...]:
        """The plans in which there is something to do, the node's own first."""
        return tuple(plan for plan in self.plan.plans if not plan.empty)


def effects(old: Model, new: Model) -> tuple[NodeEffect, ...]:
    """What each node would do when `new` is in effect after `old`; only nodes with something to do."""
    touched = concerned(old, new)
    nodes = set(touched.networks)
    if touched.nodes_themselves:
        nodes |= {*_all_nodes(old), *_all_nodes(new)}
    found = (
        _effect(old, new, node, touched.networks.get(node, ()), touched.nodes_themselves)
        for node in sorted(nodes)
    )
    return tuple(effect for effect in found if effect is not None and not effect.empty)


def _all_nodes(model: Model) -> Iterator[str]:
    for farm, _ in model.farms():
        yield from (f"{farm}/{name}" for name, _ in model.nodes_in(farm))


def _effect(
    old: Model, new: Model, node: str, names: Iterable[NetworkName], itself: bool
) -> NodeEffect | None:
    """None for a node that neither model knows."""
    before, after = old.node(node), new.node(node)
    if after is None:
        return None if before is None else NodeEffect(node, NodePlan(()), leaves=True)
    was = _parts(old, node, names) if before is not None else {}
    will = _parts(new, node, names)
    unchanged = _running_beside(old, node, names) if before is not None else ()
    return NodeEffect(
        node,
        _plan(_graphs(old, node, was, itself), _graphs(new, node, will, itself), unchanged, {**was, **will}),
        tuple(_remarks(was, will)),
        arrives=before is None,
    )


def _parts(model: Model, node: str, names: Iterable[NetworkName]) -> dict[str, NetworkPart]:
    """By netid, those of the networks that have a resource on the node."""
    parts = (_part(model, node, name) for name in sorted(names))
    return {part.netid: part for part in parts if part is not None}


def _part(model: Model, node: str, name: NetworkName) -> NetworkPart | None:
    network = model.network(*name)
    if network is None or all(resource.node != node for resource in network.spec.resources):
        return None
    return network_part(model, name[0], network, node)


def _running_beside(model: Model, node: str, names: Iterable[NetworkName]) -> tuple[str, ...]:
    """The netids of all other networks on the node: they count when it is asked if too many leave at once."""
    changing = set(names)
    placed = ((tenant, network.metadata.name) for tenant, network in model.networks_on(node))
    return tuple(netid(*name) for name in placed if name not in changing)


def _graphs(model: Model, node: str, parts: Mapping[str, NetworkPart], itself: bool) -> list[Graph]:
    own = [node_graph(model, node)] if itself else []
    return [*own, *(part.graph for part in parts.values() if part.graph is not None)]


def _plan(
    was: list[Graph], will: list[Graph], unchanged: tuple[str, ...], parts: Mapping[str, NetworkPart]
) -> NodePlan:
    owned: dict[str, Mapping[Key, KernelObject]] = {graph.owner: graph.by_key() for graph in was}
    owned |= {owner: {} for owner in unchanged}
    found = plan_node(will, Observed(owned=owned), keep=unchanged)
    titles = {netid: f"{part.tenant}/{part.network} ({netid})" for netid, part in parts.items()}
    return NodePlan(found.plans, found.results, {NODE_OWNER: "the node itself", **titles})


def _remarks(was: Mapping[str, NetworkPart], will: Mapping[str, NetworkPart]) -> Iterator[Remark]:
    """What each network would newly complain of."""
    for owner, part in will.items():
        known = was[owner].conditions if owner in was else ()
        for condition in part.conditions:
            if condition not in known:
                yield Remark(f"{part.tenant}/{part.network}", condition.reason, condition.message)
