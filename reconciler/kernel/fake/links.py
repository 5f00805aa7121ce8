"""RTM_NEWLINK, RTM_SETLINK and RTM_DELLINK (rtnetlink.c), onto devices."""

from __future__ import annotations

import errno
from dataclasses import replace

from reconciler.kernel.fake import devices, ipv4, kinds
from reconciler.kernel.fake.decode import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, RTM_NEWLINK, Message, Nest
from reconciler.kernel.fake.records import Link
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns, World

IFF_UP = 0x1
IFF_SETTABLE = IFF_UP
KNOWN = (
    "IFLA_ADDRESS", "IFLA_IFNAME", "IFLA_MTU", "IFLA_MASTER", "IFLA_LINKINFO", "IFLA_IFALIAS", "IFLA_GROUP",
    "IFLA_NET_NS_FD", "IFLA_NEW_IFINDEX", "IFLA_TXQLEN",
)  # fmt: skip
LEAST_MTU, GREATEST_MTU = 68, 65535


def handle(world: World, space: Netns, message: Message) -> None:
    """Carry out one message of the link family. Raises Refused."""
    message.only(*KNOWN)
    _check_flags(message)
    if message.type == RTM_NEWLINK:
        new_link(world, space, message)
    else:
        target = kinds.target_space(world, space, message.attrs)
        change(world, space, target, _existing(space, message), message)


def _check_flags(message: Nest) -> None:
    odd = (message.fields["flags"] | message.fields["change"]) & ~IFF_SETTABLE
    if odd and message.fields["change"] != 0xFFFFFFFF:
        raise NotModelled(f"link flags {odd:#x}")


def _existing(space: Netns, message: Message) -> Link:
    index, name = message.fields["index"], message.attrs.get("IFLA_IFNAME", "")
    if index <= 0 and not name:
        raise Refused(errno.EINVAL)
    link = space.link(index) if index > 0 else space.named(name)
    if link is None:
        raise Refused(errno.ENODEV)
    return link


# --- RTM_NEWLINK ---------------------------------------------------------------------------------------


def new_link(world: World, space: Netns, message: Message) -> None:
    """Make a link, or change the one that is there.

    Since Linux 6.15 a creating, exclusive message looks in the target namespace for what is there; all
    others look in the socket's.
    """
    kind = kinds.kind_of(message.attrs.get("IFLA_LINKINFO"))
    if kind is not None:
        kinds.validate(kind, message)
        kinds.peer_space(world, space, message)
    target = kinds.target_space(world, space, message.attrs)
    if "IFLA_IFNAME" in message.attrs:
        devices.check_name(message.attrs["IFLA_IFNAME"])
    if message.fields["index"] < 0:
        raise Refused(errno.EINVAL, "ifindex can't be negative")
    creating = message.has(NLM_F_CREATE) and message.has(NLM_F_EXCL)
    known = _named(target if creating else space, message)
    if known is not None:
        _change_known(world, target if creating else space, known, message, kind)
    elif not message.has(NLM_F_CREATE):
        raise Refused(errno.ENODEV)
    elif kind is None:
        raise Refused(errno.EOPNOTSUPP, "Unknown device type")
    else:
        _create(world, space, target, message, kind)


def _named(space: Netns, message: Message) -> Link | None:
    if message.fields["index"] > 0:
        return space.link(message.fields["index"])
    name = message.attrs.get("IFLA_IFNAME")
    return None if name is None else space.named(name)


def _change_known(world: World, space: Netns, link: Link, message: Message, kind: str | None) -> None:
    if message.has(NLM_F_EXCL):
        raise Refused(errno.EEXIST)
    if message.has(NLM_F_REPLACE):
        raise Refused(errno.EOPNOTSUPP)
    info = message.attrs.get("IFLA_LINKINFO")
    if info is not None and "IFLA_INFO_DATA" in info.attrs:
        link = kinds.change_details(world, space, link, kind, info.attrs["IFLA_INFO_DATA"])
    change(world, space, kinds.target_space(world, space, message.attrs), link, message)


def _create(world: World, space: Netns, target: Netns, message: Message, kind: str) -> None:
    """The device and, for a veth, its peer; if a later step is refused, nothing is left."""
    link = kinds.create(world, space, target, message, kind)
    try:
        configure(world, target, link, message)
        if "IFLA_MASTER" in message.attrs:
            set_master(world, target, target.links[link.index], message.attrs["IFLA_MASTER"])
    except Refused:
        devices.unregister(world, link.device)
        raise


