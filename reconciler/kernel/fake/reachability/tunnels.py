"""Which tunnel a packet takes and where it comes out: VXLAN and WireGuard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.kernel.fake.reachability.trace import Place
from reconciler.kernel.fake.reachability.underlay import Underlay
from reconciler.kernel.fake.records import Link, Peer, VxlanDetails, WireGuardState
from reconciler.kernel.fake.world import Netns, World
from reconciler.kernel.objects import IPAddress


@dataclass(frozen=True)
class Tunnel:
    """A device where it lives, and the namespace id that its socket is in."""

    machine: str
    space: Netns
    link: Link
    birth: int
    wireguard: WireGuardState | None = None


def tunnels(machine: str, world: World) -> Iterator[Tunnel]:
    """Every VXLAN and WireGuard device of a machine that is up and has its socket."""
    births = {daemon.device: daemon.birth for daemon in world.daemons.values()}
    for space, link in world.devices():
        if not link.up:
            continue
        if isinstance(link.details, VxlanDetails):
            yield Tunnel(machine, space, link, link.details.birth)
        elif link.device in world.wireguards:
            birth = births.get(link.device, getattr(link.details, "birth", -1))
            if birth in world.spaces and (link.kind == "wireguard" or link.device in births):
                yield Tunnel(machine, space, link, birth, world.wireguards[link.device])


def tunnel_of(machine: str, world: World, link: Link) -> Tunnel | None:
    return next((one for one in tunnels(machine, world) if one.link.device == link.device), None)


# --- VXLAN -------------------------------------------------------------------------------------------


def far_end(space: Netns, link: Link, next_hop: IPAddress) -> tuple[str, IPAddress] | str:
    """MAC and remote for a next hop, from permanent entries alone, or why there is none."""
    neighbour = space.neighbours.get((link.device, next_hop))
    if neighbour is None:
        return f"no neighbour entry for {next_hop} on {link.name}"
    entries = space.fdb.get((link.device, neighbour.mac), ())
    if not entries:
        return f"no forwarding entry for {neighbour.mac} on {link.name}"
    return neighbour.mac, entries[0].remote


def vxlan_at(underlay: Underlay, place: Place, vni: int, port: int) -> Tunnel | None:
    """The device whose socket is in `place` and that takes this VNI."""
    birth = underlay.space(place).id
    for one in tunnels(place.machine, underlay.worlds[place.machine]):
        details = one.link.details
        if isinstance(details, VxlanDetails) and (details.birth, details.vni, details.port) == (
            birth,
            vni,
            port,
        ):
            return one
    return None


# --- WireGuard -----------------------------------------------------------------------------------------


def peer_for(state: WireGuardState, address: IPAddress) -> Peer | None:
    """Whose allowed IPs an address belongs to: the longest prefix counts, in and out."""
    found = [
        (network.prefixlen, peer)
        for peer in state.peers
        for network in peer.allowed_ips
        if network.version == address.version and address in network
    ]
    return max(found, key=lambda one: one[0], default=(0, None))[1]


def wireguard_at(underlay: Underlay, place: Place, port: int) -> Tunnel | None:
    """The device whose socket is in `place` and listens on that port."""
    birth = underlay.space(place).id
    for one in tunnels(place.machine, underlay.worlds[place.machine]):
        if one.wireguard is not None and one.birth == birth and one.wireguard.listen_port == port:
            return one
    return None


def dialling(underlay: Underlay, peer: Peer, us: WireGuardState) -> Iterator[tuple[Tunnel, Peer]]:
    """Devices of that peer that have us as a peer with an endpoint to dial, and how they know us."""
    for machine, world in underlay.worlds.items():
        for one in tunnels(machine, world):
            if one.wireguard is None or one.wireguard.public_key != peer.public_key:
                continue
            for back in one.wireguard.peers:
                if back.public_key == us.public_key and back.endpoint is not None:
                    yield one, back
