"""All namespaces that are kept open, by name; the node's own is `HOST`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from reconciler.kernel.linux.descriptors import moved_up
from reconciler.kernel.linux.inside import inside_new, open_own_namespace
from reconciler.kernel.linux.kept_namespace import KeptNamespace
from reconciler.kernel.linux.netns_directory import NetnsDirectory, missing
from reconciler.kernel.linux.nft_contexts import NftContexts
from reconciler.kernel.objects import HOST
from reconciler.kernel.transport import TransportError


class KeptNamespaces:
    """Made in the node's own namespace, which is `HOST` from then on."""

    def __init__(self) -> None:
        self._host = KeptNamespace(moved_up(open_own_namespace()))
        self._directory = NetnsDirectory(self._host.identity[0])
        self._kept: dict[str, KeptNamespace] = {}
        self._contexts = NftContexts()
        self._lock = threading.RLock()

    def __getitem__(self, name: str) -> KeptNamespace:
        """Opened if it wasn't. Raises NamespaceMissing."""
        if name == HOST:
            return self._host
        with self._lock:
            kept = self._kept.get(name)
            if kept is None:
                kept = self._kept[name] = KeptNamespace(self._directory.open(name))
            return kept

    def nft(self, name: str, document: str) -> str:
        return self._contexts.run(name, self[name], document)

    def listed(self) -> Mapping[str, tuple[int, int]]:
        """All there are, by name; what is kept of one that is gone or was replaced is closed."""
        listed = self._directory.listed()
        with self._lock:
            stale = [name for name, kept in self._kept.items() if listed.get(name) != kept.identity]
            for name in stale:
                self.forget(name)
        return listed

    def add(self, name: str, birth: Sequence[bytes]) -> None:
        """Raises TransportError with EEXIST, or with the errno that refused a message of `birth`."""
        self._directory.reserve(name)
        with inside_new():
            kept = KeptNamespace(moved_up(open_own_namespace()))
        try:
            _be_born(name, kept, birth)
            self._directory.give_name(name, kept.handle)
        except (TransportError, OSError):
            kept.close()
            self._directory.remove(name)
            raise
        with self._lock:
            self._kept[name] = kept

    def delete(self, name: str) -> None:
        """The namespace that was used under this name. Raises NamespaceMissing if another has it now."""
        kept = self._kept.get(name)
        if kept is not None and self._directory.identity(name) != kept.identity:
            self.forget(name)
            raise missing(name)
        self.forget(name)
        self._directory.remove(name)

    def forget(self, name: str) -> None:
        """Close what is kept of it, which would hold it alive."""
        self._contexts.forget(name)
        with self._lock:
            kept = self._kept.pop(name, None)
        if kept is not None:
            kept.close()

    def close(self) -> None:
        self._contexts.close()
        with self._lock:
            for kept in [*self._kept.values(), self._host]:
                kept.close()
            self._kept.clear()


def _be_born(name: str, kept: KeptNamespace, birth: Sequence[bytes]) -> None:
    for ack in kept.route.request(birth):
        if ack.code:
            raise TransportError(ack.code, f"cannot prepare the network namespace {name}: {ack.text}")
