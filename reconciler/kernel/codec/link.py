"""Links: RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK (linux/rtnetlink.h, linux/if_link.h).

A link is made by one message, complete with index, MTU, MAC, group, IFF_UP and kind. Its alias needs a
second one: the kernel reads IFLA_IFALIAS only of a link that exists already and silently ignores it at
creation (seen on 6.18; `rtnl_create_link` has no case for it). Both go in one send, so that no death of
the process leaves one without the other.

A veth pair's ends have neighbouring indexes, and the end with the lower one is the maker: the kernel keeps
no other record of which end made the pair.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from reconciler.kernel.codec.wire import (
    ADD,
    AF_UNSPEC,
    CHANGE,
    as_address,
    as_mac,
    as_text,
    as_u32,
    attribute,
    attributes,
    be16,
    mac,
    message,
    nested,
    text,
    u8,
    u32,
)
from reconciler.kernel.objects import LINK_GROUP, Bridge, IPAddress, Veth, Vxlan, WireGuard

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19

IFF_UP = 0x1
LOOPBACK_INDEX = 1
"""`lo` is index 1 of every namespace: it is made first (net/core/net_namespace.c)."""

IFLA_ADDRESS = 1
IFLA_IFNAME = 3
IFLA_MTU = 4
IFLA_LINK = 5
IFLA_MASTER = 10
IFLA_LINKINFO = 18
IFLA_IFALIAS = 20
IFLA_GROUP = 27
IFLA_NET_NS_FD = 28
IFLA_EXT_MASK = 29
IFLA_LINK_NETNSID = 37
IFLA_NEW_IFINDEX = 49

IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1

IFLA_VXLAN_ID = 1
IFLA_VXLAN_LINK = 3
IFLA_VXLAN_LOCAL = 4
IFLA_VXLAN_LEARNING = 7
IFLA_VXLAN_PORT = 15
IFLA_VXLAN_LOCAL6 = 17

IFLA_VRF_TABLE = 1

_IFINFO = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type, index, flags, change mask."""

_OURS = u32(IFLA_GROUP, LINK_GROUP)
_NOT_LEARNING = u8(IFLA_VXLAN_LEARNING, 0)


class LinkSeen(NamedTuple):
    """What is compared of a link in a dump, and what is needed to place it.

    `lower` is IFLA_LINK: a veth's other end, in whichever namespace that is, or 0; `lower_elsewhere` tells
    whether it is in another one. `data` is IFLA_INFO_DATA still encoded.
    """

    ifindex: int
    name: str
    kind: str
    up: bool
    mtu: int
    mac: str
    group: int
    alias: str
    lower: int
    lower_elsewhere: bool
    data: bytes


class VxlanSeen(NamedTuple):
    vni: int
    local: IPAddress | None
    port: int
    underlay_index: int
    learning: bool


def create_bridge(link: Bridge, index: int) -> bytes:
    """One byte too large an MTU on purpose: a bridge whose MTU is never *changed* to what it should be
    follows its ports' (net/bridge/br_if.c, br_mtu_auto_adjust). `mark_bridge` sets the right one."""
    birth_mtu = link.mtu + 1 if link.mtu < 0xFFFF else link.mtu - 1
    return _create(link.name, index, birth_mtu, mac(IFLA_ADDRESS, link.mac) + _kind("bridge"))


def create_veth(link: Veth, index: int, peer_index: int, peer_namespace: int | None) -> bytes:
    """Both ends by one message; `peer_namespace` is a namespace handle, None for the maker's own.

    The peer gets the same MTU and the same group, but carries no alias and isn't up before `mark`: IFF_UP
    in its half is refused (ENOTCONN, seen on 6.18), since the ends aren't joined yet when it is opened.
    """
    peer = _head(peer_index) + text(IFLA_IFNAME, link.peer_name)
    peer += u32(IFLA_MTU, link.mtu) + _OURS + _born_in(peer_namespace)
    return _create(link.name, index, link.mtu, _kind("veth", attribute(VETH_INFO_PEER, peer)))


def create_vxlan(link: Vxlan, index: int, underlay_index: int, namespace: int | None) -> bytes:
    """To be sent in the underlay's namespace; the device is born in `namespace` (a handle; None: there)."""
    data = vxlan_data(link.vni, link.local, link.port, underlay_index)
    extra = mac(IFLA_ADDRESS, link.mac) + _born_in(namespace) + _kind("vxlan", data)
    return _create(link.name, index, link.mtu, extra)


def vxlan_data(vni: int, local: IPAddress, port: int, underlay_index: int) -> bytes:
    """IFLA_INFO_DATA of a static device that learns nothing."""
    return (
        u32(IFLA_VXLAN_ID, vni)
        + u32(IFLA_VXLAN_LINK, underlay_index)
        + attribute(IFLA_VXLAN_LOCAL if local.version == 4 else IFLA_VXLAN_LOCAL6, local.packed)
        + _NOT_LEARNING
        + be16(IFLA_VXLAN_PORT, port)
    )


def vrf_data(table: int) -> bytes:
    return u32(IFLA_VRF_TABLE, table)


