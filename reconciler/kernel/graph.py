"""Graphs of kernel objects: what one owner should have, and what a node was seen to have."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
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

Link = Bridge | Veth | VethPeer | Vxlan | WireGuard
KernelObject = (
    Namespace | Sysctl | Link | WireGuardPeer | Address | Route | Rule | Neighbour | FdbEntry | NftTable
)


@dataclass(frozen=True, slots=True)
class Graph:
    """What one owner (a network's netid, or `node`) should have on this node.

    `objects` is sorted by key, so that equal graphs are equal values whatever order they were made in.
    `edges` are (object, needed object) beyond those that the objects declare themselves.
    """

    owner: str
    objects: tuple[KernelObject, ...]
    edges: frozenset[tuple[Key, Key]] = frozenset()
    _by_key: dict[Key, KernelObject] = field(default_factory=dict, init=False, repr=False, compare=False)

    @staticmethod
    def of(owner: str, objects: Iterable[KernelObject], edges: Iterable[tuple[Key, Key]] = ()) -> Graph:
        """Sort `objects`; raises ValueError if two of them have the same key."""
        keyed = sorted(((item.key, item) for item in objects), key=itemgetter(0))
        for (left, _), (right, _) in itertools.pairwise(keyed):
            if left == right:
                raise ValueError(f"two objects of {owner} are both {left}")
        return Graph(owner, tuple(item for _, item in keyed), frozenset(edges))

    def by_key(self) -> Mapping[Key, KernelObject]:
        """Made once: a graph is compared with what is seen in every pass."""
        if not self._by_key:
            self._by_key.update((item.key, item) for item in self.objects)
        return self._by_key


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen on a node: our objects by owner, and what others hold under which name.

    Ours is only what carries our marks (see objects.py). `foreign` are the keys of objects that do not:
    a desired object with such a key is a clash, never an update. `indexes` maps link keys, ours and
    foreign, to interface indexes.
    """

    owned: Mapping[str, Mapping[Key, KernelObject]] = field(default_factory=dict)
    foreign: frozenset[Key] = frozenset()
    indexes: Mapping[Key, int] = field(default_factory=dict)

    def of(self, owner: str) -> Mapping[Key, KernelObject]:
        return self.owned.get(owner, {})
