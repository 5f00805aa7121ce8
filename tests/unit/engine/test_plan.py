from __future__ import annotations

import dataclasses
import itertools
import json
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from reconciler.engine.order import CircularNeed
from reconciler.engine.plan import Plan, plan
from reconciler.kernel.graph import Graph, KernelObject, Observed
from reconciler.kernel.objects import (
    HOST,
    Address,
    Bridge,
    Key,
    Namespace,
    Route,
    Sysctl,
    WireGuardPeer,
    link_key,
    namespace_key,
)
from tests.unit.engine.graphs import NAT, fast_network, network, network_objects, node, peer, table


def seen(*graphs: Graph, foreign: frozenset[Key] = frozenset()) -> Observed:
    return Observed({graph.owner: graph.by_key() for graph in graphs}, foreign)


def verbs(plan: Plan) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for operation in plan.operations():
        found.setdefault(operation.verb, []).append(operation.key)
    return found


def exchanged(graph: Graph, old: KernelObject, new: KernelObject) -> Graph:
    assert old in graph.objects
    return Graph.of(graph.owner, [new if item == old else item for item in graph.objects], graph.edges)


def only(graph: Graph, kind: type) -> KernelObject:
    return next(item for item in graph.objects if isinstance(item, kind))


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert plan(network("a"), seen(network("a"))).empty


def test_everything_is_made_in_an_order_in_which_it_can_be_made() -> None:
    made = plan(network("a"), Observed())
    assert not made.phase_2
    assert {operation.verb for operation in made.operations()} == {"add"}
    order = [operation.key for operation in made.operations()]
    for operation in made.operations():
        assert operation.after is not None
        for need in operation.after.needs:
            if need in order:
                assert order.index(need) < order.index(operation.key)


def test_a_namespace_of_ours_takes_one_batch_and_the_far_veth_end_the_next() -> None:
    made = plan(network("a"), Observed())
    assert [len(batch) for batch in made.phase_1] == [len(network("a").objects) - 2, 2]
    assert {operation.key.namespace for operation in made.phase_1[1]} == {NAT}


def test_in_the_nodes_own_namespace_each_needed_object_is_awaited() -> None:
    made = plan(node(), Observed())
    places = {op.key: number for number, batch in enumerate(made.phase_1) for op in batch}
    assert places[link_key(HOST, "tnet0")] < places[Key(HOST, "address", "100.64.0.0/31 dev tnet0")]


def test_the_firewall_comes_before_the_links() -> None:
    order = [operation.key.kind for operation in plan(network("a"), Observed()).operations()]
    assert order.index("nft-table") < order.index("link")


def test_one_more_peer_is_one_operation_and_its_route() -> None:
    found = verbs(plan(network("a", peers=(2, 3, 4)), seen(network("a", peers=(2, 3)))))
    assert {key.kind for key in found["add"]} == {"wireguard-peer", "route"}
    assert list(found) == ["add"] and len(found["add"]) == 2


def test_a_changed_peer_is_changed_by_itself() -> None:
    before = network("a")
    after = exchanged(before, peer("a", 2), peer("a", 2, port=51999))
    made = plan(after, seen(before))
    assert verbs(made) == {"change": [peer("a", 2).key]}
    assert not made.disruptive


def test_a_learned_endpoint_is_no_difference() -> None:
    dialling = dataclasses.replace(peer("a", 2), endpoint=None)
    assert plan(exchanged(network("a"), peer("a", 2), dialling), seen(network("a"))).empty


def test_a_removed_network_is_one_deletion() -> None:
    made = plan(Graph.of("a", ()), seen(network("a")))
    assert verbs(made) == {"delete": [namespace_key("tnet-a")]}
    assert not made.phase_1


def test_deletion_of_single_objects_goes_by_container() -> None:
    smaller = Graph.of("a", [item for item in network("a").objects if item.key.name != "wa"])
    smaller = Graph.of("a", [item for item in smaller.objects if getattr(item, "device", "") != "wa"])
    smaller = Graph.of("a", [item for item in smaller.objects if getattr(item, "link", "") != "wa"])
    assert verbs(plan(smaller, seen(network("a")))) == {"delete": [link_key("tnet-a", "wa")]}


