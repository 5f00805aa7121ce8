"""Where no tenant's packet may go by the uplink."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from reconciler.compile.addresses import TRANSIT_IPV4, TRANSIT_IPV6
from reconciler.kernel.nftables import Match, NftRule, PrefixSet
from reconciler.kernel.objects import IPNetwork

ALWAYS: tuple[IPNetwork, ...] = (
    IPv4Network("0.0.0.0/8"),
    TRANSIT_IPV4,
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("::/127"),
    IPv6Network("::ffff:0:0/96"),
    TRANSIT_IPV6,
    IPv6Network("fe80::/10"),
    IPv6Network("ff00::/8"),
)
"""This host, transit, loopback, link-local (cloud metadata among it), multicast, class E and broadcast; the
unspecified address, loopback, IPv4-mapped, link-local, multicast (RFC 6890)."""

IPV4_SET, IPV6_SET = "blocked-ipv4", "blocked-ipv6"


def blocked_sets(prefixes: Iterable[IPNetwork]) -> tuple[PrefixSet, PrefixSet]:
    """The two sets that `drop_blocked` looks in: ALWAYS and `prefixes`, merged where they overlap, because an
    interval set holds no two overlapping elements."""
    everything = (*ALWAYS, *prefixes)
    ipv4 = [prefix for prefix in everything if isinstance(prefix, IPv4Network)]
    ipv6 = [prefix for prefix in everything if isinstance(prefix, IPv6Network)]
    return (
        PrefixSet(IPV4_SET, 4, frozenset(collapse_addresses(ipv4))),
        PrefixSet(IPV6_SET, 6, frozenset(collapse_addresses(ipv6))),
    )


def drop_blocked(*where: Match) -> tuple[NftRule, NftRule]:
    """Two rules that drop what goes to a prefix of `blocked_sets`."""
    why = "no tenant reaches the underlay"
    return (
        NftRule((*where, Match("ip daddr", frozenset({f"@{IPV4_SET}"}))), "drop", why),
        NftRule((*where, Match("ip6 daddr", frozenset({f"@{IPV6_SET}"}))), "drop", why),
    )
