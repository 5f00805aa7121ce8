"""Names that nftables has for numbers; values of an anonymous set are listed by number."""

from __future__ import annotations

CT_STATES = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
"""Bits of `ct state` (linux/netfilter/nf_conntrack_common.h)."""

ICMP_TYPES = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
}
"""RFC 792."""

ICMPV6_TYPES = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "mld2-listener-report": 143,
}
"""RFC 4443, 4861, 3810."""

ROUTE_TYPES = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
}
"""`fib ... type` (linux/rtnetlink.h)."""

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ipv6-icmp": 58, "icmpv6": 58}
"""The assigned protocol numbers."""

OF_FIELD = {
    "ct state": CT_STATES,
    "icmp type": ICMP_TYPES,
    "icmpv6 type": ICMPV6_TYPES,
    "fib daddr type": ROUTE_TYPES,
}
"""Fields whose values are listed by name."""
