"""Laws of what one node gets, whatever the farm: same input same graph, nothing twice, nothing dangling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from property_tests import farms
from property_tests.farms import Change, Fleet
from reconciler.compile.node import NodeGraph, compile_node
from reconciler.kernel.graph import Graph, KernelObject, Link
from reconciler.kernel.objects import HOST, Key, Vxlan, WireGuard
from reconciler.model.documents import Document, Network
from reconciler.model.model import Model


def graphs_of(compiled: NodeGraph) -> list[Graph]:
    return [compiled.node, *(part.graph for part in compiled.networks if part.graph is not None)]


def objects_of(compiled: NodeGraph) -> Iterator[KernelObject]:
    for graph in graphs_of(compiled):
        yield from graph.objects


def _shuffled(data: DataObject, document: Document) -> Document:
    """The same meaning, with the lists and mappings whose order means nothing in another order."""
    if not isinstance(document, Network):
        return document
    resources = tuple(data.draw(st.permutations(document.spec.resources)))
    vnis = dict(data.draw(st.permutations(list(document.spec.vnis.items()))))
    spec = msgspec.structs.replace(document.spec, resources=resources, vnis=vnis)
    return msgspec.structs.replace(document, spec=spec)


@given(farms.fleets(), st.data())
def test_the_order_of_files_keys_and_resources_means_nothing(fleet: Fleet, data: DataObject) -> None:
    items = data.draw(st.permutations(list(fleet.documents.items())))
    shuffled = Model.of({path: _shuffled(data, document) for path, document in items})
    for node in fleet.nodes:
        assert compile_node(shuffled, node) == compile_node(fleet.model, node)


@given(farms.changed_fleets())
def test_how_the_model_came_about_means_nothing(change: Change) -> None:
    """A model changed step by step compiles like one made at once."""
    gone = dict.fromkeys(change.before.documents.keys() - change.after.documents.keys())
    stepped = change.before.model.with_changes({**change.after.documents, **gone})
    for node in change.after.nodes:
        assert compile_node(stepped, node) == compile_node(change.after.model, node)


@given(farms.histories())
def test_every_need_is_met_by_the_graph_the_node_or_what_the_host_has(history: tuple[Fleet, ...]) -> None:
    fleet = history[-1]
    for node in fleet.nodes:
        compiled = compile_node(fleet.model, node)
        given_ = {item.key for item in compiled.node.objects}
        for graph in graphs_of(compiled):
            present = given_ | {item.key for item in graph.objects}
            assert not {key for key in _needed(graph) if key not in present and not _foreign(key)}


def _needed(graph: Graph) -> Iterator[Key]:
    present = {item.key for item in graph.objects}
    for item in graph.objects:
        yield from item.needs
    for dependant, needed in graph.edges:
        assert dependant in present, f"an edge from {dependant}, which is not in the graph of {graph.owner}"
        yield needed


def _foreign(key: Key) -> bool:
    """The node's own NICs."""
    return key in {Key(HOST, "link", farms.UPLINK), Key(HOST, "link", farms.FAST_NIC)}


@given(farms.histories())
def test_needs_go_round_in_no_circle(history: tuple[Fleet, ...]) -> None:
    for node in history[-1].nodes:
        for graph in graphs_of(compile_node(history[-1].model, node)):
            needs: dict[Key, set[Key]] = {item.key: set(item.needs) for item in graph.objects}
            for dependant, needed in graph.edges:
                needs[dependant].add(needed)
            _assert_layered(needs)


def _assert_layered(needs: dict[Key, set[Key]]) -> None:
    left = {key: {need for need in needed if need in needs} for key, needed in needs.items()}
    while left:
        free = {key for key, needed in left.items() if not needed & left.keys()}
        assert free, f"a circle among {sorted(map(str, left))}"
        left = {key: needed for key, needed in left.items() if key not in free}


@given(farms.histories())
def test_no_object_is_made_twice_on_a_node(history: tuple[Fleet, ...]) -> None:
    for node in history[-1].nodes:
        keys = Counter(item.key for item in objects_of(compile_node(history[-1].model, node)))
        assert [str(key) for key, count in keys.items() if count > 1] == []


@given(farms.fleets())
def test_what_shares_the_hosts_namespace_is_unique_there(fleet: Fleet) -> None:
    """UDP ports, VNIs, and the names under which devices are born."""
    for node in fleet.nodes:
        items = list(objects_of(compile_node(fleet.model, node)))
        _assert_distinct(item.listen_port for item in items if isinstance(item, WireGuard))
        _assert_distinct(item.vni for item in items if isinstance(item, Vxlan))
        _assert_distinct(item.name for item in items if isinstance(item, WireGuard | Vxlan))


def _assert_distinct(values: Iterable[object]) -> None:
    counts = Counter(values)
    assert [value for value, count in counts.items() if count > 1] == []


@given(farms.fleets())
def test_every_name_fits_the_kernel(fleet: Fleet) -> None:
    """IFNAMSIZ is 16 with its final zero byte (linux/if.h); an alias holds 255 (IFALIASZ)."""
    for node in fleet.nodes:
        for item in objects_of(compile_node(fleet.model, node)):
            if isinstance(item, Link):
                assert 0 < len(item.name) <= 15
                assert item.name.isalnum()


@given(farms.histories())
def test_a_network_is_there_or_says_why_not(history: tuple[Fleet, ...]) -> None:
    fleet = history[-1]
    for node in fleet.nodes:
        farm = node.partition("/")[0]
        parts = {(part.tenant, part.network): part for part in compile_node(fleet.model, node).networks}
        assert parts.keys() == {network.key for network in fleet.networks if network.on(node)}
        for (tenant, _), part in parts.items():
            ungranted = (farm, tenant) in fleet.ungranted
            suspended = node in fleet.absent or ungranted or tenant in fleet.stopped
            assert (part.graph is None) == suspended
            assert any(condition.reason == "Suspended" for condition in part.conditions) == suspended


@given(farms.fleets())
def test_a_node_that_is_not_in_the_model_gets_nothing(fleet: Fleet) -> None:
    compiled = compile_node(fleet.model, "paris/nowhere")
    assert compiled.node.objects == ()
    assert compiled.networks == ()
