"""A farm's bad days, on real nodes: what breaks is named, the rest goes on, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from reconciler.agent.status import Condition, Status
from reconciler.lab.agents import (
    agent_runs,
    await_status,
    converged_at,
    kill_agent,
    start_agent,
    status_of,
)
from reconciler.lab.lab import Lab, down, find
from reconciler.lab.machine import Machine
from reconciler.lab.observe import differences, snapshots
from reconciler.lab.record import Record

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("bad-days")]

WAKE = "kill -HUP $(cat /var/lib/tnet/lock)"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One farm for all of this file's tests; each leaves it converged."""
    record = Record.named(f"t{os.getpid()}-{uuid.uuid4().hex[:8]}")
    command = [sys.executable, "-m", "reconciler.cli.main", "lab", "up", "--name", record.name]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120)
    try:
        assert built.returncode == 0, built.stdout + built.stderr
        found = find(record)
        # A bridge has its carrier up to a second after its first port (net/core/link_watch.c).
        for container in ("acme-web", "globex-shop"):
            reaches(found.machine("p1"), container, "10.10.2.10")
        yield found
    finally:
        down(record)


@pytest.fixture
def p1(lab: Lab) -> Iterator[Machine]:
    """Node p1, converged before and, by itself, after the test."""
    machine = lab.machine("p1")
    before = snapshots([machine])
    yield machine
    wake_until(machine, lambda status: status.ready and not status.alarm, "p1 is well again")
    assert differences(before, snapshots([machine])) == ()


def shell(machine: Machine, script: str) -> str:
    return machine.output(["sh", "-ec", script])


def wake_until(machine: Machine, wanted: Callable[[Status], bool], what: str) -> Status:
    """Ask for a pass, and wait for a status of that pass or a later one that is as wanted."""
    last = status_of(machine)
    passes = last.passes if last else 0
    shell(machine, WAKE)
    heard = await_status(
        [machine], lambda status: (status.passes > passes or status.pid != last.pid) and wanted(status), what
    )
    return heard["p1"]


def node_condition(status: Status, type_: str) -> Condition:
    return next(condition for condition in status.node_conditions if condition.type == type_)


def network_condition(status: Status, network: str, type_: str) -> Condition:
    found = next(each for each in status.networks if each.network == network)
    return next(condition for condition in found.conditions if condition.type == type_)


def namespace_of(machine: Machine, network: str) -> str:
    status = status_of(machine)
    assert status is not None
    return "tnet-" + next(each.netid for each in status.networks if each.network == network)


def wireguard_of(machine: Machine, network: str) -> str:
    return namespace_of(machine, network).replace("tnet-", "w")


def test_a_second_agent_for_the_node_is_refused_and_names_the_first(p1: Machine) -> None:
    pid = shell(p1, "cat /var/lib/tnet/lock").strip()
    for verb in ("agent", "apply"):
        second = p1.run(["tnet", verb])
        assert second.returncode == 1
        assert f"process {pid}" in second.stderr
    assert agent_runs(p1)


def test_while_the_remote_is_away_the_last_good_state_is_kept_and_drift_repaired(
    lab: Lab, p1: Machine
) -> None:
    repository = lab.record.directory / "ledger.git"
    repository.rename(repository.with_suffix(".away"))
    try:
        status = wake_until(
            p1, lambda status: not node_condition(status, "Accepted").status, "the remote is away"
        )
        assert node_condition(status, "Accepted").reason == "RemoteUnreachable"
        assert "last good state" in node_condition(status, "Accepted").message
        before = snapshots([p1])
        shell(p1, f"ip -n {namespace_of(p1, 'web')} route del 10.10.2.0/24")
        wake_until(p1, lambda status: node_condition(status, "Converged").status, "drift is repaired")
        assert differences(before, snapshots([p1])) == ()
    finally:
        repository.with_suffix(".away").rename(repository)


