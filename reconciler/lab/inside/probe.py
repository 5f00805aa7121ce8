"""Tries to reach many addresses at once, by ICMP echo, UDP and TCP, and says which ones answered.

Reads one JSON object: `{"targets": [address, ...], "timeout_s": 1.0, "attempts": 2, "mark": 0}`, prints
one: `{"<protocol> <address>": "<what was heard>"}` with an entry for each that answered. Ends as soon as
all have, else at the time-out. `mark` is put on every packet (SO_MARK).
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from reconciler.lab.inside.beacon import PORT
from reconciler.lab.inside.echo import EchoSocket, family_of

PROTOCOLS = ("icmp", "udp", "tcp")
Handler = Callable[[], None]


class Probe:
    """One run. `heard` fills while it runs."""

    def __init__(self, targets: list[str], mark: int) -> None:
        self._targets = targets
        self._mark = mark
        self._token = os.urandom(6).hex()
        self._selector = selectors.DefaultSelector()
        self._echo = {family: self._open_echo(family) for family in (4, 6)}
        self._udp = {family: self._open_udp(family) for family in (4, 6)}
        self.heard: dict[str, str] = {}

    def _open_echo(self, family: int) -> EchoSocket:
        echo = EchoSocket(family, self._mark)
        self._selector.register(echo.socket, selectors.EVENT_READ, lambda: self._hear_echo(echo))
        return echo

    def _socket(self, family: int, kind: socket.SocketKind) -> socket.socket:
        opened = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind)
        opened.setblocking(False)
        if self._mark:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
        return opened

    def _open_udp(self, family: int) -> socket.socket:
        udp = self._socket(family, socket.SOCK_DGRAM)
        self._selector.register(udp, selectors.EVENT_READ, lambda: self._hear_udp(udp))
        return udp

    def _hear_echo(self, echo: EchoSocket) -> None:
        reply = echo.receive()
        if reply is not None and reply.sequence < len(self._targets):
            self.heard[f"icmp {self._targets[reply.sequence]}"] = reply.source

    def _hear_udp(self, udp: socket.socket) -> None:
        said, *rest = udp.recv(256).decode().split(maxsplit=1)
        token, _, number = said.partition("-")
        if token == self._token:
            self.heard[f"udp {self._targets[int(number)]}"] = " ".join(rest).strip()

    def _send(self, number: int, address: str) -> None:
        family = family_of(address)
        if f"icmp {address}" not in self.heard:
            _tried(lambda: self._echo[family].send(address, number))
        if f"udp {address}" not in self.heard:
            said = f"{self._token}-{number}".encode()
            _tried(lambda: self._udp[family].sendto(said, (address, PORT)))

    def _connect(self, number: int, address: str) -> None:
        tcp = self._socket(family_of(address), socket.SOCK_STREAM)
        try:
            tcp.connect((address, PORT))
        except BlockingIOError:
            wait_for = selectors.EVENT_WRITE
            self._selector.register(tcp, wait_for, lambda: self._speak_tcp(tcp, number))
        except OSError:
            tcp.close()

    def _speak_tcp(self, tcp: socket.socket, number: int) -> None:
        if tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._forget(tcp)
            return
        tcp.send(f"{self._token}-{number}".encode())
        self._selector.modify(tcp, selectors.EVENT_READ, lambda: self._hear_tcp(tcp, number))

    def _hear_tcp(self, tcp: socket.socket, number: int) -> None:
        try:
            words = tcp.recv(256).decode().split(maxsplit=1)
        finally:
            self._forget(tcp)
        if words:
            self.heard[f"tcp {self._targets[number]}"] = " ".join(words[1:]).strip()

    def _forget(self, tcp: socket.socket) -> None:
        self._selector.unregister(tcp)
        tcp.close()

    def run(self, timeout_s: float, attempts: int) -> None:
        for number, address in enumerate(self._targets):
            self._connect(number, address)
        for _ in range(attempts):
            for number, address in enumerate(self._targets):
                self._send(number, address)
            self._listen(time.monotonic() + timeout_s / attempts)

    def _listen(self, deadline: float) -> None:
        complete = len(self._targets) * len(PROTOCOLS)
        while (left := deadline - time.monotonic()) > 0 and len(self.heard) < complete:
            for key, _ in self._selector.select(left):
                _tried(key.data)


def _tried(act: Callable[[], object]) -> None:
    """An attempt that the kernel refuses (no route, filtered) is one that did not get through."""
    with suppress(OSError):
        act()


def main() -> int:
    asked = json.load(sys.stdin)
    probe = Probe(asked["targets"], asked.get("mark", 0))
    probe.run(asked.get("timeout_s", 1.0), asked.get("attempts", 2))
    json.dump(probe.heard, sys.stdout)
    return 0
