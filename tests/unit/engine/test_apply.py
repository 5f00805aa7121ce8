from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.apply import Applier, recover
from reconciler.engine.converge import converge
from reconciler.engine.journal import Journal
from reconciler.engine.plan import plan
from reconciler.engine.result import (
    Applied,
    AwaitingConfirmation,
    CleanupPending,
    Refused,
    Result,
    RollbackFailed,
    RolledBack,
    Unchanged,
)
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import Key, Namespace, Route, link_key, namespace_key
from reconciler.kernel.port import Operation
from tests.unit.engine.graphs import NAT, fast_network, network, node
from tests.unit.engine.memory_kernel import Died, MemoryKernel


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


@pytest.fixture
def kernel() -> MemoryKernel:
    return MemoryKernel()


def built(kernel: MemoryKernel, journal: Journal, *graphs: Graph) -> MemoryKernel:
    results = converge([node(), *graphs], kernel, journal)
    assert all(result.ok for result in results.values()), results
    kernel.forget_history()
    return kernel


def applied(kernel: MemoryKernel, journal: Journal, graph: Graph) -> Result:
    return Applier(kernel, journal).apply(plan(graph, kernel.observe()))


def test_a_node_converges_and_the_second_pass_does_nothing(kernel: MemoryKernel, journal: Journal) -> None:
    graphs = [node(), network("a", slot=1, port=1), network("b", slot=2, port=2)]
    assert {type(result) for result in converge(graphs, kernel, journal).values()} == {Applied}
    kernel.forget_history()
    assert {type(result) for result in converge(graphs, kernel, journal).values()} == {Unchanged}
    assert kernel.executed == [] and kernel.looks == 1
    assert not journal.pending


def test_owners_share_the_pipeline(kernel: MemoryKernel, journal: Journal) -> None:
    converge([node(), *(network(f"n{i}", slot=i, port=i) for i in range(1, 9))], kernel, journal)
    node_batches = len(plan(node(), MemoryKernel().observe()).phase_1)
    assert len(kernel.executed) == node_batches + 2


@pytest.mark.parametrize("number", range(len(network("a").objects)))
def test_a_failure_at_any_operation_leaves_nothing_of_a_new_network(
    kernel: MemoryKernel, journal: Journal, number: int
) -> None:
    built(kernel, journal, network("b", slot=2, port=2))
    before = dict(kernel.objects)
    failing = plan(network("a"), kernel.observe())
    kernel.fault = lambda operation, place: errno.EPERM if place == number else 0
    result = Applier(kernel, journal).apply(failing)
    assert isinstance(result, RolledBack) and "EPERM" in result.reason
    assert kernel.objects == before
    assert not journal.pending


