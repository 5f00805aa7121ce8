"""Messages of many operations in few sends, and which operation each answer belongs to."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from reconciler.kernel.transport import Ack, NamespaceMissing, Transport, TransportError

NOTHING: frozenset[int] = frozenset()


class _Queued(NamedTuple):
    position: int
    payload: Any
    forgiven: frozenset[int]


class Pipeline:
    """Collects messages as long as they go the same way; `errors` has the first error of each operation.

    An operation is named by its position in the batch. Once one of its messages has failed, no further one of
    it is sent.
    """

    def __init__(self, transport: Transport) -> None:
        self.errors: dict[int, Ack] = {}
        self._seams: dict[str, Callable[[str, Sequence[Any]], list[Ack]]] = {
            "route": transport.route_request,
            "wireguard": transport.wireguard_request,
            "sysctl": transport.sysctl_write,
        }
        self._way = ("", "")
        self._queue: list[_Queued] = []

    def route(
        self, position: int, namespace: str, message: bytes, forgiven: frozenset[int] = NOTHING
    ) -> None:
        """An rtnetlink message; an errno in `forgiven` counts as success."""
        self._put(("route", namespace), _Queued(position, message, forgiven))

    def wireguard(self, position: int, namespace: str, payload: bytes) -> None:
        self._put(("wireguard", namespace), _Queued(position, payload, NOTHING))

    def sysctl(self, position: int, namespace: str, path: str, value: str) -> None:
        self._put(("sysctl", namespace), _Queued(position, (path, value), NOTHING))

    def flush(self) -> None:
        """Send what is waiting and note what failed. Never raises for what the kernel refuses."""
        if not self._queue:
            return
        queue, self._queue = self._queue, []
        seam, namespace = self._way
        for item, ack in zip(queue, self._answers(seam, namespace, queue), strict=True):
            if ack.code and ack.code not in item.forgiven:
                self.fail(item.position, ack)

    def fail(self, position: int, ack: Ack) -> None:
        """The first error of an operation is the one that is told."""
        self.errors.setdefault(position, ack)

    def _put(self, way: tuple[str, str], item: _Queued) -> None:
        if way != self._way:
            self.flush()
            self._way = way
        if item.position not in self.errors:
            self._queue.append(item)

    def _answers(self, seam: str, namespace: str, queue: list[_Queued]) -> list[Ack]:
        """In a namespace that is gone there is no such device either, which every deletion forgives."""
        try:
            return self._seams[seam](namespace, [item.payload for item in queue])
        except NamespaceMissing as missing:
            return [Ack(errno.ENODEV, str(missing))] * len(queue)
        except TransportError as error:
            return [Ack(error.code, str(error))] * len(queue)
