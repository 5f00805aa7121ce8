"""Netlink framing: messages and attributes (linux/netlink.h), native byte order throughout."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

NLM_F_REQUEST = 0x01
NLM_F_MULTI = 0x02
NLM_F_ACK = 0x04
NLM_F_DUMP_INTR = 0x10
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_DUMP = 0x300

CHANGE = NLM_F_REQUEST
ADD = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL
REPLACE = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE
DUMP = NLM_F_REQUEST | NLM_F_DUMP
ASK = NLM_F_REQUEST | NLM_F_ACK
"""A question with one answer: the acknowledgement after it ends the conversation, as a dump's end does."""

NLMSG_ERROR = 2
NLMSG_DONE = 3

NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3FFF

AF_UNSPEC = 0
AF_INET = 2
AF_BRIDGE = 7
AF_INET6 = 10

HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port."""

_ATTRIBUTE = struct.Struct("=HH")
_ATTRIBUTE_U32 = struct.Struct("=HHI")
_U32 = struct.Struct("=I")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class Message(NamedTuple):
    """One netlink message out of a buffer: its type, its flags, and all that follows the header."""

    type: int
    flags: int
    body: bytes


def message(kind: int, flags: int, body: bytes) -> bytes:
    """A whole message; sequence and port are 0, for the transport to set."""
    return HEADER.pack(16 + len(body), kind, flags, 0, 0) + body


def attribute(kind: int, payload: bytes) -> bytes:
    """A `struct nlattr` with its payload, padded to four bytes."""
    return _ATTRIBUTE.pack(4 + len(payload), kind) + payload + _PADDING[len(payload) & 3]


def u8(kind: int, value: int) -> bytes:
    return attribute(kind, bytes((value,)))


def u16(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=H", value))


def be16(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">H", value))


def u32(kind: int, value: int) -> bytes:
    return _ATTRIBUTE_U32.pack(8, kind, value)


def text(kind: int, value: str) -> bytes:
    """A string attribute, ended by a NUL as the kernel wants names."""
    return attribute(kind, value.encode() + b"\0")


def nested(kind: int, *attributes: bytes) -> bytes:
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def mac(kind: int, value: str) -> bytes:
    return attribute(kind, bytes.fromhex(value.replace(":", "")))


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes of `data` from `offset` on, by type; of equal types the last one counts."""
    found = {}
    end = len(data)
    unpack = _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, kind = unpack(data, offset)
        if length < 4:
            break
        found[kind & NLA_TYPE_MASK] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def each_attribute(data: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """The same in order, for arrays, where types are counters or repeat."""
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        yield kind & NLA_TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def split(data: bytes) -> list[bytes]:
    """The messages of one received buffer, each with its header."""
    found = []
    offset = 0
    end = len(data)
    while offset + 16 <= end:
        length = _U32.unpack_from(data, offset)[0]
        if length < 16:
            break
        found.append(data[offset : offset + length])
        offset += (length + 3) & ~3
    return found


def parse(data: bytes) -> Message:
    """Header and body of one message as `split` gives it."""
    _, kind, flags, _, _ = HEADER.unpack_from(data)
    return Message(kind, flags, data[16:])


def as_u32(payload: bytes | None, default: int = 0) -> int:
    return default if payload is None else int(_U32.unpack_from(payload)[0])


def as_text(payload: bytes | None) -> str:
    return "" if payload is None else payload.rstrip(b"\0").decode(errors="replace")


def as_mac(payload: bytes | None) -> str:
    return "" if payload is None else payload.hex(":")


def as_address(payload: bytes) -> IPv4Address | IPv6Address:
    """Four bytes or sixteen; raises ValueError for anything else."""
    if len(payload) == 4:
        return IPv4Address(payload)
    return IPv6Address(payload)


def family_of(address: IPv4Address | IPv6Address) -> int:
    return AF_INET if address.version == 4 else AF_INET6
