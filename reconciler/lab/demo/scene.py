"""What the steps of the demo share: the lab, its ledger, and what earlier steps have seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.agent.status import Status
from reconciler.lab import agents
from reconciler.lab.footprint import Footprint
from reconciler.lab.lab import Lab
from reconciler.lab.ledger_build import Founded
from reconciler.lab.machine import Machine
from reconciler.lab.observe import Snapshot, snapshots
from reconciler.lab.people import Person
from reconciler.lab.record import Record
from reconciler.lab.repository import Repository
from reconciler.lab.tenants import TenantNetwork, read_networks


@dataclass
class Scene:
    """`before` is the machine as it was; the others are set by the step that makes them."""

    record: Record
    before: Footprint
    progress: Callable[[str], None]
    lab: Lab = field(init=False)
    founded: Founded = field(init=False)
    seen: dict[str, Mapping[str, Snapshot]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> Repository:
        return Repository(self.record.remote, self.record.worktree)

    @property
    def networks(self) -> tuple[TenantNetwork, ...]:
        """As the work tree says now."""
        return read_networks(self.record.worktree)

    def network(self, tenant: str) -> TenantNetwork:
        return next(network for network in self.networks if network.tenant == tenant)

    def person(self, tenant: str) -> Person:
        """Who signs for a tenant."""
        name = next(each.signer for each in self.founded.commits if f"network {tenant}/" in each.subject)
        return self.founded.people[name]

    def machine(self, name: str) -> Machine:
        return self.lab.machine(name)

    def look(self, name: str) -> Mapping[str, Snapshot]:
        """Write down every node's kernel as it is now, under a name."""
        self.progress("reading every node's kernel")
        self.seen[name] = snapshots(self.lab.nodes)
        return self.seen[name]

    def await_converged(self, tip: str, machines: Iterable[Machine] = ()) -> Mapping[str, Status]:
        self.progress("waiting for the nodes to converge")
        nodes = tuple(machines) or self.lab.nodes
        return agents.await_status(nodes, agents.converged_at(tip), f"converged at {tip[:12]}")
