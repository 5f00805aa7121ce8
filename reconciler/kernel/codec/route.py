"""Unicast routes of the main table: RTM_NEWROUTE, RTM_DELROUTE (linux/rtnetlink.h)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from reconciler.kernel.codec.wire import (
    ADD,
    AF_INET,
    CHANGE,
    REPLACE,
    as_address,
    as_u32,
    attribute,
    attributes,
    family_of,
    message,
    u32,
)
from reconciler.kernel.objects import PROTOCOL, IPAddress, IPNetwork, Route

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26

RT_TABLE_MAIN = 254
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_NOWHERE = 0, 253, 255
RTN_UNICAST = 1
RTNH_F_ONLINK = 4

RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC, RTA_TABLE = 1, 4, 5, 7, 15

_RTMSG = struct.Struct("=BBBBBBBBI")
"""struct rtmsg: family, destination length, source length, tos, table, protocol, scope, type, flags."""


class RouteSeen(NamedTuple):
    ifindex: int
    destination: IPNetwork
    via: IPAddress | None
    onlink: bool
    source: IPAddress | None
    protocol: int
    table: int


def add_route(route: Route, index: int) -> bytes:
    """EEXIST if the main table has a route to this destination with the same metric, whoever's it is."""
    return message(RTM_NEWROUTE, ADD, _body(route, index))


def replace_route(route: Route, index: int) -> bytes:
    """Replaces the route to this destination with the same metric *whoever made it*: only for namespaces
    that are wholly ours. Both families replace by destination and metric and never look at the protocol;
    IPv6 also replaces a route by a next hop with one to the link and back (seen on 6.18)."""
    return message(RTM_NEWROUTE, REPLACE, _body(route, index))


def delete_route(route: Route, index: int) -> bytes:
    """Only exactly this route, of our protocol; ESRCH if there is none."""
    return message(RTM_DELROUTE, CHANGE, _body(route, index, deletion=True))


def decode_route(data: bytes) -> RouteSeen:
    """One RTM_NEWROUTE message, header included."""
    family, length, _, _, table, protocol, _, _, flags = _RTMSG.unpack_from(data, 16)
    seen = attributes(data, 28)
    via, source = seen.get(RTA_GATEWAY), seen.get(RTA_PREFSRC)
    return RouteSeen(
        ifindex=as_u32(seen.get(RTA_OIF)),
        destination=_network(family, seen.get(RTA_DST), length),
        via=None if via is None else as_address(via),
        onlink=bool(flags & RTNH_F_ONLINK),
        source=None if source is None else as_address(source),
        protocol=protocol,
        table=as_u32(seen.get(RTA_TABLE), table),
    )


def _body(route: Route, index: int, *, deletion: bool = False) -> bytes:
    destination = route.destination
    body = _RTMSG.pack(
        family_of(destination.network_address),
        destination.prefixlen,
        0,
        0,
        RT_TABLE_MAIN,
        PROTOCOL,
        _scope(route, deletion),
        RTN_UNICAST,
        RTNH_F_ONLINK if route.onlink else 0,
    )
    if destination.prefixlen:
        body += attribute(RTA_DST, destination.network_address.packed)
    body += u32(RTA_OIF, index)
    if route.via is not None:
        body += attribute(RTA_GATEWAY, route.via.packed)
    if route.source is not None:
        body += attribute(RTA_PREFSRC, route.source.packed)
    return body


def _scope(route: Route, deletion: bool) -> int:
    """IPv4 wants a route without next hop to be of scope link; IPv6 has no scopes. RT_SCOPE_NOWHERE in a
    deletion means any."""
    if route.destination.version == 6:
        return RT_SCOPE_UNIVERSE
    if deletion:
        return RT_SCOPE_NOWHERE
    return RT_SCOPE_LINK if route.via is None else RT_SCOPE_UNIVERSE


def _network(family: int, packed: bytes | None, length: int) -> IPNetwork:
    if family == AF_INET:
        return IPv4Network((IPv4Address(packed or bytes(4)), length))
    return IPv6Network((IPv6Address(packed or bytes(16)), length))