def test_sysctls_are_never_deleted() -> None:
    fewer = Graph.of("a", [item for item in network("a").objects if not isinstance(item, Sysctl)])
    assert plan(fewer, seen(network("a"))).empty


def test_what_cannot_change_in_place_is_replaced_with_all_in_it() -> None:
    before, after = fast_network("a", vni=7), fast_network("a", vni=8)
    made = plan(after, seen(before))
    assert made.disruptive and not made.phase_2
    found = verbs(made)
    assert found["delete"] == [link_key("tnet-a", "xa")]
    assert [key.kind for key in found["add"]] == ["link", "neighbour", "fdb", "route"]
    assert {item.because for item in made.replacements} == {None, link_key("tnet-a", "xa")}
    assert "traffic of this link until it is back" in made.render()


def test_undisturbing_changes_come_before_the_first_half_of_a_replacement() -> None:
    before = fast_network("a")
    after = Graph.of(
        "a", [*fast_network("a", vni=8).objects, Bridge("tnet-a", "ba", 1420, "02:00:00:00:00:01")]
    )
    order = [(op.verb, op.key.name) for op in plan(after, seen(before)).operations()]
    assert order.index(("add", "ba")) < order.index(("delete", "xa")) < order.index(("add", "xa"))


def test_a_missing_veth_end_is_made_with_its_other_end() -> None:
    graph = network("a")
    without = dict(graph.by_key())
    del without[link_key(NAT, "na")]
    found = verbs(plan(graph, Observed({"a": without})))
    assert found["delete"] == [link_key("tnet-a", "ua")]
    assert {link_key("tnet-a", "ua"), link_key(NAT, "na")} <= set(found["add"])


def test_a_stale_far_end_goes_before_the_pair_is_made() -> None:
    graph = network("a")
    stale = {link_key(NAT, "na"): graph.by_key()[link_key(NAT, "na")]}
    order = [(op.verb, op.key) for op in plan(graph, Observed({"a": stale})).operations()]
    assert order.index(("delete", link_key(NAT, "na"))) < order.index(("add", link_key("tnet-a", "ua")))


def test_a_route_that_moves_out_of_a_link_that_goes_is_changed_in_place() -> None:
    before = [
        Namespace("tnet-a"),
        *(Bridge("tnet-a", name, 1500, "02:00:00:00:00:01") for name in ("b1", "b2")),
    ]
    route = Route("tnet-a", ip_network("10.0.0.0/8"), "b1")
    made = plan(
        Graph.of("a", [before[0], before[2], dataclasses.replace(route, link="b2")]),
        seen(Graph.of("a", [*before, route])),
    )
    assert [(op.verb, op.key.kind) for op in made.operations()] == [("change", "route"), ("delete", "link")]


@pytest.mark.parametrize(
    ("old", "new"),
    [("10.0.0.1/24", "10.0.0.2/24"), ("fd00::1/64", "fd00::1/128")],
    ids=["secondary of the old one", "same IPv6 address"],
)
def test_an_address_that_stands_in_the_way_goes_first(old: str, new: str) -> None:
    base = [Namespace("tnet-a"), Bridge("tnet-a", "b", 1500, "02:00:00:00:00:01")]
    before = Graph.of("a", [*base, Address("tnet-a", "b", ip_interface(old))])
    after = Graph.of("a", [*base, Address("tnet-a", "b", ip_interface(new))])
    made = plan(after, seen(before))
    assert [op.verb for batch in made.phase_1 for op in batch] == ["delete", "add"]
    assert not made.phase_2


def test_a_vni_or_port_is_given_up_before_it_is_claimed() -> None:
    made = plan(fast_network("a", name="x2"), seen(fast_network("a", name="x1")))
    order = [(op.verb, op.key.name) for op in made.operations() if op.key.kind == "link"]
    assert order == [("delete", "x1"), ("add", "x2")]
    assert made.disruptive


