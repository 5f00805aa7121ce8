"""Waiting for a link to go, by the kernel's own events."""

from __future__ import annotations

import errno
import select
import socket
import time

from reconciler.kernel.codec.wire import ASK, message, text
from reconciler.kernel.linux.kept_namespace import KeptNamespace
from reconciler.kernel.transport import TransportError

RTM_GETLINK, IFLA_IFNAME = 18, 3
RTMGRP_LINK = 1

_LOOK_AGAIN_S = 0.25
"""An overflowing socket loses events, so now and then we look whatever was heard."""


def await_gone(namespace: KeptNamespace, link: str, timeout_s: float) -> bool:
    """True as soon as the namespace has no link of that name; False at the deadline."""
    deadline = time.monotonic() + timeout_s
    with namespace.enter():
        events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    with events:
        events.bind((0, RTMGRP_LINK))
        while _is_there(namespace, link):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            _hear(events, min(left, _LOOK_AGAIN_S))
    return True


def _is_there(namespace: KeptNamespace, link: str) -> bool:
    try:
        namespace.route.dump(message(RTM_GETLINK, ASK, bytes(16) + text(IFLA_IFNAME, link)))
    except TransportError as error:
        if error.code == errno.ENODEV:
            return False
        raise
    return True


def _hear(events: socket.socket, timeout_s: float) -> None:
    """Wait for news and throw away all there are."""
    poll = select.poll()
    poll.register(events, select.POLLIN)
    if not poll.poll(timeout_s * 1000):
        return
    try:
        while events.recv(1 << 16, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return
    except OSError as error:
        if error.errno != errno.ENOBUFS:
            raise
