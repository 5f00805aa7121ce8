"""A change that fails or a process that dies, at any message to the kernel."""

from __future__ import annotations

import contextlib
import errno

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from property_tests import farms
from property_tests.engine_node import FakeNode, owned, strangers
from property_tests.farms import Change
from property_tests.test_engine_converge import WIREGUARD, assert_converged, converged
from reconciler.engine.apply import recover
from reconciler.engine.result import (
    Applied,
    CleanupPending,
    NotStarted,
    Refused,
    Result,
    RolledBack,
    Unchanged,
)
from reconciler.kernel.fake import Death
from reconciler.kernel.graph import Graph, Observed
from reconciler.kernel.objects import Sysctl

ERRNOS = st.sampled_from([errno.EPERM, errno.EINVAL, errno.ENOBUFS, errno.EBUSY, errno.ENOMEM, errno.EEXIST])


def changes_of(node: FakeNode, graphs: list[Graph]) -> int:
    """How many messages and calls that change something a converged node takes to become `graphs`."""
    snapshot, process = node.world.snapshot(), node.process()
    process.converge(graphs, confirmed=True)
    node.world.restore(snapshot)
    node.forget_journal()
    return process.transport.faults.changes


def is_as(seen: Observed, owner: str, other: Observed) -> bool:
    return owned(seen, owner) == owned(other, owner)


def assert_as_said(result: Result, before: Observed, after: Observed, wanted: Graph) -> None:
    owner = result.owner
    match result:
        case RolledBack() | NotStarted() | Refused():
            assert is_as(after, owner, before), (
                f"{owner} is not what it was: {difference(before, after, owner)}"
            )
        case Applied() | Unchanged() | CleanupPending():
            missing = [key for key, item in wanted.by_key().items() if key not in after.of(owner)]
            assert not missing, missing
        case _:
            raise AssertionError(result)


def difference(before: Observed, after: Observed, owner: str) -> str:
    old, new = before.of(owner), after.of(owner)
    keys = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    return "; ".join(f"{key}: {old.get(key)} -> {new.get(key)}" for key in sorted(keys))


def transition(
    change: Change, wireguard: str, data: st.DataObject
) -> tuple[FakeNode, list[Graph], list[Graph]]:
    """A node that is what `change.before` says, and both states' graphs."""
    name = data.draw(st.sampled_from(change.before.nodes))
    node = FakeNode(wireguard)
    node.inhabit(["docker0"], ["blue"])
    before, after = node.graphs(change.before, name), node.graphs(change.after, name)
    if data.draw(st.booleans(), label="from a converged node"):
        converged(node.process(), before)
    return node, before, after


@given(farms.changed_fleets(), WIREGUARD, ERRNOS, st.data())
def test_a_failure_at_any_message_takes_its_owner_back_and_no_other(
    change: Change, wireguard: str, code: int, data: st.DataObject
) -> None:
    node, before, after = transition(change, wireguard, data)
    count = changes_of(node, after)
    assume(count)
    theirs, seen_before = strangers(node.world), node.seen([*before, *after])
    process = node.process()
    process.transport.fail(data.draw(st.integers(1, count), label="message"), code)
    results = process.converge(after, confirmed=True)
    seen_after = node.seen([*before, *after])
    wanted = {graph.owner: graph for graph in after}
    for owner, result in results.items():
        assert_as_said(result, seen_before, seen_after, wanted.get(owner, Graph.of(owner, ())))
    assert strangers(node.world) == theirs
    converged(node.process(), after)
    assert_converged(node, after)


@given(farms.changed_fleets(), WIREGUARD, st.sampled_from(["before", "after"]), st.data())
def test_death_at_any_message_then_restart_converges(
    change: Change, wireguard: str, when: str, data: st.DataObject
) -> None:
    node, _, after = transition(change, wireguard, data)
    count = changes_of(node, after)
    assume(count)
    theirs = strangers(node.world)
    process = node.process()
    process.transport.die(data.draw(st.integers(1, count), label="message"), when)  # type: ignore[arg-type]
    try:
        process.converge(after, confirmed=True)
    except Death:
        pass
    else:
        raise AssertionError("the process did not die")
    converged(node.process(), after)
    assert_converged(node, after)
    assert strangers(node.world) == theirs
    assert not node.process().journal.pending


@given(farms.changed_fleets(), WIREGUARD, st.sampled_from(["before", "after"]), st.data())
@settings(max_examples=30)
def test_recovery_after_death_restores_what_was_not_committed(
    change: Change, wireguard: str, when: str, data: st.DataObject
) -> None:
    node, before, after = transition(change, wireguard, data)
    count = changes_of(node, after)
    assume(count)
    seen_before = node.seen([*before, *after])
    process = node.process()
    process.transport.die(data.draw(st.integers(1, count), label="message"), when)  # type: ignore[arg-type]
    with contextlib.suppress(Death):
        process.converge(after, confirmed=True)
    reborn = node.process()
    begun = [item.owner for item in reborn.journal.pending.values() if not item.committed]
    assert recover(reborn.kernel, reborn.journal) == {}
    seen_after = node.seen([*before, *after])
    for owner in begun:
        assert is_as(seen_after, owner, seen_before), difference(seen_before, seen_after, owner)


@given(farms.grown_fleets(), WIREGUARD, st.data())
@settings(max_examples=20)
def test_a_foreign_link_with_our_name_is_refused_and_survives(
    change: Change, wireguard: str, data: st.DataObject
) -> None:
    node, _, after = transition(change, wireguard, data)
    links = [
        item.key.name
        for graph in after
        for item in graph.objects
        if item.key.kind == "link" and item.key.namespace == ""
    ]
    taken = [name for name in links if name not in {link.name for _, link in node.world.devices()}]
    assume(taken)
    node.inhabit(taken[:1], [])
    theirs = strangers(node.world)
    results = node.process().converge(after, confirmed=True)
    assert isinstance(results["node"], Refused)
    assert taken[0] in results["node"].message
    assert strangers(node.world) == theirs
    assert not any(isinstance(item, Sysctl) for item in node.seen([]).of("node").values())
