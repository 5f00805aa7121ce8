"""The UAPI socket of a userspace WireGuard: where it is, and one question with its answer."""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

from reconciler.kernel.transport import TransportError

DIRECTORY = Path("/var/run/wireguard")
"""Compiled into wireguard-go and into `wg`."""

_PATIENCE_S = 10.0
_END = b"\n\n"
_CREDENTIALS = struct.Struct("iII")
"""struct ucred: process, user, group; of a listening socket, of when it began to listen."""


def socket_path(device: str) -> Path:
    return DIRECTORY / f"{device}.sock"


def ask(device: str, request: str) -> str:
    """Raises TransportError; neither request nor answer, which hold private keys, are in its message."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(os.fspath(socket_path(device)))
            connection.sendall(request.encode())
            return _answer(connection).decode()
    except OSError as error:
        code = error.errno or errno.ETIMEDOUT
        raise TransportError(code, f"userspace WireGuard of {device}: {os.strerror(code)}") from error


def _answer(connection: socket.socket) -> bytes:
    parts = bytearray()
    while not parts.endswith(_END):
        part = connection.recv(1 << 16)
        if not part:
            raise OSError(errno.ECONNRESET, "closed before the end of the answer")
        parts += part
    return bytes(parts)


def listener(device: str) -> int | None:
    """The id of the process that listens there, None if nobody does (a socket file outlives its daemon)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        if connection.connect_ex(os.fspath(socket_path(device))) != 0:
            return None
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(credentials)[0])
