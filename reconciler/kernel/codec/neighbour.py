"""Permanent neighbours: RTM_NEWNEIGH, RTM_DELNEIGH (linux/neighbour.h)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from reconciler.kernel.codec.wire import (
    ADD,
    CHANGE,
    REPLACE,
    as_address,
    as_mac,
    attribute,
    attributes,
    family_of,
    mac,
    message,
    u8,
)
from reconciler.kernel.objects import PROTOCOL, IPAddress, Neighbour

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30

NDA_DST, NDA_LLADDR, NDA_IFINDEX, NDA_PROTOCOL = 1, 2, 8, 12
NUD_PERMANENT = 0x80

NDMSG = struct.Struct("=BxxxiHBB")
"""struct ndmsg: family, index, state, flags, type."""

_OURS = u8(NDA_PROTOCOL, PROTOCOL)


class NeighbourSeen(NamedTuple):
    ifindex: int
    address: IPAddress
    mac: str
    permanent: bool
    protocol: int


def add_neighbour(item: Neighbour, index: int) -> bytes:
    """EEXIST if the link has an entry for this address, in any state."""
    return message(RTM_NEWNEIGH, ADD, _body(item, index))


def replace_neighbour(item: Neighbour, index: int) -> bytes:
    """Takes over an entry in any state, also one that the kernel resolved by itself."""
    return message(RTM_NEWNEIGH, REPLACE, _body(item, index))


def delete_neighbour(item: Neighbour, index: int) -> bytes:
    """ENOENT if there is none. The entry stays as one in state FAILED until it is collected."""
    head = NDMSG.pack(family_of(item.address), index, 0, 0, 0)
    return message(RTM_DELNEIGH, CHANGE, head + attribute(NDA_DST, item.address.packed))


def decode_neighbour(data: bytes) -> NeighbourSeen | None:
    """One RTM_NEWNEIGH message, header included; None for what has no IP address."""
    _, index, state, _, _ = NDMSG.unpack_from(data, 16)
    seen = attributes(data, 28)
    if len(seen.get(NDA_DST, b"")) not in (4, 16):
        return None
    return NeighbourSeen(
        ifindex=index,
        address=as_address(seen[NDA_DST]),
        mac=as_mac(seen.get(NDA_LLADDR)),
        permanent=bool(state & NUD_PERMANENT),
        protocol=seen.get(NDA_PROTOCOL, b"\0")[0],
    )


def _body(item: Neighbour, index: int) -> bytes:
    head = NDMSG.pack(family_of(item.address), index, NUD_PERMANENT, 0, 0)
    return head + attribute(NDA_DST, item.address.packed) + mac(NDA_LLADDR, item.mac) + _OURS
