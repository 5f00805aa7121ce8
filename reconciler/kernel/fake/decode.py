"""Netlink bytes to plain values, by pyroute2's message classes and by nothing of ours.

What is encoded by our own codec is thus read by a stranger. Decoded forms are cached by their bytes,
since pyroute2 takes 50 to 1400 microseconds a message and a property test sends the same ones often.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pyroute2.netlink import nlmsg_base
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from reconciler.kernel.fake.refusals import NotModelled

HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr (linux/netlink.h): length, type, flags, sequence number, port id."""

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x100, 0x200, 0x400, 0x800

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
RTM_NEWNSID, RTM_DELNSID, RTM_GETNSID = 88, 89, 90

_CLASSES: dict[int, tuple[type, int]] = {
    **dict.fromkeys((RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK), (ifinfmsg, 16)),
    **dict.fromkeys((RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR), (ifaddrmsg, 8)),
    **dict.fromkeys((RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE), (rtmsg, 12)),
    **dict.fromkeys((RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH), (ndmsg, 12)),
    **dict.fromkeys((RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE), (fibmsg, 12)),
    **dict.fromkeys((RTM_NEWNSID, RTM_DELNSID, RTM_GETNSID), (nsidmsg, 1)),
}
"""Message type to pyroute2's class and the length of the type's fixed header."""


@dataclass(frozen=True, slots=True)
class Nest:
    """The fixed fields and the attributes of a message or of a nested attribute."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message(Nest):
    type: int = 0
    flags: int = 0

    def has(self, flag: int) -> bool:
        return bool(self.flags & flag)

    def only(self, *names: str) -> None:
        """Raise NotModelled if an attribute is present that is not among `names`."""
        check_only(self, names, f"a message of type {self.type}")


def check_only(nest: Nest, names: tuple[str, ...], what: str) -> None:
    extra = set(nest.attrs) - set(names)
    if extra:
        raise NotModelled(f"{', '.join(sorted(extra))} in {what}")


def decode(data: bytes) -> Message:
    """One whole message. Raises NotModelled for a type, an attribute or a form the fake doesn't know."""
    length, kind, flags, _, _ = HEADER.unpack_from(data)
    if length != len(data):
        raise NotModelled(f"a message of {len(data)} bytes says it has {length}")
    return _decode(kind, flags, data[HEADER.size :])


@lru_cache(maxsize=16384)
def _decode(kind: int, flags: int, body: bytes) -> Message:
    if kind not in _CLASSES:
        raise NotModelled(f"message type {kind}")
    message_class, fixed = _CLASSES[kind]
    if len(body) < fixed:
        raise NotModelled(f"a message of type {kind} cut short")
    message = message_class(bytearray(HEADER.pack(HEADER.size + len(body), kind, flags, 0, 0) + body))
    message.decode()
    nest = plain(message)
    return Message(nest.fields, nest.attrs, kind, flags)


def plain(value: nlmsg_base) -> Nest:
    """A decoded message of pyroute2's as values of ours."""
    fields = {name: value[name] for name, _ in value.fields if not name.startswith("__")}
    attrs: dict[str, Any] = {}
    for slot in dict.get(value, "attrs", ()):
        name, content = slot[0], slot[1]
        if name in attrs:
            raise NotModelled(f"{name} twice in one message")
        if name == "UNKNOWN":
            raise NotModelled(f"an attribute unknown to pyroute2 in {type(value).__name__}")
        attrs[name] = _value(content)
    return Nest(fields, attrs)


def _value(content: Any) -> Any:
    if isinstance(content, nlmsg_base):
        return plain(content)
    if isinstance(content, list):
        return tuple(_value(item) for item in content)
    return content
