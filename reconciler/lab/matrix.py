"""The isolation matrix: who tries to reach what, what should happen, and the whole of it as a table.

Nothing here talks to a machine: the targets come from the topology and the tenants' documents, the answers
from `observe.probe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.compile.addresses import NODE_TRANSIT
from reconciler.lab.tenants import Container, Member, TenantNetwork
from reconciler.lab.topology import FAST, Topology

Expectation = Literal["all", "none"]
PROTOCOLS = ("icmp", "udp", "tcp")


@dataclass(frozen=True, slots=True)
class Target:
    """One row: addresses that belong together. `spares` are tenants and `@machine`s that don't try it."""

    group: str
    name: str
    addresses: tuple[str, ...]
    expected: Expectation = "none"
    spares: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cell:
    """One source, one target: what answered, as `<protocol> <address>` -> by whom."""

    source: str
    target: Target
    answered: Mapping[str, str]

    @property
    def wanted(self) -> frozenset[str]:
        every = (f"{protocol} {address}" for protocol in PROTOCOLS for address in self.target.addresses)
        return frozenset(every) if self.target.expected == "all" else frozenset()

    @property
    def ok(self) -> bool:
        return self.answered.keys() == self.wanted

    @property
    def sign(self) -> str:
        """`·` nothing answered, `+` everything did; followed by `!` where that is not what should be."""
        if not self.ok:
            return f"{len(self.answered)}!"
        return "+" if self.target.expected == "all" else "·"

    def __str__(self) -> str:
        heard = ", ".join(f"{what} ({who})" for what, who in sorted(self.answered.items())) or "nothing"
        return f"{self.source} -> {self.target.name}: {heard} answered"


def tries(container: Container, target: Target) -> bool:
    return not {container.tenant, f"@{container.machine}", container.name} & target.spares


def isolation_targets(networks: Sequence[TenantNetwork], topology: Topology) -> list[Target]:
    """Everything that no container may reach."""
    return [
        *_of_other_tenants(networks),
        *_transit(networks),
        *_machines(topology),
    ]


def _of_other_tenants(networks: Sequence[TenantNetwork]) -> Iterable[Target]:
    """Containers by addresses that only they have, and bridges by IPv6: in IPv4 the bridges of networks
    with one range have the same addresses, where one's own answers."""
    for network in networks:
        others = frozenset({network.tenant})
        for container in network.containers:
            addresses = (str(container.own_ipv4), str(container.ipv6))
            yield Target(f"containers of {network.tenant}", container.name, addresses, spares=others)
        for member in network.members:
            address = (str(member.slice.gateway_ipv6.ip),)
            name = f"{network.tenant}'s bridge on {member.machine}"
            yield Target(f"containers of {network.tenant}", name, address, spares=others)


def _transit(networks: Sequence[TenantNetwork]) -> Iterable[Target]:
    """Both ends of every transit pair; a NR's own end answers to its own containers on that machine."""
    ends = {"the node's": NODE_TRANSIT.lower_ipv4, "the NAT's": NODE_TRANSIT.upper_ipv4}
    ends_6 = {"the node's": NODE_TRANSIT.lower_ipv6, "the NAT's": NODE_TRANSIT.upper_ipv6}
    for name, ipv4 in ends.items():
        yield Target("transit", f"{name} end, any node", (str(ipv4.ip), str(ends_6[name].ip)))
    for network in networks:
        for member in network.members:
            yield from _transit_pair(network, member)


def _transit_pair(network: TenantNetwork, member: Member) -> Iterable[Target]:
    pair = member.transit
    spared = frozenset({f"{network.tenant}@{member.machine}"})
    where = f"{network.tenant} on {member.machine}"
    yield Target("transit", f"NAT's end to {where}", (str(pair.lower_ipv4.ip), str(pair.lower_ipv6.ip)))
    yield Target(
        "transit", f"{where}'s end", (str(pair.upper_ipv4.ip), str(pair.upper_ipv6.ip)), spares=spared
    )


def _machines(topology: Topology) -> Iterable[Target]:
    """Every address of every node, the hidden node's LAN, the router in front of it."""
    for machine in topology.machines:
        if machine.name in ("internet", "outside"):
            continue
        for interface in machine.interfaces:
            addresses = tuple(address.split("/")[0] for address in interface.addresses)
            group = "fast network" if interface.name == FAST else "underlay and LAN"
            yield Target(group, f"{machine.name} {interface.name}", addresses)


def own_targets(network: TenantNetwork) -> list[Target]:
    """What every container of the network must reach: its own network's containers."""
    return [
        Target("own network", container.name, (str(container.ipv4), str(container.ipv6)), "all")
        for container in network.containers
    ]


def table(columns: Sequence[str], cells: Iterable[Cell]) -> list[str]:
    """The matrix as text: a row a target, a column a source, blank where nobody tries."""
    by_place = {(cell.target, cell.source): cell for cell in cells}
    targets = list(dict.fromkeys(target for target, _ in by_place))
    labels = {target: f"{target.name} ({', '.join(target.addresses)})" for target in targets}
    width = max((len(label) for label in labels.values()), default=0)
    widths = [max(len(column), 2) for column in columns]
    lines = [" " * width + "  " + "  ".join(columns)]
    group = ""
    for target in targets:
        if target.group != group:
            group = target.group
            lines.append(f"-- {group}")
        signs = (by_place.get((target, column)) for column in columns)
        row = ((cell.sign if cell else "").center(size) for cell, size in zip(signs, widths, strict=True))
        lines.append(f"{labels[target]:<{width}}  {'  '.join(row)}".rstrip())
    return lines