def create_wireguard(link: WireGuard, index: int, namespace: int | None) -> bytes:
    """A device of the kernel's WireGuard, to be sent where its UDP socket shall be; not yet up, since it
    has no key and no port before its first WG_CMD_SET_DEVICE."""
    extra = _born_in(namespace) + _kind("wireguard")
    return _create(link.name, index, link.mtu, extra, up=False)


def create_plain(name: str, kind: str, data: bytes = b"") -> bytes:
    """A link of any kind, without any mark, to see whether the kernel can make one."""
    return message(RTM_NEWLINK, ADD, _head(0) + text(IFLA_IFNAME, name) + _kind(kind, data))


def mark(index: int, alias: str, mtu: int | None = None) -> bytes:
    """The alias that makes the link its owner's, the group, and up; with the MTU where it must change."""
    body = text(IFLA_IFALIAS, alias) + _OURS
    if mtu is not None:
        body += u32(IFLA_MTU, mtu)
    return message(RTM_SETLINK, CHANGE, _head(index, IFF_UP, IFF_UP) + body)


def mark_namespace(alias: str) -> bytes:
    """`lo` up, with the alias that makes the namespace its owner's. `lo` is never in our group."""
    body = _head(LOOPBACK_INDEX, IFF_UP, IFF_UP) + text(IFLA_IFALIAS, alias)
    return message(RTM_SETLINK, CHANGE, body)


def move(index: int, new_index: int, namespace: int, alias: str) -> bytes:
    """Into the namespace of that handle under a new index, there marked and up: one message, since
    do_setlink moves first. An index that is taken there is refused (EBUSY), never renumbered."""
    body = attribute(IFLA_NET_NS_FD, struct.pack("=i", namespace))
    body += attribute(IFLA_NEW_IFINDEX, struct.pack("=i", new_index))
    body += text(IFLA_IFALIAS, alias) + _OURS
    return message(RTM_SETLINK, CHANGE, _head(index, IFF_UP, IFF_UP) + body)


def set_link(index: int, *, mtu: int | None = None, mac_address: str | None = None, up: bool = True) -> bytes:
    """Changes in place what is given, and sets the link up unless told to leave that as it is. A new MAC
    makes the kernel drop the link's neighbours, also permanent ones (seen on 6.18)."""
    flags = IFF_UP if up else 0
    body = _head(index, flags, flags)
    if mtu is not None:
        body += u32(IFLA_MTU, mtu)
    if mac_address is not None:
        body += mac(IFLA_ADDRESS, mac_address)
    return message(RTM_SETLINK, CHANGE, body)


def delete_link(index: int) -> bytes:
    return message(RTM_DELLINK, CHANGE, _head(index))


def decode_link(data: bytes) -> LinkSeen:
    """One RTM_NEWLINK message, header included."""
    _, _, index, flags, _ = _IFINFO.unpack_from(data, 16)
    seen = attributes(data, 32)
    info = attributes(seen[IFLA_LINKINFO]) if IFLA_LINKINFO in seen else {}
    return LinkSeen(
        ifindex=index,
        name=as_text(seen.get(IFLA_IFNAME)),
        kind=as_text(info.get(IFLA_INFO_KIND)),
        up=bool(flags & IFF_UP),
        mtu=as_u32(seen.get(IFLA_MTU)),
        mac=as_mac(seen.get(IFLA_ADDRESS)),
        group=as_u32(seen.get(IFLA_GROUP)),
        alias=as_text(seen.get(IFLA_IFALIAS)),
        lower=as_u32(seen.get(IFLA_LINK)),
        lower_elsewhere=IFLA_LINK_NETNSID in seen,
        data=info.get(IFLA_INFO_DATA, b""),
    )


def decode_vxlan(data: bytes) -> VxlanSeen:
    """IFLA_INFO_DATA of a vxlan device."""
    seen = attributes(data)
    local = seen.get(IFLA_VXLAN_LOCAL) or seen.get(IFLA_VXLAN_LOCAL6)
    return VxlanSeen(
        vni=as_u32(seen.get(IFLA_VXLAN_ID)),
        local=None if local is None else as_address(local),
        port=int.from_bytes(seen.get(IFLA_VXLAN_PORT, b"\0\0"), "big"),
        underlay_index=as_u32(seen.get(IFLA_VXLAN_LINK)),
        learning=seen.get(IFLA_VXLAN_LEARNING, b"\0") != b"\0",
    )


def _head(index: int, flags: int = 0, change: int = 0) -> bytes:
    return _IFINFO.pack(AF_UNSPEC, 0, index, flags, change)


def _create(name: str, index: int, mtu: int, extra: bytes, *, up: bool = True) -> bytes:
    flags = IFF_UP if up else 0
    body = _head(index, flags, flags) + text(IFLA_IFNAME, name) + u32(IFLA_MTU, mtu) + _OURS + extra
    return message(RTM_NEWLINK, ADD, body)


def _kind(kind: str, data: bytes = b"") -> bytes:
    info = text(IFLA_INFO_KIND, kind)
    if data:
        info += nested(IFLA_INFO_DATA, data)
    return nested(IFLA_LINKINFO, info)


def _born_in(namespace: int | None) -> bytes:
    return b"" if namespace is None else attribute(IFLA_NET_NS_FD, struct.pack("=i", namespace))
