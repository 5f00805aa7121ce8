"""Netlink requests as readable values, and strategies of them: what the fake and a real kernel are asked.

A request is encoded by pyroute2, not by our codec: the fake must be right for whatever a kernel may be told.
Pools of names, indexes and addresses are so small that requests collide, refer to what is gone, and come
in the wrong order. Namespaces are A and B; `handle_of` gives what IFLA_NET_NS_FD takes for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from socket import AF_INET, AF_INET6
from typing import Any

from hypothesis import strategies as st
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

HandleOf = Callable[[str], int]

SPACES = ("A", "B")
FIRST = 1 << 20
NAMES = ("one", "two", "three")
INDEXES = (FIRST, FIRST + 1, FIRST + 2)
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02", "01:00:5e:00:00:01", "00:00:00:00:00:00")
ADDRESSES = tuple(
    ip_interface(text)
    for text in (
        "10.1.0.1/24",
        "10.1.0.2/24",
        "10.1.0.1/16",
        "10.2.0.1/31",
        "10.1.0.1/32",
        "0.0.0.1/8",
        "127.0.0.1/8",
        "fd00:1::1/64",
        "fd00:1::2/64",
        "fd00:1::1/48",
        "fd00:2::1/127",
        "fd00:1::1/128",
        "fe80::1/64",
        "::1/128",
        "ff02::9/16",
    )
)
DESTINATIONS = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/0",
        "10.1.0.0/24",
        "10.1.0.0/16",
        "10.9.0.0/24",
        "10.1.0.7/32",
        "::/0",
        "fd00:1::/64",
        "fd00:9::/64",
        "fd00:1::7/128",
    )
)
GATEWAYS = tuple(
    ip_address(text)
    for text in (
        "10.1.0.1",
        "10.1.0.7",
        "10.2.0.0",
        "10.9.0.1",
        "fd00:1::1",
        "fd00:1::7",
        "fd00:9::1",
        "fe80::7",
    )
)
REMOTES = tuple(ip_address(text) for text in ("192.0.2.1", "192.0.2.2", "fd00:f::1"))

NLM_F_REQUEST, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x1, 0x100, 0x200, 0x400, 0x800
FLAGS = (
    NLM_F_CREATE | NLM_F_EXCL,
    NLM_F_CREATE | NLM_F_EXCL,
    NLM_F_CREATE | NLM_F_EXCL,
    NLM_F_CREATE | NLM_F_REPLACE,
    NLM_F_CREATE,
    NLM_F_REPLACE,
    0,
)


def _message(kind: type, number: int, flags: int, fields: dict[str, Any], attrs: list[Any]) -> bytes:
    message = kind()
    message["header"]["type"], message["header"]["flags"] = number, flags | NLM_F_REQUEST
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = [(name, value) for name, value in attrs if value is not None]
    message.encode()
    return bytes(message.data)


class Brief:
    """A short repr: only what differs from the defaults, as keywords that Python reads again."""

    def __repr__(self) -> str:
        said = (one for one in fields(self) if getattr(self, one.name) != one.default)  # type: ignore[arg-type]
        values = (f"{one.name}={_text(getattr(self, one.name))}" for one in said)
        return f"{type(self).__name__}({', '.join(values)})"


def _text(value: Any) -> str:
    if hasattr(value, "version"):
        kind = (
            "interface" if hasattr(value, "ip") else "network" if hasattr(value, "prefixlen") else "address"
        )
        return f"ip_{kind}('{value}')"
    return repr(value)


@dataclass(frozen=True, repr=False)
class Request(Brief):
    """A message for the socket of namespace `space`."""

    space: str

    def encode(self, handle_of: HandleOf) -> bytes:
        raise NotImplementedError


# --- links -------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Ends(Brief):
    """What can be asked of a link at birth and later; None is not said."""

    name: str | None = None
    index: int = 0
    mac: str | None = None
    mtu: int | None = None
    group: int | None = None
    alias: str | None = None
    master: int | None = None
    up: bool | None = None
    moved_to: str | None = None
    new_index: int | None = None

    def head(self) -> dict[str, int]:
        return {"index": self.index, "flags": int(bool(self.up)), "change": int(self.up is not None)}

    def attrs(self, handle_of: HandleOf) -> list[Any]:
        return [
            ("IFLA_IFNAME", self.name),
            ("IFLA_ADDRESS", self.mac),
            ("IFLA_MTU", self.mtu),
            ("IFLA_GROUP", self.group),
            ("IFLA_IFALIAS", self.alias),
            ("IFLA_MASTER", self.master),
            ("IFLA_NET_NS_FD", None if self.moved_to is None else handle_of(self.moved_to)),
            ("IFLA_NEW_IFINDEX", self.new_index),
        ]


@dataclass(frozen=True, repr=False)
class NewLink(Request):
    kind: str | None
    ends: Ends
    flags: int = NLM_F_CREATE | NLM_F_EXCL
    peer: Ends | None = None
    vxlan: tuple[tuple[str, Any], ...] = ()

    def encode(self, handle_of: HandleOf) -> bytes:
        attrs = self.ends.attrs(handle_of)
        if self.kind is not None:
            attrs.append(("IFLA_LINKINFO", {"attrs": self._info(handle_of)}))
        return _message(ifinfmsg, 16, self.flags, self.ends.head(), attrs)

    def _info(self, handle_of: HandleOf) -> list[Any]:
        info: list[Any] = [("IFLA_INFO_KIND", self.kind)]
        if self.peer is not None:
            attrs = [(name, value) for name, value in self.peer.attrs(handle_of) if value is not None]
            peer = {**self.peer.head(), "attrs": attrs}
            info.append(("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", peer)]}))
        if self.vxlan:
            info.append(("IFLA_INFO_DATA", {"attrs": list(self.vxlan)}))
        return info


@dataclass(frozen=True, repr=False)
class SetLink(Request):
    ends: Ends

    def encode(self, handle_of: HandleOf) -> bytes:
        return _message(ifinfmsg, 19, 0, self.ends.head(), self.ends.attrs(handle_of))


@dataclass(frozen=True, repr=False)
class DelLink(Request):
    ends: Ends

    def encode(self, handle_of: HandleOf) -> bytes:
        return _message(ifinfmsg, 17, 0, self.ends.head(), self.ends.attrs(handle_of))


# --- addresses, routes, rules ----------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class ChangeAddress(Request):
    address: IPv4Interface | IPv6Interface
    index: int
    deletion: bool = False
    flags: int = NLM_F_CREATE | NLM_F_EXCL
    address_flags: int = 0x02
    broadcast: bool = False

    def encode(self, handle_of: HandleOf) -> bytes:
        four = self.address.version == 4
        own = str(self.address.ip)
        last = str(self.address.network.broadcast_address) if self.broadcast and four else None
        fields = {
            "family": AF_INET if four else AF_INET6,
            "prefixlen": self.address.network.prefixlen,
            "index": self.index,
            "scope": 253 if self.address.is_link_local else 0,
        }
        attrs = [
            ("IFA_LOCAL", own),
            ("IFA_ADDRESS", own),
            ("IFA_BROADCAST", last),
            ("IFA_FLAGS", self.address_flags if not four else None),
        ]
        return _message(
            ifaddrmsg, 21 if self.deletion else 20, 0 if self.deletion else self.flags, fields, attrs
        )


@dataclass(frozen=True, repr=False)
class ChangeRoute(Request):
    destination: IPv4Network | IPv6Network
    index: int | None
    via: Any = None
    source: Any = None
    onlink: bool = False
    metric: int | None = None
    table: int = 254
    kind: int = 1
    protocol: int = 116
    deletion: bool = False
    flags: int = NLM_F_CREATE | NLM_F_EXCL

    def encode(self, handle_of: HandleOf) -> bytes:
        four = self.destination.version == 4
        length = self.destination.prefixlen
        scope = 0 if not four or self.via is not None or self.kind != 1 else 253
        fields = {
            "family": AF_INET if four else AF_INET6,
            "dst_len": length,
            "table": self.table,
            "proto": self.protocol,
            "scope": 255 if self.deletion and four else scope,
            "type": self.kind,
            "flags": 4 if self.onlink else 0,
        }
        attrs = [
            ("RTA_DST", str(self.destination.network_address) if length else None),
            ("RTA_OIF", self.index),
            ("RTA_GATEWAY", None if self.via is None else str(self.via)),
            ("RTA_PREFSRC", None if self.source is None else str(self.source)),
            ("RTA_PRIORITY", self.metric),
        ]
        return _message(rtmsg, 25 if self.deletion else 24, 0 if self.deletion else self.flags, fields, attrs)


@dataclass(frozen=True, repr=False)
class ChangeRule(Request):
    family: int
    priority: int | None
    table: int
    source: Any = None
    protocol: int = 116
    deletion: bool = False
    flags: int = NLM_F_CREATE | NLM_F_EXCL

    def encode(self, handle_of: HandleOf) -> bytes:
        fields = {
            "family": AF_INET if self.family == 4 else AF_INET6,
            "src_len": 0 if self.source is None else self.source.prefixlen,
            "table": self.table if self.table < 256 else 0,
            "action": 1,
        }
        attrs = [
            ("FRA_PRIORITY", self.priority),
            ("FRA_TABLE", self.table),
            ("FRA_SRC", None if self.source is None else str(self.source.network_address)),
            ("FRA_PROTOCOL", self.protocol),
        ]
        return _message(
            fibmsg, 33 if self.deletion else 32, 0 if self.deletion else self.flags, fields, attrs
        )


# --- neighbours and forwarding entries -------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class ChangeNeighbour(Request):
    address: Any
    index: int
    mac: str | None
    deletion: bool = False
    flags: int = NLM_F_CREATE | NLM_F_EXCL

    def encode(self, handle_of: HandleOf) -> bytes:
        fields = {
            "family": AF_INET if self.address.version == 4 else AF_INET6,
            "ifindex": self.index,
            "state": 0 if self.deletion else 0x80,
        }
        attrs = [("NDA_DST", str(self.address))]
        if not self.deletion:
            attrs += [("NDA_LLADDR", self.mac), ("NDA_PROTOCOL", 116)]
        return _message(ndmsg, 29 if self.deletion else 28, 0 if self.deletion else self.flags, fields, attrs)


@dataclass(frozen=True, repr=False)
class ChangeForwarding(Request):
    index: int
    mac: str
    remote: Any
    deletion: bool = False
    flags: int = NLM_F_CREATE | NLM_F_EXCL

    def encode(self, handle_of: HandleOf) -> bytes:
        fields = {"family": 7, "ifindex": self.index, "state": 0x80, "flags": 0x02}
        attrs = [("NDA_LLADDR", self.mac), ("NDA_DST", None if self.remote is None else str(self.remote))]
        return _message(ndmsg, 29 if self.deletion else 28, 0 if self.deletion else self.flags, fields, attrs)


@dataclass(frozen=True, repr=False)
class WriteSysctl(Request):
    """Not a message: one value written in the namespace."""

    path: str = ""
    value: str = ""


@dataclass(frozen=True, repr=False)
class EndNamespace(Request):
    """Not a message: the namespace goes."""


# --- strategies ----------------------------------------------------------------------------------------

spaces = st.sampled_from(SPACES)
indexes = st.sampled_from(INDEXES)
link_indexes = st.sampled_from((0, 0, *INDEXES, *INDEXES, *INDEXES, 2, 3))
names = st.sampled_from(NAMES)
flags = st.sampled_from(FLAGS)
maybe_up = st.sampled_from((None, None, True, False))
mtus = st.sampled_from((None, None, None, 1280, 1400, 1500, 9000, 67, 65536))


@st.composite
def ends(draw: st.DrawFn, *, new: bool = True, moving: bool = False) -> Ends:
    return Ends(
        name=draw(names) if new or draw(st.integers(0, 5)) == 0 else None,
        index=draw(link_indexes if new else indexes),
        mac=draw(st.sampled_from((None, None, *MACS))),
        mtu=draw(mtus),
        group=draw(st.sampled_from((None, None, 7))),
        alias=draw(st.sampled_from((None, None, "tnet:x"))),
        up=draw(maybe_up),
        moved_to=draw(st.sampled_from((None, None, None, *SPACES))) if moving or new else None,
    )


@st.composite
def new_bridges(draw: st.DrawFn) -> NewLink:
    return NewLink(draw(spaces), "bridge", draw(ends()), draw(flags))


@st.composite
def new_veths(draw: st.DrawFn) -> NewLink:
    peer = draw(ends())
    return NewLink(draw(spaces), "veth", draw(ends()), draw(flags), peer=peer)


@st.composite
def new_vxlans(draw: st.DrawFn) -> NewLink:
    lower = draw(st.sampled_from((0, 0, 0, *INDEXES)))
    local = draw(st.sampled_from((None, "192.0.2.9", "192.0.2.9", "fd00:f::9")))
    vxlan: list[tuple[str, Any]] = [("IFLA_VXLAN_ID", draw(st.sampled_from((7, 8))))]
    if lower:
        vxlan.append(("IFLA_VXLAN_LINK", lower))
    if local is not None:
        vxlan.append(("IFLA_VXLAN_LOCAL6" if ":" in local else "IFLA_VXLAN_LOCAL", local))
    vxlan += [("IFLA_VXLAN_LEARNING", 0), ("IFLA_VXLAN_PORT", draw(st.sampled_from((4789, 4790))))]
    return NewLink(draw(spaces), "vxlan", draw(ends()), draw(flags), vxlan=tuple(vxlan))


@st.composite
def set_links(draw: st.DrawFn) -> SetLink:
    asked = draw(ends(new=False, moving=True))
    new_index = draw(st.sampled_from((None, *INDEXES))) if asked.moved_to else None
    master = draw(st.sampled_from((None, None, None, 0, *INDEXES)))
    return SetLink(draw(spaces), Ends(**{**vars(asked), "new_index": new_index, "master": master}))


ups = st.builds(
    SetLink, spaces, st.builds(Ends, index=st.sampled_from((1, *INDEXES, *INDEXES)), up=st.booleans())
)
moves = st.builds(
    SetLink,
    spaces,
    st.builds(
        Ends,
        index=indexes,
        moved_to=spaces,
        new_index=st.sampled_from((None, *INDEXES)),
        up=maybe_up,
        name=st.sampled_from((None, *NAMES)),
    ),
)
enslavings = st.builds(
    SetLink, spaces, st.builds(Ends, index=indexes, master=st.sampled_from((0, *INDEXES, *INDEXES)))
)
del_links = st.builds(
    DelLink,
    spaces,
    st.one_of(
        st.builds(Ends, index=st.sampled_from((1, 2, *INDEXES))),
        st.builds(Ends, name=st.sampled_from(("lo", *NAMES))),
    ),
)
"""Never by group: the kernel takes an RCU barrier for each."""

addresses = st.builds(
    ChangeAddress,
    spaces,
    st.sampled_from(ADDRESSES),
    st.sampled_from((1, *INDEXES, *INDEXES)),
    st.sampled_from((False, False, True)),
    flags,
    st.sampled_from((0x02, 0x02, 0x202)),
    st.booleans(),
)


@st.composite
def routes(draw: st.DrawFn) -> ChangeRoute:
    destination = draw(st.sampled_from(DESTINATIONS))
    same = [one for one in GATEWAYS if one.version == destination.version]
    own = [one.ip for one in ADDRESSES if one.version == destination.version and not one.ip.is_multicast]
    kind = draw(st.sampled_from((1, 1, 1, 1, 1, 1, 7)))
    via = draw(st.sampled_from((None, *same))) if kind == 1 else None
    return ChangeRoute(
        draw(spaces),
        destination,
        draw(st.sampled_from((None, *INDEXES, *INDEXES, *INDEXES))) if kind == 1 else None,
        via,
        draw(st.sampled_from((None, None, None, *own))),
        draw(st.sampled_from((False, False, True))) if kind == 1 else False,
        draw(st.sampled_from((None, None, None, 100))),
        draw(st.sampled_from((254, 254, 254, 254, 100))),
        kind,
        draw(st.sampled_from((116, 116, 116, 4))),
        draw(st.sampled_from((False, False, True))),
        draw(flags),
    )


rules = st.builds(
    ChangeRule,
    spaces,
    st.just(4),
    st.sampled_from((None, 100, 101)),
    st.sampled_from((254, 100, 1000)),
    st.sampled_from((None, ip_network("10.1.0.0/24"))),
    st.sampled_from((116, 116, 4)),
    st.sampled_from((False, False, True)),
    flags,
) | st.builds(
    ChangeRule,
    spaces,
    st.just(6),
    st.sampled_from((None, 100, 101)),
    st.sampled_from((254, 100, 1000)),
    st.sampled_from((None, ip_network("fd00:1::/64"))),
    st.sampled_from((116, 116, 4)),
    st.sampled_from((False, False, True)),
    flags,
)

neighbours = st.builds(
    ChangeNeighbour,
    spaces,
    st.sampled_from(GATEWAYS),
    indexes,
    st.sampled_from((MACS[0], MACS[1])),
    st.sampled_from((False, False, True)),
    flags,
)

forwardings = st.builds(
    ChangeForwarding,
    spaces,
    indexes,
    st.sampled_from((MACS[0], MACS[1])),
    st.sampled_from((None, *REMOTES, *REMOTES)),
    st.sampled_from((False, False, True)),
    flags,
)

SWITCHES = (
    "ipv4/conf/{}/forwarding",
    "ipv6/conf/{}/forwarding",
    "ipv4/conf/{}/rp_filter",
    "ipv6/conf/{}/accept_ra",
)


@st.composite
def sysctls(draw: st.DrawFn) -> WriteSysctl:
    which = draw(st.sampled_from(("all", "default", *NAMES)))
    path = "net/" + draw(st.sampled_from(SWITCHES)).format(which)
    return WriteSysctl(draw(spaces), path, draw(st.sampled_from(("0", "1", "2", "x"))))


link_requests = st.one_of(
    new_bridges(), new_veths(), new_veths(), new_vxlans(), set_links(), ups, ups, moves, enslavings, del_links
)
requests = st.one_of(
    link_requests,
    link_requests,
    ups,
    addresses,
    addresses,
    routes(),
    routes(),
    rules,
    neighbours,
    forwardings,
    sysctls(),
    st.builds(EndNamespace, st.just("B")),
)


@dataclass(frozen=True, repr=False)
class Sequence:
    """Requests in order."""

    requests: tuple[Request, ...] = ()

    def __repr__(self) -> str:
        return "\n    ".join(["Sequence of", *map(repr, self.requests)])


_BRIDGE = NewLink("A", "bridge", Ends("one", FIRST, MACS[0], 1400, up=True))
_BARE_BRIDGE = NewLink("A", "bridge", Ends("one", FIRST, up=True))
_VETH = NewLink("A", "veth", Ends("two", FIRST + 1, up=True), peer=Ends("three", FIRST + 2, moved_to="B"))
_VETH_UP = (_VETH, SetLink("B", Ends(index=FIRST + 2, up=True)))
_VXLAN = NewLink(
    "A",
    "vxlan",
    Ends("three", FIRST + 2, MACS[1], 1400, up=True, moved_to="B"),
    vxlan=(
        ("IFLA_VXLAN_ID", 7),
        ("IFLA_VXLAN_LOCAL", "192.0.2.9"),
        ("IFLA_VXLAN_LEARNING", 0),
        ("IFLA_VXLAN_PORT", 4789),
    ),
)
_ADDRESSED = (
    ChangeAddress("A", ip_interface("10.1.0.1/24"), FIRST),
    ChangeAddress("A", ip_interface("fd00:1::1/64"), FIRST),
)
_FAR = (ChangeAddress("B", ip_interface("10.1.0.2/24"), FIRST + 2), SetLink("B", Ends(index=1, up=True)))

preludes = st.sampled_from(
    (
        (),
        (_BRIDGE,),
        (_BRIDGE, *_ADDRESSED),
        (_BARE_BRIDGE, *_ADDRESSED),
        _VETH_UP,
        (_BRIDGE, *_VETH_UP, *_ADDRESSED),
        (_BRIDGE, *_VETH_UP, *_FAR),
        (_BARE_BRIDGE, *_VETH_UP, *_ADDRESSED),
        (_BRIDGE, _VXLAN, *_ADDRESSED, *_FAR),
        (_VXLAN, *_FAR),
    )
)
"""Something to act on: a bridge, a pair across the namespaces, a VXLAN device born in A living in B."""


def _with_prelude(prelude: tuple[Request, ...], later: list[Request]) -> Sequence:
    return Sequence((*prelude, *later))


sequences = st.builds(_with_prelude, preludes, st.lists(requests, min_size=1, max_size=12))
