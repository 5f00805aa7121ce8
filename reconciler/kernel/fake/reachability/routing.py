"""Routes as a packet meets them: which one it takes, whether it is for us, whether it may come from there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from reconciler.kernel.fake import fib4, fib6
from reconciler.kernel.fake.records import Addr, FibRoute, Link, RouteType
from reconciler.kernel.fake.rules import tables_for
from reconciler.kernel.fake.sysctls import link_value, namespace_value
from reconciler.kernel.fake.world import LOCAL_TABLE, Netns
from reconciler.kernel.objects import IPAddress


@dataclass(frozen=True, slots=True)
class Way:
    """Out by `link` to `next_hop`, or "for us" (`local`)."""

    route: FibRoute
    link: Link | None
    next_hop: IPAddress

    @property
    def local(self) -> bool:
        return self.route.type is RouteType.LOCAL


def _candidates(space: Netns, table: int, to: IPAddress, oif: int | None) -> Iterator[FibRoute]:
    if isinstance(to, IPv4Address):
        return fib4.candidates(space, table, to, oif=oif)
    return fib6.candidates(space, table, to, oif)


def way_to(
    space: Netns, to: IPAddress, source: IPAddress | None, iif: str = "", oif: int | None = None
) -> Way | str:
    """The way a packet takes, or why there is none."""
    for table in tables_for(space, to.version, source, iif):
        for route in _candidates(space, table, to, oif):
            link = space.device(route.device)
            if route.type is RouteType.ANYCAST:
                return "an anycast address"
            if route.type not in (RouteType.UNICAST, RouteType.LOCAL):
                return f"route of type {route.type.name.lower()}"
            if route.type is RouteType.UNICAST and (link is None or not link.up):
                continue
            return Way(route, link, route.via or to)
    return "no route"


def is_local(space: Netns, address: IPAddress) -> bool:
    route = next(_candidates(space, LOCAL_TABLE, address, None), None)
    return route is not None and route.type is RouteType.LOCAL


def addresses(space: Netns, link: Link, version: int) -> tuple[Addr, ...]:
    return (space.addresses4 if version == 4 else space.addresses6).get(link.device, ())


def source_for(space: Netns, way: Way, to: IPAddress) -> IPAddress | None:
    """The source that Linux picks where the sender named none: the route's, or one of the link's."""
    if way.route.source is not None:
        return way.route.source
    if way.link is None:
        return None
    if way.local:
        return to
    return address_on(space, way.link, way.next_hop, to) or _anywhere(space, to)


def address_on(space: Netns, link: Link, next_hop: IPAddress, to: IPAddress) -> IPAddress | None:
    """An address of the link: in the next hop's subnet first; of IPv6 one of the destination's scope."""
    known = [
        one
        for one in addresses(space, link, to.version)
        if to.is_link_local or not one.address.ip.is_link_local
    ]
    near = (one for one in known if next_hop in one.address.network)
    chosen = next(near, known[0] if known else None)
    return None if chosen is None else chosen.address.ip


def _anywhere(space: Netns, to: IPAddress) -> IPAddress | None:
    for link in space.ordered():
        for one in addresses(space, link, to.version):
            if not one.address.ip.is_link_local and not one.address.ip.is_loopback:
                return one.address.ip
    return None


def forwards(space: Netns, link: Link, version: int) -> bool:
    """Whether a packet that came by this link may go on."""
    if version == 4:
        return link_value(space, link, "ipv4/forwarding") != "0"
    return namespace_value(space, "all", "ipv6/forwarding") != "0"


def bad_source(space: Netns, link: Link, source: IPAddress) -> str:
    """Why this source is not believed on this link (fib_validate_source); "" if it is. IPv4 only: IPv6 has
    no such check, but for what is not to be forwarded at all."""
    if isinstance(source, IPv6Address):
        return "multicast source" if source.is_multicast else ""
    if source.is_multicast or int(source) == 0xFFFFFFFF or source.is_loopback:
        return "martian source"
    if is_local(space, source):
        return "martian source: it is our own address"
    mode = max(
        int(namespace_value(space, "all", "ipv4/rp_filter")), int(link_value(space, link, "ipv4/rp_filter"))
    )
    if mode == 0:
        return ""
    back = way_to(space, source, None, oif=link.device if mode == 2 else None)
    if isinstance(back, str):
        return f"rp_filter: {back} back to the source"
    if mode == 1 and (back.link is None or back.link.device != link.device):
        return "rp_filter: the way back is another"
    return ""