def test_a_failed_change_is_taken_back_and_the_others_go_on(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"), network("b", slot=2, port=2))
    kernel.fault = lambda operation, _: errno.EINVAL if operation.key.name.endswith("key4") else 0
    before = kernel.of("a")
    changed = [node(), network("a", peers=(2, 4)), network("b", peers=(2, 5), slot=2, port=2)]
    results = converge(changed, kernel, journal)
    assert isinstance(results["a"], RolledBack) and isinstance(results["b"], Applied)
    assert isinstance(results["node"], Unchanged)
    assert kernel.of("a") == before
    assert Key("tnet-b", "wireguard-peer", "wb key5") in kernel.objects


def test_a_failed_replacement_brings_the_old_one_back(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, fast_network("a", vni=7))
    before = kernel.of("a")
    kernel.fault = lambda operation, place: errno.EEXIST if getattr(operation.after, "vni", 0) == 8 else 0
    assert isinstance(applied(kernel, journal, fast_network("a", vni=8)), RolledBack)
    assert kernel.of("a") == before


def test_a_rollback_whose_own_operation_fails_once_succeeds(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, fast_network("a", vni=7))
    before = kernel.of("a")
    hiccups = [errno.ENOBUFS]

    def fault(operation: Operation, place: int) -> int:
        if getattr(operation.after, "vni", 0) == 8:
            return errno.EEXIST
        return hiccups.pop() if hiccups and getattr(operation.after, "vni", 0) == 7 else 0

    kernel.fault = fault
    assert isinstance(applied(kernel, journal, fast_network("a", vni=8)), RolledBack)
    assert kernel.of("a") == before and not hiccups


def test_a_rollback_that_can_not_succeed_is_said_and_kept_in_the_journal(
    kernel: MemoryKernel, journal: Journal
) -> None:
    built(kernel, journal, fast_network("a", vni=7))
    before = kernel.of("a")
    kernel.fault = lambda operation, _: errno.EEXIST if getattr(operation.after, "vni", 0) else 0
    result = applied(kernel, journal, fast_network("a", vni=8))
    assert isinstance(result, RollbackFailed)
    kernel.fault = lambda operation, _: 0
    assert recover(kernel, journal) == {}
    assert kernel.of("a") == before and not journal.pending


def test_what_an_operation_flushed_in_passing_is_put_right(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"))

    def flush(operation: Operation, place: int) -> int:
        if operation.verb == "change" and operation.key.name == "ba":
            kernel.objects.pop(Key("tnet-a", "address", "fe80::1/64 dev ba"), None)
        return 0

    kernel.fault = flush
    graph = network("a", bridge_mtu=1300)
    assert isinstance(applied(kernel, journal, graph), Applied)
    assert plan(graph, kernel.observe([])).empty or kernel.of("a").keys() >= {
        Key("tnet-a", "address", "fe80::1/64 dev ba")
    }


def test_what_does_not_stay_changed_fails_verification(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"))
    before = kernel.of("a")
    kernel.deaf.add(Key("tnet-a", "route", "10.7.4.0/24"))
    result = Applier(kernel, journal).apply(plan(network("a", peers=(2, 3, 4)), kernel.observe()))
    assert isinstance(result, RolledBack) and "route 10.7.4.0/24 in tnet-a" in result.reason
    assert kernel.of("a") == before


def test_a_failed_deletion_is_pending_cleanup_and_the_rest_stays(
    kernel: MemoryKernel, journal: Journal
) -> None:
    built(kernel, journal, network("a"))
    kernel.fault = lambda operation, _: errno.EBUSY if operation.verb == "delete" else 0
    graph = network("a", peers=(2, 4))
    assert isinstance(applied(kernel, journal, graph), CleanupPending)
    assert Key("tnet-a", "wireguard-peer", "wa key4") in kernel.objects
    assert journal.pending["a"].committed
    kernel.fault = lambda operation, _: 0
    assert converge([node(), graph], kernel, journal)["a"].ok
    assert not journal.pending


def test_deleting_what_is_gone_is_fine(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"))
    removal = plan(Graph.of("a", ()), kernel.observe())
    kernel._delete(namespace_key("tnet-a"))
    assert isinstance(Applier(kernel, journal).apply(removal), Applied)


def test_a_clash_refuses_before_anything_is_done(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal)
    kernel.foreign.add(link_key(NAT, "na"))
    results = converge([node(), network("a"), network("b", slot=2, port=2)], kernel, journal)
    assert isinstance(results["a"], Refused) and results["b"].ok
    assert not kernel.of("a")


def test_networks_no_longer_spoken_of_are_removed(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"), network("b", slot=2, port=2))
    results = converge([node(), network("a")], kernel, journal)
    assert isinstance(results["b"], Applied) and not kernel.of("b")
    assert [operation.key for operation in kernel.operations] == [namespace_key("tnet-b")]


def test_a_kept_owner_is_neither_changed_nor_removed(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"), network("b", slot=2, port=2))
    results = converge([node(), network("a", peers=(2,))], kernel, journal, keep=["a", "b"])
    assert results == {"node": Unchanged("node")}
    assert kernel.executed == []


def test_a_mass_removal_waits_for_confirmation(kernel: MemoryKernel, journal: Journal) -> None:
    networks = [network(f"n{i}", slot=i, port=i) for i in range(1, 7)]
    built(kernel, journal, *networks)
    results = converge([node(), *networks[:2]], kernel, journal)
    assert sum(isinstance(result, AwaitingConfirmation) for result in results.values()) == 4
    assert kernel.executed == []
    results = converge([node(), *networks[:2]], kernel, journal, confirmed=True)
    assert all(result.ok for result in results.values())
    assert {owner for owner, _ in kernel.objects.values()} == {"node", "n1", "n2"}


def test_all_creation_comes_before_all_deletion(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"), network("b", slot=2, port=2))
    converge(
        [node(), network("c", slot=3, port=3), network("b", peers=(2,), slot=2, port=2)], kernel, journal
    )
    verbs = [operation.verb for operation in kernel.operations]
    assert verbs == sorted(verbs)


def test_a_port_given_up_in_the_same_pass_is_had_at_the_second_try(
    kernel: MemoryKernel, journal: Journal
) -> None:
    built(kernel, journal, network("a", port=1))

    def taken(operation: Operation, place: int) -> int:
        wanted = getattr(operation.after, "listen_port", None)
        held = [item for _, item in kernel.objects.values() if getattr(item, "listen_port", None) == wanted]
        return errno.EADDRINUSE if wanted and held else 0

    kernel.fault = taken
    results = converge([node(), network("b", port=1)], kernel, journal)
    assert all(result.ok for result in results.values()), results


def test_a_last_addresss_routes_come_back_after_its_deletion(kernel: MemoryKernel, journal: Journal) -> None:
    built(kernel, journal, network("a"))
    graph = network("a")
    graph = Graph.of("a", [item for item in graph.objects if item.key.name != "10.7.1.1/24 dev ba"])

    def flush(operation: Operation, place: int) -> int:
        if operation.verb == "delete":
            for key in [key for key, (_, item) in kernel.objects.items() if isinstance(item, Route)]:
                del kernel.objects[key]
        return 0

    kernel.fault = flush
    assert converge([node(), graph], kernel, journal)["a"].ok
    assert converge([node(), graph], kernel, journal)["a"] == Unchanged("a")


@pytest.mark.parametrize("number", range(34))
@pytest.mark.parametrize("blow", ["before", "after"])
def test_death_at_any_operation_then_restart_converges(tmp_path: Path, number: int, blow: str) -> None:
    kernel, journal = MemoryKernel(), Journal(tmp_path)
    built(kernel, journal, network("a"), fast_network("c"))
    wanted = [node(), network("a", peers=(2, 4)), network("b", slot=2, port=2), fast_network("c", vni=9)]
    clean = dict(kernel.objects)

    def die(operation: Operation, place: int) -> int:
        if place == number and blow == "after":
            kernel.fault = lambda operation, _: 0
            kernel._one(operation, -1)
        if place == number:
            raise Died
        return 0

    kernel.fault = die
    try:
        converge(wanted, kernel, journal)
    except Died:
        assert journal.pending
    journal.close()
    kernel.fault = lambda operation, _: 0
    assert all(result.ok for result in converge(wanted, kernel, Journal(tmp_path)).values())
    kernel.forget_history()
    assert {type(item) for item in converge(wanted, kernel, Journal(tmp_path)).values()} == {Unchanged}
    assert clean != kernel.objects


def test_recover_takes_back_what_was_begun(tmp_path: Path) -> None:
    kernel, journal = MemoryKernel(), Journal(tmp_path)
    built(kernel, journal, network("a"))
    before = dict(kernel.objects)

    def die(operation: Operation, place: int) -> int:
        if operation.key.kind == "route" and operation.owner == "b":
            raise Died
        return 0

    kernel.fault = die
    with pytest.raises(Died):
        converge([node(), network("a", peers=(2, 3, 4)), network("b", slot=2, port=2)], kernel, journal)
    assert kernel.objects != before
    kernel.fault = lambda operation, _: 0
    journal.close()
    assert recover(kernel, Journal(tmp_path)) == {}
    assert kernel.objects == before


def test_a_kernel_that_can_not_be_seen_after_phase_1_is_rolled_back(
    kernel: MemoryKernel, journal: Journal
) -> None:
    built(kernel, journal, network("a"))
    before = kernel.of("a")
    made = plan(network("a", peers=(2, 3, 4)), kernel.observe())
    kernel.blind = 1
    result = Applier(kernel, journal).apply(made)
    assert isinstance(result, RolledBack) and "torn" in result.reason
    assert kernel.of("a") == before


def test_a_pristine_start_needs_the_node_first(kernel: MemoryKernel, journal: Journal) -> None:
    results = converge([network("a"), node()], kernel, journal)
    assert all(result.ok for result in results.values())
    assert kernel.operations[0].after == Namespace(NAT)
