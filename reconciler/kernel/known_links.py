"""Which link has which index where, and whose a namespace is: what was seen last and what was made since.

Interface indexes are chosen here, unique on the whole node and not only in their namespace, so that an index
names a link of ours whatever namespace it is in. That is how the other end of a veth is found.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.kernel.codec.link import LinkSeen
from reconciler.kernel.objects import FIRST_INDEX, LINK_GROUP

Place = tuple[str, str]
"""(namespace, name)"""

_KIND_OF_DAEMON = "tun"


@dataclass(slots=True)
class _Namespace:
    """`daemons` are the links that a process of ours stands behind."""

    owner: str | None
    indexes: dict[str, int] = field(default_factory=dict)
    daemons: set[str] = field(default_factory=set)


class KnownLinks:
    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}
        self._places: dict[int, Place] = {}
        self._next = FIRST_INDEX
        self._lock = threading.Lock()

    def __contains__(self, namespace: str) -> bool:
        """Whether the links of that namespace are known."""
        return namespace in self._namespaces

    @property
    def namespaces(self) -> list[str]:
        return list(self._namespaces)

    def see(self, namespace: str, owner: str | None, links: Iterable[LinkSeen]) -> None:
        """These are all links of the namespace."""
        seen = _Namespace(owner)
        with self._lock:
            self._drop(namespace)
            self._namespaces[namespace] = seen
            for link in links:
                seen.indexes[link.name] = link.ifindex
                if link.group == LINK_GROUP and link.ifindex >= FIRST_INDEX:
                    self._see_ours(namespace, seen, link)

    def born(self, namespace: str, owner: str, loopback_index: int) -> None:
        with self._lock:
            self._drop(namespace)
            self._namespaces[namespace] = _Namespace(owner, {"lo": loopback_index})

    def keep_only(self, namespaces: Iterable[str]) -> None:
        """All other namespaces are gone."""
        with self._lock:
            for gone in self._namespaces.keys() - set(namespaces):
                self._drop(gone)

    def forget(self, namespace: str) -> None:
        with self._lock:
            self._drop(namespace)

    def made(self, namespace: str, name: str, index: int, *, daemon: bool = False) -> None:
        with self._lock:
            known = self._namespaces.get(namespace)
            if known is None:
                return
            known.indexes[name] = index
            if daemon:
                known.daemons.add(name)
            self._places[index] = (namespace, name)

    def gone(self, namespace: str, name: str) -> None:
        with self._lock:
            known = self._namespaces.get(namespace)
            if known is not None:
                self._places.pop(known.indexes.pop(name, 0), None)
                known.daemons.discard(name)

    def index(self, namespace: str, name: str) -> int | None:
        known = self._namespaces.get(namespace)
        return None if known is None else known.indexes.get(name)

    def owner(self, namespace: str) -> str | None:
        known = self._namespaces.get(namespace)
        return None if known is None else known.owner

    def daemons(self, namespace: str) -> tuple[str, ...]:
        known = self._namespaces.get(namespace)
        return () if known is None else tuple(known.daemons)

    def place(self, index: int) -> Place | None:
        """Where the link of ours with that index is."""
        return self._places.get(index)

    def choose(self, count: int) -> int:
        """The first of `count` indexes that follow each other and that nothing has had."""
        with self._lock:
            first = self._next
            self._next += count
            return first

    def _see_ours(self, namespace: str, seen: _Namespace, link: LinkSeen) -> None:
        self._places[link.ifindex] = (namespace, link.name)
        self._next = max(self._next, link.ifindex + 1)
        if link.kind == _KIND_OF_DAEMON:
            seen.daemons.add(link.name)

    def _drop(self, namespace: str) -> None:
        known = self._namespaces.pop(namespace, None)
        for name, index in known.indexes.items() if known is not None else ():
            if self._places.get(index) == (namespace, name):
                del self._places[index]
