"""How big a packet may be on each kind of link, and hence in a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.compile.member import Member

UNDERLAY_MTU_BYTES = 1500
"""Of every uplink, as far as tnet is concerned, and of transit links."""

WIREGUARD_MTU_BYTES = UNDERLAY_MTU_BYTES - 80
"""Outer IPv6 40, UDP 8, WireGuard data header 16 and tag 16 (the protocol's paper, section 5.4.6)."""

VXLAN_OVERHEAD_BYTES = {4: 50, 6: 70}
"""Outer IPv4 20 or IPv6 40, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348, section 5)."""


def vxlan_mtu_bytes(member: Member) -> int:
    """Of the VXLAN device of a NR with a fast port."""
    assert member.fast is not None and member.fast_address is not None
    return member.fast.mtu_bytes - VXLAN_OVERHEAD_BYTES[member.fast_address.version]


def network_mtu_bytes(members: Sequence[Member]) -> int:
    """The least over all links between NRs of the network; every NR's bridge has it, so that containers
    agree. UNDERLAY_MTU_BYTES for a network without links."""
    return min(_link_mtus_bytes(members), default=UNDERLAY_MTU_BYTES)


def _link_mtus_bytes(members: Sequence[Member]) -> Iterator[int]:
    yield from _vxlan_mtus_bytes(members)
    if has_wireguard(members):
        yield WIREGUARD_MTU_BYTES


def _vxlan_mtus_bytes(members: Iterable[Member]) -> Iterator[int]:
    seen: dict[object, int] = {}
    for member in members:
        if member.fast is None:
            continue
        seen[member.fast] = seen.get(member.fast, 0) + 1
        if seen[member.fast] == 2:
            yield vxlan_mtu_bytes(member)


def has_wireguard(members: Sequence[Member]) -> bool:
    """Whether any two NRs are linked by WireGuard: a public one, and one outside its fast segment."""
    segments = {member.fast for member in members}
    return any(
        member.public and len(members) > 1 and (member.fast is None or segments != {member.fast})
        for member in members
    )
