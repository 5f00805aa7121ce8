"""Law of requests: what a check shows of each node is what the engine would plan there, and all of it."""

from __future__ import annotations

from hypothesis import given

from property_tests import farms
from property_tests.farms import Change
from reconciler.agent.node import graphs_of
from reconciler.compile.node import NodeGraph, compile_node
from reconciler.engine.node_plan import NodePlan, plan_node
from reconciler.forge.effects import effects
from reconciler.kernel.graph import Observed
from reconciler.model.model import EMPTY, Model


def _whole_plan(old: Model, new: Model, node: str) -> NodePlan:
    """All of both models compiled, as a node does it; its kernel is what the old one says."""
    before = graphs_of(compile_node(old, node)) if old.node(node) else []
    observed = Observed(owned={graph.owner: graph.by_key() for graph in before})
    return plan_node(graphs_of(compile_node(new, node)), observed)


def _complaints(compiled: NodeGraph) -> set[tuple[str, str, str]]:
    return {
        (f"{part.tenant}/{part.network}", condition.reason, condition.message)
        for part in compiled.networks
        for condition in part.conditions
    }


def _require_effects(old: Model, new: Model, nodes: tuple[str, ...]) -> None:
    found = {effect.node: effect for effect in effects(old, new)}
    for node in nodes:
        if new.node(node) is None:
            assert (node in found) == (old.node(node) is not None)
            continue
        expected = _whole_plan(old, new, node)
        effect = found.get(node)
        plans = () if effect is None else effect.changing
        assert {plan.owner: plan for plan in plans} == {
            plan.owner: plan for plan in expected.plans if not plan.empty
        }
        assert set(effect.plan.results if effect else ()) == set(expected.results)
        known = _complaints(compile_node(old, node)) if old.node(node) else set()
        told = {(each.network, each.reason, each.message) for each in (effect.remarks if effect else ())}
        assert told == _complaints(compile_node(new, node)) - known


@given(farms.changed_fleets())
def test_what_a_request_shows_of_a_node_is_what_the_node_would_plan(change: Change) -> None:
    nodes = tuple(dict.fromkeys((*change.before.nodes, *change.after.nodes)))
    _require_effects(change.before.model, change.after.model, nodes)
    _require_effects(change.after.model, change.before.model, nodes)


@given(farms.fleets())
def test_a_ledger_from_nothing(fleet: farms.Fleet) -> None:
    _require_effects(EMPTY, fleet.model, fleet.nodes)


@given(farms.fleets())
def test_no_change_touches_no_node(fleet: farms.Fleet) -> None:
    assert effects(fleet.model, fleet.model) == ()
