"""libnftables contexts by namespace, the least recently used going first.

A context costs half a megabyte, so a thousand are too many; and freeing one waits for the kernel to finish
what the context's socket has deleted (an RCU grace period, some 15 ms), so that is left to a thread of
its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from reconciler.kernel.linux.descriptors import expect_low
from reconciler.kernel.linux.kept_namespace import KeptNamespace
from reconciler.kernel.linux.libnftables import NftContext

_MOST = 16
"""A fresh context costs 0.1 ms more than a kept one (seen with 1.0.6, tables of ten rules)."""


class NftContexts:
    def __init__(self) -> None:
        self._contexts: OrderedDict[str, NftContext] = OrderedDict()
        self._lock = threading.Lock()
        self._closer = ThreadPoolExecutor(1, "nft-closer")

    def run(self, name: str, namespace: KeptNamespace, document: str) -> str:
        """Raises TransportError with nft's words."""
        with self._lock:
            return self._context(name, namespace).run(document)

    def forget(self, name: str) -> None:
        """Free the namespace's context now: it would hold the namespace alive."""
        with self._lock:
            context = self._contexts.pop(name, None)
        if context is not None:
            context.close()

    def close(self) -> None:
        with self._lock:
            for context in self._contexts.values():
                context.close()
            self._contexts.clear()
        self._closer.shutdown()

    def _context(self, name: str, namespace: KeptNamespace) -> NftContext:
        context = self._contexts.get(name)
        if context is None:
            expect_low()
            with namespace.enter():
                context = NftContext()
            self._contexts[name] = context
            self._evict()
        self._contexts.move_to_end(name)
        return context

    def _evict(self) -> None:
        while len(self._contexts) > _MOST:
            _, oldest = self._contexts.popitem(last=False)
            self._closer.submit(oldest.close)
