"""RTM_NEWNEIGH and RTM_DELNEIGH of family AF_BRIDGE: forwarding entries of VXLAN devices (vxlan_core.c)."""

from __future__ import annotations

import errno
from ipaddress import ip_address

from reconciler.kernel.fake.decode import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELNEIGH,
    Message,
)
from reconciler.kernel.fake.records import Fdb, Link, VxlanDetails
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns
from reconciler.kernel.objects import IPAddress

KNOWN = ("NDA_DST", "NDA_LLADDR")
NTF_SELF = 0x02
NUD_REACHABLE, NUD_NOARP, NUD_PERMANENT = 0x02, 0x40, 0x80


def handle(space: Netns, message: Message) -> None:
    """Carry out one message. Raises Refused."""
    message.only(*KNOWN)
    link = _link(space, message)
    mac = message.attrs.get("NDA_LLADDR")
    if mac is None:
        raise Refused(errno.EINVAL, "invalid address")
    if not link.mac or link.kind == "loopback":
        raise Refused(errno.EINVAL, "FDB add only supported for Ethernet devices")
    if message.fields["flags"] != NTF_SELF or not isinstance(link.details, VxlanDetails):
        raise NotModelled(f"forwarding entries of {link.kind} with flags {message.fields['flags']:#x}")
    remote = _remote(link.details, message)
    if message.type == RTM_DELNEIGH:
        _delete(space, link, mac, remote)
    else:
        _add(space, link, mac, remote, message)


def _link(space: Netns, message: Message) -> Link:
    if not message.fields["ifindex"]:
        raise Refused(errno.EINVAL, "invalid ifindex")
    link = space.link(message.fields["ifindex"])
    if link is None:
        raise Refused(errno.ENODEV, "unknown ifindex")
    return link


def _remote(details: VxlanDetails, message: Message) -> IPAddress | None:
    """The tunnel's far end; it must be of the family that the device speaks."""
    if message.type != RTM_DELNEIGH and not message.fields["state"] & (NUD_PERMANENT | NUD_REACHABLE):
        raise Refused(errno.EINVAL)
    if "NDA_DST" not in message.attrs:
        if message.type == RTM_DELNEIGH:
            return None
        raise Refused(errno.EINVAL)
    remote = ip_address(message.attrs["NDA_DST"])
    if message.type != RTM_DELNEIGH and remote.version != (details.local.version if details.local else 4):
        raise Refused(errno.EAFNOSUPPORT)
    return remote


def _add(space: Netns, link: Link, mac: str, remote: IPAddress | None, message: Message) -> None:
    assert remote is not None
    if message.has(NLM_F_APPEND) or int(mac[:2], 16) & 1 or not int(mac.replace(":", ""), 16):
        raise NotModelled("forwarding entries for many receivers")
    key, new = (link.device, mac), Fdb(link.device, mac, remote, message.fields["state"], NTF_SELF)
    if key not in space.fdb:
        if not message.has(NLM_F_CREATE):
            raise Refused(errno.ENOENT)
        space.fdb[key] = (new,)
        return
    if message.has(NLM_F_EXCL):
        raise Refused(errno.EEXIST)
    if message.has(NLM_F_REPLACE):
        space.fdb[key] = (new,)


def _delete(space: Netns, link: Link, mac: str, remote: IPAddress | None) -> None:
    known = space.fdb.get((link.device, mac), ())
    if not known or (remote is not None and all(entry.remote != remote for entry in known)):
        raise Refused(errno.ENOENT)
    left = tuple(entry for entry in known if remote is not None and entry.remote != remote)
    if left:
        space.fdb[link.device, mac] = left
    else:
        del space.fdb[link.device, mac]
