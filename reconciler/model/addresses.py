"""Addresses and prefixes as documents spell them: one spelling each, so that equal means equal.

The accepted spelling is the canonical one (RFC 5952 for IPv6). IPv4-mapped IPv6 addresses and zones are
refused: Python releases spell the former differently, and the latter mean something only on one host.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

TRANSIT_IPV4 = IPv4Network("100.64.0.0/15")
"""Transit addresses of all slots, two a slot (part of RFC 6598's shared space)."""

TRANSIT_IPV6 = IPv6Network("fd74:6e65:7400::/48")
"""Transit addresses of all slots lie in it; the rest of the /48 is kept free."""

PRIVATE_IPV4 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""

UNIQUE_LOCAL_IPV6 = IPv6Network("fd00::/8")
"""RFC 4193, the half that anybody may choose from."""

_MAPPED = IPv6Network("::ffff:0:0/96")


class AddressError(ValueError):
    """The text is no address or prefix; `advice` says how to write it, where that is known."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


@lru_cache(maxsize=16384)
def parse_ip(text: str) -> IPAddress:
    """The address that `text` spells. Raises AddressError."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise AddressError(f"`{text}` is no IP address") from None
    _check_spelling(text, str(address), address)
    return address


@lru_cache(maxsize=16384)
def parse_prefix(text: str) -> IPNetwork:
    """The prefix that `text` spells, host bits zero. Raises AddressError."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise AddressError(f"`{text}` is no IP prefix", "Write it as 10.1.0.0/16 or 2001:db8::/32.") from None
    if ipaddress.ip_address(text.partition("/")[0]) != network.network_address:
        raise AddressError(f"`{text}` has bits set behind the prefix length", f"Write {network}.")
    _check_spelling(text, str(network), network.network_address)
    return network


def _check_spelling(text: str, canonical: str, address: IPAddress) -> None:
    if "%" in text or (isinstance(address, IPv6Address) and address in _MAPPED):
        raise AddressError(f"`{text}` has a zone or wraps an IPv4 address, which is not accepted")
    if text != canonical:
        raise AddressError(f"`{text}` is not in its shortest spelling", f"Write {canonical}.")


def overlaps_transit(network: IPNetwork) -> bool:
    """Whether it contains an address that tnet itself uses between namespaces."""
    if isinstance(network, IPv4Network):
        return network.overlaps(TRANSIT_IPV4)
    return network.overlaps(TRANSIT_IPV6)


def is_unusable(address: IPAddress) -> bool:
    """Whether no host can be reached by it from another: loopback, link-local, multicast, unspecified..."""
    special = address.is_loopback or address.is_link_local or address.is_multicast
    return special or address.is_unspecified or _never_assigned(address)


def _never_assigned(address: IPAddress) -> bool:
    if isinstance(address, IPv4Address):
        return int(address) >> 24 == 0 or int(address) >> 28 == 15  # 0.0.0.0/8 and 240.0.0.0/4
    return False
