"""RTM_NEWNEIGH and RTM_DELNEIGH of IPv4 and IPv6: permanent neighbours (net/core/neighbour.c)."""

from __future__ import annotations

import errno
from dataclasses import replace
from ipaddress import ip_address
from socket import AF_INET, AF_INET6

from reconciler.kernel.fake.decode import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, RTM_DELNEIGH, Message
from reconciler.kernel.fake.records import Link, Neigh
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns
from reconciler.kernel.objects import IPAddress

KNOWN = ("NDA_DST", "NDA_LLADDR", "NDA_PROTOCOL")
NUD_PERMANENT = 0x80


def handle(space: Netns, message: Message) -> None:
    """Carry out one message of the neighbour family. Raises Refused."""
    message.only(*KNOWN)
    family = message.fields["family"]
    if family not in (AF_INET, AF_INET6) or message.fields["flags"]:
        raise NotModelled(f"neighbours of family {family}, flags {message.fields['flags']:#x}")
    if "NDA_DST" not in message.attrs:
        raise Refused(errno.EINVAL, "Network address not specified")
    link = _link(space, message)
    address = ip_address(message.attrs["NDA_DST"])
    if message.type == RTM_DELNEIGH:
        delete(space, link, address)
    else:
        _add(space, link, address, message)


def _link(space: Netns, message: Message) -> Link:
    link = space.link(message.fields["ifindex"])
    if link is None:
        raise Refused(errno.ENODEV)
    return link


def _add(space: Netns, link: Link, address: IPAddress, message: Message) -> None:
    if message.fields["state"] != NUD_PERMANENT:
        raise NotModelled(f"neighbours of state {message.fields['state']:#x}")
    mac, protocol = message.attrs.get("NDA_LLADDR", ""), message.attrs.get("NDA_PROTOCOL", 0)
    known = space.neighbours.get((link.device, address))
    if known is None:
        _create(space, link, Neigh(link.device, address, mac, NUD_PERMANENT, protocol=protocol), message)
        return
    if message.has(NLM_F_EXCL):
        raise Refused(errno.EEXIST)
    changed = replace(known, protocol=protocol or known.protocol)
    if message.has(NLM_F_REPLACE) and mac:
        changed = replace(changed, mac=mac)
    space.neighbours[link.device, address] = changed


def _create(space: Netns, link: Link, new: Neigh, message: Message) -> None:
    if not message.has(NLM_F_CREATE):
        raise Refused(errno.ENOENT)
    if not new.mac:
        raise Refused(errno.EINVAL)
    space.neighbours[link.device, new.address] = new


def delete(space: Netns, link: Link, address: IPAddress) -> None:
    """Raises Refused ENOENT."""
    if (link.device, address) not in space.neighbours:
        raise Refused(errno.ENOENT)
    del space.neighbours[link.device, address]