def configure(world: World, space: Netns, link: Link, message: Nest) -> None:
    """rtnl_configure_link: the flags asked for at birth."""
    if message.fields["flags"] & IFF_UP:
        devices.set_up(world, space, space.links[link.index])


# --- changes -------------------------------------------------------------------------------------------


def change(world: World, space: Netns, target: Netns, link: Link, message: Message) -> None:
    """do_setlink, in its order; what came before a refused step stays done."""
    attrs = message.attrs
    if target is not space:
        link = devices.move(
            world, space, link, target, attrs.get("IFLA_IFNAME"), attrs.get("IFLA_NEW_IFINDEX", 0)
        )
        space = target
    if "IFLA_ADDRESS" in attrs:
        devices.set_mac(world, space, link, attrs["IFLA_ADDRESS"])
    if "IFLA_MTU" in attrs:
        set_mtu(world, space, space.links[link.index], attrs["IFLA_MTU"])
    _set_plain(world, space, link.index, message)
    _set_flags(world, space, space.links[link.index], message)
    if "IFLA_MASTER" in attrs:
        set_master(world, space, space.links[link.index], attrs["IFLA_MASTER"])


def _set_plain(world: World, space: Netns, index: int, message: Message) -> None:
    attrs = message.attrs
    if "IFLA_GROUP" in attrs:
        world.put(space, replace(space.links[index], group=attrs["IFLA_GROUP"]))
    if message.fields["index"] > 0 and "IFLA_IFNAME" in attrs:
        rename(world, space, space.links[index], attrs["IFLA_IFNAME"])
    if "IFLA_IFALIAS" in attrs:
        set_alias(world, space, space.links[index], attrs["IFLA_IFALIAS"])


def set_mtu(world: World, space: Netns, link: Link, mtu: int) -> None:
    if mtu == link.mtu:
        return
    kinds.check_mtu(world, link.kind, link.details, mtu)
    world.put(space, replace(link, mtu=mtu, mtu_chosen=True))
    if link.master is not None:
        devices.follow_mtu(world, space, link.master)
    if "ipv6/mtu" in space.link_sysctls.get(link.device, {}):
        own = space.link_sysctls[link.device]
        space.link_sysctls[link.device] = {**own, "ipv6/mtu": str(mtu)}


def rename(world: World, space: Netns, link: Link, name: str) -> None:
    """dev_change_name; a link that is up can be renamed (since Linux 6.2)."""
    if name == link.name:
        return
    devices.check_name(name)
    if space.named(name) is not None:
        raise Refused(errno.EEXIST)
    world.put(space, replace(link, name=name))
    ipv4.relabel(space, link, name)


def set_alias(world: World, space: Netns, link: Link, alias: str) -> None:
    if len(alias.encode()) > 255:
        raise Refused(errno.EINVAL)
    world.put(space, replace(link, alias=alias))


def set_master(world: World, space: Netns, link: Link, index: int) -> None:
    master = space.link(index) if index else None
    if index and master is None:
        raise Refused(errno.EINVAL)
    devices.enslave(world, space, link, master)


def _set_flags(world: World, space: Netns, link: Link, message: Message) -> None:
    flags, mask = message.fields["flags"], message.fields["change"]
    if not flags and not mask:
        return
    wanted = bool(flags & IFF_UP) if not mask or mask & IFF_UP else link.up
    if wanted and not link.up:
        devices.set_up(world, space, link)
    elif not wanted and link.up:
        devices.set_down(world, space, link)


# --- RTM_DELLINK ---------------------------------------------------------------------------------------


def delete_link(world: World, space: Netns, message: Message) -> None:
    """Delete by index, by name, or a whole group. Raises Refused."""
    message.only("IFLA_IFNAME", "IFLA_GROUP")
    by_group = message.fields["index"] <= 0 and "IFLA_IFNAME" not in message.attrs
    if by_group and "IFLA_GROUP" in message.attrs:
        _delete_group(world, space, message.attrs["IFLA_GROUP"])
        return
    link = _existing(space, message)
    if link.kind == "loopback":
        raise Refused(errno.EOPNOTSUPP)
    devices.unregister(world, link.device)


def _delete_group(world: World, space: Netns, group: int) -> None:
    if not group:
        raise Refused(errno.EPERM)
    members = [link for link in space.ordered() if link.group == group]
    if not members:
        raise Refused(errno.ENODEV)
    if any(link.kind == "loopback" for link in members):
        raise Refused(errno.EOPNOTSUPP)
    for link in members:
        devices.unregister(world, link.device)
