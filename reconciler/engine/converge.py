"""A whole node: every owner's graph becomes its objects, each owner by itself."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

from reconciler.engine.apply import Applier
from reconciler.engine.budget import PruneBudget
from reconciler.engine.collection import collection_paused
from reconciler.engine.journal import Journal
from reconciler.engine.node_plan import NodePlan as NodePlan
from reconciler.engine.node_plan import plan_node as plan_node
from reconciler.engine.plan import Plan, plan
from reconciler.engine.result import Result, RolledBack, Unchanged
from reconciler.kernel.graph import Graph, Observed
from reconciler.kernel.objects import NODE_OWNER, Key, Sysctl
from reconciler.kernel.port import Kernel

CHUNK = 256
"""Owners whose operations go through one pipeline, with one sync of the journal and one look after it."""


@collection_paused()
def converge(
    graphs: Sequence[Graph],
    kernel: Kernel,
    journal: Journal,
    *,
    remove_others: bool = True,
    only_these: bool = False,
    keep: Collection[str] = (),
    budget: PruneBudget | None = None,
    confirmed: bool = False,
) -> dict[str, Result]:
    """Make the node's kernel what `graphs` say; the results by owner.

    The node's own graph goes first, whatever its place; the rest in the given order. With
    `remove_others`, networks that no graph speaks of are removed, within `budget` unless `confirmed`
    (the node's own objects only by an empty graph for them). Owners in `keep` are left as they are, with
    or without a graph, and get no result. All creation comes before all deletion. An owner that needs
    nothing costs no operation. With `only_these`, no namespace is looked at but those of `graphs`, and
    nothing is removed; a graph must then be of an owner that has no objects in others. Raises
    KernelUnavailable if the first look fails.
    """
    remove_others = remove_others and not only_these
    work = _Pass(graphs, kernel, journal, _namespaces(graphs) if only_these else None)
    observed = work.look()
    own = [graph for graph in graphs if graph.owner == NODE_OWNER]
    rest = [graph for graph in graphs if graph.owner != NODE_OWNER]
    work.make(plan_node(own, observed, remove_others=False, keep=keep))
    if work.committed:
        observed = work.look()
    work.make(
        plan_node(rest, observed, remove_others=remove_others, keep=keep, budget=budget, confirmed=confirmed)
    )
    work.clean()
    work.forget([owner for owner in journal.pending if owner not in keep] if remove_others else ())
    return work.results


def observe(graphs: Sequence[Graph], kernel: Kernel, namespaces: Collection[str] | None = None) -> Observed:
    """A look at the whole node, or at `namespaces`, with the sysctls that `graphs` speak of."""
    return kernel.observe(sysctl_keys(graphs), namespaces)


def sysctl_keys(graphs: Iterable[Graph]) -> list[Key]:
    """The keys of all sysctls in `graphs`."""
    return [item.key for graph in graphs for item in graph.objects if isinstance(item, Sysctl)]


class _Pass:
    """One pass over a node: what it has come to so far."""

    def __init__(
        self, graphs: Sequence[Graph], kernel: Kernel, journal: Journal, namespaces: Collection[str] | None
    ) -> None:
        self._graphs = graphs
        self._kernel = kernel
        self._journal = journal
        self._namespaces = namespaces
        self._applier = Applier(kernel, journal)
        self.results: dict[str, Result] = {}
        self.committed: list[Plan] = []

    def look(self) -> Observed:
        return observe(self._graphs, self._kernel, self._namespaces)

    def make(self, node: NodePlan) -> None:
        """Phase 1 of all these plans."""
        self.results.update((result.owner, result) for result in node.results)
        for chunk in _chunks(node.plans):
            made = self._applier.make(chunk)
            self.results.update(made.results)
            self.committed.extend(made.committed)

    def clean(self) -> None:
        """Phase 2 of all that was made. What failed may have wanted a port or a VNI that an owner who left
        has given up by now, so it is tried once more."""
        self.results |= self._applier.clean(self.committed)
        failed = [result.plan.desired for result in self.results.values() if isinstance(result, RolledBack)]
        if failed and any(plan.phase_2 for plan in self.committed):
            observed = self.look()
            self.results |= self._applier.apply_all([plan(graph, observed) for graph in failed])

    def forget(self, pending: Iterable[str]) -> None:
        """An earlier process left these in the journal; those that turned out to be as they should be, or
        are neither there nor wanted any more, are finished."""
        finished = [owner for owner in pending if owner not in self.results]
        finished += [owner for owner, result in self.results.items() if isinstance(result, Unchanged)]
        self._journal.finish(finished)


def _namespaces(graphs: Iterable[Graph]) -> set[str]:
    return {item.key.namespace for graph in graphs for item in graph.objects}


def _chunks(plans: Iterable[Plan]) -> Iterator[list[Plan]]:
    rest = iter(plans)
    while chunk := list(itertools.islice(rest, CHUNK)):
        yield chunk
