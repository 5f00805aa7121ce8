"""IPv4 routes: what fib_semantics.c accepts, what fib_trie.c keeps, what goes with a link or an address."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from reconciler.kernel.fake.records import FibRoute, Link, RouteType
from reconciler.kernel.fake.refusals import Refused
from reconciler.kernel.fake.rules import tables_for
from reconciler.kernel.fake.world import LOCAL_TABLE, MAIN_TABLE, Netns, RouteKey
from reconciler.kernel.objects import IPAddress, IPNetwork

RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST, RT_SCOPE_NOWHERE = 0, 253, 254, 255
DROPPING = {
    RouteType.BLACKHOLE: errno.EINVAL,
    RouteType.UNREACHABLE: errno.EHOSTUNREACH,
    RouteType.PROHIBIT: errno.EACCES,
}
"""Route types that drop, and the errno a look-up that meets them gives (fib_props)."""

LEAST_SCOPE = {
    RouteType.LOCAL: RT_SCOPE_HOST,
    RouteType.BROADCAST: RT_SCOPE_LINK,
    RouteType.ANYCAST: RT_SCOPE_LINK,
}


@dataclass(frozen=True, slots=True)
class Flags:
    """The NLM_F_* of a request that asks for a route."""

    create: bool
    exclusive: bool
    replace: bool
    append: bool


def key_of(route: FibRoute) -> RouteKey:
    return (route.table, route.destination, route.tos, route.metric)


def routes(space: Netns) -> Iterator[FibRoute]:
    for same in space.routes4.values():
        yield from same


# --- asking ------------------------------------------------------------------------------------------


def tables(space: Netns, source: IPAddress | None = None) -> list[int]:
    """The tables a look-up visits, by the rules in order."""
    return tables_for(space, 4, source)


def candidates(
    space: Netns, table: int, destination: IPv4Address, scope: int = 0, oif: int | None = None
) -> Iterator[FibRoute]:
    """The routes of one table that lead to `destination`, the most specific first, then by metric."""
    found = [
        route
        for key, same in space.routes4.items()
        if key[0] == table and destination in key[1]
        for route in same
        if route.scope >= scope
    ]
    found.sort(key=lambda route: (-route.destination.prefixlen, route.metric))
    for route in found:
        if route.device is None or oif is None or route.device == oif:
            yield route


def lookup(
    space: Netns, destination: IPv4Address, scope: int = 0, oif: int | None = None, only: int | None = None
) -> FibRoute:
    """The route taken (fib_lookup). Raises Refused ENETUNREACH, or what a dropping route says."""
    for table in [only] if only is not None else tables(space):
        for route in candidates(space, table, destination, scope, oif):
            if route.type in DROPPING:
                raise Refused(DROPPING[route.type])
            return route
    raise Refused(errno.ENETUNREACH)


def address_type(space: Netns, address: IPv4Address, table: int = LOCAL_TABLE) -> RouteType:
    """inet_addr_type and its kin: what the table says this address is, on whichever device."""
    if address.is_multicast:
        return RouteType.MULTICAST
    if int(address) == 0xFFFFFFFF or address.packed[0] == 0:
        return RouteType.BROADCAST
    if table not in space.tables4:
        return RouteType.BROADCAST
    found = next(candidates(space, table, address), None)
    return RouteType.UNICAST if found is None else found.type


# --- adding ------------------------------------------------------------------------------------------


def add(space: Netns, route: FibRoute, flags: Flags) -> None:
    """Add or replace one route as asked by a user. Raises Refused with what Linux answers."""
    insert(space, checked(space, route), flags)


def checked(space: Netns, route: FibRoute) -> FibRoute:
    """fib_create_info: is the next hop one? Returns the route with its next hop's device and scope."""
    if LEAST_SCOPE.get(route.type, 0) > route.scope:
        raise Refused(errno.EINVAL, "Invalid scope")
    if route.type in DROPPING:
        if route.via is not None or route.device is not None:
            raise Refused(errno.EINVAL, "Nexthop information is not allowed")
        return route
    return _with_source(space, _next_hop(space, route))


def _next_hop(space: Netns, route: FibRoute) -> FibRoute:
    if route.scope > RT_SCOPE_HOST:
        raise Refused(errno.EINVAL, "Invalid scope")
    if route.scope == RT_SCOPE_HOST:
        return _host_scope(space, route)
    if route.via is None:
        return _without_gateway(space, route)
    return _onlink_gateway(space, route) if route.onlink else _gateway(space, route)


def _host_scope(space: Netns, route: FibRoute) -> FibRoute:
    if route.via is not None:
        raise Refused(errno.EINVAL, "Route with host scope can not have a gateway")
    _existing(space, route)
    return replace(route, nexthop_scope=RT_SCOPE_NOWHERE)


def _existing(space: Netns, route: FibRoute, text: str = "") -> Link:
    link = space.device(route.device)
    if link is None:
        raise Refused(errno.ENODEV, text)
    return link


def _without_gateway(space: Netns, route: FibRoute) -> FibRoute:
    if route.onlink:
        raise Refused(errno.EINVAL, "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set")
    if not _existing(space, route).up:
        raise Refused(errno.ENETDOWN, "Device for nexthop is not up")
    return replace(route, nexthop_scope=RT_SCOPE_HOST)


def _onlink_gateway(space: Netns, route: FibRoute) -> FibRoute:
    if route.scope >= RT_SCOPE_LINK:
        raise Refused(errno.EINVAL, "Nexthop has invalid scope")
    link = _existing(space, route, "Nexthop device required for onlink")
    if not link.up:
        raise Refused(errno.ENETDOWN, "Nexthop device is not up")
    assert isinstance(route.via, IPv4Address)
    if address_type(space, route.via) is not RouteType.UNICAST:
        raise Refused(errno.EINVAL, "Nexthop has invalid gateway")
    return replace(route, nexthop_scope=RT_SCOPE_LINK)


