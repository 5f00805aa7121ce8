"""Pings without a pause until its standard input ends, and accounts for every single packet.

    stream.py INTERVAL_SECONDS ADDRESS ...

Prints `ready` when it starts, and at the end one JSON object: `{address: {"sent": n, "lost": [sequence
numbers], "slowest_ms": x}}`. Packets on their way when it is told to end are waited for: up to two seconds.
"""

from __future__ import annotations

import json
import selectors
import sys
import time
from contextlib import suppress

from reconciler.lab.inside.echo import EchoSocket, family_of

_PATIENCE_S = 2.0


class Stream:
    """The pings to one address; sequence numbers of 16 bits, enough for the longest demo."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.echo = EchoSocket(family_of(address))
        self._sent_at: dict[int, float] = {}
        self._sent = 0
        self._slowest_s = 0.0

    def send(self) -> None:
        self._sent_at[self._sent] = time.monotonic()
        with suppress(OSError):  # it stays unanswered and is counted as lost
            self.echo.send(self.address, self._sent)
        self._sent += 1

    def hear(self) -> None:
        reply = self.echo.receive()
        if reply is not None and reply.sequence in self._sent_at:
            self._slowest_s = max(self._slowest_s, time.monotonic() - self._sent_at.pop(reply.sequence))

    @property
    def complete(self) -> bool:
        return not self._sent_at

    def account(self) -> dict[str, object]:
        lost = sorted(self._sent_at)
        return {"sent": self._sent, "lost": lost, "slowest_ms": round(self._slowest_s * 1000, 1)}


def listen(selector: selectors.BaseSelector, until: float) -> bool:
    """Hear replies until then; True as soon as standard input has ended."""
    while (left := until - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            if key.data is None:
                return True
            key.data.hear()
    return False


def wait_for_last(selector: selectors.BaseSelector, streams: list[Stream]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not all(stream.complete for stream in streams) and time.monotonic() < deadline:
        listen(selector, min(deadline, time.monotonic() + 0.02))


def main() -> int:
    interval_s, streams = float(sys.argv[1]), [Stream(address) for address in sys.argv[2:]]
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    for stream in streams:
        selector.register(stream.echo.socket, selectors.EVENT_READ, stream)
    print("ready", flush=True)
    ended = False
    while not ended:
        for stream in streams:
            stream.send()
        ended = listen(selector, time.monotonic() + interval_s)
    selector.unregister(sys.stdin)
    wait_for_last(selector, streams)
    json.dump({stream.address: stream.account() for stream in streams}, sys.stdout)
    return 0
