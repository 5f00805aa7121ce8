"""IPv6 routes: what route.c accepts, what ip6_fib.c keeps."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

from reconciler.kernel.fake.fib4 import Flags, Wanted, key_of
from reconciler.kernel.fake.records import FibRoute, Link, RouteType
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.rules import tables_for
from reconciler.kernel.fake.sysctls import link_value
from reconciler.kernel.fake.world import LOCAL_TABLE, MAIN_TABLE, Netns, RouteKey
from reconciler.kernel.objects import IPAddress

USER_METRIC, KERNEL_METRIC = 1024, 256
"""IP6_RT_PRIO_USER, IP6_RT_PRIO_ADDRCONF (include/uapi/linux/ipv6_route.h)."""

DROPPING = {
    RouteType.BLACKHOLE: errno.EINVAL,
    RouteType.UNREACHABLE: errno.EHOSTUNREACH,
    RouteType.PROHIBIT: errno.EACCES,
}


def routes(space: Netns) -> Iterator[FibRoute]:
    for same in space.routes6.values():
        yield from same


# --- asking ------------------------------------------------------------------------------------------


def candidates(
    space: Netns, table: int, destination: IPv6Address, oif: int | None = None
) -> Iterator[FibRoute]:
    """The routes of one table that lead to `destination`, the most specific first, then by metric."""
    found = [
        r for key, same in space.routes6.items() if key[0] == table and destination in key[1] for r in same
    ]
    found.sort(key=lambda route: (-route.destination.prefixlen, route.metric))
    for route in found:
        if route.device is None or oif is None or route.device == oif:
            yield route


def lookup(
    space: Netns, destination: IPv6Address, oif: int | None = None, only: int | None = None
) -> FibRoute:
    """The route taken. Raises Refused ENETUNREACH, or what a dropping route says."""
    for table in [only] if only is not None else tables_for(space, 6, None):
        for route in candidates(space, table, destination, oif):
            if route.type in DROPPING:
                raise Refused(DROPPING[route.type])
            return route
    raise Refused(errno.ENETUNREACH)


# --- adding ------------------------------------------------------------------------------------------


def add(space: Netns, route: FibRoute, flags: Flags) -> None:
    """Add or replace one route as asked by a user. Raises Refused with what Linux answers."""
    insert(space, checked(space, route), flags)


def checked(space: Netns, route: FibRoute) -> FibRoute:
    """ip6_route_info_create and fib6_nh_init: returns the route with its next hop's device."""
    if route.type in DROPPING:
        return _with_source(space, _dropping(space, route))
    link = space.device(route.device)
    if route.device is not None and link is None:
        raise Refused(errno.ENODEV)
    if route.onlink:
        _check_onlink(link)
    if route.via is not None:
        link = _check_gateway(space, route, link)
    if link is None:
        raise Refused(errno.ENODEV)
    _check_device(space, link, route)
    return _with_source(space, replace(route, device=link.device))


def _dropping(space: Netns, route: FibRoute) -> FibRoute:
    """Routes that drop are kept on the loopback device, whatever was asked."""
    lo = space.links.get(1)
    if route.via is not None or route.device not in (None, lo and lo.device):
        raise NotModelled("an IPv6 route that drops, with a next hop")
    return replace(route, device=lo.device if lo else None)


def _check_onlink(link: Link | None) -> None:
    if link is None:
        raise Refused(errno.ENODEV, "Nexthop device required for onlink")
    if not link.up:
        raise Refused(errno.ENETDOWN, "Nexthop device is not up")


def _check_device(space: Netns, link: Link, route: FibRoute) -> None:
    if link_value(space, link, "ipv6/disable_ipv6") != "0":
        raise Refused(errno.EACCES, "IPv6 is disabled on nexthop device")
    if not link.up and route.type not in (RouteType.LOCAL, RouteType.ANYCAST):
        raise Refused(errno.ENETDOWN, "Nexthop device is not up")


def _check_gateway(space: Netns, route: FibRoute, link: Link | None) -> Link:
    """ip6_validate_gw: a neighbour, not ourselves, and on a device that is not the loopback."""
    via = route.via
    assert isinstance(via, IPv6Address)
    on = link.device if link is not None and via.is_link_local else None
    if _is_local(space, via, on):
        raise Refused(errno.EINVAL, "Gateway can not be a local address")
    if via.is_multicast or via.is_unspecified or via.is_loopback:
        raise Refused(errno.EINVAL, "Invalid gateway address")
    if not via.is_link_local:
        link = _reached_by(space, route, link)
    if link is None:
        raise Refused(errno.EINVAL, "Egress device not specified")
    if link.kind == "loopback":
        raise Refused(errno.EINVAL, "Egress device can not be loopback device for this route")
    return link


def _is_local(space: Netns, address: IPv6Address, device: int | None) -> bool:
    """ipv6_chk_addr: link-local addresses count only on their own device."""
    return any(
        one.address.ip == address
        and (device is None or one.device == device)
        and (device or not address.is_link_local)
        for addresses in space.addresses6.values()
        for one in addresses
    )