def _gateway(space: Netns, route: FibRoute) -> FibRoute:
    if route.scope >= RT_SCOPE_LINK:
        raise Refused(errno.EINVAL, "Nexthop has invalid scope")
    assert isinstance(route.via, IPv4Address)
    found = _gateway_route(space, route, max(route.scope + 1, RT_SCOPE_LINK))
    if found.type not in (RouteType.UNICAST, RouteType.LOCAL):
        raise Refused(errno.EINVAL, "Nexthop has invalid gateway")
    link = space.device(found.device)
    if link is None:
        raise Refused(errno.EINVAL, "No egress device for nexthop gateway")
    if not link.up:
        raise Refused(errno.ENETDOWN, "Nexthop device is not up")
    return replace(route, device=found.device, nexthop_scope=found.scope)


def _gateway_route(space: Netns, route: FibRoute, scope: int) -> FibRoute:
    """The way to the gateway: in the route's own table first, if that isn't main; else by the rules."""
    assert isinstance(route.via, IPv4Address)
    if route.table != MAIN_TABLE:
        try:
            return lookup(space, route.via, scope, route.device, only=route.table)
        except Refused:
            pass
    try:
        return lookup(space, route.via, scope, route.device)
    except Refused as refused:
        raise Refused(refused.code, "Nexthop has invalid gateway") from None


def _with_source(space: Netns, route: FibRoute) -> FibRoute:
    if route.source is None or (
        route.type is RouteType.LOCAL and route.destination == IPv4Network(int(route.source))
    ):
        return route
    assert isinstance(route.source, IPv4Address)
    tables = (route.table, LOCAL_TABLE)
    if all(address_type(space, route.source, table) is not RouteType.LOCAL for table in tables):
        raise Refused(errno.EINVAL, "Invalid prefsrc address")
    return route


def insert(space: Netns, route: FibRoute, flags: Flags) -> None:
    """fib_table_insert: where there is a route of that key already, the flags decide."""
    key = key_of(route)
    known = space.routes4.get(key, ())
    if known and flags.exclusive:
        raise Refused(errno.EEXIST)
    if known and flags.replace:
        if route in known[1:]:
            raise Refused(errno.EEXIST)
        space.routes4[key] = (route, *known[1:])
        return
    if route in known:
        raise Refused(errno.EEXIST)
    if not flags.create:
        raise Refused(errno.ENOENT)
    space.routes4[key] = (*known, route) if flags.append else (route, *known)
    make_table(space, route.table)


def make_table(space: Netns, table: int) -> None:
    """fib_new_table, as soon as a route is asked for: until there is a rule, local and main come together."""
    together = table == LOCAL_TABLE and not space.custom_rules4
    space.tables4 |= {LOCAL_TABLE, MAIN_TABLE} if together else {table}


def insert_kernel(space: Netns, route: FibRoute) -> None:
    """A route that the kernel makes itself (fib_magic): appended, and silent if it is there."""
    known = space.routes4.get(key_of(route), ())
    if route not in known:
        space.routes4[key_of(route)] = (*known, route)
        make_table(space, route.table)


# --- taking away ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a RTM_DELROUTE names; None is anything."""

    table: int
    destination: IPNetwork
    tos: int
    metric: int | None
    type: int | None
    scope: int
    protocol: int | None
    device: int | None
    via: IPAddress | None
    source: IPAddress | None


def delete(space: Netns, wanted: Wanted) -> None:
    """Delete the first route that matches (fib_table_delete). Raises Refused ESRCH."""
    keys = (key for key in space.routes4 if key[:3] == (wanted.table, wanted.destination, wanted.tos))
    for key in sorted(keys, key=lambda key: key[3]):
        for route in space.routes4[key]:
            if _matches(route, wanted):
                _remove(space, key, route)
                return
    raise Refused(errno.ESRCH)


def _matches(route: FibRoute, wanted: Wanted) -> bool:
    pairs = (
        (wanted.metric, route.metric),
        (wanted.type, route.type),
        (wanted.protocol, route.protocol),
        (wanted.device, route.device),
        (wanted.via, route.via),
        (wanted.source, route.source),
    )
    scope_fits = wanted.scope in (RT_SCOPE_NOWHERE, route.scope)
    return scope_fits and all(asked is None or asked == has for asked, has in pairs)


def _remove(space: Netns, key: RouteKey, route: FibRoute) -> None:
    left = tuple(other for other in space.routes4[key] if other is not route)
    if left:
        space.routes4[key] = left
    else:
        del space.routes4[key]


def _remove_where(space: Netns, gone: Callable[[FibRoute], bool]) -> None:
    for key, same in list(space.routes4.items()):
        for route in same:
            if gone(route):
                _remove(space, key, route)


def delete_kernel(space: Netns, route: FibRoute) -> None:
    """Take back a route the kernel made: the one with this source, type and device."""
    for known in space.routes4.get(key_of(route), ()):
        if known == route:
            _remove(space, key_of(route), known)
            return


def drop_device(space: Netns, device: int, local_too: bool) -> None:
    """What goes when a link goes down (fib_disable_ip); local addresses stay reachable unless forced."""
    _remove_where(space, lambda r: r.device == device and (local_too or r.nexthop_scope != RT_SCOPE_NOWHERE))


def drop_source(space: Netns, source: IPAddress) -> None:
    """Main's routes that prefer an address which is no longer ours go too (fib_sync_down_addr)."""
    _remove_where(space, lambda r: r.source == source and r.table == MAIN_TABLE)
