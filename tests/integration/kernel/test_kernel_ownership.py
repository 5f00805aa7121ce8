"""What isn't ours stays as it was, whatever we are asked to do; and what is half ours is put right."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from reconciler.kernel.linux import LinuxTransport
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
    HOST,
    Address,
    Bridge,
    Key,
    Namespace,
    Neighbour,
    Route,
    Veth,
    VethPeer,
    Vxlan,
    link_key,
    namespace_key,
)
from reconciler.kernel.port import Operation
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.operations import NAT, NS, OWNER, add, change, delete, done, run, seen

BRIDGE = Bridge(NS, "b0", 1420, "02:00:00:00:00:01")
VETH = Veth(NS, "u0", 1500, NAT, "n0")
PEER = VethPeer(NAT, "n0", 1500, NS, "u0")


def codes(kernel: NetlinkKernel, operations: list[Operation]) -> list[str]:
    return [errno.errorcode.get(outcome.code, "ok") for outcome in kernel.execute(operations)]


def picture(*namespaces: str) -> str:
    """Everything that `ip` shows, without what changes by itself: timers, and the carrier, which the kernel
    notices a little later."""
    shown = []
    for name in namespaces:
        where = ["ip", "-n", name] if name else ["ip"]
        words = [("-d", "link"), ("address",), ("route", "show", "table", "all"), ("rule",), ("neighbour",)]
        shown += [run(*where, *what) for what in words]
    without_timers = (line for line in "".join(shown).splitlines(True) if "timer" not in line)
    return re.sub(r"<[A-Z,_-]*>| state [A-Z]+|linkdown ", "", "".join(without_timers))


def test_a_foreign_link_with_our_name_is_told_and_left(home: NetlinkKernel) -> None:
    run("ip", "-n", NS, "link", "add", "b0", "type", "bridge")
    before = picture(NS)
    assert link_key(NS, "b0") in home.observe().foreign
    address = Address(NS, "b0", ip_interface("10.1.2.1/24"))
    assert codes(home, add(BRIDGE, address)) == ["EEXIST", "ECANCELED"]
    assert codes(home, delete(BRIDGE)) == ["ok"]
    assert picture(NS) == before


def test_our_group_alone_makes_no_link_ours(home: NetlinkKernel) -> None:
    run("ip", "-n", NS, "link", "add", "b0", "group", str(0x746E), "type", "bridge")
    assert link_key(NS, "b0") in home.observe().foreign
    assert codes(home, add(BRIDGE)) == ["EEXIST"]


def test_a_foreign_link_in_the_nodes_own_namespace_is_never_marked(home: NetlinkKernel) -> None:
    run("ip", "link", "add", "tnet0", "type", "bridge")
    before = picture(HOST)
    maker = Veth(HOST, "tnet0", 1500, NAT, "host")
    assert codes(home, add(maker, owner="node")) == ["EEXIST"]
    far = VethPeer(HOST, "tnet0", 1500, NAT, "host")
    assert codes(home, add(far, owner="node")) == ["EEXIST"]
    assert codes(home, delete(far, owner="node")) == ["EPERM"]
    assert codes(home, add(Bridge(HOST, "tnet0", 1500, "02:00:00:00:00:01"))) == ["EEXIST"]
    assert picture(HOST) == before


def test_a_foreign_namespace_with_our_name_is_left(kernel: NetlinkKernel) -> None:
    run("ip", "netns", "add", NS)
    run("ip", "-n", NS, "link", "add", "x", "type", "bridge")
    assert namespace_key(NS) in kernel.observe().foreign
    assert codes(kernel, add(Namespace(NS))) == ["EEXIST"]
    assert codes(kernel, delete(Namespace(NS))) == ["EPERM"]
    assert "x" in run("ip", "-n", NS, "link")


def test_foreign_routes_rules_neighbours_and_addresses_are_left(home: NetlinkKernel) -> None:
    done(home.execute(add(BRIDGE, Address(NS, "b0", ip_interface("10.1.2.1/24")))))
    run("ip", "-n", NS, "route", "add", "10.5.0.0/16", "via", "10.1.2.7", "proto", "static")
    run("ip", "-n", NS, "route", "add", "10.5.0.0/16", "via", "10.1.2.8", "metric", "20", "proto", "bgp")
    run("ip", "-n", NS, "rule", "add", "from", "10.0.0.0/8", "lookup", "100", "priority", "1000")
    neighbour = ("10.1.2.7", "lladdr", "02:00:00:00:00:07", "dev", "b0", "nud", "permanent")
    run("ip", "-n", NS, "neigh", "add", *neighbour)
    run("ip", "-n", NS, "link", "add", "c0", "type", "bridge")
    run("ip", "-n", NS, "address", "add", "10.9.9.9/24", "dev", "c0")
    before = picture(NS)
    assert seen(home) == {Namespace(NS), BRIDGE, Address(NS, "b0", ip_interface("10.1.2.1/24"))}
    route = Route(NS, ip_network("10.5.0.0/16"), "b0", ip_address("10.1.2.9"))
    assert codes(home, add(route)) == ["EEXIST"]
    done(home.execute(delete(route)))
    assert picture(NS) == before


def test_changing_our_route_in_the_nodes_own_namespace_spares_a_foreign_one(underlay: NetlinkKernel) -> None:
    run("ip", "route", "add", "10.5.0.0/16", "via", "10.99.0.7", "proto", "static")
    ours = Route(HOST, ip_network("10.5.0.0/16"), "fast0", ip_address("10.99.0.8"))
    run("ip", "route", "append", "10.5.0.0/16", "via", "10.99.0.8", "dev", "fast0", "proto", "116")
    assert seen(underlay, owner="node") >= {ours}
    underlay.execute(change(ours, replace(ours, via=ip_address("10.99.0.9")), owner="node"))
    assert "via 10.99.0.7" in run("ip", "route")


def test_foreign_tables_are_told_and_left(home: NetlinkKernel) -> None:
    run("ip", "netns", "exec", NS, "nft", "add table inet tnet; add table inet other; add table ip tnet")
    assert {Key(NS, "nft-table", "tnet"), Key(NS, "nft-table", "other")} <= home.observe().foreign
    assert codes(home, add(NftTable(NS, "tnet", OWNER, ()))) == ["EEXIST"]


def test_a_table_that_somebody_changed_is_seen_as_different(home: NetlinkKernel) -> None:
    table = NftTable(NS, "tnet", OWNER, ())
    done(home.execute(add(table)))
    assert table in seen(home)
    run("ip", "netns", "exec", NS, "nft", "add chain inet tnet mine")
    assert table in seen(home), "what we have no words for is seen as an empty table"
    done(home.execute(change(table, table)))
    assert "mine" not in run("ip", "netns", "exec", NS, "nft", "list", "ruleset")


def test_foreign_things_in_the_nodes_own_namespace_survive_a_life_of_ours(underlay: NetlinkKernel) -> None:
    before = picture(HOST)
    maker = Veth(HOST, "tnet0", 1500, NAT, "host")
    address = Address(HOST, "tnet0", ip_interface("100.64.0.0/31"))
    neighbour = Neighbour(HOST, "tnet0", ip_address("100.64.0.1"), "02:00:00:00:00:09")
    route = Route(HOST, ip_network("10.77.0.0/16"), "tnet0", ip_address("100.64.0.1"), onlink=True)
    done(underlay.execute(add(maker, owner="node")))
    done(underlay.execute(add(VethPeer(NAT, "host", 1500, HOST, "tnet0"), owner="node")))
    done(underlay.execute(add(address, neighbour, route, owner="node")))
    assert seen(underlay, owner="node") >= {maker, address, neighbour, route}
    done(underlay.execute(delete(route, neighbour, address, maker, owner="node")))
    assert picture(HOST) == before


def test_a_link_set_down_is_seen_down_and_set_up(home: NetlinkKernel) -> None:
    done(home.execute(add(BRIDGE)))
    run("ip", "-n", NS, "link", "set", "b0", "down")
    assert replace(BRIDGE, up=False) in seen(home)
    done(home.execute(change(replace(BRIDGE, up=False), BRIDGE)))
    assert BRIDGE in seen(home)


def test_a_link_that_death_left_unmarked_is_neither_ours_nor_in_the_way(home: NetlinkKernel) -> None:
    words = ("link", "add", "b0", "index", str((1 << 20) + 77), "group", str(0x746E), "type", "bridge")
    run("ip", "-n", NS, *words)
    observed = home.observe()
    assert link_key(NS, "b0") not in observed.foreign
    assert not observed.of(OWNER).keys() & {link_key(NS, "b0")}
    done(home.execute(add(BRIDGE, Address(NS, "b0", ip_interface("10.1.2.1/24")))))
    assert BRIDGE in seen(home)


def test_an_unmarked_far_end_is_marked_by_its_own_operation(
    home: NetlinkKernel, transport: LinuxTransport, keys: Keys
) -> None:
    done(home.execute(add(VETH)))
    after_death = NetlinkKernel(transport, keys)
    assert seen(after_death) == {Namespace(NS), VETH}
    done(after_death.execute(add(PEER)))
    assert seen(after_death) == {Namespace(NS), VETH, PEER}


def test_a_veth_is_made_again_while_its_old_far_end_is_dying(home: NetlinkKernel) -> None:
    for _ in range(5):
        done(home.execute(add(VETH)))
        done(home.execute(add(PEER)))
        done(home.execute(delete(Namespace(NS))))
        done(home.execute(add(Namespace(NS))))
    done(home.execute(add(VETH)))
    done(home.execute(add(PEER)))
    assert seen(home) == {Namespace(NS), VETH, PEER}


def test_a_vxlan_is_made_again_while_the_old_one_is_dying(underlay: NetlinkKernel) -> None:
    vxlan = Vxlan(NS, "x0", 1450, "02:00:00:00:01:01", 77, ip_address("10.99.0.1"), 4789, HOST, "fast0")
    for _ in range(5):
        done(underlay.execute(add(vxlan)))
        done(underlay.execute(delete(Namespace(NS))))
        done(underlay.execute(add(Namespace(NS))))
    run("ip", "link", "add", "foreign", "type", "vxlan", "id", "78", "dstport", "4789", "dev", "fast0")
    assert codes(underlay, add(replace(vxlan, vni=78))) == ["EEXIST"]


@pytest.mark.parametrize("item", [BRIDGE, VETH, Namespace(NS)], ids=str)
def test_adding_what_is_there_changes_nothing(home: NetlinkKernel, item: Bridge | Veth | Namespace) -> None:
    home.execute(add(item))
    before = picture(NS)
    assert codes(home, add(item)) == ["EEXIST"]
    assert picture(NS) == before


def test_a_namespace_replaced_under_us_is_noticed(home: NetlinkKernel) -> None:
    done(home.execute(add(BRIDGE)))
    assert BRIDGE in seen(home)
    run("ip", "netns", "del", NS)
    run("ip", "netns", "add", NS)
    observed = home.observe()
    assert observed.of(OWNER) == {}
    assert namespace_key(NS) in observed.foreign


def test_a_name_that_death_left_without_a_namespace_is_taken(kernel: NetlinkKernel) -> None:
    run("mkdir", "-p", "/run/netns")
    run("touch", f"/run/netns/{NS}")
    assert seen(kernel) == set()
    assert namespace_key(NS) not in kernel.observe().foreign
    done(kernel.execute(add(Namespace(NS))))
    assert seen(kernel) == {Namespace(NS)}


def test_looking_at_one_namespace_knows_the_far_end_in_another(
    home: NetlinkKernel, transport: LinuxTransport, keys: Keys
) -> None:
    done(home.execute(add(VETH)))
    done(home.execute(add(PEER)))
    for kernel in (home, NetlinkKernel(transport, keys)):
        assert set(kernel.observe(namespaces=[NS]).of(OWNER).values()) == {Namespace(NS), VETH}
        assert set(kernel.observe(namespaces=[NAT]).of(OWNER).values()) == {PEER}
