"""Listens on some interfaces, and says on which of them a packet with a certain text came in.

    capture.py TOKEN_PREFIX LAST NAMESPACE/INTERFACE ...

Prints `ready` when it listens; then a line `<number> <NAMESPACE/INTERFACE>` for every packet that holds
`<TOKEN_PREFIX>-<number>.` where it is first seen coming in. When its standard input has ended it goes on
until it has seen the numbers in LAST (joined by commas) too, or two seconds.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
import time

from reconciler.lab.inside.namespaces import inside

_ETH_P_ALL = 3  # linux/if_ether.h
_PACKET_OUTGOING = 4  # linux/if_packet.h
_PATIENCE_S = 2.0


class Capture:
    """What has been seen so far, so that each packet is told once a place."""

    def __init__(self, prefix: str) -> None:
        self._token = re.compile(re.escape(prefix).encode() + rb"-(\d+)\.")
        self._told: set[str] = set()
        self.seen: set[str] = set()

    def read_all(self, opened: socket.socket, place: str) -> None:
        """Read all that waits, so that nothing which came before the end is missed."""
        while True:
            try:
                packet, (_, _, kind, *_) = opened.recvfrom(65535)
            except BlockingIOError:
                return
            match = self._token.search(packet)
            if match and kind != _PACKET_OUTGOING:
                self._tell(match.group(1).decode(), place)

    def _tell(self, number: str, place: str) -> None:
        self.seen.add(number)
        line = f"{number} {place}"
        if line not in self._told:
            self._told.add(line)
            print(line, flush=True)


def open_on(place: str) -> socket.socket:
    namespace, _, interface = place.rpartition("/")
    with inside(namespace):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        opened.bind((interface, _ETH_P_ALL))
    opened.setblocking(False)
    return opened


def main() -> int:
    capture, last = Capture(sys.argv[1]), {number for number in sys.argv[2].split(",") if number}
    selector = selectors.DefaultSelector()
    for place in sys.argv[3:]:
        selector.register(open_on(place), selectors.EVENT_READ, place)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    deadline: float | None = None
    while deadline is None or (not last <= capture.seen and time.monotonic() < deadline):
        for key, _ in selector.select(0.1):
            if isinstance(key.fileobj, socket.socket):
                capture.read_all(key.fileobj, key.data)
            else:
                selector.unregister(key.fileobj)
                deadline = time.monotonic() + _PATIENCE_S
    return 0
