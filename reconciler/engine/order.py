"""The order of operations: what is needed comes first, and how much of it fits into one batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from reconciler.errors import TnetError
from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
    HOST,
    Address,
    Bridge,
    FdbEntry,
    Key,
    Namespace,
    Neighbour,
    Route,
    Rule,
    Sysctl,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)

_RANKED = (
    Namespace,
    Sysctl,
    NftTable,  # before links, so that no packet passes that it should have stopped
    Bridge,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    Address,  # before routes: a next hop or a preferred source leans on one without saying so
    Neighbour,
    FdbEntry,
    Route,
    Rule,
    WireGuardPeer,
)
RANK: Mapping[type, int] = {kind: rank for rank, kind in enumerate(_RANKED)}
"""Which kind goes first among objects that don't need each other."""

Needs = Callable[[Key], Iterable[Key]]


class CircularNeed(TnetError):
    """Objects of one graph need each other in a circle; no order can make them."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"{key} needs itself through what it needs", "this graph can't be made in any order")


def needs_of(graph: Graph, objects: Mapping[Key, KernelObject]) -> dict[Key, tuple[Key, ...]]:
    """For each object what it needs, by its own account and by the graph's edges, within `objects`."""
    needs = {key: item.needs for key, item in objects.items()}
    for key, needed in graph.edges:
        if key in needs:
            needs[key] += (needed,)
    return needs


def levels(needs: Mapping[Key, Sequence[Key]]) -> dict[Key, int]:
    """How many others must be made before an object, one after the other. Raises CircularNeed."""
    found: dict[Key, int] = {}
    open_: set[Key] = set()

    def level(key: Key) -> int:
        known = found.get(key)
        if known is not None:
            return known
        if key in open_:
            raise CircularNeed(key)
        open_.add(key)
        found[key] = here = max((level(needed) + 1 for needed in needs[key] if needed in needs), default=0)
        open_.discard(key)
        return here

    for key in needs:
        level(key)
    return found


def creation_order(objects: Mapping[Key, KernelObject], needs: Mapping[Key, Sequence[Key]]) -> list[Key]:
    """All keys of `objects`, the needed before those that need them; the same for equal graphs."""
    depth = levels(needs)
    return sorted(objects, key=lambda key: (depth[key], RANK[type(objects[key])], key))


def batches(order: Collection[Key], needs: Needs) -> list[list[Key]]:
    """Split `order` into as few batches as `Kernel.execute` allows.

    One batch holds an object and what it needs only where both are in one namespace that is wholly
    ours: elsewhere the needed one must have been acknowledged first.
    """
    place: dict[Key, int] = {}
    result: list[list[Key]] = []
    for key in order:
        earliest = 0
        for needed in needs(key):
            before = place.get(needed)
            if before is not None:
                together = needed.namespace == key.namespace != HOST
                earliest = max(earliest, before if together else before + 1)
        place[key] = earliest
        if earliest == len(result):
            result.append([])
        result[earliest].append(key)
    return result


def reversed_needs(keys: Sequence[Key], needs: Mapping[Key, Sequence[Key]]) -> dict[Key, list[Key]]:
    """For each key who among `keys` needs it: what must be deleted before it."""
    dependents: dict[Key, list[Key]] = {key: [] for key in keys}
    for key in keys:
        for needed in needs[key]:
            if needed in dependents:
                dependents[needed].append(key)
    return dependents