def test_an_agent_that_starts_while_the_remote_is_away_takes_its_clones_state(lab: Lab, p1: Machine) -> None:
    repository = lab.record.directory / "ledger.git"
    repository.rename(repository.with_suffix(".away"))
    try:
        kill_agent(p1)
        start_agent(lab.record, p1)
        status = await_status(
            [p1],
            lambda status: status.pid == agent_pid(p1) and bool(status.networks),
            "it takes its clone's state",
        )["p1"]
        assert node_condition(status, "Accepted").reason == "RemoteUnreachable"
        assert node_condition(status, "Converged").status
    finally:
        repository.with_suffix(".away").rename(repository)


def agent_pid(machine: Machine) -> int:
    return int(shell(machine, "cat /run/lab-agent.pid"))


def test_a_corrupted_clone_is_made_anew_and_the_mark_does_not_move(p1: Machine) -> None:
    before = status_of(p1)
    assert before is not None
    shell(
        p1,
        "find /var/lib/tnet/ledger.git/objects -type f -exec sh -c 'chmod u+w $0; echo garbage > $0' {} ';'",
    )
    status = wake_until(p1, lambda status: status.ready, "the clone is whole again")
    assert (status.mark, status.state_hash) == (before.mark, before.state_hash)


def test_a_lost_clone_and_a_restart_give_the_same_state(lab: Lab, p1: Machine) -> None:
    before = status_of(p1)
    assert before is not None
    kill_agent(p1)
    shell(p1, "rm -rf /var/lib/tnet/ledger.git")
    start_agent(lab.record, p1)
    await_status([p1], lambda status: status.pid == agent_pid(p1) and status.ready, "cloned again")
    status = status_of(p1)
    assert status is not None
    assert (status.mark, status.state_hash) == (before.mark, before.state_hash)


def test_a_dead_wireguard_go_is_heard_and_its_device_made_again(p1: Machine) -> None:
    before = snapshots([p1])
    device = wireguard_of(p1, "web")
    shell(p1, f"kill -9 $(cut -d' ' -f1 /run/tnet/wireguard/{device}.pid)")
    status = await_status(
        [p1],
        lambda status: network_condition(status, "web", "Healthy").reason == "SessionsLost",
        "nobody had to wake the agent",
    )["p1"]
    assert network_condition(status, "shop", "Healthy").reason == "Working"
    assert differences(before, snapshots([p1])) == ()
    reaches(p1, "acme-web", "10.10.3.10")


