"""The tenants' networks as the demo needs them: which container is where, under which addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from reconciler.compile import names
from reconciler.compile.addresses import Slice, Transit, nr_slice, transit
from reconciler.model.documents import Network, Resource
from reconciler.model.loader import load

HOST_NUMBER = 10
"""Of the container in each NR: the same for every tenant, so that equal ranges give equal addresses."""


@dataclass(frozen=True, slots=True)
class Container:
    """A network namespace on a node, plugged into a tenant's network there.

    `own_ipv4` is a second address that no container of another tenant has: with it, equal ranges or not,
    it can be told whether somebody else's packets arrive.
    """

    tenant: str
    network: str
    machine: str
    ipv4: IPv4Address
    ipv6: IPv6Address
    own_ipv4: IPv4Address

    @property
    def namespace(self) -> str:
        return f"{self.tenant}-{self.network}"

    @property
    def name(self) -> str:
        """What its beacon answers."""
        return f"{self.tenant}@{self.machine}"


@dataclass(frozen=True, slots=True)
class Member:
    """A network's NR on one machine of the lab."""

    machine: str
    index: int
    slot: int
    slice: Slice

    @property
    def transit(self) -> Transit:
        return transit(self.slot)


@dataclass(frozen=True, slots=True)
class TenantNetwork:
    """One network. `ordinal` numbers the tenants from 0."""

    tenant: str
    name: str
    ordinal: int
    document: Network
    members: tuple[Member, ...]

    @property
    def netid(self) -> str:
        return names.netid(self.tenant, self.name)

    @property
    def namespace(self) -> str:
        return names.namespace_name(self.netid)

    @property
    def machines(self) -> tuple[str, ...]:
        return tuple(member.machine for member in self.members)

    def member(self, machine: str) -> Member:
        return next(member for member in self.members if member.machine == machine)

    def container(self, machine: str) -> Container:
        place = self.member(machine).slice
        return Container(
            self.tenant,
            self.name,
            machine,
            place.ipv4[HOST_NUMBER],
            place.ipv6[HOST_NUMBER],
            place.ipv4[100 + self.ordinal],
        )

    @property
    def containers(self) -> tuple[Container, ...]:
        return tuple(self.container(machine) for machine in self.machines)


def read_networks(worktree: Path) -> tuple[TenantNetwork, ...]:
    """Every network that the work tree has now, one a tenant in the lab's farm."""
    paths = sorted(worktree.glob("tenants/*/*/networks/*.yaml"))
    return tuple(_read(worktree, path, ordinal) for ordinal, path in enumerate(paths))


def _read(worktree: Path, path: Path, ordinal: int) -> TenantNetwork:
    document = load(str(path.relative_to(worktree)), path.read_bytes())
    assert isinstance(document, Network)
    members = tuple(_member(document, resource) for resource in document.spec.resources)
    return TenantNetwork(path.parents[1].name, path.stem, ordinal, document, members)


def _member(network: Network, resource: Resource) -> Member:
    place = nr_slice(network.spec.ipv4, network.spec.ipv6, resource.index)
    return Member(resource.node.split("/")[1], resource.index, resource.slot, place)
