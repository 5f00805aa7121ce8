"""`tnet lab status`: every machine, and what its agent says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from reconciler.agent.status import Status
from reconciler.lab.agents import agent_runs, describe, status_of
from reconciler.lab.lab import Lab
from reconciler.lab.topology import Machine


@dataclass(frozen=True, slots=True)
class Seen:
    """`pid` is of the machine's process 1, as the host counts; `status` is None where no agent ever spoke."""

    machine: Machine
    pid: int
    agent_runs: bool
    status: Status | None

    def plain(self) -> dict[str, object]:
        status = msgspec.to_builtins(self.status) if self.status else None
        return {
            "name": self.machine.name,
            "role": self.machine.role,
            "pid": self.pid,
            "addresses": [str(address) for address in self.machine.addresses()],
            "agentRuns": self.agent_runs,
            "status": status,
        }


def overview(lab: Lab) -> list[Seen]:
    return [_look(lab, machine) for machine in lab.topology.machines]


def _look(lab: Lab, spec: Machine) -> Seen:
    machine = lab.machine(spec.name)
    if spec.role != "node":
        return Seen(spec, machine.process.pid, False, None)
    return Seen(spec, machine.process.pid, agent_runs(machine), status_of(machine))


def render(lab: Lab, seen: Sequence[Seen]) -> list[str]:
    lines = [f"lab {lab.record.name}  ({lab.record.directory})"]
    for each in seen:
        lines += _nodes_lines(each) if each.machine.role == "node" else [_other_line(each)]
    return [*lines, f"ledger    {lab.record.worktree}  (keys of its people: {lab.record.people})"]


def _other_line(seen: Seen) -> str:
    return f"{seen.machine.name:<9} {seen.machine.role}  {' '.join(map(str, seen.machine.addresses()))}"


def _nodes_lines(seen: Seen) -> list[str]:
    agent = "agent runs" if seen.agent_runs else "NO AGENT RUNS"
    addresses = " ".join(map(str, seen.machine.addresses()))
    lines = [f"{seen.machine.name:<9} node  {addresses}", f"            {agent}; {describe(seen.status)}"]
    for network in seen.status.networks if seen.status else ():
        conditions = " ".join(f"{'+' if each.status else '!'}{each.type}" for each in network.conditions)
        lines.append(
            f"            {network.tenant}/{network.network}  at {network.commit[:12]}  {conditions}"
        )
    return lines
