"""RTM_GET* with NLM_F_DUMP: what a namespace answers, filtered as under NETLINK_GET_STRICT_CHK."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from socket import AF_INET, AF_INET6, AF_UNSPEC

from reconciler.kernel.fake import encode
from reconciler.kernel.fake.decode import (
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNEIGH,
    RTM_GETROUTE,
    RTM_GETRULE,
    Message,
)
from reconciler.kernel.fake.records import FibRoute, Link, VethDetails, VxlanDetails
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns, World

AF_BRIDGE = 7


def answer(world: World, space: Netns, message: Message) -> list[bytes]:
    """The messages of one dump. Raises Refused, NotModelled."""
    if message.type not in _DUMPS:
        raise NotModelled(f"a dump of type {message.type}")
    return list(_DUMPS[message.type](world, space, message))


# --- links -------------------------------------------------------------------------------------------


def _links(world: World, space: Netns, message: Message) -> Iterator[bytes]:
    message.only("IFLA_EXT_MASK")
    if message.fields["index"] or message.fields["family"] != AF_UNSPEC:
        raise NotModelled("a filtered dump of links")
    return (_link(world, space, link) for link in space.ordered())


def _link(world: World, space: Netns, link: Link) -> bytes:
    master = world.find(link.master) if link.master is not None else None
    lower, lower_net = _lower(world, space, link)
    return encode.link(link, master and master[1].index, lower, lower_net, _vxlan_lower(world, link))


def _lower(world: World, space: Netns, link: Link) -> tuple[int | None, int | None]:
    """IFLA_LINK and IFLA_LINK_NETNSID: a veth's peer; for a VXLAN device only where it was born elsewhere."""
    if isinstance(link.details, VethDetails):
        peer = world.find(link.details.peer)
        return (None, None) if peer is None else (peer[1].index, _nsid(space, peer[0].id))
    if isinstance(link.details, VxlanDetails) and link.details.birth != space.id:
        return link.index, _nsid(space, link.details.birth)
    return None, None


def _nsid(space: Netns, other: int) -> int | None:
    """The number another namespace is known by here, given out at the first need (peernet2id_alloc)."""
    if other == space.id:
        return None
    if other not in space.nsids:
        taken = set(space.nsids.values())
        space.nsids[other] = next(n for n in range(len(taken) + 1) if n not in taken)
    return space.nsids[other]


def _vxlan_lower(world: World, link: Link) -> int:
    if not isinstance(link.details, VxlanDetails) or link.details.link is None:
        return 0
    found = world.find(link.details.link)
    return 0 if found is None else found[1].index


# --- addresses -----------------------------------------------------------------------------------------


def _addresses(world: World, space: Netns, message: Message) -> Iterator[bytes]:
    message.only()
    family, index = message.fields["family"], message.fields["index"]
    if index and index not in space.links:
        raise Refused(errno.ENODEV)
    for wanted, per_device in ((AF_INET, space.addresses4), (AF_INET6, space.addresses6)):
        if family not in (wanted, AF_UNSPEC):
            continue
        for link in space.ordered():
            if index in (0, link.index):
                for item in per_device.get(link.device, ()):
                    yield encode.address(item, link.index, link.name)


# --- routes ------------------------------------------------------------------------------------------


def _routes(world: World, space: Netns, message: Message) -> Iterator[bytes]:
    message.only("RTA_TABLE", "RTA_OIF")
    family = message.fields["family"]
    table = message.attrs.get("RTA_TABLE", message.fields["table"])
    for wanted in (AF_INET, AF_INET6) if family == AF_UNSPEC else (family,):
        known = space.routes4 if wanted == AF_INET else space.routes6
        if table and family != AF_UNSPEC and not _has_table(space, wanted, table):
            raise Refused(errno.ENOENT, "FIB table does not exist")
        for route in _sorted(route for same in known.values() for route in same):
            if _wanted_route(space, route, message, table):
                yield _route(space, route)


def _has_table(space: Netns, family: int, table: int) -> bool:
    """IPv4 makes a table with its first route; IPv6 has local and main from the start."""
    if family == AF_INET6:
        return table in (254, 255) or any(key[0] == table for key in space.routes6)
    return table in space.tables4


def _sorted(routes: Iterator[FibRoute]) -> list[FibRoute]:
    def order(route: FibRoute) -> tuple[int, int, int, int]:
        net = route.destination
        return (route.table, int(net.network_address), -net.prefixlen, route.metric)

    return sorted(routes, key=order)


def _wanted_route(space: Netns, route: FibRoute, message: Message, table: int) -> bool:
    fields = message.fields
    device = space.device(route.device)
    return (
        (not table or route.table == table)
        and (not fields["proto"] or route.protocol == fields["proto"])
        and (not fields["type"] or route.type == fields["type"])
        and message.attrs.get("RTA_OIF", 0) in (0, device.index if device else 0)
    )


def _route(space: Netns, route: FibRoute) -> bytes:
    link = space.device(route.device)
    if link is None:
        return encode.route(route, None, True)
    return encode.route(route, link.index, link.carrier)


# --- rules, neighbours, forwarding entries ---------------------------------------------------------------


def _rules(world: World, space: Netns, message: Message) -> Iterator[bytes]:
    message.only()
    families = {AF_INET: (4,), AF_INET6: (6,), AF_UNSPEC: (4, 6)}[message.fields["family"]]
    return (encode.rule(rule) for family in families for rule in space.rules if rule.family == family)


def _neighbours(world: World, space: Netns, message: Message) -> Iterator[bytes]:
    message.only("NDA_IFINDEX", "NDA_MASTER")
    family = message.fields["family"]
    if family == AF_BRIDGE:
        return _forwarding(world, space, message)
    versions = {AF_INET: (4,), AF_INET6: (6,), AF_UNSPEC: (4, 6)}[family]
    index = message.attrs.get("NDA_IFINDEX", 0)
    by_device = {link.device: link.index for link in space.links.values()}
    return (
        encode.neighbour(item, by_device[item.device])
        for item in space.neighbours.values()
        if item.address.version in versions and index in (0, by_device[item.device])
    )


def _forwarding(world: World, space: Netns, message: Message) -> Iterator[bytes]:
    index = message.fields["ifindex"]
    if index and index not in space.links:
        raise Refused(errno.ENODEV)
    for link in space.ordered():
        if index not in (0, link.index) or not isinstance(link.details, VxlanDetails):
            continue
        elsewhere = _nsid(space, link.details.birth)
        for (device, _), entries in sorted(space.fdb.items()):
            if device == link.device:
                yield from (encode.forwarding(item, link.index, elsewhere) for item in entries)


_DUMPS: dict[int, Callable[[World, Netns, Message], Iterator[bytes]]] = {
    RTM_GETLINK: _links,
    RTM_GETADDR: _addresses,
    RTM_GETROUTE: _routes,
    RTM_GETRULE: _rules,
    RTM_GETNEIGH: _neighbours,
}
