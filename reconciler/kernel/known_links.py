"""Which link has which index where: what was seen last and what was made since.

Interface indexes are chosen here, unique on the whole node and not only in their namespace, so that an index
names a link of ours whatever namespace it is in. That is how the other end of a veth is found.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from reconciler.kernel.codec.link import LinkSeen
from reconciler.kernel.objects import FIRST_INDEX, LINK_GROUP

Place = tuple[str, str]
"""(namespace, name)"""


class KnownLinks:
    def __init__(self) -> None:
        self._indexes: dict[str, dict[str, int]] = {}
        self._places: dict[int, Place] = {}
        self._next = FIRST_INDEX
        self._lock = threading.Lock()

    @property
    def namespaces(self) -> frozenset[str]:
        """Those whose links are known."""
        return frozenset(self._indexes)

    def see(self, namespace: str, links: Iterable[LinkSeen]) -> None:
        """These are all links of the namespace."""
        links = list(links)
        with self._lock:
            self._drop(namespace)
            self._indexes[namespace] = {link.name: link.ifindex for link in links}
            for link in links:
                if link.group == LINK_GROUP and link.ifindex >= FIRST_INDEX:
                    self._places[link.ifindex] = (namespace, link.name)
                    self._next = max(self._next, link.ifindex + 1)

    def keep_only(self, namespaces: Iterable[str]) -> None:
        """All other namespaces are gone."""
        with self._lock:
            for gone in self._indexes.keys() - set(namespaces):
                self._drop(gone)

    def forget(self, namespace: str) -> None:
        with self._lock:
            self._drop(namespace)

    def made(self, namespace: str, name: str, index: int) -> None:
        with self._lock:
            self._indexes.setdefault(namespace, {})[name] = index
            self._places[index] = (namespace, name)

    def gone(self, namespace: str, name: str) -> None:
        with self._lock:
            index = self._indexes.get(namespace, {}).pop(name, 0)
            self._places.pop(index, None)

    def index(self, namespace: str, name: str) -> int | None:
        return self._indexes.get(namespace, {}).get(name)

    def names(self, namespace: str) -> Mapping[str, int]:
        return self._indexes.get(namespace, {})

    def place(self, index: int) -> Place | None:
        """Where the link of ours with that index is."""
        return self._places.get(index)

    def choose(self, count: int) -> int:
        """The first of `count` indexes that follow each other and that nothing has had."""
        with self._lock:
            first = self._next
            self._next += count
            return first

    def _drop(self, namespace: str) -> None:
        for name, index in self._indexes.pop(namespace, {}).items():
            if self._places.get(index) == (namespace, name):
                del self._places[index]
