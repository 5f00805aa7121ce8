"""Every kind: made, seen as it was asked for, changed, seen so, deleted, gone."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable, PrefixSet
from reconciler.kernel.objects import (
    HOST,
    Address,
    Bridge,
    FdbEntry,
    Namespace,
    Neighbour,
    Route,
    Rule,
    Sysctl,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.operations import NAT, NS, OWNER, add, change, delete, done, run, seen

BRIDGE = Bridge(NS, "b0", 1420, "02:00:00:00:00:01")
VETH = Veth(NS, "u0", 1500, NAT, "n0")
PEER = VethPeer(NAT, "n0", 1500, NS, "u0")


def test_namespace(kernel: NetlinkKernel) -> None:
    done(kernel.execute(add(Namespace(NS))))
    assert seen(kernel) == {Namespace(NS)}
    assert NS in run("ip", "netns")
    done(kernel.execute(delete(Namespace(NS))))
    assert seen(kernel) == set()
    assert NS not in run("ip", "netns")
    done(kernel.execute(delete(Namespace(NS))))


def test_bridge(home: NetlinkKernel) -> None:
    done(home.execute(add(BRIDGE)))
    assert seen(home) == {Namespace(NS), BRIDGE}
    larger = replace(BRIDGE, mtu=1500, mac="02:00:00:00:00:02")
    done(home.execute(change(BRIDGE, larger)))
    assert seen(home) == {Namespace(NS), larger}
    done(home.execute(delete(larger)))
    assert seen(home) == {Namespace(NS)}


@pytest.mark.parametrize("mtu", [1280, 1420, 1500, 9000])
def test_a_port_does_not_change_the_mtu_of_a_bridge(home: NetlinkKernel, mtu: int) -> None:
    bridge = replace(BRIDGE, mtu=mtu)
    done(home.execute(add(bridge)))
    run(
        "ip",
        "-n",
        NS,
        "link",
        "add",
        "c0",
        "mtu",
        "1300",
        "master",
        "b0",
        "type",
        "veth",
        "peer",
        "name",
        "c1",
    )
    assert bridge in seen(home)


def test_veth_between_namespaces(home: NetlinkKernel) -> None:
    done(home.execute(add(VETH)) + home.execute(add(PEER)))
    assert seen(home) == {Namespace(NS), VETH, PEER}
    smaller = replace(PEER, mtu=1400)
    done(home.execute(change(PEER, smaller)))
    assert seen(home) == {Namespace(NS), VETH, smaller}
    done(home.execute(delete(VETH, smaller)))
    assert seen(home) == {Namespace(NS)}


def test_veth_into_the_nodes_own_namespace(home: NetlinkKernel) -> None:
    maker = Veth(HOST, "tnet0", 1500, NAT, "host")
    peer = VethPeer(NAT, "host", 1500, HOST, "tnet0")
    done(home.execute(add(maker, owner="node")) + home.execute(add(peer, owner="node")))
    assert seen(home, owner="node") == {Namespace(NAT), maker, peer}
    done(home.execute(delete(maker, owner="node")))
    assert seen(home, owner="node") == {Namespace(NAT)}


def test_peer_in_the_nodes_own_namespace(home: NetlinkKernel) -> None:
    maker = Veth(NAT, "host", 1500, HOST, "tnet0")
    peer = VethPeer(HOST, "tnet0", 1500, NAT, "host")
    done(home.execute(add(maker, owner="node")) + home.execute(add(peer, owner="node")))
    assert seen(home, owner="node") == {Namespace(NAT), maker, peer}


def test_vxlan_lives_in_one_namespace_and_has_its_underlay_in_another(underlay: NetlinkKernel) -> None:
    vxlan = Vxlan(NS, "x0", 1450, "02:00:00:00:01:01", 77, ip_address("10.99.0.1"), 4789, HOST, "fast0")
    entry = FdbEntry(NS, "x0", "02:00:00:00:01:02", ip_address("10.99.0.2"))
    done(underlay.execute(add(vxlan)))
    done(underlay.execute(add(entry)))
    assert seen(underlay) == {Namespace(NS), vxlan, entry}
    assert "4789" in run("ss", "-lun")
    changed = replace(vxlan, mtu=1400), replace(entry, remote=ip_address("10.99.0.3"))
    done(underlay.execute(change(vxlan, changed[0]) + change(entry, changed[1])))
    assert seen(underlay) == {Namespace(NS), *changed}
    done(underlay.execute(delete(changed[1])))
    assert seen(underlay) == {Namespace(NS), changed[0]}
    done(underlay.execute(delete(changed[0])))
    assert seen(underlay) == {Namespace(NS)}


@pytest.mark.parametrize("address", ["10.1.2.1/24", "100.64.0.1/31", "fd00::1/64", "fe80::5/64"])
def test_address(home: NetlinkKernel, address: str) -> None:
    item = Address(NS, "b0", ip_interface(address))
    done(home.execute(add(BRIDGE, item)))
    assert seen(home) - {Namespace(NS), BRIDGE} >= {item}
    done(home.execute(delete(item)))
    assert item not in seen(home)
    done(home.execute(delete(item)))


ROUTES = [
    Route(NS, ip_network("10.5.0.0/16"), "b0", ip_address("10.1.2.9")),
    Route(NS, ip_network("0.0.0.0/0"), "b0", ip_address("10.1.2.9"), source=ip_address("10.1.2.1")),
    Route(NS, ip_network("10.6.0.0/16"), "b0", ip_address("10.6.0.1"), onlink=True),
    Route(NS, ip_network("10.7.0.0/16"), "b0"),
    Route(NS, ip_network("fd05::/64"), "b0", ip_address("fe80::9")),
    Route(NS, ip_network("::/0"), "b0", ip_address("fd00::9"), source=ip_address("fd00::1")),
    Route(NS, ip_network("fd06::/64"), "b0", ip_address("fd06::9"), onlink=True),
    Route(NS, ip_network("fd07::/64"), "b0"),
]


@pytest.mark.parametrize("before", ROUTES, ids=str)
def test_route(home: NetlinkKernel, before: Route) -> None:
    base = [
        BRIDGE,
        Address(NS, "b0", ip_interface("10.1.2.1/24")),
        Address(NS, "b0", ip_interface("fd00::1/64")),
    ]
    done(home.execute(add(*base)))
    done(home.execute(add(before)))
    assert before in seen(home)
    for after in [item for item in ROUTES if item.destination.version == before.destination.version]:
        after = replace(after, destination=before.destination)
        done(home.execute(change(before, after)))
        assert [item for item in seen(home) if isinstance(item, Route)] == [after]
        before = after
    done(home.execute(delete(before)))
    assert not [item for item in seen(home) if isinstance(item, Route)]
    done(home.execute(delete(before)))


@pytest.mark.parametrize(
    "rule",
    [
        Rule(NS, 4, 1000, 100, ip_network("10.0.0.0/8")),
        Rule(NS, 4, 1001, 70000),
        Rule(NS, 6, 1000, 100, ip_network("fd00::/8")),
    ],
    ids=str,
)
def test_rule(home: NetlinkKernel, rule: Rule) -> None:
    done(home.execute(add(rule)))
    assert seen(home) == {Namespace(NS), rule}
    done(home.execute(delete(rule)))
    assert seen(home) == {Namespace(NS)}
    done(home.execute(delete(rule)))


@pytest.mark.parametrize("address", ["10.1.2.9", "fe80::9"])
def test_neighbour(home: NetlinkKernel, address: str) -> None:
    item = Neighbour(NS, "b0", ip_address(address), "02:00:00:00:00:09")
    done(home.execute(add(BRIDGE, item)))
    assert item in seen(home)
    other = replace(item, mac="02:00:00:00:00:0a")
    done(home.execute(change(item, other)))
    assert other in seen(home)
    done(home.execute(delete(other)))
    assert other not in seen(home)
    done(home.execute(add(item)))
    assert item in seen(home)


def test_sysctl(home: NetlinkKernel) -> None:
    forwarding = Sysctl(NS, "net/ipv4/conf/all/forwarding", "1")
    filtering = Sysctl(NS, "net/ipv4/conf/b0/rp_filter", "2")
    done(home.execute(add(BRIDGE, forwarding, filtering)))
    assert {forwarding, filtering} <= seen(home, forwarding.key, filtering.key)
    done(home.execute(change(filtering, replace(filtering, value="1"))))
    assert replace(filtering, value="1") in seen(home, filtering.key)
    done(home.execute(delete(filtering)))


def table(*rules: NftRule) -> NftTable:
    blocked = PrefixSet("blocked", 4, frozenset({ip_network("10.0.0.0/8"), ip_network("192.168.1.1/32")}))
    forward = Chain("forward", "filter", "forward", 0, "drop", rules)
    masquerade = NftRule((Match("oifname", frozenset({"u0"})),), "masquerade", "to the outside")
    postrouting = Chain("postrouting", "nat", "postrouting", 100, "accept", (masquerade,))
    return NftTable(NS, "tnet", OWNER, (forward, postrouting), (blocked,))


def test_nft_table(home: NetlinkKernel) -> None:
    before = table(NftRule((Match("ct state", frozenset({"established", "related"})),), "accept", "replies"))
    after = table(NftRule((Match("ip daddr", frozenset({"@blocked"}), negated=True),), "accept"))
    done(home.execute(add(before)))
    assert seen(home) == {Namespace(NS), before}
    done(home.execute(change(before, after)))
    assert seen(home) == {Namespace(NS), after}
    done(home.execute(delete(after)))
    assert seen(home) == {Namespace(NS)}
    done(home.execute(delete(after)))


def test_wireguard_device_and_peers(home: NetlinkKernel, keys: Keys) -> None:
    device = WireGuard(NS, "w0", 1420, keys.new(), 51999, HOST)
    first = WireGuardPeer(
        NS,
        "w0",
        keys.new(),
        frozenset({ip_network("10.2.0.0/24"), ip_network("fd02::/64")}),
        (ip_address("192.0.2.1"), 51820),
        25,
    )
    second = WireGuardPeer(NS, "w0", keys.new(), frozenset({ip_network("10.3.0.0/24")}), None, 0)
    done(home.execute(add(device)))
    done(home.execute(add(first, second)))
    assert seen(home) == {Namespace(NS), device, first, second}
    moved = replace(
        first, endpoint=(ip_address("2001:db8::1"), 51821), allowed_ips=frozenset(), keepalive_s=0
    )
    rekeyed = replace(device, public_key=keys.new(), listen_port=51998, mtu=1400)
    done(home.execute(change(device, rekeyed)))
    done(home.execute(change(first, moved)))
    assert seen(home) == {Namespace(NS), rekeyed, moved, second}
    done(home.execute(delete(second)))
    assert seen(home) == {Namespace(NS), rekeyed, moved}
    done(home.execute(delete(rekeyed)))
    assert seen(home) == {Namespace(NS)}
