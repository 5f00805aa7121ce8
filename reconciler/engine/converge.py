"""A whole node: every owner's graph becomes its objects, each owner by itself."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.engine.apply import Applier
from reconciler.engine.budget import PruneBudget
from reconciler.engine.journal import Journal
from reconciler.engine.order import CircularNeed
from reconciler.engine.plan import Plan, plan
from reconciler.engine.result import AwaitingConfirmation, NotStarted, Result, RolledBack, Unchanged
from reconciler.kernel.graph import Graph, Observed
from reconciler.kernel.objects import NODE_OWNER, Key, Sysctl
from reconciler.kernel.port import Kernel

CHUNK = 256
"""Owners whose operations go through one pipeline, with one sync of the journal and one look after it."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """The plans of all owners of a node, in the order of execution, and the results known beforehand."""

    plans: tuple[Plan, ...]
    results: tuple[Result, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.results and all(plan.empty for plan in self.plans)


def converge(
    graphs: Sequence[Graph],
    kernel: Kernel,
    journal: Journal,
    *,
    remove_others: bool = True,
    keep: Collection[str] = (),
    budget: PruneBudget | None = None,
    confirmed: bool = False,
) -> dict[str, Result]:
    """Make the node's kernel what `graphs` say; the results by owner.

    The node's own graph goes first, whatever its place; the rest in the given order. With
    `remove_others`, networks that no graph speaks of are removed, within `budget` unless `confirmed`
    (the node's own objects only by an empty graph for them). Owners in `keep` are left as they are, with
    or without a graph, and get no result. All creation comes before all deletion. An owner that needs
    nothing costs no operation. Raises KernelUnavailable if the first look fails.
    """
    applier = Applier(kernel, journal)
    observed = observe(graphs, kernel)
    results: dict[str, Result] = {}
    committed: list[Plan] = []

    def make(node: NodePlan) -> None:
        results.update((result.owner, result) for result in node.results)
        for chunk in _chunks(node.plans):
            made = applier.make(chunk)
            results.update(made.results)
            committed.extend(made.committed)

    own = [graph for graph in graphs if graph.owner == NODE_OWNER]
    rest = [graph for graph in graphs if graph.owner != NODE_OWNER]
    make(plan_node(own, observed, remove_others=False, keep=keep))
    if committed:
        observed = observe(graphs, kernel)
    make(
        plan_node(rest, observed, remove_others=remove_others, keep=keep, budget=budget, confirmed=confirmed)
    )
    results |= applier.clean(committed)
    if any(plan.phase_2 for plan in committed):
        results |= _second_try(applier, results, observe(graphs, kernel))
    journal.finish(owner for owner, result in results.items() if isinstance(result, Unchanged))
    return results


def observe(graphs: Sequence[Graph], kernel: Kernel) -> Observed:
    """A whole look at the node, with the sysctls that `graphs` speak of."""
    return kernel.observe(sysctl_keys(graphs))


def sysctl_keys(graphs: Iterable[Graph]) -> list[Key]:
    """The keys of all sysctls in `graphs`."""
    return [item.key for graph in graphs for item in graph.objects if isinstance(item, Sysctl)]


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


def _plans(graphs: Iterable[Graph], observed: Observed) -> tuple[tuple[Plan, ...], tuple[Result, ...]]:
    plans: list[Plan] = []
    refused: list[Result] = []
    for graph in graphs:
        try:
            plans.append(plan(graph, observed))
        except CircularNeed as error:
            refused.append(NotStarted(graph.owner, str(error), error.advice))
    return tuple(plans), tuple(refused)


def networks(observed: Observed) -> frozenset[str]:
    """The owners that were seen, but for the node itself."""
    return frozenset(observed.owned) - {NODE_OWNER}


def _chunks(plans: Iterable[Plan]) -> Iterator[list[Plan]]:
    rest = iter(plans)
    while chunk := list(itertools.islice(rest, CHUNK)):
        yield chunk


def _second_try(applier: Applier, results: dict[str, Result], observed: Observed) -> dict[str, Result]:
    """What failed may have wanted a port or a VNI that an owner who left has given up by now."""
    again = [
        plan(result.plan.desired, observed) for result in results.values() if isinstance(result, RolledBack)
    ]
    return applier.apply_all(again)
