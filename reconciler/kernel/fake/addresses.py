"""RTM_NEWADDR and RTM_DELADDR, onto ipv4.py and ipv6.py."""

from __future__ import annotations

import errno
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from socket import AF_INET, AF_INET6
from typing import Any

from reconciler.kernel.fake import ipv4, ipv6
from reconciler.kernel.fake.decode import NLM_F_REPLACE, RTM_DELADDR, Message
from reconciler.kernel.fake.records import Addr, Link
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns

KNOWN = ("IFA_ADDRESS", "IFA_LOCAL", "IFA_BROADCAST", "IFA_LABEL", "IFA_FLAGS", "IFA_PROTO")
IFA_F_NODAD, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = 0x02, 0x80, 0x200
_SETTABLE = IFA_F_NODAD | IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE


def handle(space: Netns, message: Message) -> None:
    """Carry out one message of the address family. Raises Refused."""
    message.only(*KNOWN)
    family = message.fields["family"]
    if family not in (AF_INET, AF_INET6):
        raise NotModelled(f"addresses of family {family}")
    four = family == AF_INET
    if message.type == RTM_DELADDR:
        (_delete4 if four else _delete6)(space, message)
    else:
        (_add4 if four else _add6)(space, message)


def _link(space: Netns, message: Message) -> Link:
    link = space.link(message.fields["index"])
    if link is None:
        raise Refused(errno.ENODEV)
    return link


def _flags(message: Message) -> int:
    flags = int(message.attrs.get("IFA_FLAGS", message.fields["flags"]))
    if flags & ~_SETTABLE:
        raise NotModelled(f"address flags {flags:#x}")
    return flags


# --- IPv4 ----------------------------------------------------------------------------------------------


def _add4(space: Netns, message: Message) -> None:
    """rtm_to_ifaddr, inet_rtm_newaddr."""
    attrs, prefix = message.attrs, message.fields["prefixlen"]
    if prefix > 32:
        raise Refused(errno.EINVAL, "ipv4: Invalid prefix length")
    if "IFA_LOCAL" not in attrs:
        raise Refused(errno.EINVAL, "ipv4: Local address is not supplied")
    link = _link(space, message)
    ipv4.add(space, link, _addr4(link, message, attrs), message.has(NLM_F_REPLACE))


def _addr4(link: Link, message: Message, attrs: Any) -> Addr:
    local, far = attrs["IFA_LOCAL"], attrs.get("IFA_ADDRESS")
    return Addr(
        link.device,
        IPv4Interface((local, message.fields["prefixlen"])),
        scope=message.fields["scope"],
        flags=_flags(message) | IFA_F_PERMANENT,
        broadcast=IPv4Address(attrs["IFA_BROADCAST"]) if "IFA_BROADCAST" in attrs else None,
        label=attrs.get("IFA_LABEL", ""),
        protocol=attrs.get("IFA_PROTO", 0),
        peer=IPv4Address(far) if far not in (None, local) else None,
    )


def _delete4(space: Netns, message: Message) -> None:
    """inet_rtm_deladdr: the first address that fits what is named. Raises Refused EADDRNOTAVAIL."""
    link = _link(space, message)
    for address in space.addresses4.get(link.device, ()):
        if _fits4(address, message):
            ipv4.delete(space, link, address)
            return
    raise Refused(errno.EADDRNOTAVAIL, "ipv4: Address not found")


def _fits4(address: Addr, message: Message) -> bool:
    attrs = message.attrs
    if "IFA_LOCAL" in attrs and IPv4Address(attrs["IFA_LOCAL"]) != address.address.ip:
        return False
    if "IFA_LABEL" in attrs and attrs["IFA_LABEL"] != address.label:
        return False
    if "IFA_ADDRESS" not in attrs:
        return True
    same_length = message.fields["prefixlen"] == address.address.network.prefixlen
    return same_length and IPv4Address(attrs["IFA_ADDRESS"]) in ipv4.network(address)


# --- IPv6 ----------------------------------------------------------------------------------------------


def _address6(message: Message) -> IPv6Address:
    attrs = message.attrs
    if "IFA_LOCAL" in attrs and attrs.get("IFA_ADDRESS", attrs["IFA_LOCAL"]) != attrs["IFA_LOCAL"]:
        raise NotModelled("an IPv6 address with a peer")
    value = attrs.get("IFA_LOCAL", attrs.get("IFA_ADDRESS"))
    if value is None:
        raise Refused(errno.EINVAL, "Address is not supplied")
    return IPv6Address(value)


def _add6(space: Netns, message: Message) -> None:
    address, prefix = _address6(message), message.fields["prefixlen"]
    link = _link(space, message)
    if prefix > 128:
        raise Refused(errno.EINVAL, "ipv6: Invalid prefix length")
    new = Addr(
        link.device,
        IPv6Interface((address, prefix)),
        scope=ipv6.scope_of(address),
        flags=_flags(message) | IFA_F_PERMANENT,
        protocol=message.attrs.get("IFA_PROTO", 0),
    )
    ipv6.add(space, link, new, message.has(NLM_F_REPLACE))


def _delete6(space: Netns, message: Message) -> None:
    """inet6_addr_del. Raises Refused EADDRNOTAVAIL."""
    address, prefix = _address6(message), message.fields["prefixlen"]
    if prefix > 128:
        raise Refused(errno.EINVAL, "ipv6: Invalid prefix length")
    link = _link(space, message)
    for known in space.addresses6.get(link.device, ()):
        if known.address == IPv6Interface((address, prefix)):
            ipv6.delete(space, link, known)
            return
    raise Refused(errno.EADDRNOTAVAIL, "address not found")
