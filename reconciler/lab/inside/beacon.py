"""Answers on UDP and TCP port 7007 in some of the machine's namespaces, and says who it is.

    beacon.py NAME=NAMESPACE ...

An empty NAMESPACE is the machine's own. To whatever a probe says it answers `<what it said> <NAME> <the
probe's address as seen here>`: so the probe learns who really answered, and under which address it is
seen there. Prints `ready` when all sockets are open, and goes on in the background.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys

from reconciler.lab.inside.namespaces import inside

PORT = 7007
_LONGEST = 64


def seen(address: str) -> str:
    """The address as a person writes it: an IPv4 peer of an IPv6 socket is a mapped address."""
    return address.removeprefix("::ffff:")


def answer(said: bytes, name: str, peer: str) -> bytes:
    return b" ".join((said[:_LONGEST].strip(), name.encode(), seen(peer).encode())) + b"\n"


class Beacon:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def open(self, name: str, namespace: str) -> None:
        with inside(namespace):
            datagrams = self._socket(socket.SOCK_DGRAM)
            streams = self._socket(socket.SOCK_STREAM)
        streams.listen(64)
        self._selector.register(datagrams, selectors.EVENT_READ, (self._datagram, name))
        self._selector.register(streams, selectors.EVENT_READ, (self._accept, name))

    @staticmethod
    def _socket(kind: socket.SocketKind) -> socket.socket:
        opened = socket.socket(socket.AF_INET6, kind)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        opened.bind(("::", PORT))
        return opened

    def _datagram(self, ready: socket.socket, name: str) -> None:
        said, peer = ready.recvfrom(_LONGEST)
        ready.sendto(answer(said, name, peer[0]), peer)

    def _accept(self, ready: socket.socket, name: str) -> None:
        connection, _ = ready.accept()
        connection.settimeout(5)
        self._selector.register(connection, selectors.EVENT_READ, (self._reply, name))

    def _reply(self, ready: socket.socket, name: str) -> None:
        self._selector.unregister(ready)
        with ready:
            said = ready.recv(_LONGEST)
            ready.sendall(answer(said, name, ready.getpeername()[0]))

    def serve_for_ever(self) -> None:
        while True:
            for key, _ in self._selector.select():
                act, name = key.data
                try:
                    act(key.fileobj, name)
                except OSError:
                    continue  # a probe that gave up in the middle; the next one is served


def go_to_background() -> None:
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def main() -> int:
    beacon = Beacon()
    for argument in sys.argv[1:]:
        name, _, namespace = argument.partition("=")
        beacon.open(name, namespace)
    print("ready", flush=True)
    go_to_background()
    beacon.serve_for_ever()
    return 0
