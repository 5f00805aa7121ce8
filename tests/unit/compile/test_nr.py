"""The graph of one NR."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from reconciler.compile.member import Member
from reconciler.compile.mesh import mesh_of
from reconciler.compile.names import mac
from reconciler.compile.nr import NetworkResource, resource_graph
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import (
    FdbEntry,
    IPNetwork,
    Key,
    Neighbour,
    Route,
    Sysctl,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    WireGuardPeer,
    link_key,
    namespace_key,
)
from tests.unit.compile.members import IPV4, IPV6, make

NETID = "a" * 13
HERE = "tnet-" + NETID
RELAY = make("paris/r", 1, public=True, fast_mtu=1500)
FAST = make("paris/a", 2, fast_mtu=1500)
HIDDEN = make("lyon/b", 3)
FAR = make("oslo/c", 4, public=True)
ALL = [RELAY, FAST, HIDDEN, FAR]


def graph_of(me: Member, members: list[Member] = ALL) -> Graph:
    mesh = mesh_of(me, members, ["paris/r"])
    reserved: frozenset[IPNetwork] = frozenset({IPv4Network("10.99.0.0/24")})
    ranges = (IPv4Network(IPV4), IPv6Network(IPV6))
    return resource_graph(NetworkResource(NETID, ranges, 1420, mesh, "fast0", reserved))


def routes(graph: Graph) -> dict[str, Route]:
    return {str(item.destination): item for item in graph.objects if isinstance(item, Route)}


def peers(graph: Graph) -> dict[str, WireGuardPeer]:
    return {item.public_key: item for item in graph.objects if isinstance(item, WireGuardPeer)}


def kinds(graph: Graph) -> set[str]:
    return {type(item).__name__ for item in graph.objects}


def test_alone_it_has_a_bridge_and_an_uplink_and_no_other_link() -> None:
    graph = graph_of(FAR, [FAR])
    assert kinds(graph) == {
        *("Namespace", "Sysctl", "NftTable", "Bridge", "Veth", "VethPeer", "Address", "Route")
    }
    assert set(routes(graph)) == {"0.0.0.0/0", "::/0"}


def test_its_uplink_is_a_veth_into_the_nat_namespace() -> None:
    graph = graph_of(FAR)
    assert Veth(HERE, f"u{NETID}", 1500, "tnet-nat", f"n{NETID}") in graph.objects
    assert VethPeer("tnet-nat", f"n{NETID}", 1500, HERE, f"u{NETID}") in graph.objects
    assert routes(graph)["0.0.0.0/0"].via == IPv4Address("100.64.0.2")
    assert routes(graph)["::/0"].via == IPv6Address("fd74:6e65:7400::2")


def test_a_wireguard_neighbour_is_a_peer_and_two_routes_from_the_bridges_addresses() -> None:
    graph = graph_of(FAR)
    peer = peers(graph)["key of lyon/b"]
    assert peer.allowed_ips == {IPv4Network("10.1.3.0/24"), IPv6Network("fd01:1:1:3::/64")}
    assert (peer.endpoint, peer.keepalive_s) == (None, 0)
    route = Route(HERE, IPv4Network("10.1.3.0/24"), f"w{NETID}", source=IPv4Address("10.1.4.1"))
    assert routes(graph)["10.1.3.0/24"] == route
    assert routes(graph)["fd01:1:1:3::/64"].source == IPv6Address("fd01:1:1:4::1")


def test_who_is_hidden_dials_and_finds_the_other_hidden_ones_behind_the_relay() -> None:
    graph = graph_of(HIDDEN)
    relay = peers(graph)["key of paris/r"]
    assert relay.endpoint == (IPv4Address("192.0.2.1"), 51820)
    assert relay.keepalive_s == 25
    assert IPv4Network("10.1.2.0/24") in relay.allowed_ips
    assert IPv4Network("10.1.4.0/24") not in relay.allowed_ips
    assert "key of paris/a" not in peers(graph)


def test_of_two_public_ones_that_with_the_lower_index_keeps_the_session_open() -> None:
    near, far = peers(graph_of(RELAY))["key of oslo/c"], peers(graph_of(FAR))["key of paris/r"]
    assert {near.endpoint is None, far.endpoint is None} == {False}
    assert (near.keepalive_s, far.keepalive_s) == (25, 0)


def test_a_vxlan_neighbour_is_an_fdb_entry_two_neighbours_and_two_routes() -> None:
    graph, address = graph_of(RELAY), mac("vxlan", NETID, 2)
    link = f"x{NETID}"
    assert FdbEntry(HERE, link, address, IPv4Address("10.99.0.2")) in graph.objects
    assert Neighbour(HERE, link, IPv4Address("10.1.2.1"), address) in graph.objects
    assert Neighbour(HERE, link, IPv6Address("fe80::2"), address) in graph.objects
    ipv4, ipv6 = routes(graph)["10.1.2.0/24"], routes(graph)["fd01:1:1:2::/64"]
    assert (ipv4.via, ipv4.onlink, ipv4.link) == (IPv4Address("10.1.2.1"), True, link)
    assert (ipv6.via, ipv6.onlink, ipv6.link) == (IPv6Address("fe80::2"), False, link)


def test_what_lies_behind_a_vxlan_relay_goes_by_its_next_hop() -> None:
    found = routes(graph_of(FAST))
    assert found["10.1.3.0/24"].via == found["10.1.1.0/24"].via == IPv4Address("10.1.1.1")
    assert found["10.1.4.0/24"].link == f"w{NETID}"


def test_sockets_are_in_the_nodes_own_namespace() -> None:
    devices = [item for item in graph_of(RELAY).objects if isinstance(item, WireGuard | Vxlan)]
    assert len(devices) == 2
    assert {(device.namespace, device.underlay_namespace) for device in devices} == {(HERE, "")}


def test_firewall_and_defaults_come_before_every_link() -> None:
    graph = graph_of(RELAY)
    table = Key(HERE, "nft-table", "tnet")
    for link in ("b", "u", "w", "x"):
        key = link_key(HERE, link + NETID)
        assert (key, table) in graph.edges
        assert (key, Key(HERE, "sysctl", "net/ipv6/conf/default/addr_gen_mode")) in graph.edges
        assert (key, Key(HERE, "sysctl", "net/ipv4/conf/default/rp_filter")) in graph.edges


def test_its_end_in_the_nat_namespace_waits_for_the_firewall_there() -> None:
    edge = (link_key("tnet-nat", f"n{NETID}"), Key("tnet-nat", "nft-table", "tnet"))
    assert edge in graph_of(FAR).edges


def test_a_route_waits_for_the_address_it_speaks_from() -> None:
    route = Key(HERE, "route", "10.1.3.0/24")
    assert (route, Key(HERE, "address", f"10.1.4.1/24 dev b{NETID}")) in graph_of(FAR).edges


def test_all_sysctls_of_the_namespace_are_about_all_or_default() -> None:
    sysctls = [item for item in graph_of(RELAY).objects if isinstance(item, Sysctl)]
    assert {sysctl.container for sysctl in sysctls} == {namespace_key(HERE)}


def test_another_slot_changes_only_transit_and_port() -> None:
    moved = replace(FAR, slot=2, listen_port=51821)
    before, after = graph_of(FAR), graph_of(moved, [RELAY, FAST, HIDDEN, moved])
    gone = set(before.objects) - set(after.objects)
    assert {item.key.kind for item in gone} == {"address", "route", "link"}
    assert all("100.64." in str(item) or "fd74:" in str(item) or "51820" in str(item) for item in gone)
