"""The isolation matrix: who tries to reach what, what should happen, and the whole of it as a table.

Nothing here talks to a machine: the targets come from the topology and the tenants' documents, the answers
from `observe.probe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.compile.addresses import Transit, transit
from reconciler.lab.tenants import Container, TenantNetwork
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
    def complete(self) -> bool:
        """All that must answer has."""
        return self.wanted <= self.answered.keys()

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
        *transit_targets(networks),
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


def transit_targets(networks: Sequence[TenantNetwork]) -> Iterable[Target]:
    """Both ends of every transit pair that some node has: the same addresses on every node, since slots are
    numbered on each. A container's own is among them; its namespace answers there to nobody either."""
    slots = sorted({member.slot for network in networks for member in network.members})
    yield from _pair("node", transit(0))
    for slot in slots:
        yield from _pair(f"slot {slot}", transit(slot))


def _pair(name: str, pair: Transit) -> Iterable[Target]:
    yield Target("transit", f"{name}, lower", (str(pair.lower_ipv4.ip), str(pair.lower_ipv6.ip)))
    yield Target("transit", f"{name}, upper", (str(pair.upper_ipv4.ip), str(pair.upper_ipv6.ip)))


def _machines(topology: Topology) -> Iterable[Target]:
    """Every address of every node, the hidden node's LAN, the router in front of it."""
    found = []
    for machine in topology.machines:
        if machine.name in ("internet", "outside"):
            continue
        for interface in machine.interfaces:
            addresses = tuple(address.split("/")[0] for address in interface.addresses)
            group = "fast network" if interface.name == FAST else "underlay and LAN"
            found.append(Target(group, f"{machine.name} {interface.name}", addresses))
    return sorted(found, key=lambda target: target.group)


def own_targets(network: TenantNetwork) -> list[Target]:
    """What every container of the network must reach: its own network's containers."""
    return [
        Target("own network", container.name, (str(container.ipv4), str(container.ipv6)), "all")
        for container in network.containers
    ]


def inner_targets(networks: Sequence[TenantNetwork]) -> list[Target]:
    """Everything that nobody from outside may reach. The first transit address is the node's own, and a
    Linux host answers to its addresses on every link: that is the node, not something behind it."""
    _, *transits = transit_targets(networks)
    return [*(target for network in networks for target in _insides(network)), *transits]


def _insides(network: TenantNetwork) -> Iterable[Target]:
    group = f"inside {network.tenant}"
    for container in network.containers:
        yield Target(group, container.name, (str(container.ipv4), str(container.ipv6)))
    for member in network.members:
        bridge = (str(member.slice.gateway_ipv4.ip), str(member.slice.gateway_ipv6.ip))
        yield Target(group, f"{network.tenant}'s bridge on {member.machine}", bridge)


def _by_group(targets: Iterable[Target]) -> list[Target]:
    """Groups in the order in which each is first met, the targets of a group together."""
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.group, []).append(target)
    return [target for group in groups.values() for target in group]


def table(columns: Sequence[str], cells: Iterable[Cell]) -> list[str]:
    """The matrix as text: a row a target, a column a source, blank where nobody tries."""
    by_place = {(cell.target, cell.source): cell for cell in cells}
    targets = _by_group(dict.fromkeys(target for target, _ in by_place))
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
