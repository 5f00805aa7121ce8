"""RTM_NEWROUTE and RTM_DELROUTE, onto fib4.py and fib6.py."""

from __future__ import annotations

import errno
from ipaddress import IPv4Network, IPv6Network, ip_address
from socket import AF_INET, AF_INET6

from reconciler.kernel.fake import fib4, fib6
from reconciler.kernel.fake.decode import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELROUTE,
    Message,
)
from reconciler.kernel.fake.fib4 import Flags, Wanted
from reconciler.kernel.fake.records import FibRoute, RouteType
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import MAIN_TABLE, Netns
from reconciler.kernel.objects import IPAddress, IPNetwork

KNOWN = ("RTA_DST", "RTA_OIF", "RTA_GATEWAY", "RTA_PREFSRC", "RTA_TABLE", "RTA_PRIORITY")
RTNH_F_ONLINK = 4
RTPROT_BOOT = 3


def handle(space: Netns, message: Message) -> None:
    """Carry out one message of the route family. Raises Refused."""
    message.only(*KNOWN)
    if message.fields["family"] not in (AF_INET, AF_INET6):
        raise NotModelled(f"routes of family {message.fields['family']}")
    if message.fields["src_len"] or message.fields["tos"] or message.fields["flags"] & ~RTNH_F_ONLINK:
        raise NotModelled("a route with a source prefix, a TOS or odd flags")
    deleting = message.type == RTM_DELROUTE
    fib = fib4 if message.fields["family"] == AF_INET else fib6
    if fib is fib4 and not deleting:
        fib4.make_table(space, _table(message))
    destination = _destination(message)
    if deleting:
        fib.delete(space, _wanted(space, message, destination))
    else:
        fib.add(space, _route(space, message, destination), _flags(message))


def _destination(message: Message) -> IPNetwork:
    """IPv4 refuses host bits, IPv6 drops them. Raises Refused EINVAL."""
    length = message.fields["dst_len"]
    if message.fields["family"] == AF_INET6:
        if length > 128:
            raise Refused(errno.EINVAL, "Invalid prefix length")
        return IPv6Network((message.attrs.get("RTA_DST", "::"), length), strict=False)
    if length > 32:
        raise Refused(errno.EINVAL, "Invalid prefix length")
    try:
        return IPv4Network((message.attrs.get("RTA_DST", "0.0.0.0"), length))
    except ValueError:
        raise Refused(errno.EINVAL, "Invalid prefix for given prefix length") from None


def _table(message: Message) -> int:
    return int(message.attrs.get("RTA_TABLE", message.fields["table"])) or MAIN_TABLE


def _address(message: Message, name: str) -> IPAddress | None:
    return ip_address(message.attrs[name]) if name in message.attrs else None


def _device(space: Netns, message: Message) -> int | None:
    """The device behind RTA_OIF; one that isn't there gets an id that no device has."""
    index = message.attrs.get("RTA_OIF", 0)
    link = space.link(index)
    if link is not None:
        return link.device
    return -1 if index else None


def _route(space: Netns, message: Message, destination: IPNetwork) -> FibRoute:
    six = destination.version == 6
    return FibRoute(
        table=_table(message),
        destination=destination,
        tos=0,
        metric=message.attrs.get("RTA_PRIORITY", 0) or (fib6.USER_METRIC if six else 0),
        type=_type(message),
        device=_device(space, message),
        via=_address(message, "RTA_GATEWAY"),
        source=_address(message, "RTA_PREFSRC"),
        protocol=message.fields["proto"] or (RTPROT_BOOT if six else 0),
        scope=0 if six else message.fields["scope"],
        onlink=bool(message.fields["flags"] & RTNH_F_ONLINK),
    )


def _type(message: Message) -> RouteType:
    kind = message.fields["type"]
    if kind not in (RouteType.UNICAST, *fib4.DROPPING):
        raise NotModelled(f"routes of type {kind}")
    return RouteType(kind)


def _flags(message: Message) -> Flags:
    has = message.has
    return Flags(has(NLM_F_CREATE), has(NLM_F_EXCL), has(NLM_F_REPLACE), has(NLM_F_APPEND))


def _wanted(space: Netns, message: Message, destination: IPNetwork) -> Wanted:
    return Wanted(
        table=_table(message),
        destination=destination,
        tos=0,
        metric=message.attrs.get("RTA_PRIORITY") or None,
        type=message.fields["type"] or None,
        scope=message.fields["scope"],
        protocol=message.fields["proto"] or None,
        device=_device(space, message),
        via=_address(message, "RTA_GATEWAY"),
        source=_address(message, "RTA_PREFSRC"),
    )
