"""Policy routing rules: RTM_NEWRULE, RTM_DELRULE (linux/fib_rules.h)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from reconciler.kernel.codec.wire import (
    ADD,
    AF_INET,
    AF_INET6,
    CHANGE,
    as_u32,
    attribute,
    attributes,
    message,
    u8,
    u32,
)
from reconciler.kernel.objects import PROTOCOL, IPNetwork, Rule

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34

FR_ACT_TO_TBL = 1
FRA_SRC, FRA_PRIORITY, FRA_TABLE, FRA_PROTOCOL = 2, 6, 15, 21

_FIB_RULE = struct.Struct("=BBBBBBBBI")
"""struct fib_rule_hdr: family, destination length, source length, tos, table, 2 reserved, action, flags."""

_OURS = u8(FRA_PROTOCOL, PROTOCOL)


class RuleSeen(NamedTuple):
    family: int
    priority: int
    table: int
    source: IPNetwork | None
    protocol: int


def add_rule(rule: Rule) -> bytes:
    """EEXIST if there is an equal rule, whatever its protocol."""
    return message(RTM_NEWRULE, ADD, _body(rule))


def delete_rule(rule: Rule) -> bytes:
    """Only a rule of our protocol; ENOENT if there is none."""
    return message(RTM_DELRULE, CHANGE, _body(rule))


def decode_rule(data: bytes) -> RuleSeen | None:
    """One RTM_NEWRULE message, header included; None for families other than IPv4 and IPv6."""
    family, _, length, _, table, _, _, _, _ = _FIB_RULE.unpack_from(data, 16)
    if family not in (AF_INET, AF_INET6):
        return None
    seen = attributes(data, 28)
    return RuleSeen(
        family=4 if family == AF_INET else 6,
        priority=as_u32(seen.get(FRA_PRIORITY)),
        table=as_u32(seen.get(FRA_TABLE), table),
        source=_network(seen.get(FRA_SRC), length),
        protocol=seen.get(FRA_PROTOCOL, b"\0")[0],
    )


def _body(rule: Rule) -> bytes:
    family = AF_INET if rule.family == 4 else AF_INET6
    length = 0 if rule.source is None else rule.source.prefixlen
    table = rule.table if rule.table < 256 else 0
    body = _FIB_RULE.pack(family, 0, length, 0, table, 0, 0, FR_ACT_TO_TBL, 0)
    if rule.source is not None:
        body += attribute(FRA_SRC, rule.source.network_address.packed)
    return body + u32(FRA_PRIORITY, rule.priority) + u32(FRA_TABLE, rule.table) + _OURS


def _network(packed: bytes | None, length: int) -> IPNetwork | None:
    if packed is None:
        return None
    if len(packed) == 4:
        return IPv4Network((packed, length))
    return IPv6Network((packed, length))
