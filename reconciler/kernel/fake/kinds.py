"""What differs between kinds of links: what can be asked for at birth, and what can change later."""

from __future__ import annotations

import errno
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from reconciler.kernel.fake import carrier, devices
from reconciler.kernel.fake.decode import Message, Nest, check_only
from reconciler.kernel.fake.records import (
    BridgeDetails,
    Details,
    Link,
    VethDetails,
    VxlanDetails,
    WireGuardDetails,
    WireGuardState,
)
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns, World
from reconciler.kernel.objects import IPAddress

IFF_UP = 0x1
KINDS = ("bridge", "veth", "vxlan", "wireguard")
WIREGUARD_MTU, ETHERNET_MTU = 1420, 1500
VXLAN_OVERHEAD = {4: 50, 6: 70}
IANA_VXLAN_PORT, LINUX_VXLAN_PORT = 4789, 8472
MAX_VNI = 1 << 24
LEAST_MTU, MOST_MTU = 68, 65535
"""ETH_MIN_MTU, ETH_MAX_MTU (include/uapi/linux/if_ether.h)."""

_VXLAN = (
    "IFLA_VXLAN_ID", "IFLA_VXLAN_LINK", "IFLA_VXLAN_LOCAL", "IFLA_VXLAN_LOCAL6", "IFLA_VXLAN_PORT",
    "IFLA_VXLAN_LEARNING",
)  # fmt: skip
_PEER = (
    "IFLA_IFNAME",
    "IFLA_ADDRESS",
    "IFLA_MTU",
    "IFLA_NET_NS_FD",
    "IFLA_GROUP",
    "IFLA_IFALIAS",
    "IFLA_TXQLEN",
)


def kind_of(info: Nest | None) -> str | None:
    if info is None:
        return None
    check_only(info, ("IFLA_INFO_KIND", "IFLA_INFO_DATA"), "IFLA_LINKINFO")
    kind = info.attrs.get("IFLA_INFO_KIND")
    if kind is not None and kind not in KINDS:
        raise NotModelled(f"links of kind {kind}")
    return kind


def data_of(message: Nest) -> Nest:
    data = message.attrs["IFLA_LINKINFO"].attrs.get("IFLA_INFO_DATA", Nest())
    return data if isinstance(data, Nest) else Nest()


def target_space(world: World, space: Netns, attrs: Any) -> Netns:
    """Where IFLA_NET_NS_FD leads. Raises Refused EBADF for a number that is no namespace's."""
    if "IFLA_NET_NS_FD" not in attrs:
        return space
    target = world.spaces.get(world.handles.get(attrs["IFLA_NET_NS_FD"], -1))
    if target is None:
        raise Refused(errno.EBADF)
    return target


def peer_space(world: World, space: Netns, message: Nest) -> Netns:
    """Where a veth's peer will be born: unless told, where the message was sent. Raises Refused EBADF."""
    peer = data_of(message).attrs.get("VETH_INFO_PEER", Nest())
    return target_space(world, space, peer.attrs)


def validate(kind: str, message: Message) -> None:
    """The kind's own check of the attributes, a veth peer's among them, before anything is looked up."""
    data = data_of(message)
    _validate_ends(kind, message)
    if kind == "vxlan":
        check_only(data, _VXLAN, "a VXLAN link")
        if data.attrs.get("IFLA_VXLAN_ID", 0) >= MAX_VNI:
            raise Refused(errno.ERANGE, "VXLAN ID must be lower than 16777216")
    elif kind == "veth":
        check_only(data, ("VETH_INFO_PEER",), "a veth link")
        _validate_ends(kind, data.attrs.get("VETH_INFO_PEER", Nest()))
    else:
        check_only(data, (), f"a link of kind {kind}")


def _validate_ends(kind: str, message: Nest) -> None:
    if "IFLA_ADDRESS" in message.attrs and kind != "wireguard":
        devices.check_mac(message.attrs["IFLA_ADDRESS"])
    if kind in ("veth", "vxlan") and not LEAST_MTU <= message.attrs.get("IFLA_MTU", LEAST_MTU) <= MOST_MTU:
        raise Refused(errno.EINVAL)


def check_mtu(world: World, kind: str, details: Details, mtu: int) -> None:
    """dev_validate_mtu, and vxlan_change_mtu against the underlay. Raises Refused EINVAL."""
    least, most = {"wireguard": (0, 2147483552), "loopback": (0, 2147483647), "tun": (68, 65535)}.get(
        kind, (68, 65535)
    )
    if mtu < least or mtu < 0:
        raise Refused(errno.EINVAL, "mtu less than device minimum")
    if mtu > most:
        raise Refused(errno.EINVAL, "mtu greater than device maximum")
    if isinstance(details, VxlanDetails) and mtu > (vxlan_room(world, details) or most):
        raise Refused(errno.EINVAL)


def vxlan_room(world: World, details: VxlanDetails) -> int | None:
    """The greatest MTU that the underlay device leaves, None if it is not bound to one."""
    lower = world.find(details.link) if details.link is not None else None
    if lower is None:
        return None
    return lower[1].mtu - VXLAN_OVERHEAD[details.local.version if details.local else 4]


