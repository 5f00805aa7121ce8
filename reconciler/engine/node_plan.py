"""The plans of all owners of a node, against one observation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.engine.budget import PruneBudget
from reconciler.engine.order import CircularNeed
from reconciler.engine.plan import Plan, plan
from reconciler.engine.result import AwaitingConfirmation, NotStarted, Result
from reconciler.kernel.graph import Graph, Observed
from reconciler.kernel.objects import NODE_OWNER


@dataclass(frozen=True, slots=True)
class NodePlan:
    """The plans of all owners of a node, in the order of execution, and the results known beforehand.

    `titles`: what people call an owner, where that is known.
    """

    plans: tuple[Plan, ...]
    results: tuple[Result, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.results and all(plan.empty for plan in self.plans)


def plan_node(
    graphs: Sequence[Graph],
    observed: Observed,
    *,
    remove_others: bool = True,
    keep: Collection[str] = (),
    budget: PruneBudget | None = None,
    confirmed: bool = False,
) -> NodePlan:
    """Plan every graph against one observation, and the removal of the networks they don't speak of;
    the arguments are those of `converge`."""
    planned, refused = _plans([graph for graph in graphs if graph.owner not in keep], observed)
    if not remove_others:
        return NodePlan(planned, refused)
    there = networks(observed)
    leaving = sorted(there - {graph.owner for graph in graphs} - set(keep))
    if not confirmed and (budget or PruneBudget()).exceeded(len(leaving), len(there)):
        waiting = tuple(AwaitingConfirmation(owner, len(leaving), len(there)) for owner in leaving)
        return NodePlan(planned, refused + waiting)
    removals = tuple(plan(Graph.of(owner, ()), observed) for owner in leaving)
    return NodePlan(planned + removals, refused)


def networks(observed: Observed) -> frozenset[str]:
    """The owners that were seen, but for the node itself."""
    return frozenset(observed.owned) - {NODE_OWNER}


def _plans(graphs: Iterable[Graph], observed: Observed) -> tuple[tuple[Plan, ...], tuple[Result, ...]]:
    plans: list[Plan] = []
    refused: list[Result] = []
    for graph in graphs:
        try:
            plans.append(plan(graph, observed))
        except CircularNeed as error:
            refused.append(NotStarted(graph.owner, str(error), error.advice))
    return tuple(plans), tuple(refused)
