"""What a whole node gets."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from property_tests.farms import FarmSketch, Fleet, NetworkSketch, NodeSketch, ResourceSketch
from reconciler.compile.firewall.host import tenant_ports
from reconciler.compile.names import netid
from reconciler.compile.node import NodeGraph, compile_node
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import HOST, Key, Namespace, Sysctl, Veth, link_key
from reconciler.model.documents import Metadata, PortRange, Suspension, SuspensionSpec
from reconciler.model.paths import node_path, suspension_path

RANGES = ("10.1.0.0/16", "fd01:1:1::/48")


def network(tenant: str, *nodes: str, slot: int = 1) -> NetworkSketch:
    resources = tuple(ResourceSketch(node, index, slot) for index, node in enumerate(nodes, 1))
    return NetworkSketch(tenant, "web", *RANGES, resources)


FLEET = Fleet(
    farms=(FarmSketch("paris", 1500), FarmSketch("lyon")),
    nodes_=(
        NodeSketch("paris", "p1", public=True, fast=True),
        NodeSketch("paris", "p2", public=False, fast=True),
        NodeSketch("lyon", "p1", public=False),
        NodeSketch("lyon", "p2", public=False),
    ),
    networks=(network("acme", "paris/p1", "paris/p2", "lyon/p1"), network("globex", "paris/p1", slot=2)),
)


def table(compiled: NodeGraph, namespace: str) -> NftTable:
    tables = (item for item in compiled.node.objects if isinstance(item, NftTable))
    return next(item for item in tables if item.namespace == namespace)


def test_it_has_one_graph_for_itself_and_one_for_each_network_there() -> None:
    compiled = compile_node(FLEET.model, "paris/p1")
    assert compiled.node.owner == "node"
    assert [(part.tenant, part.network) for part in compiled.networks] == [("acme", "web"), ("globex", "web")]
    assert [part.netid for part in compiled.networks] == [netid("acme", "web"), netid("globex", "web")]
    assert all(part.graph is not None and part.graph.owner == part.netid for part in compiled.networks)
    assert all(part.conditions == () for part in compiled.networks)


def test_a_node_without_networks_has_its_nat_namespace_ready() -> None:
    compiled = compile_node(FLEET.model, "lyon/p2")
    assert compiled.networks == ()
    assert Namespace("tnet-nat") in compiled.node.objects
    assert Veth(HOST, "tnet0", 1500, "tnet-nat", "host") in compiled.node.objects


def test_a_node_that_the_ledger_does_not_know_gets_nothing() -> None:
    gone = replace(FLEET, absent=frozenset({"paris/p1"}))
    compiled = compile_node(gone.model, "paris/p1")
    assert compiled.node.objects == ()
    assert {part.graph for part in compiled.networks} == {None}


def test_forwarding_on_the_host_is_switched_on_after_its_firewall() -> None:
    compiled = compile_node(FLEET.model, "paris/p1")
    firewall = Key(HOST, "nft-table", "tnet")
    everywhere = Key(HOST, "sysctl", "net/ipv6/conf/all/forwarding")
    assert (everywhere, firewall) in compiled.node.edges
    assert (everywhere, Key(HOST, "sysctl", "net/ipv6/conf/eth0/accept_ra")) in compiled.node.edges
    assert (Key(HOST, "sysctl", "net/ipv4/conf/eth0/forwarding"), firewall) in compiled.node.edges
    assert (link_key(HOST, "tnet0"), firewall) in compiled.node.edges


def test_ipv4_forwarding_on_the_host_is_by_interface() -> None:
    compiled = compile_node(FLEET.model, "paris/p1")
    paths = {
        item.path for item in compiled.node.objects if isinstance(item, Sysctl) and item.namespace == HOST
    }
    assert "net/ipv4/conf/all/forwarding" not in paths
    assert {"net/ipv4/conf/tnet0/forwarding", "net/ipv4/conf/eth0/forwarding"} <= paths


def test_vxlan_is_let_in_only_from_the_farms_other_nodes_on_the_fast_nic() -> None:
    firewall = table(compile_node(FLEET.model, "paris/p1"), HOST)
    peers = next(item for item in firewall.sets if item.name == "fast-nodes")
    assert {str(prefix) for prefix in peers.prefixes} == {"10.99.1.2/32"}
    rules = [rule for chain in firewall.chains if chain.name == "input" for rule in chain.rules]
    assert [rule.verdict for rule in rules if "VXLAN" in rule.comment] == ["accept", "drop"]


def test_a_node_without_a_fast_port_says_nothing_of_vxlan() -> None:
    firewall = table(compile_node(FLEET.model, "lyon/p1"), HOST)
    assert {item.name for item in firewall.sets} == {"blocked-ipv4", "blocked-ipv6"}
    assert "4789" not in str(firewall)


def test_every_chain_on_the_host_lets_pass_what_is_not_ours() -> None:
    firewall = table(compile_node(FLEET.model, "paris/p1"), HOST)
    assert {chain.policy for chain in firewall.chains} == {"accept"}


def test_a_network_whose_grant_went_is_suspended_on_that_farm_and_left_out_elsewhere() -> None:
    fleet = replace(FLEET, ungranted=frozenset({("paris", "acme")}))
    part = compile_node(fleet.model, "paris/p1").networks[0]
    assert part.graph is None
    assert part.conditions[0].reason == "Suspended"
    assert "NotGranted" in part.conditions[0].message
    other = compile_node(fleet.model, "lyon/p1").networks[0]
    assert other.graph is not None
    assert [condition.reason for condition in other.conditions] == ["Degraded"]
    assert "paris/p1" in other.conditions[0].message


def test_a_suspended_tenants_networks_are_built_nowhere_and_roots_reason_is_told() -> None:
    said = Suspension("tnet/v1", Metadata("acme"), SuspensionSpec("Invoice 7 is open."))
    model = FLEET.model.with_changes({suspension_path("acme"): said})
    for node in ("paris/p1", "lyon/p1"):
        parts = [part for part in compile_node(model, node).networks if part.tenant == "acme"]
        assert parts
        assert all(part.graph is None for part in parts)
        assert all(
            [condition.message for condition in part.conditions]
            == ["TenantSuspended: root has suspended acme: Invoice 7 is open."]
            for part in parts
        )
        others = [part for part in compile_node(model, node).networks if part.tenant != "acme"]
        assert all(part.graph is not None for part in others)


def test_a_key_sealed_to_what_the_node_no_longer_has_is_told() -> None:
    document = FLEET.model.node("lyon/p2")
    assert document is not None
    resealed = FLEET.model.node("lyon/p1")
    assert resealed is not None
    spec = msgspec.structs.replace(resealed.spec, sealing_keys=document.spec.sealing_keys)
    renewed = msgspec.structs.replace(resealed, spec=spec)
    model = FLEET.model.with_changes({node_path("lyon", "p1"): renewed})
    part = compile_node(model, "lyon/p1").networks[0]
    assert part.graph is not None
    assert "SealedToOldKey" in [condition.reason for condition in part.conditions]


def test_hidden_nodes_without_a_relay_between_them_say_so() -> None:
    part = compile_node(FLEET.model, "lyon/p1").networks[0]
    assert [condition.reason for condition in part.conditions] == ["Unreachable"]
    assert part.conditions[0].message.endswith("paris/p2")
    assert not part.conditions[0].status


@pytest.mark.parametrize(
    ("first", "count", "expected"),
    [
        (51820, 200, (32768, 51819)),
        (40000, 1000, (41000, 65535)),
        (20000, 10000, (32768, 65535)),
        (60000, 5536, (32768, 59999)),
        (20000, 45536, (1024, 19999)),
        (4790, 60746, (1024, 4789)),
    ],
)
def test_tenants_leave_from_ports_that_are_not_wireguards(
    first: int, count: int, expected: tuple[int, int]
) -> None:
    assert tenant_ports(PortRange(first=first, count=count)) == expected