# --- birth -------------------------------------------------------------------------------------------


def create(world: World, space: Netns, target: Netns, message: Message, kind: str) -> Link:
    """A device of `kind` in `target`, its sockets (if any) in `space`. Raises Refused."""
    if kind == "veth":
        return _create_veth(world, space, target, message)
    details = _details(space, message, kind)
    if isinstance(details, VxlanDetails) and devices.same_vni(world, details):
        raise Refused(errno.EEXIST, "A VXLAN device with the specified VNI already exists")
    link = _register(world, target, message, kind, details)
    if kind == "bridge" and "IFLA_ADDRESS" in message.attrs:
        carrier.recount(world, link.device)
    if kind == "wireguard":
        world.wireguards[link.device] = WireGuardState()
    return target.links[link.index]


def _details(space: Netns, message: Message, kind: str) -> Details:
    if kind == "vxlan":
        return _vxlan(space, data_of(message))
    return WireGuardDetails(space.id) if kind == "wireguard" else BridgeDetails()


def _vxlan(space: Netns, data: Nest) -> VxlanDetails:
    attrs = data.attrs
    if "IFLA_VXLAN_ID" not in attrs:
        raise NotModelled("a VXLAN link without a VNI")
    lower = space.link(attrs["IFLA_VXLAN_LINK"]) if attrs.get("IFLA_VXLAN_LINK") else None
    if attrs.get("IFLA_VXLAN_LINK") and lower is None:
        raise Refused(errno.ENODEV, "Invalid local interface, device not found")
    return VxlanDetails(
        vni=attrs["IFLA_VXLAN_ID"],
        local=_local(attrs),
        port=attrs.get("IFLA_VXLAN_PORT", LINUX_VXLAN_PORT),
        learning=bool(attrs.get("IFLA_VXLAN_LEARNING", 1)),
        birth=space.id,
        link=None if lower is None else lower.device,
    )


def _local(attrs: Any) -> IPAddress | None:
    if "IFLA_VXLAN_LOCAL6" in attrs:
        return IPv6Address(attrs["IFLA_VXLAN_LOCAL6"])
    return IPv4Address(attrs["IFLA_VXLAN_LOCAL"]) if "IFLA_VXLAN_LOCAL" in attrs else None


def _register(
    world: World, space: Netns, message: Nest, kind: str, details: Details, index: int | None = None
) -> Link:
    """register_netdevice, with what rtnl_create_link sets; an alias is not among it."""
    attrs = message.attrs
    name = attrs.get("IFLA_IFNAME") or devices.free_name(space, kind)
    mtu = _birth_mtu(world, kind, details, attrs)
    if space.named(name) is not None:
        raise Refused(errno.EEXIST)
    number = devices.reserve_index(world, space, message.fields["index"] if index is None else index)
    chosen = attrs.get("IFLA_ADDRESS")
    mac = "" if kind == "wireguard" else chosen or devices.made_up_mac(world)
    link = Link(
        world.new_device(), number, name, kind, mac, mtu, details,
        group=attrs.get("IFLA_GROUP", 0), random_mac=chosen is None, noarp=kind == "wireguard",
        carrier=kind != "veth",
    )  # fmt: skip
    return devices.register(world, space, link)


def _birth_mtu(world: World, kind: str, details: Details, attrs: Any) -> int:
    usual = WIREGUARD_MTU if kind == "wireguard" else ETHERNET_MTU
    room = vxlan_room(world, details) if isinstance(details, VxlanDetails) else None
    if "IFLA_MTU" not in attrs:
        return usual if room is None else room
    check_mtu(world, kind, BridgeDetails(), attrs["IFLA_MTU"])
    return int(attrs["IFLA_MTU"]) if room is None else min(attrs["IFLA_MTU"], room)


def _create_veth(world: World, origin: Netns, space: Netns, message: Message) -> Link:
    """veth_newlink: the peer is registered and configured first, then the end that was asked for."""
    data = data_of(message)
    peer = data.attrs.get("VETH_INFO_PEER", Nest({"index": 0, "flags": 0, "change": 0}, {}))
    check_only(peer, _PEER, "VETH_INFO_PEER")
    elsewhere = peer_space(world, origin, message)
    chosen = peer.fields["index"] if message.fields["index"] else 0
    far = _register(world, elsewhere, peer, "veth", VethDetails(-1), chosen)
    try:
        if peer.fields["flags"] & IFF_UP:
            raise Refused(errno.ENOTCONN)
        near = _register(world, space, message, "veth", VethDetails(far.device))
    except Refused:
        devices.unregister(world, far.device)
        raise
    world.put(elsewhere, replace(elsewhere.links[far.index], details=VethDetails(near.device)))
    return near


# --- later changes -------------------------------------------------------------------------------------


def change_details(world: World, space: Netns, link: Link, kind: str | None, data: Any) -> Link:
    """IFLA_INFO_DATA on a link that is there (ops->changelink). Raises Refused EOPNOTSUPP."""
    if kind != link.kind or kind in ("veth", "wireguard"):
        raise Refused(errno.EOPNOTSUPP)
    if isinstance(data, Nest) and not data.attrs:
        return link
    raise NotModelled(f"changing the details of a link of kind {kind}")
