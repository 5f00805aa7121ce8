"""A packet, and the story of where it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from reconciler.kernel.objects import IPAddress

Protocol = Literal["icmp", "icmpv6", "tcp", "udp"]
State = Literal["new", "established", "invalid", "untracked"]

PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
EPHEMERAL_PORT = 40000


class Place(NamedTuple):
    """A namespace of a machine, by name; "" is the machine's own."""

    machine: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.machine}:{self.namespace or 'host'}"


@dataclass(frozen=True, slots=True)
class Packet:
    """The headers that rules look at. `icmp_type` counts only for ICMP, ports only for TCP and UDP.

    `state` is what connection tracking says where the packet is now (`ct state`): no sender chooses it.
    """

    source: IPAddress
    destination: IPAddress
    protocol: Protocol
    port: int = 0
    source_port: int = EPHEMERAL_PORT
    icmp_type: str = "echo-request"
    state: State = "new"

    def __str__(self) -> str:
        port = f" port {self.port}" if self.protocol in ("tcp", "udp") else ""
        return f"{self.protocol} {self.source} > {self.destination}{port}"


Flows = Mapping[Place, tuple[tuple[Packet, Packet], ...]]
"""Of each namespace, by its first packet as it came and as it left: what connection tracking remembers."""


@dataclass(frozen=True, slots=True)
class Hop:
    place: Place
    what: str
    depth: int = 0

    def __str__(self) -> str:
        return f"{'  ' * self.depth}{self.place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Trace:
    """Where the packet came and by which way; `why` says what dropped it, "" if it arrived.

    `place` is where it arrived or was dropped, `packet` what it was by then, `flows` what the namespaces
    remember of it and of what went before.
    """

    arrived: bool
    place: Place
    packet: Packet
    hops: tuple[Hop, ...]
    why: str = ""
    flows: Flows = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        end = "arrived" if self.arrived else f"dropped: {self.why}"
        return "\n".join([*map(str, self.hops), f"{self.place}: {self.packet} {end}"])


class Dropped(Exception):
    """The packet ends here."""

    def __init__(self, place: Place, packet: Packet, why: str) -> None:
        super().__init__(why)
        self.place = place
        self.packet = packet
        self.why = why
