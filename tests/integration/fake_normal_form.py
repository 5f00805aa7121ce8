"""What is compared of a kernel's dumps: the documented normalisation between the fake and a real kernel.

Left out, because they are not state or not the fake's to know:
- of links: statistics, queues, carrier and operational state (they settle later in a real kernel), nsids;
  a MAC that nobody chose is `random`;
- of addresses: TENTATIVE, timestamps; automatic link-local addresses (switched off by addr_gen_mode);
- of routes: the ff00::/8 route of each link and RTNH_F_LINKDOWN (they follow the carrier), cache information;
- of neighbours: entries that are not permanent; of forwarding entries: those that aren't a VXLAN remote's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from property_tests.fake_messages import MACS
from reconciler.kernel.transport import Transport, TransportError

IFA_F_TENTATIVE, NUD_PERMANENT = 0x40, 0x80
RTNH_F_ONLINK = 4
AF_BRIDGE = 7
NLM_F_DUMP = 0x301

State = dict[str, list[Any]]


def _request(kind: type, number: int, **fields: int) -> bytes:
    message = kind()
    message["header"]["type"], message["header"]["flags"] = number, NLM_F_DUMP
    for name, value in fields.items():
        message[name] = value
    message.encode()
    return bytes(message.data)


_LINKS = _request(ifinfmsg, 18)
_ADDRESSES = _request(ifaddrmsg, 22)
_ROUTES = {family: _request(rtmsg, 26, family=family) for family in (2, 10)}
_RULES = _request(fibmsg, 34)
_NEIGHBOURS = _request(ndmsg, 30)
_MAIN = {family: _request(rtmsg, 26, family=family, table=254, proto=116, type=1) for family in (2, 10)}


def state(transport: Transport, namespace: str) -> State:
    """Everything that is compared of one namespace, sorted."""
    links = _dump(transport, namespace, _LINKS, ifinfmsg)
    vxlans = [link["index"] for link in links if _kind(link) == "vxlan"]
    return {
        "links": sorted(map(_link, links)),
        "addresses": sorted(map(_address, _dump(transport, namespace, _ADDRESSES, ifaddrmsg))),
        "routes": sorted(_routes(transport, namespace, _ROUTES), key=repr),
        "our routes": sorted(_routes(transport, namespace, _MAIN), key=repr),
        "rules": [
            _rule(rule) for rule in _dump(transport, namespace, _RULES, fibmsg) if rule["family"] < 128
        ],
        "neighbours": sorted(_neighbours(transport, namespace)),
        "forwarding": sorted(one for index in vxlans for one in _forwarding(transport, namespace, index)),
    }


def _dump(transport: Transport, namespace: str, request: bytes, kind: type) -> list[Any]:
    found = []
    for data in transport.route_dump(namespace, request):
        message = kind(data)
        message.decode()
        found.append(message)
    return found


def _kind(link: Any) -> str:
    info = link.get_attr("IFLA_LINKINFO")
    return "" if info is None else str(info.get_attr("IFLA_INFO_KIND"))


def _link(link: Any) -> tuple[Any, ...]:
    mac = link.get_attr("IFLA_ADDRESS")
    return (
        link["index"],
        link.get_attr("IFLA_IFNAME"),
        _kind(link),
        bool(link["flags"] & 1),
        link.get_attr("IFLA_MTU"),
        mac if mac in MACS[:2] else "random",
        link.get_attr("IFLA_GROUP"),
        link.get_attr("IFLA_IFALIAS") or "",
        link.get_attr("IFLA_MASTER") or 0,
        link.get_attr("IFLA_LINK") or 0,
        link.get_attr("IFLA_LINK_NETNSID") is not None,
        _vxlan(link),
    )


def _vxlan(link: Any) -> tuple[Any, ...]:
    if _kind(link) != "vxlan":
        return ()
    data = link.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    names = ("ID", "LINK", "LOCAL", "LOCAL6", "PORT", "LEARNING")
    return tuple(str(data.get_attr(f"IFLA_VXLAN_{name}") or "") for name in names)


def _address(item: Any) -> tuple[Any, ...]:
    flags = item.get_attr("IFA_FLAGS") & ~IFA_F_TENTATIVE
    names = ("IFA_ADDRESS", "IFA_LOCAL", "IFA_BROADCAST", "IFA_LABEL", "IFA_PROTO")
    rest = tuple(str(item.get_attr(name) or "") for name in names)
    return (item["index"], item["family"], item["prefixlen"], item["scope"], flags, *rest)


def _routes(transport: Transport, namespace: str, requests: dict[int, bytes]) -> Iterable[tuple[Any, ...]]:
    for family, request in requests.items():
        try:
            for route in _dump(transport, namespace, request, rtmsg):
                if route["type"] != 5:
                    yield _route(route)
        except TransportError as error:
            yield (family, "refused", error.code)


def _route(route: Any) -> tuple[Any, ...]:
    fields = tuple(route[name] for name in ("family", "dst_len", "tos", "table", "proto", "scope", "type"))
    names = ("RTA_TABLE", "RTA_DST", "RTA_OIF", "RTA_GATEWAY", "RTA_PREFSRC", "RTA_PRIORITY")
    return (*fields, route["flags"] & RTNH_F_ONLINK, *(str(route.get_attr(name) or "") for name in names))


def _rule(rule: Any) -> tuple[Any, ...]:
    names = ("FRA_PRIORITY", "FRA_TABLE", "FRA_SRC", "FRA_PROTOCOL")
    return (
        rule["family"],
        rule["src_len"],
        rule["action"],
        *(str(rule.get_attr(name) or "") for name in names),
    )


def _neighbours(transport: Transport, namespace: str) -> Iterable[tuple[Any, ...]]:
    for item in _dump(transport, namespace, _NEIGHBOURS, ndmsg):
        if item["state"] & NUD_PERMANENT and item["family"] in (2, 10):
            names = ("NDA_DST", "NDA_LLADDR", "NDA_PROTOCOL")
            yield (item["ifindex"], item["state"], *(str(item.get_attr(name) or "") for name in names))


def _forwarding(transport: Transport, namespace: str, index: int) -> Iterable[tuple[Any, ...]]:
    request = _request(ndmsg, 30, family=AF_BRIDGE, ifindex=index)
    for item in _dump(transport, namespace, request, ndmsg):
        if item.get_attr("NDA_DST") is not None:
            names = ("NDA_LLADDR", "NDA_DST")
            yield (
                item["ifindex"],
                item["state"],
                item["flags"],
                *(str(item.get_attr(name)) for name in names),
            )
