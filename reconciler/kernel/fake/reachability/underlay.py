"""Machines, each with a fake kernel, and the segments that their NICs are plugged into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.kernel.fake.reachability.trace import Place
from reconciler.kernel.fake.records import Link
from reconciler.kernel.fake.world import HOST_ID, Netns, World


@dataclass(frozen=True, slots=True)
class Port:
    """A NIC in a segment. Behind NAT nothing comes in but answers."""

    machine: str
    link: str
    behind_nat: bool = False


@dataclass
class Underlay:
    """`routed` segments bring a packet to whoever has its destination, like the internet; on others only the
    next hop is asked for, like on a switch."""

    worlds: dict[str, World] = field(default_factory=dict)
    segments: dict[str, list[Port]] = field(default_factory=dict)
    routed: set[str] = field(default_factory=set)

    def machine(self, name: str, world: World) -> None:
        self.worlds[name] = world

    def plug(
        self, machine: str, link: str, segment: str, *, routed: bool = False, behind_nat: bool = False
    ) -> None:
        """Plug a NIC of the machine's own namespace into a segment."""
        self.segments.setdefault(segment, []).append(Port(machine, link, behind_nat))
        if routed:
            self.routed.add(segment)

    def space(self, place: Place) -> Netns:
        space = self.worlds[place.machine].space(place.namespace)
        if space is None:
            raise LookupError(f"there is no {place}")
        return space

    def place(self, machine: str, space: Netns) -> Place:
        return Place(machine, self.worlds[machine].name_of(space.id))

    def segment_of(self, machine: str, space: Netns, link: Link) -> str | None:
        """The segment a NIC is plugged into."""
        if space.id != HOST_ID:
            return None
        for name, ports in self.segments.items():
            if any(port.machine == machine and port.link == link.name for port in ports):
                return name
        return None

    def plugged(self, segment: str) -> Iterator[tuple[Port, Netns, Link]]:
        """The ports whose NIC is there and up."""
        for port in self.segments[segment]:
            space = self.worlds[port.machine].spaces[HOST_ID]
            link = space.named(port.link)
            if link is not None and link.up:
                yield port, space, link
