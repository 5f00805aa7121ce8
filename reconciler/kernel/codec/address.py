"""Addresses: RTM_NEWADDR, RTM_DELADDR (linux/if_addr.h)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Interface, IPv6Interface
from typing import NamedTuple

from reconciler.kernel.codec.wire import ADD, CHANGE, as_u32, attribute, attributes, family_of, message, u32
from reconciler.kernel.objects import Address, IPInterface

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22

IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS, IFA_PROTO = 1, 2, 8, 11
IFA_F_NODAD = 0x02
IFA_F_PERMANENT = 0x80

_IFADDR = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, index."""

_NODAD = u32(IFA_FLAGS, IFA_F_NODAD)
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253


class AddressSeen(NamedTuple):
    """`by_kernel`: made by the kernel itself (link-local, from a router advertisement), which newer kernels
    say in IFA_PROTO and older ones by not calling it permanent."""

    ifindex: int
    address: IPInterface
    by_kernel: bool


def add_address(item: Address, index: int) -> bytes:
    """EEXIST if the link has it already."""
    return message(RTM_NEWADDR, ADD, _body(item, index) + (_NODAD if item.address.version == 6 else b""))


def delete_address(item: Address, index: int) -> bytes:
    """EADDRNOTAVAIL if the link has it not."""
    return message(RTM_DELADDR, CHANGE, _body(item, index))


def decode_address(data: bytes) -> AddressSeen:
    """One RTM_NEWADDR message, header included. IFA_LOCAL is what `ip` shows: on a point-to-point link
    IFA_ADDRESS is the other side's."""
    _, prefix, flags, _, index = _IFADDR.unpack_from(data, 16)
    seen = attributes(data, 24)
    packed = seen.get(IFA_LOCAL) or seen[IFA_ADDRESS]
    kind = IPv4Interface if len(packed) == 4 else IPv6Interface
    flags = as_u32(seen.get(IFA_FLAGS), flags)
    by_kernel = seen.get(IFA_PROTO, b"\0") != b"\0" or not flags & IFA_F_PERMANENT
    return AddressSeen(index, kind((packed, prefix)), by_kernel)


def _body(item: Address, index: int) -> bytes:
    address = item.address
    scope = _SCOPE_LINK if address.is_link_local else _SCOPE_UNIVERSE
    head = _IFADDR.pack(family_of(address), address.network.prefixlen, 0, scope, index)
    return head + attribute(IFA_LOCAL, address.packed) + attribute(IFA_ADDRESS, address.packed)