def _reached_by(space: Netns, route: FibRoute, link: Link | None) -> Link | None:
    via = route.via
    assert isinstance(via, IPv6Address)
    if route.onlink:
        return _onlink_by(space, route, link)
    for only in (route.table, None):
        try:
            found = lookup(space, via, link.device if link and only is None else None, only)
        except Refused:
            continue
        fits = found.via is None and (link is None or found.device == link.device)
        if fits:
            return space.device(found.device)
    raise Refused(errno.EHOSTUNREACH)


def _onlink_by(space: Netns, route: FibRoute, link: Link | None) -> Link | None:
    """ip6_route_check_nh_onlink: another way to the gateway, by another device, speaks against it."""
    assert isinstance(route.via, IPv6Address)
    try:
        found = lookup(space, route.via, only=route.table)
    except Refused:
        return link
    bad = found.type in (RouteType.LOCAL, RouteType.ANYCAST) or (link and found.device != link.device)
    if bad and found.destination.prefixlen > 0:
        raise Refused(errno.EINVAL, "Nexthop has invalid gateway or device mismatch")
    return link


def _with_source(space: Netns, route: FibRoute) -> FibRoute:
    """The source must be an address of ours; one that is only good on a link, of that very link."""
    if route.source is None:
        return route
    everywhere = not (route.source.is_link_local or route.source.is_loopback)
    known = (one for addresses in space.addresses6.values() for one in addresses)
    if not any(
        one.address.ip == route.source and (everywhere or one.device == route.device) for one in known
    ):
        raise Refused(errno.EINVAL, "Invalid source address")
    return route


def insert(space: Netns, route: FibRoute, flags: Flags) -> None:
    """fib6_add: a route without NLM_F_CREATE is still made, unless it was to replace one."""
    key = key_of(route)
    known = space.routes6.get(key, ())
    if known and flags.exclusive:
        raise Refused(errno.EEXIST)
    if flags.replace:
        _replace(space, key, known, route, flags)
        return
    if any(_same_next_hop(route, other) for other in known):
        raise Refused(errno.EEXIST)
    if route.via is not None and any(_gatewayed(other) for other in known):
        raise NotModelled("an IPv6 route of several next hops")
    space.routes6[key] = (*known, route)


def _replace(space: Netns, key: RouteKey, known: tuple[FibRoute, ...], route: FibRoute, flags: Flags) -> None:
    """The first with as much of a gateway is replaced, or else the first."""
    if not known:
        if not flags.create:
            raise Refused(errno.ENOENT)
        space.routes6[key] = (route,)
        return
    like = (at for at, other in enumerate(known) if _gatewayed(other) == _gatewayed(route))
    at = next(like, 0)
    space.routes6[key] = (*known[:at], route, *known[at + 1 :])


def _gatewayed(route: FibRoute) -> bool:
    return route.via is not None


def _same_next_hop(left: FibRoute, right: FibRoute) -> bool:
    return (left.device, left.via) == (right.device, right.via)


def insert_kernel(space: Netns, route: FibRoute) -> None:
    """A route that the kernel makes itself: silent if it is there."""
    known = space.routes6.get(key_of(route), ())
    if not any(_same_next_hop(route, other) for other in known):
        space.routes6[key_of(route)] = (*known, route)


def kernel_route(link: Link, kind: RouteType, to: IPv6Network) -> FibRoute:
    """A local, anycast or prefix route as addrconf.c makes it."""
    unicast = kind is RouteType.UNICAST
    return FibRoute(
        table=MAIN_TABLE if unicast else LOCAL_TABLE,
        destination=to,
        tos=0,
        metric=KERNEL_METRIC if unicast else 0,
        type=kind,
        device=link.device,
        protocol=2,
    )


# --- taking away ---------------------------------------------------------------------------------------


def delete(space: Netns, wanted: Wanted) -> None:
    """Delete the first route that matches (ip6_route_del). Raises Refused ESRCH."""
    keys = (key for key in space.routes6 if key[:2] == (wanted.table, wanted.destination))
    for key in sorted(keys, key=lambda key: key[3]):
        for route in space.routes6[key]:
            if _matches(route, wanted):
                _remove(space, key, route)
                return
    raise Refused(errno.ESRCH)


def _matches(route: FibRoute, wanted: Wanted) -> bool:
    pairs = (
        (wanted.metric, route.metric),
        (wanted.protocol, route.protocol),
        (wanted.device, route.device),
        (wanted.via, route.via),
    )
    return all(asked is None or asked == has for asked, has in pairs)


def _remove(space: Netns, key: RouteKey, route: FibRoute) -> None:
    left = tuple(other for other in space.routes6[key] if other is not route)
    if left:
        space.routes6[key] = left
    else:
        del space.routes6[key]


def remove_first(space: Netns, key: RouteKey, gone: Callable[[FibRoute], bool]) -> None:
    for route in space.routes6.get(key, ()):
        if gone(route):
            _remove(space, key, route)
            return


def drop_device(space: Netns, device: int) -> None:
    """Every route of a link goes when it goes down (rt6_disable_ip)."""
    for key, same in list(space.routes6.items()):
        for route in same:
            if route.device == device:
                _remove(space, key, route)


def forget_source(space: Netns, source: IPAddress) -> None:
    """Routes that preferred an address keep on without it (rt6_remove_prefsrc)."""
    for key, same in list(space.routes6.items()):
        if any(route.source == source for route in same):
            space.routes6[key] = tuple(replace(r, source=None) if r.source == source else r for r in same)
