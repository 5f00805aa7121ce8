"""Who shares a broadcast domain with a link, and who answers there for an address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from reconciler.kernel.fake.reachability import firewall, routing
from reconciler.kernel.fake.reachability.trace import Packet
from reconciler.kernel.fake.reachability.underlay import Underlay
from reconciler.kernel.fake.records import BridgeDetails, Link, VethDetails
from reconciler.kernel.fake.world import Netns
from reconciler.kernel.objects import IPAddress


@dataclass(frozen=True)
class Station:
    """A link that takes frames for its namespace. `behind_nat`: it is there for answers alone."""

    machine: str
    space: Netns
    link: Link
    behind_nat: bool = False


def domain(underlay: Underlay, machine: str, space: Netns, link: Link) -> list[Station]:
    """Every other station that a broadcast from this link reaches."""
    seen: set[tuple[str, int]] = {(machine, link.device)}
    found: list[Station] = []
    todo = list(_beyond(underlay, machine, space, link))
    while todo:
        station = todo.pop()
        key = (station.machine, station.link.device)
        if key in seen or not station.link.up:
            continue
        seen.add(key)
        if station.link.master is None:
            found.append(station)
        todo.extend(_beyond(underlay, station.machine, station.space, station.link))
    return found


def _beyond(underlay: Underlay, machine: str, space: Netns, link: Link) -> Iterator[Station]:
    """Links one cable or one bridge away."""
    world = underlay.worlds[machine]
    if isinstance(link.details, VethDetails):
        peer = world.find(link.details.peer)
        if peer is not None and link.up:
            yield Station(machine, *peer)
    segment = underlay.segment_of(machine, space, link)
    if segment is not None:
        for port, host, nic in underlay.plugged(segment):
            yield Station(port.machine, host, nic, port.behind_nat and port.machine != machine)
    if link.master is not None and (bridge := space.device(link.master)) is not None:
        yield Station(machine, space, bridge)
    if isinstance(link.details, BridgeDetails):
        ports = (port for port in space.links.values() if port.master == link.device)
        yield from (Station(machine, space, port) for port in ports)


def resolve(
    underlay: Underlay, machine: str, space: Netns, link: Link, packet: Packet, next_hop: IPAddress
) -> Station | str:
    """The station that gets a frame for `next_hop`, or why nobody does."""
    stations = domain(underlay, machine, space, link)
    permanent = space.neighbours.get((link.device, next_hop))
    if permanent is not None:
        taker = next((one for one in stations if one.link.mac == permanent.mac), None)
        return taker or f"nobody has the MAC {permanent.mac} of {next_hop}"
    segment = underlay.segment_of(machine, space, link)
    if segment in underlay.routed:
        return _routed(stations, packet)
    owners = [one for one in stations if _owns(one, next_hop)]
    if not owners:
        return f"nobody answers for {next_hop} on {link.name}"
    if isinstance(next_hop, IPv6Address):
        return _solicited(space, link, packet, next_hop, owners[0])
    return owners[0]


def _owns(station: Station, address: IPAddress) -> bool:
    """IPv4 answers for any address of the namespace (arp_ignore 0), IPv6 for those of the link."""
    if address.version == 4:
        return routing.is_local(station.space, address)
    return any(one.address.ip == address for one in routing.addresses(station.space, station.link, 6))


def _routed(stations: list[Station], packet: Packet) -> Station | str:
    """A segment that is a whole network of routers: whoever has the destination gets it."""
    owner = next((one for one in stations if _owns(one, packet.destination)), None)
    if owner is None:
        return f"nobody out there has {packet.destination}"
    if owner.behind_nat and packet.state == "new":
        return f"{owner.machine} is behind NAT"
    return owner


def _solicited(
    space: Netns, link: Link, packet: Packet, target: IPv6Address, station: Station
) -> Station | str:
    """Neighbour discovery (RFC 4861) passes the firewalls of both ends like any packet. Connection
    tracking leaves it alone."""
    own = routing.addresses(space, link, 6)
    asker = packet.source if any(one.address.ip == packet.source for one in own) else None
    if asker is None:
        asker = next((one.address.ip for one in own if one.address.ip.is_link_local), None)
    if asker is None:
        return f"no link-local address on {link.name} to ask for {target} from"
    group = ip_address((0xFF02 << 112) | (0x1FF << 24) | (int(target) & 0xFFFFFF))
    solicit = Packet(asker, group, "icmpv6", icmp_type="nd-neighbor-solicit", state="untracked")
    advert = Packet(target, asker, "icmpv6", icmp_type="nd-neighbor-advert", state="untracked")
    steps = (
        (space, "output", firewall.Passage(solicit, oif=link.name)),
        (station.space, "input", firewall.Passage(solicit, iif=station.link.name)),
        (station.space, "output", firewall.Passage(advert, oif=station.link.name)),
        (space, "input", firewall.Passage(advert, iif=link.name)),
    )
    for where, hook, passage in steps:
        judgement = firewall.judge(where, hook, passage)
        if not judgement.accepted:
            return f"neighbour discovery of {target}: {judgement.why}"
    return station
