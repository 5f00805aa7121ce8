"""A transport that writes down what it is asked, and the replay of that without anything that thinks.

Namespace handles differ from run to run, so where a message names one it is patched at replay.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from reconciler.kernel.transport import Transport

_HANDLES = "namespace_handle"
_IFLA_NET_NS_FD = 28


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a seam. `handles` are the namespaces named by handle in its messages, by old handle."""

    seam: str
    arguments: tuple[Any, ...]
    handles: Mapping[int, str] = field(default_factory=dict)


class Recorder:
    """Stands before a transport; `calls` is all that went through it, except the asking for handles."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._handles: dict[int, str] = {}
        self.calls: list[Call] = []

    def as_transport(self) -> Transport:
        return cast(Transport, self)

    def __getattr__(self, seam: str) -> Callable[..., Any]:
        target = getattr(self._transport, seam)

        def call(*arguments: Any, **named: Any) -> Any:
            arguments += tuple(named.values())
            result = target(*arguments)
            self._note(seam, arguments, result)
            return result

        return call

    def _note(self, seam: str, arguments: tuple[Any, ...], result: Any) -> None:
        if seam == _HANDLES:
            self._handles[result] = arguments[0]
        else:
            self.calls.append(Call(seam, arguments, self._named_in(seam, arguments)))

    def _named_in(self, seam: str, arguments: tuple[Any, ...]) -> dict[int, str]:
        if seam != "route_request":
            return {}
        whole = b"".join(arguments[1])
        return {handle: name for handle, name in self._handles.items() if _attribute(handle) in whole}


def replay(calls: Sequence[Call], transport: Transport) -> None:
    """Make the same calls again. What the kernel answers is read and not looked at."""
    for call in calls:
        arguments = call.arguments
        if call.handles:
            arguments = (arguments[0], _patched(call, transport), *arguments[2:])
        getattr(transport, call.seam)(*arguments)


def _patched(call: Call, transport: Transport) -> list[bytes]:
    pairs = [
        (_attribute(old), _attribute(transport.namespace_handle(name))) for old, name in call.handles.items()
    ]
    return [_replaced(message, pairs) for message in call.arguments[1]]


def _replaced(message: bytes, pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    for old, new in pairs:
        if old in message:
            return message.replace(old, new)
    return message


def _attribute(handle: int) -> bytes:
    """IFLA_NET_NS_FD with this handle, as it lies in a message (struct nlattr, then a u32)."""
    return struct.pack("=HHI", 8, _IFLA_NET_NS_FD, handle)
