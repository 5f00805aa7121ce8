"""Generic netlink (linux/genetlink.h), as far as the kernel's WireGuard needs it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from reconciler.kernel.codec.wire import ASK, CHANGE, DUMP, attributes, message, text
from reconciler.kernel.linux.netlink_socket import NetlinkSocket
from reconciler.kernel.transport import Ack, TransportError

NETLINK_GENERIC = 16
GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2

_GENL = struct.Struct("=BBxx")


class GenericSocket:
    """A generic netlink socket of one namespace, speaking one family. Raises TransportError with ENOENT
    where the kernel has no such family."""

    def __init__(self, family: str) -> None:
        self._socket = NetlinkSocket(NETLINK_GENERIC)
        try:
            self._family = self._look_up(family)
        except TransportError:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def request(self, payloads: Sequence[bytes]) -> list[Ack]:
        return self._socket.request([message(self._family, CHANGE, payload) for payload in payloads])

    def dump(self, payload: bytes) -> list[bytes]:
        return [answer[16:] for answer in self._socket.dump(message(self._family, DUMP, payload))]

    def _look_up(self, family: str) -> int:
        body = _GENL.pack(CTRL_CMD_GETFAMILY, 1) + text(CTRL_ATTR_FAMILY_NAME, family)
        (answer,) = self._socket.dump(message(GENL_ID_CTRL, ASK, body))
        return int.from_bytes(attributes(answer, 20)[CTRL_ATTR_FAMILY_ID], "little")
