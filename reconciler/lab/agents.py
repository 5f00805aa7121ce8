"""The nodes' agents: start them, hear from them, kill them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from reconciler.agent.config import DEFAULT_PATH, load_config
from reconciler.agent.status import Status, StatusUnavailable, read_status
from reconciler.lab.errors import LabError
from reconciler.lab.machine import Machine
from reconciler.lab.record import Record

_RUN = "/run/tnet"
_PID_FILE = "/run/lab-agent.pid"
_LOOK_EVERY_S = 0.03
_AGENT_STARTS_S = 3.0


class NotInTime(LabError):
    """Something that was waited for did not happen before its deadline; the message says what was seen."""


def start_agent(record: Record, machine: Machine) -> None:
    """Start `tnet agent` in a session of its own; it outlives us. Its output goes to the lab's log file."""
    log = f"{record.log(machine.name)}"
    script = f'echo $$ > {_PID_FILE}; exec tnet agent >> "{log}" 2>&1 < /dev/null'
    machine.output(["setsid", "--fork", "sh", "-c", script])


def kill_agent(machine: Machine) -> None:
    """End it as a power cut would: SIGKILL, by the pid that it was started with; and wait for its end."""
    script = f"pid=$(cat {_PID_FILE}); kill -9 $pid; while kill -0 $pid 2> /dev/null; do sleep 0.01; done"
    machine.output(["sh", "-c", script])


def agent_runs(machine: Machine) -> bool:
    return machine.run(["sh", "-c", f"kill -0 $(cat {_PID_FILE})"]).returncode == 0


def status_of(machine: Machine) -> Status | None:
    """What the node's agent last said of itself; None if it has said nothing yet."""
    with suppress(StatusUnavailable):
        return read_status(machine.path(f"{_RUN}/status.json"))
    return None


def configured_node(machine: Machine) -> str:
    return load_config(machine.path(str(DEFAULT_PATH))).node


def await_status(
    machines: Iterable[Machine], wanted: Callable[[Status], bool], what: str, timeout_s: float = 30.0
) -> Mapping[str, Status]:
    """Wait until every node's status is as wanted.

    Raises NotInTime with those that are not, at once when the agent of one of them does not run.
    """
    waiting = {machine.name: machine for machine in machines}
    heard: dict[str, Status] = {}
    deadline = time.monotonic() + timeout_s
    look_after_agents = time.monotonic() + _AGENT_STARTS_S
    while True:
        for name in tuple(waiting):
            status = status_of(waiting[name])
            if status is not None and wanted(status):
                heard[name] = status
                del waiting[name]
        if not waiting:
            return heard
        if time.monotonic() > look_after_agents:
            look_after_agents += _AGENT_STARTS_S
            _require_agents(what, waiting.values())
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}: not within {timeout_s:.0f} s", _last_words(waiting.values()))
        time.sleep(_LOOK_EVERY_S)


def _require_agents(what: str, machines: Iterable[Machine]) -> None:
    dead = [machine.name for machine in machines if not agent_runs(machine)]
    if dead:
        raise NotInTime(f"{what}: never, since no agent runs on {', '.join(dead)}")


def _last_words(machines: Iterable[Machine]) -> str:
    return "\n".join(f"{machine.name}: {describe(status_of(machine))}" for machine in machines)


def describe(status: Status | None) -> str:
    """A node in one line: where it is in the ledger, and every condition that does not hold."""
    if status is None:
        return "has written no status"
    conditions = [("node", condition) for condition in status.node_conditions]
    for network in status.networks:
        conditions += [(f"{network.tenant}/{network.network}", each) for each in network.conditions]
    bad = [f"{of}: {c.type} {c.reason} {c.message}" for of, c in conditions if not c.status]
    return "; ".join([f"tip {status.tip[:12] or '-'}", *([status.alarm] if status.alarm else []), *bad])


def converged_at(tip: str) -> Callable[[Status], bool]:
    """The node has judged everything up to `tip`, and its kernel is what the effective state says."""
    return lambda status: status.tip == tip and status.ready and not status.alarm
