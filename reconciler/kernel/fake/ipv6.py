"""IPv6 addresses as addrconf.c keeps them, and the routes the kernel makes of them.

Duplicate address detection ends at once here: an address is never seen tentative.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Interface, IPv6Network

from reconciler.kernel.fake import fib6
from reconciler.kernel.fake.records import Addr, Link, RouteType
from reconciler.kernel.fake.refusals import Refused
from reconciler.kernel.fake.sysctls import link_value
from reconciler.kernel.fake.world import LOCAL_TABLE, MAIN_TABLE, Netns

IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = 0x80, 0x200
IFA_F_TENTATIVE = 0x40
RT_SCOPE_UNIVERSE, RT_SCOPE_SITE, RT_SCOPE_LINK, RT_SCOPE_HOST = 0, 200, 253, 254
LEAST_MTU = 1280
"""IPV6_MIN_MTU: a link below it has no IPv6 at all."""

MULTICAST = IPv6Network("ff00::/8")
IFAPROT_KERNEL_LO, IFAPROT_KERNEL_LL = 1, 3
"""Origin of ::1 and of automatic link-local addresses (include/uapi/linux/if_addr.h)."""


def all_addresses(space: Netns) -> Iterator[Addr]:
    for addresses in space.addresses6.values():
        yield from addresses


def scope_of(address: IPv6Address) -> int:
    if address.is_loopback:
        return RT_SCOPE_HOST
    if address.is_link_local:
        return RT_SCOPE_LINK
    return RT_SCOPE_SITE if address.is_site_local else RT_SCOPE_UNIVERSE


def add(space: Netns, link: Link, new: Addr, replacing: bool) -> None:
    """Add an address. Raises Refused EEXIST, EADDRNOTAVAIL, EACCES."""
    known = space.addresses6.get(link.device, ())
    twin = next((one for one in known if one.address.ip == new.address.ip), None)
    if twin is not None:
        if not replacing:
            raise Refused(errno.EEXIST, "address already assigned")
        _modify(space, link, twin, new)
        return
    check_enabled(space, link)
    _check_address(link, new.address.ip)
    if link.up:
        _multicast_route(space, link)
    _insert(space, link, new)


def check_enabled(space: Netns, link: Link) -> None:
    if link.mtu < LEAST_MTU:
        raise Refused(errno.ENOBUFS)
    if link_value(space, link, "ipv6/disable_ipv6") != "0":
        raise Refused(errno.EACCES, "IPv6 is disabled on this device")


def _check_address(link: Link, address: object) -> None:
    assert isinstance(address, IPv6Address)
    foreign_loopback = address.is_loopback and link.kind != "loopback"
    if address.is_unspecified or address.is_multicast or foreign_loopback:
        raise Refused(errno.EADDRNOTAVAIL, "Cannot assign requested address")


def _insert(space: Netns, link: Link, new: Addr) -> None:
    space.addresses6[link.device] = _ordered((*space.addresses6.get(link.device, ()), new))
    connect(space, link, new)


def _ordered(addresses: tuple[Addr, ...]) -> tuple[Addr, ...]:
    """Wider scopes first; within one, the newest last (ipv6_link_dev_addr)."""
    rank = {RT_SCOPE_UNIVERSE: 0, RT_SCOPE_SITE: 1, RT_SCOPE_LINK: 2, RT_SCOPE_HOST: 3}
    return tuple(sorted(addresses, key=lambda one: rank[one.scope]))


def _modify(space: Netns, link: Link, old: Addr, new: Addr) -> None:
    """NLM_F_REPLACE: flags and origin change, the prefix length stays what it was, and the prefix's route
    comes or goes with NOPREFIXROUTE (inet6_addr_modify)."""
    changed = replace(old, flags=new.flags, protocol=new.protocol or old.protocol)
    space.addresses6[link.device] = tuple(
        changed if one is old else one for one in space.addresses6[link.device]
    )
    if not new.flags & IFA_F_NOPREFIXROUTE:
        _prefix_route(space, link, changed)
    elif not old.flags & IFA_F_NOPREFIXROUTE:
        _drop_prefix_route(
            space, link, old, [one for one in space.addresses6[link.device] if one is not changed]
        )


def _prefix_route(space: Netns, link: Link, address: Addr) -> None:
    if link.up:
        fib6.insert_kernel(space, fib6.kernel_route(link, RouteType.UNICAST, subnet(address)))


def _drop_prefix_route(space: Netns, link: Link, gone: Addr, left: Iterable[Addr]) -> None:
    """Unless another address keeps it; whoever made the first one that fits (cleanup_prefix_route)."""
    if not any(subnet(one) == subnet(gone) for one in left):
        key = (MAIN_TABLE, subnet(gone), 0, fib6.KERNEL_METRIC)
        fib6.remove_first(space, key, lambda r: r.device == link.device and r.via is None)


def connect(space: Netns, link: Link, address: Addr) -> None:
    """The routes an address brings: itself, its prefix, and the router's anycast address."""
    host = IPv6Address(int(address.address.ip))
    by_kernel = address.protocol == IFAPROT_KERNEL_LO
    if not by_kernel and not address.flags & IFA_F_NOPREFIXROUTE:
        _prefix_route(space, link, address)
    fib6.insert_kernel(space, fib6.kernel_route(link, RouteType.LOCAL, IPv6Network(host)))
    if link_value(space, link, "ipv6/forwarding") != "0":
        join_anycast(space, link, address)


