"""The two questions: does a first packet arrive, and does its answer come back?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from reconciler.kernel.fake.reachability.trace import EPHEMERAL_PORT, Dropped, Packet, Place, Protocol, Trace
from reconciler.kernel.fake.reachability.underlay import Underlay
from reconciler.kernel.fake.reachability.walk import Walk
from reconciler.kernel.objects import HOST, IPAddress

UNCHOSEN = {4: ip_address("0.0.0.0"), 6: ip_address("::")}
"""As a source: whichever Linux picks."""


def reaches(
    underlay: Underlay,
    start: tuple[str, str],
    destination: IPAddress | str,
    protocol: Protocol | None = None,
    port: int = 0,
    source: IPAddress | str | None = None,
    source_port: int = EPHEMERAL_PORT,
    after: Trace | None = None,
) -> Trace:
    """Follow the first packet that a process in `start` (machine, namespace) sends to `destination`: an echo
    request unless told otherwise, from the address Linux would choose or from a forged `source`. `after` is a
    trace before this one, whose flows are still remembered."""
    walk = Walk(underlay, after)
    return _told(walk, walk.send, Place(*start), _packet(destination, protocol, port, source, source_port))


def converses(
    underlay: Underlay,
    start: tuple[str, str],
    destination: IPAddress | str,
    protocol: Protocol | None = None,
    port: int = 0,
    source: IPAddress | str | None = None,
    source_port: int = EPHEMERAL_PORT,
    after: Trace | None = None,
) -> Trace:
    """The same with the answer: arrived only if it came back to `start`. The trace has both ways."""
    walk = Walk(underlay, after)
    there = _told(walk, walk.send, Place(*start), _packet(destination, protocol, port, source, source_port))
    if not there.arrived:
        return there
    back = _told(walk, walk.send, there.place, answer_to(there.packet))
    if back.arrived and back.place != Place(*start):
        return replace(back, arrived=False, why=f"the answer came to {back.place}")
    return back


def lets_in(underlay: Underlay, machine: str, link: str, packet: Packet, after: Trace | None = None) -> Trace:
    """Follow a hand-made packet that a stranger sends to the machine's MAC: it comes in by that NIC."""
    walk = Walk(underlay, after)
    space = underlay.space(Place(machine, HOST))
    nic = space.named(link)
    if nic is None:
        raise LookupError(f"there is no {link} on {machine}")

    def step(place: Place, packet: Packet) -> tuple[Place, Packet]:
        return walk.receive(place, space, nic, packet)

    return _told(walk, step, Place(machine, HOST), packet)


def answer_to(packet: Packet) -> Packet:
    return replace(
        packet,
        source=packet.destination,
        destination=packet.source,
        port=packet.source_port,
        source_port=packet.port,
        icmp_type="echo-reply",
        state="new",
    )


def _packet(
    destination: IPAddress | str,
    protocol: Protocol | None,
    port: int,
    source: IPAddress | str | None,
    source_port: int,
) -> Packet:
    to = ip_address(destination)
    own = UNCHOSEN[to.version] if source is None else ip_address(source)
    usual: Protocol = "icmp" if to.version == 4 else "icmpv6"
    return Packet(own, to, protocol or usual, port, source_port)


def _told(
    walk: Walk, step: Callable[[Place, Packet], tuple[Place, Packet]], place: Place, packet: Packet
) -> Trace:
    try:
        end, arrived = step(place, packet)
    except Dropped as dropped:
        return Trace(False, dropped.place, dropped.packet, tuple(walk.hops), dropped.why, walk.flows)
    return Trace(True, end, arrived, tuple(walk.hops), flows=walk.flows)
