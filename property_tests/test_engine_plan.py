"""Laws of the planner, for all that is compiled and for states that nobody would compile."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from property_tests import farms
from property_tests.farms import Change, Fleet
from reconciler.compile.node import compile_node
from reconciler.engine.comparison import changes_in_place, same
from reconciler.engine.plan import plan
from reconciler.kernel.graph import Graph, KernelObject, Observed
from reconciler.kernel.objects import Key, Sysctl

Objects = Mapping[Key, KernelObject]


def node_graphs(fleet: Fleet, node: str) -> dict[str, Graph]:
    compiled = compile_node(fleet.model, node)
    parts = [part.graph for part in compiled.networks if part.graph is not None]
    return {graph.owner: graph for graph in (compiled.node, *parts)}


def seen(graphs: Mapping[str, Graph]) -> Observed:
    return Observed({owner: graph.by_key() for owner, graph in graphs.items()})


def carried_out(graph: Graph, before: Objects) -> dict[Key, KernelObject]:
    """What the plan makes of `before`, by the kernel's rules: content goes with its container."""
    state = dict(before)
    for operation in plan(graph, Observed({graph.owner: before})).operations():
        if operation.verb == "delete":
            _delete(state, operation.key)
            continue
        assert operation.after is not None
        assert (operation.key in state) == (operation.verb == "change"), str(operation.key)
        missing = [need for need in operation.after.needs if need in graph.by_key() and need not in state]
        assert not missing, f"{operation.key} before {missing}"
        state[operation.key] = operation.after
    return state


def _delete(state: dict[Key, KernelObject], key: Key) -> None:
    if state.pop(key, None) is not None:
        for content in [other for other, item in state.items() if item.container == key]:
            _delete(state, content)


def without_sysctls(objects: Objects) -> dict[Key, KernelObject]:
    return {key: item for key, item in objects.items() if not isinstance(item, Sysctl)}


def assert_is(graph: Graph, state: Objects) -> None:
    wanted = graph.by_key()
    assert without_sysctls(state) == without_sysctls(wanted)
    assert all(state[key] == item for key, item in wanted.items())


@given(farms.fleets(), st.data())
def test_what_is_compiled_is_made_from_nothing(fleet: Fleet, data: st.DataObject) -> None:
    for graph in node_graphs(fleet, data.draw(st.sampled_from(fleet.nodes))).values():
        assert_is(graph, carried_out(graph, {}))
        assert plan(graph, seen({graph.owner: graph})).empty


@given(farms.changed_fleets(), st.data())
def test_one_transaction_on_is_what_is_compiled_from_it(change: Change, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(change.after.nodes))
    before, after = node_graphs(change.before, node), node_graphs(change.after, node)
    for owner in before.keys() | after.keys():
        target = after.get(owner, Graph.of(owner, ()))
        start = before.get(owner, Graph.of(owner, ())).by_key()
        assert_is(target, carried_out(target, start))


@given(farms.changed_fleets(), st.data())
def test_an_object_that_stays_the_same_gets_no_operation(change: Change, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(change.after.nodes))
    before, after = node_graphs(change.before, node), node_graphs(change.after, node)
    for owner in before.keys() & after.keys():
        old, made = before[owner].by_key(), plan(after[owner], seen(before))
        disturbed = {item.key for item in made.replacements}
        for operation in made.operations():
            unchanged = operation.after is not None and same(
                old.get(operation.key, operation), operation.after
            )
            assert not unchanged or operation.key in disturbed, str(operation.key)


@given(farms.changed_fleets(), st.data())
def test_what_can_change_in_place_is_not_disturbed(change: Change, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(change.after.nodes))
    before, after = node_graphs(change.before, node), node_graphs(change.after, node)
    for owner in before.keys() & after.keys():
        for item in plan(after[owner], seen(before)).replacements:
            assert item.because is not None or not changes_in_place(
                item.before, after[owner].by_key()[item.key]
            )


@given(farms.fleets(min_networks=1), st.data())
def test_any_part_of_another_state_is_mended(fleet: Fleet, data: st.DataObject) -> None:
    """Objects missing at random (with their content), others changed by hand."""
    graphs = node_graphs(fleet, data.draw(st.sampled_from(fleet.nodes)))
    graph = data.draw(st.sampled_from(list(graphs.values())))
    state: dict[Key, KernelObject] = dict(graph.by_key())
    keys = sorted(state)
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=4)) if keys else ():
        _delete(state, key)
    assert_is(graph, carried_out(graph, state))


@given(farms.grown_fleets(), st.data())
def test_one_more_resource_disturbs_nothing(change: Change, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(change.after.nodes))
    before, after = node_graphs(change.before, node), node_graphs(change.after, node)
    for owner in before.keys() & after.keys():
        kinds = {type(item.before).__name__ for item in plan(after[owner], seen(before)).replacements}
        assert not kinds, f"{change.what}: {kinds}"


@given(farms.fleets(min_networks=1), st.data())
def test_the_order_of_objects_makes_no_difference(fleet: Fleet, data: st.DataObject) -> None:
    graphs = node_graphs(fleet, data.draw(st.sampled_from(fleet.nodes)))
    for graph in graphs.values():
        shuffled = data.draw(st.permutations(graph.objects))
        again = Graph.of(graph.owner, shuffled, graph.edges)
        assert plan(again, Observed()) == plan(graph, Observed())


@given(farms.changed_fleets(), st.data())
def test_a_plan_names_its_owner_only(change: Change, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(change.after.nodes))
    before, after = node_graphs(change.before, node), node_graphs(change.after, node)
    for owner, graph in after.items():
        assert {operation.owner for operation in plan(graph, seen(before)).operations()} <= {owner}