def subnet(address: Addr) -> IPv6Network:
    assert isinstance(address.address, IPv6Interface)
    return address.address.network


def join_anycast(space: Netns, link: Link, address: Addr) -> None:
    """A router answers to its subnet's first address (RFC 4291, 2.6.1)."""
    net = subnet(address)
    if net.prefixlen >= 127 or int(net.network_address) == 0:
        return
    host = IPv6Network(net.network_address)
    fib6.insert_kernel(space, fib6.kernel_route(link, RouteType.ANYCAST, host))


def leave_anycast(space: Netns, link: Link, address: Addr) -> None:
    others = (o for o in space.addresses6.get(link.device, ()) if o.address.ip != address.address.ip)
    if any(subnet(other).network_address == subnet(address).network_address for other in others):
        return
    key = (LOCAL_TABLE, IPv6Network(subnet(address).network_address), 0, 0)
    fib6.remove_first(space, key, lambda r: r.device == link.device and r.type is RouteType.ANYCAST)


def _multicast_route(space: Netns, link: Link) -> None:
    if link.kind != "loopback":
        route = replace(fib6.kernel_route(link, RouteType.MULTICAST, MULTICAST), metric=fib6.KERNEL_METRIC)
        fib6.insert_kernel(space, route)


def delete(space: Netns, link: Link, address: Addr) -> None:
    """Delete one address and take back its routes, unless another address keeps them."""
    left = tuple(one for one in space.addresses6[link.device] if one is not address)
    _keep(space, link, left)
    host = IPv6Network(IPv6Address(int(address.address.ip)))
    fib6.remove_first(space, (LOCAL_TABLE, host, 0, 0), lambda r: r.device == link.device)
    if not address.flags & IFA_F_NOPREFIXROUTE:
        _drop_prefix_route(space, link, address, left)
    if link_value(space, link, "ipv6/forwarding") != "0":
        leave_anycast(space, link, address)
    if all(one.address.ip != address.address.ip for one in all_addresses(space)):
        fib6.forget_source(space, address.address.ip)


def _keep(space: Netns, link: Link, left: tuple[Addr, ...]) -> None:
    if left:
        space.addresses6[link.device] = left
    else:
        del space.addresses6[link.device]


# --- links ---------------------------------------------------------------------------------------------


def link_up(space: Netns, link: Link) -> None:
    """NETDEV_UP: addresses that were given while the link was down get their routes."""
    if link.mtu < LEAST_MTU or link_value(space, link, "ipv6/disable_ipv6") != "0":
        return
    if link.kind == "loopback" and link.device not in space.addresses6:
        loopback = Addr(
            link.device, IPv6Interface("::1/128"), RT_SCOPE_HOST, IFA_F_PERMANENT, protocol=IFAPROT_KERNEL_LO
        )
        _insert(space, link, loopback)
    for address in space.addresses6.get(link.device, ()):
        connect(space, link, address)


def link_ready(space: Netns, link: Link) -> None:
    """The link is up and has its carrier: it gets the multicast route, and its automatic address."""
    if link.kind == "loopback" or link.mtu < LEAST_MTU or link_value(space, link, "ipv6/disable_ipv6") != "0":
        return
    _multicast_route(space, link)
    if link_value(space, link, "ipv6/addr_gen_mode") == "0":
        _autoconfigure(space, link)


def _autoconfigure(space: Netns, link: Link) -> None:
    interface_id = eui64(link.mac) if link.mac else link.device
    automatic = IPv6Interface((0xFE80 << 112 | interface_id, 64))
    if any(one.address.ip == automatic.ip for one in space.addresses6.get(link.device, ())):
        return
    _insert(
        space, link, Addr(link.device, automatic, RT_SCOPE_LINK, IFA_F_PERMANENT, protocol=IFAPROT_KERNEL_LL)
    )


def eui64(mac: str) -> int:
    """The modified EUI-64 interface identifier (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return int.from_bytes(bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]]))


def link_down(space: Netns, link: Link) -> None:
    """NETDEV_DOWN takes IPv6 addresses along, with every route of the link."""
    gone = space.addresses6.get(link.device, ())
    keep = "1" in (link_value(space, link, "ipv6/keep_addr_on_down"),)
    if not keep:
        space.addresses6.pop(link.device, None)
    fib6.drop_device(space, link.device)
    for address in () if keep else gone:
        if all(one.address.ip != address.address.ip for one in all_addresses(space)):
            fib6.forget_source(space, address.address.ip)
