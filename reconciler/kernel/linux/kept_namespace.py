"""What is kept open of one namespace, so that no pass pays for opening it again.

Everything kept holds the namespace alive after its name is gone, with all links in it and with the other
ends of its veths. So whoever deletes a namespace closes this first, and one that somebody else deleted is
noticed by its identity, pass by pass.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager

from reconciler.kernel.codec import wireguard
from reconciler.kernel.linux.generic import GenericSocket
from reconciler.kernel.linux.inside import inside
from reconciler.kernel.linux.netlink_socket import NetlinkSocket

NETLINK_NETFILTER = 12


class KeptNamespace:
    """`handle` is a descriptor of the namespace, which this owns from now on."""

    def __init__(self, handle: int) -> None:
        seen = os.fstat(handle)
        self.identity = (seen.st_dev, seen.st_ino)
        self.handle = handle
        self._lock = threading.RLock()
        self._route: NetlinkSocket | None = None
        self._wireguard: GenericSocket | None = None
        self._netfilter: NetlinkSocket | None = None

    def enter(self) -> AbstractContextManager[None]:
        """The calling thread is in the namespace within the block."""
        return inside(self.handle)

    @property
    def route(self) -> NetlinkSocket:
        with self._lock:
            if self._route is None:
                with self.enter():
                    self._route = NetlinkSocket()
            return self._route

    @property
    def wireguard(self) -> GenericSocket:
        with self._lock:
            if self._wireguard is None:
                with self.enter():
                    self._wireguard = GenericSocket(wireguard.FAMILY)
            return self._wireguard

    @property
    def netfilter(self) -> NetlinkSocket:
        with self._lock:
            if self._netfilter is None:
                with self.enter():
                    self._netfilter = NetlinkSocket(NETLINK_NETFILTER)
            return self._netfilter

    def close(self) -> None:
        with self._lock:
            for kept in (self._route, self._wireguard, self._netfilter):
                if kept is not None:
                    kept.close()
            self._route = self._wireguard = self._netfilter = None
            if self.handle >= 0:
                os.close(self.handle)
                self.handle = -1
