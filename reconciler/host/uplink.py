"""By which interface this host reaches the outside, and under which addresses it might be reached."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from pyroute2 import IPRoute

from reconciler.errors import TnetError

Address = IPv4Address | IPv6Address

_TEMPORARY, _DEPRECATED = 0x01, 0x20  # IFA_F_*: linux/if_addr.h


@dataclass(frozen=True, slots=True)
class Uplink:
    """The interface of the default route, with its addresses other than link-local ones."""

    interface: str
    addresses: tuple[Address, ...]

    @property
    def public(self) -> tuple[Address, ...]:
        """Those that the whole internet can route to (IANA's special-purpose registries left out)."""
        return tuple(address for address in self.addresses if address.is_global)


class NoUplink(TnetError):
    """The host has no default route, or no such interface."""


def find_uplink(interface: str | None = None) -> Uplink:
    """The interface of the default route (IPv4's before IPv6's), or the one named. Raises NoUplink."""
    with IPRoute() as ipr:
        index = _index_of(ipr, interface) if interface else _default_route(ipr)
        (link,) = ipr.get_links(index)
        return Uplink(link.get_attr("IFLA_IFNAME"), _addresses(ipr, index))


def _default_route(ipr: IPRoute) -> int:
    for family in (socket.AF_INET, socket.AF_INET6):
        routes = [
            (route.get_attr("RTA_PRIORITY") or 0, route.get_attr("RTA_OIF"))
            for route in ipr.get_default_routes(family=family)
            if route.get_attr("RTA_OIF")
        ]
        if routes:
            return int(min(routes)[1])
    raise NoUplink("this host has no default route", "name the interface to the outside: --uplink NIC")


def _index_of(ipr: IPRoute, interface: str) -> int:
    found = ipr.link_lookup(ifname=interface)
    if not found:
        raise NoUplink(f"there is no interface {interface}", "`ip link` lists them")
    return int(found[0])


def _addresses(ipr: IPRoute, index: int) -> tuple[Address, ...]:
    """IPv4 first, each family in the kernel's order; link-local and passing ones left out."""
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for message in ipr.get_addr(family=family, index=index):
            address = ip_address(message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS"))
            if not address.is_link_local and not _passes(address, message.get_attr("IFA_FLAGS")):
                found.append(address)
    return tuple(found)


def _passes(address: Address, flags: int) -> bool:
    """Is it an IPv6 address that the kernel will replace by itself (RFC 8981), or is about to drop?"""
    return address.version == 6 and bool(flags & (_TEMPORARY | _DEPRECATED))
