"""Listens on every interface of some namespaces, and says where a packet with a certain text was seen.

    capture.py TOKEN_PREFIX NAMESPACE ...

Prints `ready` when it listens, and when its standard input ends one JSON object: `{token: ["<interface> in
<namespace>", ...]}` with every text `<TOKEN_PREFIX>-<digits>` that was seen in a packet.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
from collections import defaultdict

from reconciler.lab.inside.namespaces import inside

_ETH_P_ALL = 3  # linux/if_ether.h


def open_in(namespace: str) -> socket.socket:
    with inside(namespace):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    opened.setblocking(False)
    return opened


def main() -> int:
    token = re.compile(re.escape(sys.argv[1]).encode() + rb"-\d+")
    selector = selectors.DefaultSelector()
    for namespace in sys.argv[2:]:
        selector.register(open_in(namespace), selectors.EVENT_READ, namespace)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    found: dict[str, set[str]] = defaultdict(set)
    print("ready", flush=True)
    while True:
        ready = selector.select()
        for key, _ in ready:
            if key.data is not None:
                _look(key.fileobj, key.data, token, found)  # type: ignore[arg-type]
        if any(key.data is None for key, _ in ready):
            break
    json.dump({text: sorted(places) for text, places in found.items()}, sys.stdout)
    return 0


def _look(
    opened: socket.socket, namespace: str, token: re.Pattern[bytes], found: dict[str, set[str]]
) -> None:
    """Read all that waits, so that nothing which came before the end is missed."""
    while True:
        try:
            packet, (interface, *_) = opened.recvfrom(65535)
        except BlockingIOError:
            return
        match = token.search(packet)
        if match:
            found[match.group().decode()].add(f"{interface} in {namespace}")