def reaches(machine: Machine, container: str, address: str, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while machine.run(["ping", "-c1", "-W1", address], namespace=container).returncode != 0:
        assert time.monotonic() < deadline, f"{container} does not reach {address}"


def test_a_missing_feature_is_named_with_what_to_install_and_nothing_is_half_built(
    lab: Lab, p1: Machine
) -> None:
    device, program = wireguard_of(p1, "web"), "/usr/bin/wireguard-go"
    shell(p1, f"mount --bind /dev/null {program}; kill -9 $(cut -d' ' -f1 /run/tnet/wireguard/{device}.pid)")
    try:
        kill_agent(p1)
        start_agent(lab.record, p1)
        status = await_status(
            [p1], lambda status: status.pid == agent_pid(p1) and not status.ready, "it is noticed"
        )["p1"]
        converged = network_condition(status, "web", "Converged")
        assert converged.reason == "MissingFeature"
        assert "install the Debian package wireguard-go" in converged.message
        assert device not in shell(p1, f"ip -n {namespace_of(p1, 'web')} -br link")
        planned = p1.run(["tnet", "plan"])
        assert "wireguard-go" in planned.stdout
        reaches(p1, "acme-web", "10.10.2.10")
    finally:
        shell(p1, f"umount {program}")


def test_stopping_the_agent_leaves_the_networks_up_and_a_start_changes_nothing(lab: Lab, p1: Machine) -> None:
    before = snapshots([p1])
    sessions = shell(p1, f"wg show {wireguard_of(p1, 'web')} latest-handshakes")
    shell(
        p1,
        "pid=$(cat /run/lab-agent.pid); kill -TERM $pid; while kill -0 $pid 2>/dev/null; do sleep 0.02; done",
    )
    assert differences(before, snapshots([p1])) == ()
    reaches(p1, "acme-web", "10.10.3.10")
    assert p1.run(["tnet", "plan", "--no-fetch"]).returncode == 0
    start_agent(lab.record, p1)
    status = await_status([p1], lambda status: status.pid == agent_pid(p1) and status.ready, "it runs again")[
        "p1"
    ]
    assert {condition.message for condition in status.node_conditions if condition.type == "Converged"} == {
        "up to date"
    }
    assert differences(before, snapshots([p1])) == ()
    kept = shell(p1, f"wg show {wireguard_of(p1, 'web')} latest-handshakes")
    assert {line.split()[0] for line in kept.splitlines()} == {
        line.split()[0] for line in sessions.splitlines()
    }
    for was, now in zip(sorted(sessions.splitlines()), sorted(kept.splitlines()), strict=True):
        assert int(now.split()[1]) >= int(was.split()[1])


def test_a_foreign_interface_with_our_name_is_left_alone_and_named(lab: Lab, p1: Machine) -> None:
    """One network's place is taken while its own objects are away; the other network doesn't care."""
    namespace = namespace_of(p1, "shop")
    netid = namespace.removeprefix("tnet-")
    pause = "pid=$(cat /run/lab-agent.pid); kill -9 $pid; while kill -0 $pid 2>/dev/null; do sleep 0.02; done"
    shell(
        p1,
        f"{pause}; ip -n {namespace} link del u{netid}; ip -n tnet-nat link add n{netid} type bridge",
    )
    start_agent(lab.record, p1)
    status = await_status(
        [p1], lambda status: status.pid == agent_pid(p1) and not status.ready, "the taken name is seen"
    )["p1"]
    converged = network_condition(status, "shop", "Converged")
    assert not converged.status
    assert f"n{netid}" in converged.message
    assert network_condition(status, "web", "Converged").status
    assert "bridge" in shell(p1, f"ip -n tnet-nat -d link show n{netid}")
    shell(p1, f"ip -n tnet-nat link del n{netid}")


def test_a_full_state_directory_is_said_and_nothing_is_lost(lab: Lab, p1: Machine) -> None:
    """The clone sits on a disk that has no room for what is fetched."""
    before = status_of(p1)
    assert before is not None
    kill_agent(p1)
    shell(
        p1,
        "cp -a /var/lib/tnet /run/state; mount -t tmpfs -o size=2m,mode=700 none /var/lib/tnet;"
        "cp -a /run/state/. /var/lib/tnet/; dd if=/dev/zero of=/var/lib/tnet/filler bs=4k 2> /run/dd || true",
    )
    start_agent(lab.record, p1)
    commit = push_large_commit(lab)
    try:
        status = await_status(
            [p1],
            lambda status: status.pid == agent_pid(p1) and not node_condition(status, "Accepted").status,
            "the full disk is said",
        )["p1"]
        assert node_condition(status, "Accepted").reason == "DiskFull"
        assert status.mark == before.mark
    finally:
        shell(p1, "rm -f /var/lib/tnet/filler")
    wake_until(p1, converged_at(commit), "there is room again")


def push_large_commit(lab: Lab) -> str:
    """A commit outside what documents govern, so that only its objects matter."""
    work = lab.record.worktree
    (work / "ballast.bin").write_bytes(os.urandom(1 << 20))
    git = ["git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "add", "ballast.bin"], check=True)
    subprocess.run([*git, "-c", "commit.gpgsign=false", "commit", "-qm", "Add ballast"], check=True)
    subprocess.run([*git, "push", "-q", "origin", "HEAD:main"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()
