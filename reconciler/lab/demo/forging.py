"""Hand-made VXLAN packets that carry a frame for the other tenant's network."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.compile import names
from reconciler.compile.addresses import NODE_TRANSIT
from reconciler.lab import containers
from reconciler.lab.demo.check import Check
from reconciler.lab.demo.scene import Scene
from reconciler.lab.jobs import Job, outputs
from reconciler.lab.machine import program
from reconciler.lab.observe import Attended, Source
from reconciler.lab.tenants import Container, Member, TenantNetwork
from reconciler.lab.topology import FAST_ADDRESSES


@dataclass(frozen=True, slots=True)
class Victim:
    """A container behind a VXLAN device of a node."""

    network: TenantNetwork
    member: Member
    neighbour: Container

    @property
    def vni(self) -> int:
        return self.network.document.spec.vnis["paris"]

    @property
    def mac(self) -> str:
        return names.mac("vxlan", self.network.netid, self.member.index)

    @property
    def places(self) -> tuple[str, str]:
        """Where its packets arrive. An attacker that hears an ICMP error hears it elsewhere."""
        return _places(self.network, self.member.machine)

    @property
    def address(self) -> str:
        return str(self.network.container(self.member.machine).ipv4)


@dataclass(frozen=True, slots=True)
class Attack:
    """One forged packet: from where, to which outer address, with which outer source ("" its own)."""

    source: Source
    victim: Victim
    to: str
    outer_source: str


def forged(scene: Scene) -> Iterator[Check]:
    """From every container of the other tenant, and from outside; and from the fast network itself, where
    VXLAN belongs, to show that the same packets would have been delivered and seen."""
    victims = list(_victims(scene.networks))
    attacks = [attack for victim in victims for attack in _attacks(scene, victim)]
    controls = [_control(scene, victim) for victim in victims]
    seen = _strike(scene, [*attacks, *controls], first_control=len(attacks))
    arrived = tuple(_tell(attack, seen[number]) for number, attack in enumerate(attacks) if number in seen)
    claim = f"{len(attacks)} forged VXLAN packets from containers and from outside: none arrives"
    yield Check(claim, not arrived and bool(attacks), arrived)
    for number, control in enumerate(controls, start=len(attacks)):
        yield Check(_tell_control(control), number in seen)


def _tell_control(control: Attack) -> str:
    victim = control.victim
    where = f"{victim.address} of {victim.network.tenant} on {victim.member.machine}"
    return (
        f"sent by {control.source.name} on the fast network, where VXLAN belongs, it does arrive at {where}"
    )


def _tell(attack: Attack, place: str) -> str:
    forged_source = f" as {attack.outer_source}" if attack.outer_source else ""
    return f"{attack.source.name} -> {attack.to}{forged_source}: VNI {attack.victim.vni} arrived at {place}"


def _victims(networks: Sequence[TenantNetwork]) -> Iterator[Victim]:
    for network in networks:
        here = [member for member in network.members if member.machine in FAST_ADDRESSES]
        for member, other in itertools.permutations(here, 2):
            yield Victim(network, member, network.container(other.machine))


def _attacks(scene: Scene, victim: Victim) -> Iterator[Attack]:
    """At every address of the victim's machine, honestly and under the fast neighbour's address; from
    containers also at every address they can see between themselves and that machine."""
    machine = scene.lab.topology.machine(victim.member.machine)
    doors = [address.split("/")[0] for interface in machine.interfaces for address in interface.addresses]
    for network in scene.networks:
        if network.tenant != victim.network.tenant:
            inner = [*_bridges(network), str(NODE_TRANSIT.lower_ipv4.ip), str(NODE_TRANSIT.upper_ipv4.ip)]
            for container in network.containers:
                yield from _from(containers.source(scene.lab, container), victim, doors, inner)
    for name in ("outside", "internet"):
        yield from _from(Source(name, scene.machine(name)), victim, doors, ())


def _bridges(network: TenantNetwork) -> list[str]:
    return [str(member.slice.gateway_ipv4.ip) for member in network.members]


def _from(source: Source, victim: Victim, doors: Sequence[str], inner: Sequence[str]) -> Iterator[Attack]:
    for door in (*doors, *inner):
        yield Attack(source, victim, door, "")
    for door in (door for door in doors if ":" not in door):
        yield Attack(source, victim, door, FAST_ADDRESSES[victim.neighbour.machine])


def _control(scene: Scene, victim: Victim) -> Attack:
    neighbour = victim.neighbour.machine
    return Attack(
        Source(neighbour, scene.machine(neighbour)), victim, FAST_ADDRESSES[victim.member.machine], ""
    )


def _strike(scene: Scene, packets: Sequence[Attack], first_control: int) -> Mapping[int, str]:
    """Send all while every victim listens; which packets arrived, by number, and where. The controls go
    last: when they have arrived, whatever went before them has had its time."""
    prefix = f"forged{os.urandom(4).hex()}"
    scene.progress(f"sending {len(packets)} forged packets")
    controls = dict(enumerate(packets[first_control:], first_control))
    listening = [_listen(scene, name, prefix, controls) for name in sorted(FAST_ADDRESSES)]
    _send(prefix, 0, packets[:first_control])
    _send(prefix, first_control, packets[first_control:])
    told = (line.partition(" ") for each in listening for line in each.end().splitlines())
    arrivals = [(int(number), place) for number, _, place in told]
    return {number: place for number, place in arrivals if place in packets[number].victim.places}


def _listen(scene: Scene, machine: str, prefix: str, controls: Mapping[int, Attack]) -> Attended:
    """Listen where a frame gets to that a VXLAN device has taken in; wait for the machine's controls."""
    here = [network for network in scene.networks if machine in network.machines]
    places = [place for network in here for place in _places(network, machine)]
    last = [number for number, each in controls.items() if each.victim.member.machine == machine]
    return Attended(scene.machine(machine), program("capture", prefix, ",".join(map(str, last)), *places))


def _places(network: TenantNetwork, machine: str) -> tuple[str, str]:
    """The VXLAN device and the container's interface, as the capture names them."""
    device = names.vxlan_name(network.netid)
    return (f"{network.namespace}/{device}", f"{network.container(machine).namespace}/eth0")


def _send(prefix: str, first: int, attacks: Sequence[Attack]) -> None:
    by_source: dict[Source, list[dict[str, object]]] = {}
    for number, attack in enumerate(attacks, start=first):
        by_source.setdefault(attack.source, []).append(_packet(attack, f"{prefix}-{number}."))
    outputs(
        Job(source.machine, program("forge"), source.namespace, json.dumps(packets))
        for source, packets in by_source.items()
    )


def _packet(attack: Attack, token: str) -> dict[str, object]:
    return {
        "to": attack.to,
        "from": attack.outer_source,
        "vni": attack.victim.vni,
        "mac": attack.victim.mac,
        "inner_source": str(attack.victim.neighbour.ipv4),
        "inner_destination": attack.victim.address,
        "token": token,
    }
