"""`port.Kernel` over a transport: the real kernel, or the fake that speaks the same bytes."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

from reconciler.kernel.execution.executor import Executor
from reconciler.kernel.graph import Observed
from reconciler.kernel.known_links import KnownLinks
from reconciler.kernel.objects import Key
from reconciler.kernel.observation.look import Observer
from reconciler.kernel.port import KernelUnavailable, Operation, Outcome, SecretStore
from reconciler.kernel.transport import Transport, TransportError

_ADVICE = "tnet needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN) in the node's own network namespace"


class NetlinkKernel:
    """One at a time looks or acts: what is known of the links is shared by both."""

    def __init__(self, transport: Transport, secrets: SecretStore) -> None:
        known = KnownLinks()
        self._observer = Observer(transport, known)
        self._executor = Executor(transport, secrets, known)
        self._lock = threading.Lock()
        self._looked = False

    def observe(self, sysctls: Collection[Key] = (), namespaces: Collection[str] | None = None) -> Observed:
        with self._lock:
            try:
                observed = self._observer.observe(sysctls, namespaces)
            except TransportError as error:
                raise KernelUnavailable(f"the kernel can't be read: {error}", _ADVICE) from error
            self._looked = True
            return observed

    def execute(self, operations: Sequence[Operation]) -> list[Outcome]:
        with self._lock:
            self._look_first()
            return self._executor.execute(operations)

    def _look_first(self) -> None:
        """Indexes are chosen above all that there are, so those must be known."""
        if self._looked:
            return
        try:
            self._observer.look_at_links()
        except TransportError as error:
            raise KernelUnavailable(f"the kernel can't be read: {error}", _ADVICE) from error
        self._looked = True
