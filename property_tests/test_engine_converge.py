"""From any state to the desired one, over the real codec and the fake kernel; and nothing else touched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from property_tests import farms
from property_tests.engine_node import FakeNode, Process, inhabitants, owned, owners_of, strangers
from property_tests.farms import Change, Fleet
from reconciler.engine.comparison import as_wanted
from reconciler.engine.result import Unchanged
from reconciler.kernel.graph import Graph, KernelObject, Key
from reconciler.kernel.objects import Sysctl, WireGuardPeer
from reconciler.kernel.port import Operation, Outcome

WIREGUARD = st.sampled_from(["kernel", "userspace"])


def assert_converged(node: FakeNode, graphs: list[Graph]) -> None:
    """Each owner has exactly its graph (sysctls that are wanted no more apart), and nobody else is left."""
    seen = node.seen(graphs)
    for graph in graphs:
        wanted = graph.by_key()
        there = {key: item for key, item in seen.of(graph.owner).items() if not isinstance(item, Sysctl)}
        extra = there.keys() - wanted.keys()
        assert not extra, f"left over: {sorted(map(str, extra))}"
    assert set(seen.owned) <= {graph.owner for graph in graphs}
    results = node.process().converge(graphs)
    assert all(isinstance(result, Unchanged) for result in results.values()), results


def converged(process: Process, graphs: list[Graph]) -> None:
    results = process.converge(graphs, confirmed=True)
    bad = {owner: result.message for owner, result in results.items() if not result.ok}
    assert not bad, bad


@given(farms.changed_fleets(), WIREGUARD, inhabitants(), st.data())
def test_a_node_becomes_what_is_compiled_and_then_what_a_change_makes_of_it(
    change: Change, wireguard: str, others: tuple[list[str], list[str]], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(change.before.nodes))
    node = FakeNode(wireguard)
    node.inhabit(*others)
    theirs = strangers(node.world)
    for fleet in (change.before, change.after):
        graphs = node.graphs(fleet, name)
        converged(node.process(), graphs)
        assert_converged(node, graphs)
        assert strangers(node.world) == theirs


@given(farms.histories())
@settings(max_examples=20)
def test_a_history_ends_where_its_last_state_alone_would(history: tuple[Fleet, ...]) -> None:
    name = history[0].nodes[0]
    walked, jumped = FakeNode(), FakeNode()
    for fleet in history:
        converged(walked.process(), walked.graphs(fleet, name))
    last = jumped.graphs(history[-1], name)
    converged(jumped.process(), last)
    for graph in last:
        assert standing(walked, last, graph) == standing(jumped, last, graph)


def standing(node: FakeNode, graphs: list[Graph], graph: Graph) -> dict[Key, KernelObject]:
    """The owner's objects. The endpoint of a peer that has come to dial us stays what it was (WireGuard can't
    take one away) until the peer is heard of, and so tells the two ways apart."""
    wanted = graph.by_key()
    seen = owned(node.seen(graphs), graph.owner)
    return {key: as_wanted(item, wanted[key]) if key in wanted else item for key, item in seen.items()}


class Watched:
    """A kernel that remembers what it was asked to do."""

    def __init__(self, process: Process) -> None:
        self._execute = process.kernel.execute
        self.operations: list[Operation] = []
        process.kernel.execute = self.execute  # type: ignore[method-assign]

    def execute(self, operations: list[Operation]) -> list[Outcome]:
        self.operations += operations
        return self._execute(operations)


@given(farms.grown_fleets(), WIREGUARD, st.data())
def test_one_more_resource_touches_only_what_it_adds(
    change: Change, wireguard: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(change.before.nodes))
    node = FakeNode(wireguard)
    before, after = (node.graphs(fleet, name) for fleet in (change.before, change.after))
    converged(node.process(), before)
    process = node.process()
    watched = Watched(process)
    converged(process, after)
    old = {key: item for graph in before for key, item in graph.by_key().items()}
    for operation in watched.operations:
        assert operation.verb != "delete", str(operation)
        assert operation.after != old.get(operation.key)


@given(farms.fleets(min_networks=1), WIREGUARD, st.data())
def test_a_changed_peer_is_the_only_one_touched(fleet: Fleet, wireguard: str, data: st.DataObject) -> None:
    node = FakeNode(wireguard)
    found = [
        (graphs, graph, item)
        for graphs in (node.graphs(fleet, name) for name in fleet.nodes)
        for graph in graphs
        for item in graph.objects
        if isinstance(item, WireGuardPeer)
    ]
    if not found:
        return
    graphs, graph, peer = data.draw(st.sampled_from(found))
    converged(node.process(), graphs)
    changed = WireGuardPeer(
        peer.namespace, peer.device, peer.public_key, peer.allowed_ips, peer.endpoint, peer.keepalive_s + 7
    )
    objects = [changed if item == peer else item for item in graph.objects]
    after = [Graph.of(graph.owner, objects, graph.edges) if one is graph else one for one in graphs]
    process = node.process()
    watched = Watched(process)
    converged(process, after)
    assert [(item.verb, item.key) for item in watched.operations] == [("change", peer.key)]
    assert_converged(node, after)


@given(farms.fleets(min_networks=1), WIREGUARD, st.data())
def test_what_is_spoiled_by_hand_is_mended(fleet: Fleet, wireguard: str, data: st.DataObject) -> None:
    """Any of our objects may vanish with all that is in them, at the hands of somebody with root."""
    name = data.draw(st.sampled_from(fleet.nodes))
    node = FakeNode(wireguard)
    graphs = node.graphs(fleet, name)
    converged(node.process(), graphs)
    objects = [item for graph in graphs for item in graph.objects if not isinstance(item, Sysctl)]
    if not objects:
        return
    spoiler = node.process().kernel
    for item in data.draw(st.lists(st.sampled_from(objects), max_size=3)):
        spoiler.execute([Operation("delete", "somebody", item, None)])
    converged(node.process(), graphs)
    assert_converged(node, graphs)


@given(farms.fleets(min_networks=1), WIREGUARD, st.data())
def test_removal_leaves_nothing(fleet: Fleet, wireguard: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(fleet.nodes))
    node = FakeNode(wireguard)
    theirs = strangers(node.world)
    graphs = node.graphs(fleet, name)
    converged(node.process(), graphs)
    converged(node.process(), [Graph.of("node", ())])
    assert node.seen([]).owned == {}
    assert strangers(node.world) == theirs
    assert not node.world.names and not node.world.daemons


@given(farms.fleets(min_networks=1), st.data())
def test_the_order_of_graphs_makes_no_difference(fleet: Fleet, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(fleet.nodes))
    one, other = FakeNode(), FakeNode()
    graphs = one.graphs(fleet, name)
    converged(one.process(), graphs)
    converged(other.process(), data.draw(st.permutations(other.graphs(fleet, name))))
    for owner in owners_of(graphs):
        assert owned(one.seen(graphs), owner) == owned(other.seen(graphs), owner)
