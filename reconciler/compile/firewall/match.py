"""Short ways to write the matches that our rules are made of."""

from __future__ import annotations

from reconciler.kernel.nftables import Match, NftRule, Value, Verdict
from reconciler.kernel.objects import IPNetwork

ND_TYPES = frozenset({"nd-neighbor-solicit", "nd-neighbor-advert"})
"""Neighbour discovery (RFC 4861), without which no IPv6 packet crosses an Ethernet link."""


def rule(verdict: Verdict, *matches: Match, why: str) -> NftRule:
    return NftRule(matches, verdict, why)


def iif(*names: str) -> Match:
    return Match("iifname", frozenset(names))


def oif(*names: str) -> Match:
    return Match("oifname", frozenset(names))


def source(*prefixes: IPNetwork) -> Match:
    return Match("ip saddr" if prefixes[0].version == 4 else "ip6 saddr", frozenset(prefixes))


def source_not(*prefixes: IPNetwork) -> Match:
    return Match("ip saddr" if prefixes[0].version == 4 else "ip6 saddr", frozenset(prefixes), negated=True)


def destination(*prefixes: IPNetwork) -> Match:
    return Match("ip daddr" if prefixes[0].version == 4 else "ip6 daddr", frozenset(prefixes))


def states(*names: str) -> Match:
    return Match("ct state", frozenset(names))


REPLIES = states("established", "related")
"""Answers to what was let through, and ICMP errors about it: path MTU discovery lives by these."""


def icmp(version: int, *types: str) -> Match:
    values: frozenset[Value] = frozenset(types)
    return Match("icmp type" if version == 4 else "icmpv6 type", values)


ECHO = (icmp(4, "echo-request"), icmp(6, "echo-request"))
ND = Match("icmpv6 type", frozenset[Value](ND_TYPES))
