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
from reconciler.kernel.objects import IPNetwork

IFA_F_SECONDARY, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = 0x01, 0x80, 0x200
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST = 0, 253, 254
RTPROT_KERNEL = 2


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


def primary_of(space: Netns, link: Link, address: Addr) -> Addr | None:
    """The first address of the same subnet, whose IP is the source of all its routes (inet_ifa_byprefix)."""
    if not address.flags & IFA_F_SECONDARY:
        return address
    known = space.addresses4.get(link.device, ())
    return next((one for one in known if network(one) == network(address)), None)


def connect(space: Netns, link: Link, address: Addr) -> None:
    """The routes an address brings (fib_add_ifaddr)."""
    primary = primary_of(space, link, address)
    if primary is not None:
        for route in _routes(link, address, _ip(primary)):
            fib4.insert_kernel(space, route)


def _ip(address: Addr) -> IPv4Address:
    return IPv4Address(int(address.address.ip))


def _routes(link: Link, address: Addr, source: IPv4Address) -> Iterator[FibRoute]:
    """The address itself; and of a link that is up, its broadcast addresses and its prefix."""
    local, subnet = _ip(address), network(address)
    yield _route(link, RouteType.LOCAL, IPv4Network(local), source)
    if not link.up:
        return
    if address.broadcast is not None and int(address.broadcast) != 0xFFFFFFFF:
        yield _route(link, RouteType.BROADCAST, IPv4Network(int(address.broadcast)), source)
    if address.flags & IFA_F_SECONDARY or _without_prefix(address):
        return
    if not address.flags & IFA_F_NOPREFIXROUTE:
        yield _route(link, _prefix_type(link), subnet, source, address.metric)
    if subnet.prefixlen < 31:
        yield _route(link, RouteType.BROADCAST, IPv4Network(subnet.broadcast_address), source)


def _without_prefix(address: Addr) -> bool:
    """A /32 of itself, and what is in 0.0.0.0/8, bring no route to a subnet."""
    subnet = network(address)
    return subnet.network_address.packed[0] == 0 or subnet == IPv4Network(_ip(address))


def _prefix_type(link: Link) -> RouteType:
    return RouteType.LOCAL if link.kind == "loopback" else RouteType.UNICAST


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


def relabel(space: Netns, link: Link, name: str) -> None:
    """A renamed link names its first address after itself and numbers the others (inetdev_changename)."""
    known = space.addresses4.get(link.device, ())
    numbered = enumerate(known, start=1)
    if known:
        labels = ("" if n == 1 else _numbered(name, n, one.label) for n, one in numbered)
        space.addresses4[link.device] = tuple(
            replace(one, label=label) for one, label in zip(known, labels, strict=True)
        )


def _numbered(name: str, number: int, old: str) -> str:
    _, found, rest = old.partition(":")
    suffix = f":{rest}" if found else f":{number}"
    return name[: 15 - len(suffix)] + suffix


# --- taking away ---------------------------------------------------------------------------------------


def delete(space: Netns, link: Link, address: Addr) -> None:
    """Delete one address; a primary takes its secondaries along (promote_secondaries is 0)."""
    if not address.flags & IFA_F_SECONDARY:
        for one in space.addresses4[link.device]:
            if one.flags & IFA_F_SECONDARY and network(one) == network(address):
                _drop(space, link, one)
    _drop(space, link, address)


def _drop(space: Netns, link: Link, address: Addr) -> None:
    left = tuple(one for one in space.addresses4[link.device] if one is not address)
    if left:
        space.addresses4[link.device] = left
    else:
        del space.addresses4[link.device]
    disconnect(space, link, address, left)
    if not left:
        fib4.drop_device(space, link.device, local_too=True)


def disconnect(space: Netns, link: Link, address: Addr, left: tuple[Addr, ...]) -> None:
    """Take back the routes of an address that has gone, except what one of those `left` still needs
    (fib_del_ifaddr). If no link has the IP any more, main's routes that prefer it as source go too."""
    primary = primary_of(space, link, address)
    if primary is None:
        return
    needed = _needed(space, link, primary, left)
    for route in _routes(replace(link, up=True), address, _ip(primary)):
        if route.destination not in needed:
            fib4.delete_kernel(space, route)
    local = _ip(address)
    if IPv4Network(local) not in needed and fib4.address_type(space, local) is not RouteType.LOCAL:
        fib4.drop_source(space, local)


def _needed(space: Netns, link: Link, primary: Addr, left: tuple[Addr, ...]) -> set[IPNetwork]:
    """The /32s that addresses of the link with the same source as `primary` keep."""
    found: set[IPNetwork] = set()
    for other in left:
        its_primary = primary_of(space, link, other)
        if its_primary is not None and _ip(its_primary) == _ip(primary):
            routes = _routes(replace(link, up=True), other, _ip(primary))
            found |= {route.destination for route in routes if route.destination.prefixlen == 32}
    return found
