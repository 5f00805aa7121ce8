"""Static forwarding entries of VXLAN devices: RTM_NEWNEIGH in family AF_BRIDGE with NTF_SELF
(linux/neighbour.h; drivers/net/vxlan/vxlan_core.c)."""

from __future__ import annotations

from typing import NamedTuple

from reconciler.kernel.codec.neighbour import (
    NDA_DST,
    NDA_LLADDR,
    NDMSG,
    NUD_PERMANENT,
    RTM_DELNEIGH,
    RTM_NEWNEIGH,
)
from reconciler.kernel.codec.wire import (
    ADD,
    AF_BRIDGE,
    CHANGE,
    REPLACE,
    as_address,
    as_mac,
    attribute,
    attributes,
    mac,
    message,
)
from reconciler.kernel.objects import FdbEntry, IPAddress

NTF_SELF = 0x02


class FdbSeen(NamedTuple):
    ifindex: int
    mac: str
    remote: IPAddress | None
    permanent: bool


def add_fdb(entry: FdbEntry, index: int) -> bytes:
    """EEXIST if the device has an entry for this MAC."""
    return message(RTM_NEWNEIGH, ADD, _body(entry, index))


def replace_fdb(entry: FdbEntry, index: int) -> bytes:
    """Swaps the remote of a unicast MAC's only entry at once."""
    return message(RTM_NEWNEIGH, REPLACE, _body(entry, index))


def delete_fdb(entry: FdbEntry, index: int) -> bytes:
    """ENOENT if there is none."""
    return message(RTM_DELNEIGH, CHANGE, _body(entry, index))


def decode_fdb(data: bytes) -> FdbSeen:
    """One RTM_NEWNEIGH message of family AF_BRIDGE, header included."""
    _, index, state, _, _ = NDMSG.unpack_from(data, 16)
    seen = attributes(data, 28)
    remote = seen.get(NDA_DST)
    return FdbSeen(
        ifindex=index,
        mac=as_mac(seen.get(NDA_LLADDR)),
        remote=None if remote is None else as_address(remote),
        permanent=bool(state & NUD_PERMANENT),
    )


def _body(entry: FdbEntry, index: int) -> bytes:
    head = NDMSG.pack(AF_BRIDGE, index, NUD_PERMANENT, NTF_SELF, 0)
    return head + mac(NDA_LLADDR, entry.mac) + attribute(NDA_DST, entry.remote.packed)
