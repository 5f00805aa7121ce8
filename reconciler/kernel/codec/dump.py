"""Dump requests, as narrow as the kernel filters under NETLINK_GET_STRICT_CHK.

Filters that exist: addresses by link, routes by table and protocol, neighbours and forwarding entries by
link. Rules and links can't be filtered by anything of ours.
"""

from __future__ import annotations

import struct

from reconciler.kernel.codec import address, link, neighbour, route, rule
from reconciler.kernel.codec.wire import AF_BRIDGE, AF_UNSPEC, DUMP, message, u32
from reconciler.kernel.objects import PROTOCOL

_SKIP_STATISTICS = u32(link.IFLA_EXT_MASK, 1 << 3)
"""RTEXT_FILTER_SKIP_STATS: halves the answer, and leaves out what changes by itself."""

_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")
_NDMSG = neighbour.NDMSG


def links() -> bytes:
    return message(link.RTM_GETLINK, DUMP, _IFINFO.pack(AF_UNSPEC, 0, 0, 0, 0) + _SKIP_STATISTICS)


def addresses(index: int = 0) -> bytes:
    """Of both families; `index` 0 for all links."""
    return message(address.RTM_GETADDR, DUMP, _IFADDR.pack(AF_UNSPEC, 0, 0, 0, index))


def routes(family: int) -> bytes:
    """Those of the main table and of our protocol. Before a namespace's main table has seen its first
    route, the kernel refuses the filter with ENOENT."""
    head = _RTMSG.pack(family, 0, 0, 0, route.RT_TABLE_MAIN, PROTOCOL, 0, route.RTN_UNICAST, 0)
    return message(route.RTM_GETROUTE, DUMP, head)


def rules() -> bytes:
    """Of all families."""
    return message(rule.RTM_GETRULE, DUMP, _RTMSG.pack(AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0, 0))


def neighbours(index: int = 0) -> bytes:
    """Of both families; `index` 0 for all links."""
    only = u32(neighbour.NDA_IFINDEX, index) if index else b""
    return message(neighbour.RTM_GETNEIGH, DUMP, _NDMSG.pack(AF_UNSPEC, 0, 0, 0, 0) + only)


def fdb(index: int) -> bytes:
    """Of one VXLAN device."""
    return message(neighbour.RTM_GETNEIGH, DUMP, _NDMSG.pack(AF_BRIDGE, index, 0, 0, 0))
