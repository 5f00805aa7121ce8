"""IPv4 addresses as devinet.c keeps them, and the routes the kernel makes of them (fib_frontend.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from reconciler.kernel.fake import fib4
from reconciler.kernel.fake.records import Addr, FibRoute, Link, RouteType
from reconciler.kernel.fake.refusals import Refused
from reconciler.kernel.fake.world import LOCAL_TABLE, MAIN_TABLE, Netns

IFA_F_SECONDARY, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = 0x01, 0x80, 0x200
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST = 0, 253, 254
RTPROT_KERNEL = 2


def all_addresses(space: Netns) -> Iterator[Addr]:
    for addresses in space.addresses4.values():
        yield from addresses


def add(space: Netns, link: Link, new: Addr, replacing: bool) -> None:
    """Add an address (__inet_insert_ifa). Raises Refused EEXIST, EINVAL."""
    known = space.addresses4.get(link.device, ())
    twin = next((a for a in known if _same(a, new)), None)
    if twin is not None:
        if not replacing:
            raise Refused(errno.EEXIST, "ipv4: Address already assigned")
        _modify(space, link, twin, new)
        return
    in_subnet = [a for a in known if network(a) == network(new)]
    if any(a.scope != new.scope for a in in_subnet):
        raise Refused(errno.EINVAL, "ipv4: Invalid scope value")
    if in_subnet:
        new = replace(new, flags=new.flags | IFA_F_SECONDARY)
    space.addresses4[link.device] = _inserted(known, new)
    connect(space, link, new)


def _same(left: Addr, right: Addr) -> bool:
    return network(left) == network(right) and left.address.ip == right.address.ip


def network(address: Addr) -> IPv4Network:
    """The subnet of IFA_ADDRESS, which is the peer's where there is one."""
    assert isinstance(address.address, IPv4Interface)
    if address.peer is None:
        return address.address.network
    return IPv4Network((int(address.peer), address.address.network.prefixlen), strict=False)


def _inserted(known: tuple[Addr, ...], new: Addr) -> tuple[Addr, ...]:
    """Primaries come before secondaries, and among them those of wider scope first."""
    if new.flags & IFA_F_SECONDARY:
        return (*known, new)
    at = 0
    for position, old in enumerate(known):
        if not old.flags & IFA_F_SECONDARY and new.scope <= old.scope:
            at = position + 1
    return (*known[:at], new, *known[at:])


def _modify(space: Netns, link: Link, old: Addr, new: Addr) -> None:
    """NLM_F_REPLACE on an address that is there: its protocol and NOPREFIXROUTE can change."""
    kept = old.flags & IFA_F_SECONDARY
    changed = replace(old, flags=new.flags & ~IFA_F_SECONDARY | kept, protocol=new.protocol or old.protocol)
    space.addresses4[link.device] = tuple(changed if a is old else a for a in space.addresses4[link.device])


def connect(space: Netns, link: Link, address: Addr) -> None:
    """The routes an address brings (fib_add_ifaddr)."""
    for route in _routes(link, address):
        fib4.insert_kernel(space, route)


def _routes(link: Link, address: Addr) -> Iterator[FibRoute]:
    local, subnet = IPv4Address(int(address.address.ip)), network(address)
    secondary = bool(address.flags & IFA_F_SECONDARY)
    yield _route(link, RouteType.LOCAL, IPv4Network(local), local)
    if not link.up:
        return
    if address.broadcast is not None and int(address.broadcast) != 0xFFFFFFFF:
        yield _route(link, RouteType.BROADCAST, IPv4Network(int(address.broadcast)), local)
    if secondary or subnet.network_address in IPv4Network("0.0.0.0/8") or subnet == IPv4Network(local):
        return
    if not address.flags & IFA_F_NOPREFIXROUTE:
        kind = RouteType.LOCAL if link.kind == "loopback" else RouteType.UNICAST
        yield _route(link, kind, subnet, local, address.metric)
    if subnet.prefixlen < 31:
        yield _route(link, RouteType.BROADCAST, IPv4Network(subnet.broadcast_address), local)


def _route(link: Link, kind: RouteType, to: IPv4Network, source: IPv4Address, metric: int = 0) -> FibRoute:
    local = kind is RouteType.LOCAL
    return FibRoute(
        table=MAIN_TABLE if kind is RouteType.UNICAST else LOCAL_TABLE,
        destination=to,
        tos=0,
        metric=metric,
        type=kind,
        device=link.device,
        source=source,
        protocol=RTPROT_KERNEL,
        scope=RT_SCOPE_HOST if local else RT_SCOPE_LINK,
        nexthop_scope=fib4.RT_SCOPE_NOWHERE if local else RT_SCOPE_HOST,
    )


def delete(space: Netns, link: Link, address: Addr) -> None:
    """Delete one address; a primary takes its secondaries along (promote_secondaries is 0)."""
    known = space.addresses4[link.device]
    leaving = [address]
    if not address.flags & IFA_F_SECONDARY:
        same = (a for a in known if a.flags & IFA_F_SECONDARY and network(a) == network(address))
        leaving = [*same, address]
    for one in leaving:
        _drop(space, link, one)


def _drop(space: Netns, link: Link, address: Addr) -> None:
    left = tuple(a for a in space.addresses4[link.device] if a is not address)
    if left:
        space.addresses4[link.device] = left
    else:
        del space.addresses4[link.device]
    disconnect(space, link, address)
    if not left:
        fib4.drop_device(space, link.device, local_too=True)


def disconnect(space: Netns, link: Link, address: Addr) -> None:
    """Take back the routes of an address that has gone, unless another address keeps them
    (fib_del_ifaddr), and then those that used it as their source."""
    left = space.addresses4.get(link.device, ())
    kept = {route for other in left for route in _kept_by(link, other)}
    for route in _routes(replace(link, up=True), address):
        if _identity(route) not in kept:
            fib4.delete_kernel(space, route)
    if all(a.address.ip != address.address.ip for a in all_addresses(space)):
        fib4.drop_source(space, address.address.ip)


def _kept_by(link: Link, address: Addr) -> Iterator[tuple[object, ...]]:
    return (_identity(route) for route in _routes(replace(link, up=True), address))


def _identity(route: FibRoute) -> tuple[object, ...]:
    local = route.source if route.type is RouteType.UNICAST else None
    return (route.table, route.destination, route.type, route.metric, local)
