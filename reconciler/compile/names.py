"""Names in the kernel, all derived: of namespaces, links and tables, and the MACs of links.

A link's name is one letter, which says what it is for, and the netid: 14 characters, one less than
IFNAMSIZ leaves (linux/if.h). Names prove nothing about ownership (see `reconciler.kernel.objects`).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Literal

from reconciler.model.netid import netid as netid

NAT_NAMESPACE = "tnet-nat"
"""The node's own namespace between all NRs and the node's uplink."""

NODE_LINK = "tnet0"
"""The end, in the node's own namespace, of the veth to NAT_NAMESPACE."""

NAT_LINK = "host"
"""The end, in NAT_NAMESPACE, of the veth to the node's own namespace."""

TABLE = "tnet"
"""Our nftables table, of the same name in every namespace."""

VXLAN_PORT = 4789
"""RFC 7348, section 5."""

MacRole = Literal["bridge", "vxlan"]


def namespace_name(netid: str) -> str:
    return f"tnet-{netid}"


def bridge_name(netid: str) -> str:
    """Where containers are plugged in, in the NR."""
    return f"b{netid}"


def wireguard_name(netid: str) -> str:
    return f"w{netid}"


def vxlan_name(netid: str) -> str:
    return f"x{netid}"


def uplink_name(netid: str) -> str:
    """The NR's end of the veth between it and NAT_NAMESPACE."""
    return f"u{netid}"


def transit_name(netid: str) -> str:
    """The end, in NAT_NAMESPACE, of the veth between it and the NR."""
    return f"n{netid}"


TRANSIT_NAMES = "n*"
"""Matches `transit_name` of every NR in NAT_NAMESPACE, and nothing else there."""


@lru_cache(maxsize=65536)
def mac(role: MacRole, netid: str, index: int) -> str:
    """A locally administered unicast MAC (IEEE 802c): `02`, three octets of a hash of role and netid, and
    the NR's index in two octets, so that no two NRs of a network can have the same."""
    digest = hashlib.sha256(f"mac {role} {netid}".encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:3], *index.to_bytes(2, "big")))
