"""Networks side by side on one node, joined by WireGuard over its loopback."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from ipaddress import IPv4Interface, ip_address, ip_interface, ip_network

from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import HOST, Address, Namespace, Route, WireGuard, WireGuardPeer
from reconciler.kernel.port import Operation
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.operations import add, done, run

SIDES = ("a", "b", "c")


class Mesh:
    """Networks side by side on one node: each its namespace and device, all sockets on the node's `lo`."""

    def __init__(self, kernel: NetlinkKernel, keys: Keys) -> None:
        self.kernel = kernel
        self.public = {side: keys.new() for side in SIDES}
        self.port = {side: 52001 + place for place, side in enumerate(SIDES)}
        self.address = {side: ip_interface(f"10.{place + 1}.0.1/32") for place, side in enumerate(SIDES)}
        run("ip", "link", "set", "lo", "up")

    def device(self, side: str) -> WireGuard:
        return WireGuard(f"tnet-{side}", f"w{side}", 1400, self.public[side], self.port[side], HOST)

    def peer(self, side: str, other: str, endpoint: bool = True) -> WireGuardPeer:
        network = ip_network(f"{self._ip(other)}/32")
        where = (ip_address("127.0.0.1"), self.port[other]) if endpoint else None
        return WireGuardPeer(f"tnet-{side}", f"w{side}", self.public[other], frozenset({network}), where, 0)

    def add_side(self, side: str, *others: str) -> None:
        self.execute(add(Namespace(f"tnet-{side}")))
        self.execute(add(self.device(side)))
        contents = [Address(f"tnet-{side}", f"w{side}", self.address[side])]
        routes = [Route(f"tnet-{side}", ip_network("10.0.0.0/8"), f"w{side}")]
        self.execute(add(*contents, *routes, *(self.peer(side, other) for other in others)))

    def execute(self, operations: list[Operation]) -> None:
        done(self.kernel.execute(operations))

    def ping(self, side: str, other: str) -> bool:
        words = ["ip", "netns", "exec", f"tnet-{side}", "ping", "-c1", "-W1", self._ip(other)]
        return os.spawnvp(os.P_WAIT, words[0], [*words, "-q"]) == 0

    def _ip(self, side: str) -> str:
        found = self.address[side]
        assert isinstance(found, IPv4Interface)
        return str(found.ip)


def until(condition: Callable[[], bool], within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def handshake(side: str, public_key: str) -> str:
    inside = ("ip", "netns", "exec", f"tnet-{side}")
    shown = run(*inside, "wg", "show", f"w{side}", "latest-handshakes")
    found = re.search(rf"{re.escape(public_key)}\t(\d+)", shown)
    assert found is not None
    return found[1]