def test_a_foreign_name_refuses_the_whole_plan() -> None:
    made = plan(network("a"), seen(foreign=frozenset({link_key(NAT, "na")})))
    assert not made.phase_1 and not made.phase_2 and not made.empty
    assert "na is already there in namespace tnet-nat and does not belong to tnet" in made.render()
    assert "ip -d link show na" in made.render()


def test_another_owners_name_refuses_the_plan_too() -> None:
    made = plan(network("a"), Observed({"b": {link_key(NAT, "na"): Bridge(NAT, "na", 1, "")}}))
    assert [clash.holder for clash in made.clashes] == ["b"]


def test_other_owners_are_left_alone() -> None:
    made = plan(Graph.of("a", ()), seen(network("a"), network("b"), node()))
    assert {operation.owner for operation in made.operations()} == {"a"}
    assert verbs(made) == {"delete": [namespace_key("tnet-a")]}


def test_the_order_of_objects_makes_no_difference() -> None:
    orders = itertools.islice(itertools.permutations(network_objects("a")), 0, 2000, 97)
    plans = {plan(Graph.of("a", objects), Observed()) for objects in orders}
    assert len(plans) == 1


def test_explicit_edges_are_followed() -> None:
    namespace = Namespace("tnet-a")
    first, second = (Bridge("tnet-a", name, 1500, "02:00:00:00:00:01") for name in ("b2", "b1"))
    made = plan(Graph.of("a", [namespace, first, second], [(second.key, first.key)]), Observed())
    assert [operation.key.name for operation in made.operations()] == ["tnet-a", "b2", "b1"]


def test_needs_in_a_circle_are_refused() -> None:
    first, second = (Bridge("tnet-a", name, 1500, "02:00:00:00:00:01") for name in ("b1", "b2"))
    graph = Graph.of("a", [first, second], [(first.key, second.key), (second.key, first.key)])
    with pytest.raises(CircularNeed):
        plan(graph, Observed())


def test_a_changed_firewall_shows_the_rules_that_differ() -> None:
    before = network("a")
    after = exchanged(before, table("tnet-a", "a"), table("tnet-a", "a", allowed="ba"))
    text = plan(after, seen(before)).render()
    assert "~ nft-table tnet in tnet-a" in text
    assert "- forward: iifname {br0} accept" in text and "+ forward: iifname {ba} accept" in text


def test_a_plan_is_headed_by_what_people_call_the_network() -> None:
    text = plan(network("a"), Observed()).render(title="acme/web (a)")
    assert text.splitlines()[:2] == ["acme/web (a):", "    + namespace tnet-a"]
    assert plan(Graph.of("a", ()), Observed()).render(title="acme/web (a)") == "acme/web (a): nothing to do"


def test_text_reads_like_a_plan() -> None:
    changed = WireGuardPeer(
        "tnet-a", "wa", "key2", frozenset({ip_network("10.7.2.0/24")}), (ip_address("192.0.2.9"), 1), 25
    )
    after = exchanged(network("a", peers=(2, 4)), peer("a", 2), changed)
    assert plan(after, seen(network("a", peers=(2, 3)))).render().splitlines() == [
        "a:",
        "    + route 10.7.4.0/24 in tnet-a (link wa)",
        "    ~ wireguard-peer wa key2 in tnet-a",
        "        endpoint: 192.0.2.9:51820 -> 192.0.2.9:1",
        "    + wireguard-peer wa key4 in tnet-a (allowed_ips {10.7.4.0/24}, "
        "endpoint 192.0.2.9:51820, keepalive_s 25)",
        "    - wireguard-peer wa key3 in tnet-a",
        "    - route 10.7.3.0/24 in tnet-a",
        "  Plan: 2 to add, 1 to change, 0 to replace, 2 to delete.",
    ]


def test_builtins_are_json_and_carry_a_schema_version() -> None:
    made = plan(fast_network("a", vni=8), seen(fast_network("a")))
    data = made.to_builtins()
    assert json.loads(json.dumps(data)) == data
    assert data["schema"] == 1 and data["summary"] == {"add": 0, "change": 0, "replace": 4, "delete": 0}
    assert data["phase_1"][0][0]["before"]["vni"] == 7
