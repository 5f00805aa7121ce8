"""The state to dump messages, by pyroute2's message classes. Encoded forms are cached by what they say."""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6
from typing import Any

from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from reconciler.kernel.fake.decode import RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEIGH, RTM_NEWROUTE, RTM_NEWRULE
from reconciler.kernel.fake.records import Addr, Fdb, FibRoute, FibRule, Link, Neigh, VxlanDetails

AF_BRIDGE = 7
NLM_F_MULTI = 0x2
ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_NONE = 1, 772, 0xFFFE
IFF_UP, IFF_BROADCAST, IFF_LOOPBACK, IFF_POINTOPOINT, IFF_RUNNING = 0x1, 0x2, 0x8, 0x10, 0x40
IFF_NOARP, IFF_MULTICAST, IFF_LOWER_UP = 0x80, 0x1000, 0x10000
RTNH_F_LINKDOWN, RTNH_F_ONLINK = 16, 4
RT_SCOPE_NOWHERE = 255
FOREVER = 0xFFFFFFFF

_FIXED_FLAGS = {
    "loopback": IFF_LOOPBACK,
    "wireguard": IFF_POINTOPOINT | IFF_NOARP,
    "tun": IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST,
}
_HARDWARE = {"loopback": ARPHRD_LOOPBACK, "wireguard": ARPHRD_NONE, "tun": ARPHRD_NONE}
_Attrs = list[tuple[str, Any]]


def _message(kind: type, number: int, fields: dict[str, Any], attrs: _Attrs) -> bytes:
    message = kind()
    message["header"]["type"], message["header"]["flags"] = number, NLM_F_MULTI
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = [(name, value) for name, value in attrs if value is not None]
    message.encode()
    return bytes(message.data)


@lru_cache(maxsize=16384)
def link(item: Link, master: int | None, lower: int | None, lower_net: int | None, vxlan_lower: int) -> bytes:
    """RTM_NEWLINK; `lower` is IFLA_LINK, `lower_net` IFLA_LINK_NETNSID, both None for not there."""
    carries = item.up and item.carrier
    attrs: _Attrs = [
        ("IFLA_IFNAME", item.name),
        ("IFLA_TXQLEN", 1000),
        ("IFLA_OPERSTATE", ("UNKNOWN" if item.kind != "veth" else "UP") if carries else "DOWN"),
        ("IFLA_LINKMODE", 0),
        ("IFLA_MTU", item.mtu),
        ("IFLA_GROUP", item.group),
        ("IFLA_CARRIER", int(item.carrier)),
        ("IFLA_ADDRESS", item.mac or None),
        ("IFLA_MASTER", master),
        ("IFLA_LINK", lower),
        ("IFLA_LINK_NETNSID", lower_net),
        ("IFLA_IFALIAS", item.alias or None),
    ]
    if item.kind != "loopback":
        attrs.append(("IFLA_LINKINFO", {"attrs": _link_info(item, vxlan_lower)}))
    return _message(ifinfmsg, RTM_NEWLINK, _link_head(item, carries), attrs)


def _link_head(item: Link, carries: bool) -> dict[str, Any]:
    flags = _FIXED_FLAGS.get(item.kind, IFF_BROADCAST | IFF_MULTICAST)
    if item.up:
        flags |= IFF_UP
    if carries:
        flags |= IFF_RUNNING | IFF_LOWER_UP
    hardware = _HARDWARE.get(item.kind, ARPHRD_ETHER)
    return {"family": 0, "ifi_type": hardware, "index": item.index, "flags": flags, "change": 0}


def _link_info(item: Link, vxlan_lower: int) -> _Attrs:
    info: _Attrs = [("IFLA_INFO_KIND", item.kind)]
    if isinstance(item.details, VxlanDetails):
        info.append(("IFLA_INFO_DATA", {"attrs": _vxlan(item.details, vxlan_lower)}))
    if item.kind == "bridge":
        info.append(("IFLA_INFO_DATA", {"attrs": [("IFLA_BR_STP_STATE", 0)]}))
    return info


def _vxlan(details: VxlanDetails, lower: int) -> _Attrs:
    attrs: _Attrs = [("IFLA_VXLAN_ID", details.vni)]
    if lower:
        attrs.append(("IFLA_VXLAN_LINK", lower))
    if details.local is not None:
        name = "IFLA_VXLAN_LOCAL" if details.local.version == 4 else "IFLA_VXLAN_LOCAL6"
        attrs.append((name, str(details.local)))
    return [*attrs, ("IFLA_VXLAN_LEARNING", int(details.learning)), ("IFLA_VXLAN_PORT", details.port)]


