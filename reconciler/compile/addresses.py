"""Addresses and ports, all derived from a network's ranges, a NR's index and a NR's slot.

index n, unique in the network: the n-th /24 of the IPv4 range and the n-th /64 of the IPv6 range, counted
from 0, so that the first of each stays unused; `fe80::n`.
slot s, unique on the node: UDP port `first + s - 1` of the farm's range, transit addresses number 2s and
2s + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from reconciler.model.documents import PortRange

TRANSIT_IPV4 = IPv4Network("100.64.0.0/10")
"""Shared address space (RFC 6598): never a host's own, never a network's."""

TRANSIT_IPV6 = IPv6Network("fd74:6e65:7400::/48")
"""A ULA (RFC 4193) kept for transit; "tnet" in ASCII."""

LINK_LOCAL = IPv6Network("fe80::/64")


@dataclass(frozen=True, slots=True)
class Transit:
    """The two ends of a veth between the NAT namespace and a NR or the node.

    IPv4 is a /31 (RFC 3021), IPv6 a /127 (RFC 6164). `lower` has the even address.
    """

    lower_ipv4: IPv4Interface
    upper_ipv4: IPv4Interface
    lower_ipv6: IPv6Interface
    upper_ipv6: IPv6Interface


LOWER_LINK_LOCAL = IPv6Interface("fe80::1/64")
UPPER_LINK_LOCAL = IPv6Interface("fe80::2/64")
"""Of the ends of every transit veth: a forwarder without a link-local address sends no neighbour
solicitation (net/ipv6/ndisc.c, `ndisc_send_ns`)."""


@lru_cache(maxsize=4096)
def transit(slot: int) -> Transit:
    """The transit pair of the NR with that slot: the NAT namespace has `lower`, the NR `upper`."""
    ipv4 = int(TRANSIT_IPV4.network_address) + 2 * slot
    ipv6 = int(TRANSIT_IPV6.network_address) + 2 * slot
    return Transit(
        IPv4Interface((ipv4, 31)),
        IPv4Interface((ipv4 + 1, 31)),
        IPv6Interface((ipv6, 127)),
        IPv6Interface((ipv6 + 1, 127)),
    )


NODE_TRANSIT = transit(0)
"""The pair between the node (`lower`) and the NAT namespace (`upper`); slots of NRs start at 1."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one NR holds of its network's ranges: its containers' addresses."""

    ipv4: IPv4Network
    ipv6: IPv6Network

    @property
    def gateway_ipv4(self) -> IPv4Interface:
        """The bridge's address: the first of the slice."""
        return IPv4Interface((int(self.ipv4.network_address) + 1, self.ipv4.prefixlen))

    @property
    def gateway_ipv6(self) -> IPv6Interface:
        return IPv6Interface((int(self.ipv6.network_address) + 1, self.ipv6.prefixlen))


@lru_cache(maxsize=65536)
def nr_slice(ipv4: str, ipv6: str, index: int) -> Slice:
    """The slice of the NR with that index. Raises ValueError if a range is too small for it."""
    range_ipv4, range_ipv6 = IPv4Network(ipv4), IPv6Network(ipv6)
    if index >= 1 << (24 - range_ipv4.prefixlen) or index >= 1 << (64 - range_ipv6.prefixlen):
        raise ValueError(f"index {index} is beyond {ipv4} or {ipv6}")
    return Slice(
        IPv4Network((int(range_ipv4.network_address) + (index << 8), 24)),
        IPv6Network((int(range_ipv6.network_address) + (index << 64), 64)),
    )


@lru_cache(maxsize=65536)
def link_local(index: int) -> IPv6Interface:
    """`fe80::n` of the NR with index n, on each of its links where neighbours are looked up."""
    return IPv6Interface((int(LINK_LOCAL.network_address) + index, 64))


def next_hop(index: int) -> IPv6Address:
    return link_local(index).ip


def gateway(slice_: Slice) -> IPv4Address:
    return slice_.gateway_ipv4.ip


def udp_port(ports: PortRange, slot: int) -> int:
    """The port that the NR's WireGuard listens on. Raises ValueError if the farm's range has none for it."""
    port = ports.first + slot - 1
    if slot > ports.count or port > 65535:
        raise ValueError(f"slot {slot} is beyond the farm's {ports.count} UDP ports from {ports.first}")
    return port
