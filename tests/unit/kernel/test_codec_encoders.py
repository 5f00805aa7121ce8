"""Our messages, read by pyroute2's own decoders, say what was meant."""

from __future__ import annotations

from base64 import b64encode
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest
from pyroute2.netlink import NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.generic.wireguard import wgmsg
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from reconciler.kernel.codec import address, dump, fdb, link, neighbour, route, rule, wireguard
from reconciler.kernel.codec.wire import message
from reconciler.kernel.objects import (
    Address,
    Bridge,
    FdbEntry,
    Neighbour,
    Route,
    Rule,
    Veth,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)

ADD = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL
REPLACE = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE
INDEX = 1 << 20
MAC = "02:00:00:00:00:01"


def plain(item: Any) -> Any:
    """What pyroute2 decoded, as nested dictionaries of attribute names without its own bookkeeping."""
    if isinstance(item, dict) and "attrs" in item:
        fields = {key: value for key, value in item.items() if key not in ("attrs", "header")}
        return fields | {cell[0]: plain(cell[1]) for cell in item["attrs"]}
    if isinstance(item, dict):
        return {key: plain(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [plain(part) for part in item]
    return item


def decoded(kind: type, data: bytes) -> dict[str, Any]:
    found = kind(data)
    found.decode()
    header = found["header"]
    assert header["length"] == len(data)
    return {"type": header["type"], "flags": header["flags"], "body": plain(found)}


def body(kind: type, data: bytes, message_type: int, flags: int) -> dict[str, Any]:
    found = decoded(kind, data)
    assert (found["type"], found["flags"]) == (message_type, flags)
    result: dict[str, Any] = found["body"]
    return result


def test_a_bridge_is_born_with_an_mtu_that_its_mark_changes() -> None:
    bridge = Bridge("tnet-a", "b0", 1420, MAC)
    made = body(ifinfmsg, link.create_bridge(bridge, INDEX), link.RTM_NEWLINK, ADD)
    assert made["index"] == INDEX
    assert made["flags"] & link.IFF_UP and made["change"] & link.IFF_UP
    assert made["IFLA_IFNAME"] == "b0"
    assert made["IFLA_MTU"] == 1421
    assert made["IFLA_ADDRESS"] == MAC
    assert made["IFLA_GROUP"] == 0x746E
    assert made["IFLA_LINKINFO"]["IFLA_INFO_KIND"] == "bridge"


def test_a_mark_is_alias_group_and_up() -> None:
    made = body(ifinfmsg, link.mark(INDEX, "tnet:abc", 1400), link.RTM_SETLINK, NLM_F_REQUEST)
    assert made["index"] == INDEX and made["flags"] & link.IFF_UP
    assert (made["IFLA_IFALIAS"], made["IFLA_GROUP"], made["IFLA_MTU"]) == ("tnet:abc", 0x746E, 1400)


def test_a_namespace_is_marked_on_its_loopback_and_that_is_in_no_group() -> None:
    made = body(ifinfmsg, link.mark_namespace("tnet:abc"), link.RTM_SETLINK, NLM_F_REQUEST)
    assert made["index"] == 1 and made["flags"] & link.IFF_UP
    assert made["IFLA_IFALIAS"] == "tnet:abc"
    assert "IFLA_GROUP" not in made


def test_a_veth_pair_is_one_message() -> None:
    pair = Veth("tnet-a", "u0", 1400, "tnet-nat", "n0")
    made = body(ifinfmsg, link.create_veth(pair, INDEX, INDEX + 1, 7), link.RTM_NEWLINK, ADD)
    assert (made["index"], made["IFLA_IFNAME"], made["IFLA_MTU"]) == (INDEX, "u0", 1400)
    assert made["IFLA_LINKINFO"]["IFLA_INFO_KIND"] == "veth"
    peer = made["IFLA_LINKINFO"]["IFLA_INFO_DATA"]["VETH_INFO_PEER"]
    assert (peer["index"], peer["IFLA_IFNAME"], peer["IFLA_MTU"]) == (INDEX + 1, "n0", 1400)
    assert (peer["IFLA_NET_NS_FD"], peer["IFLA_GROUP"]) == (7, 0x746E)
    assert not peer["flags"] & link.IFF_UP


@pytest.mark.parametrize("local", ["10.99.0.1", "fd99::1"])
def test_a_vxlan_is_static_and_does_not_learn(local: str) -> None:
    vxlan = Vxlan("tnet-a", "x0", 1450, MAC, 77, ip_address(local), 4789, "", "fast0")
    made = body(ifinfmsg, link.create_vxlan(vxlan, INDEX, 5, 9), link.RTM_NEWLINK, ADD)
    assert (made["IFLA_NET_NS_FD"], made["IFLA_ADDRESS"], made["IFLA_MTU"]) == (9, MAC, 1450)
    data = made["IFLA_LINKINFO"]["IFLA_INFO_DATA"]
    assert (data["IFLA_VXLAN_ID"], data["IFLA_VXLAN_LINK"], data["IFLA_VXLAN_PORT"]) == (77, 5, 4789)
    assert data["IFLA_VXLAN_LEARNING"] == 0
    assert data["IFLA_VXLAN_LOCAL" if "." in local else "IFLA_VXLAN_LOCAL6"] == local


def test_a_wireguard_device_is_born_down() -> None:
    device = WireGuard("tnet-a", "w0", 1420, "", 51820, "")
    made = body(ifinfmsg, link.create_wireguard(device, INDEX, 9), link.RTM_NEWLINK, ADD)
    assert made["IFLA_LINKINFO"]["IFLA_INFO_KIND"] == "wireguard"
    assert made["IFLA_NET_NS_FD"] == 9
    assert not made["flags"] & link.IFF_UP


def test_a_move_chooses_the_new_index() -> None:
    made = body(ifinfmsg, link.move(5, INDEX, 9, "tnet:abc"), link.RTM_SETLINK, NLM_F_REQUEST)
    assert (made["index"], made["IFLA_NEW_IFINDEX"], made["IFLA_NET_NS_FD"]) == (5, INDEX, 9)
    assert (made["IFLA_IFALIAS"], made["IFLA_GROUP"]) == ("tnet:abc", 0x746E)


def test_a_link_is_changed_only_in_what_is_given() -> None:
    made = body(ifinfmsg, link.set_link(5, mac_address=MAC), link.RTM_SETLINK, NLM_F_REQUEST)
    assert made["IFLA_ADDRESS"] == MAC and "IFLA_MTU" not in made
    made = body(ifinfmsg, link.set_link(5, mtu=1300, up=False), link.RTM_SETLINK, NLM_F_REQUEST)
    assert made["IFLA_MTU"] == 1300 and not made["change"]
    made = body(ifinfmsg, link.delete_link(5), link.RTM_DELLINK, NLM_F_REQUEST)
    assert made["index"] == 5


@pytest.mark.parametrize(
    ("text", "family", "scope"),
    [("10.1.2.1/24", 2, 0), ("100.64.0.1/31", 2, 0), ("fd00::1/64", 10, 0), ("fe80::1/64", 10, 253)],
)
def test_an_address(text: str, family: int, scope: int) -> None:
    item = Address("tnet-a", "b0", ip_interface(text))
    made = body(ifaddrmsg, address.add_address(item, 5), address.RTM_NEWADDR, ADD)
    assert (made["family"], made["scope"], made["index"]) == (family, scope, 5)
    assert f"{made['IFA_LOCAL']}/{made['prefixlen']}" == text
    assert made["IFA_ADDRESS"] == made["IFA_LOCAL"]
    assert made.get("IFA_FLAGS", 0) == (address.IFA_F_NODAD if family == 10 else 0)
    gone = body(ifaddrmsg, address.delete_address(item, 5), address.RTM_DELADDR, NLM_F_REQUEST)
    assert f"{gone['IFA_LOCAL']}/{gone['prefixlen']}" == text


def test_a_route_with_everything() -> None:
    item = Route(
        "tnet-a", ip_network("10.5.0.0/16"), "b0", ip_address("10.5.0.1"), True, ip_address("10.1.2.1")
    )
    made = body(rtmsg, route.add_route(item, 5), route.RTM_NEWROUTE, ADD)
    assert (made["family"], made["dst_len"], made["table"], made["proto"]) == (2, 16, 254, 116)
    assert (made["scope"], made["type"], made["flags"]) == (0, 1, route.RTNH_F_ONLINK)
    assert (made["RTA_DST"], made["RTA_OIF"]) == ("10.5.0.0", 5)
    assert (made["RTA_GATEWAY"], made["RTA_PREFSRC"]) == ("10.5.0.1", "10.1.2.1")
    assert body(rtmsg, route.replace_route(item, 5), route.RTM_NEWROUTE, REPLACE) == made
    gone = body(rtmsg, route.delete_route(item, 5), route.RTM_DELROUTE, NLM_F_REQUEST)
    assert gone == made | {"scope": route.RT_SCOPE_NOWHERE}


def test_routes_to_the_link_and_to_everywhere() -> None:
    local = body(rtmsg, route.add_route(Route("", ip_network("10.7.0.0/16"), "b0"), 5), 24, ADD)
    assert local["scope"] == route.RT_SCOPE_LINK and "RTA_GATEWAY" not in local
    default = Route("", ip_network("::/0"), "b0", ip_address("fe80::9"))
    everywhere = body(rtmsg, route.add_route(default, 5), 24, ADD)
    assert (everywhere["family"], everywhere["dst_len"], everywhere["scope"]) == (10, 0, 0)
    assert "RTA_DST" not in everywhere and everywhere["RTA_GATEWAY"] == "fe80::9"


def test_a_rule() -> None:
    item = Rule("tnet-a", 4, 1000, 70000, ip_network("10.0.0.0/8"))
    made = body(fibmsg, rule.add_rule(item), rule.RTM_NEWRULE, ADD)
    assert (made["family"], made["src_len"], made["action"], made["table"]) == (2, 8, 1, 0)
    assert (made["FRA_SRC"], made["FRA_PRIORITY"], made["FRA_TABLE"]) == ("10.0.0.0", 1000, 70000)
    assert made["FRA_PROTOCOL"] == 116
    assert body(fibmsg, rule.delete_rule(item), rule.RTM_DELRULE, NLM_F_REQUEST) == made


def test_a_neighbour() -> None:
    item = Neighbour("tnet-a", "x0", ip_address("fe80::3"), MAC)
    made = body(ndmsg, neighbour.add_neighbour(item, 5), neighbour.RTM_NEWNEIGH, ADD)
    assert (made["family"], made["ifindex"], made["state"], made["flags"]) == (10, 5, 0x80, 0)
    assert (made["NDA_DST"], made["NDA_LLADDR"], made["NDA_PROTOCOL"]) == ("fe80::3", MAC, 116)
    assert body(ndmsg, neighbour.replace_neighbour(item, 5), neighbour.RTM_NEWNEIGH, REPLACE) == made
    gone = body(ndmsg, neighbour.delete_neighbour(item, 5), neighbour.RTM_DELNEIGH, NLM_F_REQUEST)
    assert (gone["ifindex"], gone["NDA_DST"]) == (5, "fe80::3")


def test_a_forwarding_entry() -> None:
    item = FdbEntry("tnet-a", "x0", MAC, ip_address("10.99.0.2"))
    made = body(ndmsg, fdb.add_fdb(item, 5), neighbour.RTM_NEWNEIGH, ADD)
    assert (made["family"], made["ifindex"], made["state"], made["flags"]) == (7, 5, 0x80, fdb.NTF_SELF)
    assert (made["NDA_DST"], made["NDA_LLADDR"]) == ("10.99.0.2", MAC)
    assert body(ndmsg, fdb.replace_fdb(item, 5), neighbour.RTM_NEWNEIGH, REPLACE) == made
    assert body(ndmsg, fdb.delete_fdb(item, 5), neighbour.RTM_DELNEIGH, NLM_F_REQUEST) == made


def test_dumps_ask_for_as_little_as_the_kernel_filters() -> None:
    dumping = NLM_F_REQUEST | NLM_F_DUMP
    assert body(ifinfmsg, dump.links(), link.RTM_GETLINK, dumping)["IFLA_EXT_MASK"] == 8
    assert body(ifaddrmsg, dump.addresses(5), address.RTM_GETADDR, dumping)["index"] == 5
    asked = body(rtmsg, dump.routes(10), route.RTM_GETROUTE, dumping)
    assert (asked["family"], asked["table"], asked["proto"], asked["type"]) == (10, 254, 116, 1)
    assert body(fibmsg, dump.rules(), rule.RTM_GETRULE, dumping)["family"] == 0
    assert body(ndmsg, dump.neighbours(5), neighbour.RTM_GETNEIGH, dumping)["NDA_IFINDEX"] == 5
    asked = body(ndmsg, dump.fdb(5), neighbour.RTM_GETNEIGH, dumping)
    assert (asked["family"], asked["ifindex"]) == (7, 5)


def wireguard_body(payload: bytes) -> dict[str, Any]:
    found: dict[str, Any] = decoded(wgmsg, message(0x20, NLM_F_REQUEST, payload))["body"]
    return found


KEY = b64encode(bytes(range(32))).decode()
OTHER = b64encode(bytes(range(32, 64))).decode()


def test_a_wireguard_device_gets_key_and_port() -> None:
    made = wireguard_body(wireguard.set_device("w0", bytes(range(32)), 51820))
    assert made["cmd"] == 1
    assert (made["WGDEVICE_A_IFNAME"], made["WGDEVICE_A_LISTEN_PORT"]) == ("w0", 51820)
    assert made["WGDEVICE_A_PRIVATE_KEY"] == KEY.encode()
    assert "WGDEVICE_A_FLAGS" not in made, "would replace the peers"


@pytest.mark.parametrize("endpoint", ["192.0.2.1", "2001:db8::1"])
def test_a_wireguard_peer_is_set_by_itself(endpoint: str) -> None:
    allowed = frozenset({ip_network("10.2.0.0/24"), ip_network("fd02::/64")})
    peer = WireGuardPeer("tnet-a", "w0", KEY, allowed, (ip_address(endpoint), 51820), 25)
    (payload,) = wireguard.set_peer(peer, update_only=True)
    made = wireguard_body(payload)
    assert "WGDEVICE_A_FLAGS" not in made
    (seen,) = made["WGDEVICE_A_PEERS"]
    assert seen["WGPEER_A_PUBLIC_KEY"] == KEY.encode()
    assert seen["WGPEER_A_FLAGS"] == 2 | 4
    assert (seen["WGPEER_A_ENDPOINT"]["addr"], seen["WGPEER_A_ENDPOINT"]["port"]) == (endpoint, 51820)
    assert seen["WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL"] == 25
    assert [item["addr"] for item in seen["WGPEER_A_ALLOWEDIPS"]] == ["10.2.0.0/24", "fd02::/64"]


def test_a_wireguard_peer_is_removed_without_being_made() -> None:
    peer = WireGuardPeer("tnet-a", "w0", KEY, frozenset(), None, 0)
    (seen,) = wireguard_body(wireguard.remove_peer(peer))["WGDEVICE_A_PEERS"]
    assert seen["WGPEER_A_FLAGS"] == 1 | 4


def test_very_many_allowed_ips_are_continued_in_further_messages() -> None:
    allowed = frozenset(ip_network((0x0A000000 + i * 256, 24)) for i in range(2500))
    peer = WireGuardPeer("tnet-a", "w0", KEY, allowed, None, 0)
    payloads = wireguard.set_peer(peer, update_only=False)
    seen = [wireguard_body(payload)["WGDEVICE_A_PEERS"][0] for payload in payloads]
    assert [item["WGPEER_A_FLAGS"] for item in seen] == [2, 4, 4]
    assert sum(len(item["WGPEER_A_ALLOWEDIPS"]) for item in seen) == 2500
    merged = wireguard.decode_device(payloads)
    assert [(found.public_key, found.allowed_ips) for found in merged.peers] == [(KEY, allowed)]


def test_a_device_in_several_messages_is_merged() -> None:
    first = WireGuardPeer("", "w0", KEY, frozenset({ip_network("10.1.0.0/16")}), (ip_address("::1"), 5), 9)
    again = WireGuardPeer("", "w0", KEY, frozenset({ip_network("10.2.0.0/16")}), None, 0)
    second = WireGuardPeer("", "w0", OTHER, frozenset(), None, 0)
    payloads = [wireguard.set_peer(peer, update_only=False)[0] for peer in (first, again, second)]
    device = wireguard.decode_device(payloads)
    assert device.name == "w0"
    assert [peer.public_key for peer in device.peers] == [KEY, OTHER]
    assert device.peers[0].endpoint == (ip_address("::1"), 5)
    assert device.peers[0].keepalive_s == 9
    assert device.peers[0].allowed_ips == first.allowed_ips | again.allowed_ips