@lru_cache(maxsize=16384)
def address(item: Addr, index: int, label: str) -> bytes:
    """RTM_NEWADDR. IPv6 has no IFA_LOCAL, unless there is a peer."""
    four = item.address.version == 4
    own = str(item.address.ip)
    attrs: _Attrs = [
        ("IFA_ADDRESS", str(item.peer) if item.peer else own),
        ("IFA_LOCAL", own if four else None),
        ("IFA_BROADCAST", str(item.broadcast) if item.broadcast else None),
        ("IFA_LABEL", (item.label or label) if four else None),
        ("IFA_FLAGS", item.flags),
        ("IFA_PROTO", item.protocol or None),
        ("IFA_CACHEINFO", {"ifa_preferred": FOREVER, "ifa_valid": FOREVER, "cstamp": 0, "tstamp": 0}),
    ]
    fields = {
        "family": AF_INET if four else AF_INET6,
        "prefixlen": item.address.network.prefixlen,
        "flags": item.flags & 0xFF,
        "scope": item.scope,
        "index": index,
    }
    return _message(ifaddrmsg, RTM_NEWADDR, fields, attrs)


@lru_cache(maxsize=16384)
def route(item: FibRoute, index: int | None, carrier: bool) -> bytes:
    """RTM_NEWROUTE."""
    six = item.destination.version == 6
    length = item.destination.prefixlen
    flags = RTNH_F_ONLINK if item.onlink else 0
    if not carrier and index is not None and item.nexthop_scope != RT_SCOPE_NOWHERE:
        flags |= RTNH_F_LINKDOWN
    attrs: _Attrs = [
        ("RTA_TABLE", item.table),
        ("RTA_DST", str(item.destination.network_address) if length else None),
        ("RTA_PRIORITY", item.metric if six else item.metric or None),
        ("RTA_PREFSRC", str(item.source) if item.source else None),
        ("RTA_GATEWAY", str(item.via) if item.via else None),
        ("RTA_OIF", index),
        ("RTA_PREF", item.ra_pref if six else None),
    ]
    fields = {
        "family": AF_INET6 if six else AF_INET,
        "dst_len": length,
        "src_len": 0,
        "tos": 0,
        "table": item.table if item.table < 256 else 252,
        "proto": item.protocol,
        "scope": item.scope,
        "type": int(item.type),
        "flags": flags,
    }
    return _message(rtmsg, RTM_NEWROUTE, fields, attrs)


@lru_cache(maxsize=4096)
def rule(item: FibRule) -> bytes:
    """RTM_NEWRULE."""
    attrs: _Attrs = [
        ("FRA_TABLE", item.table),
        ("FRA_SUPPRESS_PREFIXLEN", FOREVER),
        ("FRA_PROTOCOL", item.protocol),
        ("FRA_PRIORITY", item.priority or None),
        ("FRA_FWMARK", item.mark or None),
        ("FRA_FWMASK", item.mask or None),
        ("FRA_DST", str(item.destination.network_address) if item.destination else None),
        ("FRA_SRC", str(item.source.network_address) if item.source else None),
        ("FRA_IIFNAME", item.iif or None),
    ]
    fields = {
        "family": AF_INET if item.family == 4 else AF_INET6,
        "dst_len": item.destination.prefixlen if item.destination else 0,
        "src_len": item.source.prefixlen if item.source else 0,
        "tos": 0,
        "table": item.table if item.table < 256 else 252,
        "res1": 0,
        "res2": 0,
        "action": item.action,
        "flags": 0,
    }
    return _message(fibmsg, RTM_NEWRULE, fields, attrs)


@lru_cache(maxsize=16384)
def neighbour(item: Neigh, index: int) -> bytes:
    """RTM_NEWNEIGH of IPv4 or IPv6."""
    attrs: _Attrs = [
        ("NDA_DST", str(item.address)),
        ("NDA_LLADDR", item.mac or None),
        ("NDA_PROBES", 0),
        ("NDA_PROTOCOL", item.protocol or None),
    ]
    family = AF_INET if item.address.version == 4 else AF_INET6
    fields = {"family": family, "ifindex": index, "state": item.state, "flags": item.flags, "ndm_type": 1}
    return _message(ndmsg, RTM_NEWNEIGH, fields, attrs)


@lru_cache(maxsize=16384)
def forwarding(item: Fdb, index: int, elsewhere: int | None) -> bytes:
    """RTM_NEWNEIGH of family AF_BRIDGE; `elsewhere` is NDA_LINK_NETNSID."""
    attrs: _Attrs = [
        ("NDA_LLADDR", item.mac),
        ("NDA_DST", str(item.remote)),
        ("NDA_LINK_NETNSID", elsewhere),
    ]
    fields = {"family": AF_BRIDGE, "ifindex": index, "state": item.state, "flags": item.flags, "ndm_type": 0}
    return _message(ndmsg, RTM_NEWNEIGH, fields, attrs)
