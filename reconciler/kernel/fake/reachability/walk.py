"""One packet's walk through namespaces, links and tunnels, as far as networks of ours use them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from reconciler.kernel.fake.reachability import ethernet, firewall, routing, tunnels
from reconciler.kernel.fake.reachability.firewall import Passage
from reconciler.kernel.fake.reachability.routing import Way
from reconciler.kernel.fake.reachability.trace import Dropped, Hop, Packet, Place, Trace
from reconciler.kernel.fake.reachability.tunnels import Tunnel
from reconciler.kernel.fake.reachability.underlay import Underlay
from reconciler.kernel.fake.records import Link, Peer, VxlanDetails, WireGuardState
from reconciler.kernel.fake.world import Netns
from reconciler.kernel.objects import IPAddress

MOST_HOPS = 64
"""A packet that goes further runs in circles."""

End = tuple[Place, Packet]


class Walk:
    """Follows packets and remembers their flows, so that an answer finds its way back through NAT."""

    def __init__(self, underlay: Underlay, after: Trace | None = None) -> None:
        self.underlay = underlay
        self.hops: list[Hop] = []
        self._depth = 0
        self.flows: dict[Place, tuple[tuple[Packet, Packet], ...]] = dict(after.flows) if after else {}
        """Of each namespace: a packet as it came, and as it left."""

    # --- the steps of a kernel ---------------------------------------------------------------------------

    def send(self, place: Place, packet: Packet) -> End:
        """A process in `place` sends. Returns where the packet was taken in, and what it was by then."""
        space = self.underlay.space(place)
        unchosen = packet.source.is_unspecified
        way = self._way(place, space, packet, None if unchosen else packet.source, "")
        if unchosen:
            own = routing.source_for(space, way, packet.destination)
            if own is None:
                raise Dropped(place, packet, "no address to send from")
            packet = replace(packet, source=own)
        if way.local:
            return self._take_in(place, space, "lo", packet)
        packet = self._tracked(place, packet)
        return self._leave(place, space, way, packet, "", "output")

    def receive(self, place: Place, space: Netns, link: Link, packet: Packet) -> End:
        """A packet comes in by `link`: for us, or on its way."""
        self._note(place, f"in by {link.name}: {packet}")
        packet = self._tracked(place, packet)
        self._judge(place, space, "prerouting", Passage(packet, iif=link.name))
        bad = routing.bad_source(space, link, packet.source)
        if bad:
            raise Dropped(place, packet, bad)
        way = self._way(place, space, packet, packet.source, link.name)
        if way.local:
            return self._take_in(place, space, link.name, packet)
        self._check_forwarding(place, space, link, packet)
        return self._leave(place, space, way, packet, link.name, "forward")

    def _way(self, place: Place, space: Netns, packet: Packet, source: object, iif: str) -> Way:
        known = None if source is None else packet.source
        oif = self._scope(place, space, packet, iif)
        way = routing.way_to(space, packet.destination, known, iif, oif)
        if isinstance(way, str):
            raise Dropped(place, packet, way)
        return way

    def _scope(self, place: Place, space: Netns, packet: Packet, iif: str) -> int | None:
        """Link-local destinations are looked for on the link they came by, or on the first that has such
        addresses."""
        if not (packet.destination.version == 6 and packet.destination.is_link_local):
            return None
        link = space.named(iif) if iif else None
        if link is None:
            near = (
                one for one in space.ordered() if routing.addresses(space, one, 6) and one.kind != "loopback"
            )
            link = next(near, None)
        return None if link is None or iif else link.device

    def _check_forwarding(self, place: Place, space: Netns, link: Link, packet: Packet) -> None:
        if not routing.forwards(space, link, packet.destination.version):
            raise Dropped(place, packet, "forwarding is off")
        link_local = packet.source.is_link_local or packet.destination.is_link_local
        if packet.destination.version == 6 and link_local:
            raise Dropped(place, packet, "link-local addresses are not forwarded")
        if packet.destination.is_multicast:
            raise Dropped(place, packet, "multicast is not forwarded")

    def _take_in(self, place: Place, space: Netns, iif: str, packet: Packet) -> End:
        self._judge(place, space, "input", Passage(packet, iif=iif))
        self._confirm(place, packet, packet)
        return place, packet

    def _leave(self, place: Place, space: Netns, way: Way, packet: Packet, iif: str, hook: str) -> End:
        assert way.link is not None
        self._judge(place, space, hook, Passage(packet, iif, way.link.name))
        self._judge(place, space, "postrouting", Passage(packet, iif, way.link.name))
        before, packet = packet, self._masqueraded(place, space, way, packet, iif)
        self._confirm(place, before, packet)
        return self._transmit(place, space, way.link, packet, way)

    def _judge(self, place: Place, space: Netns, hook: str, passage: Passage) -> None:
        judgement = firewall.judge(space, hook, passage)
        if not judgement.accepted:
            raise Dropped(place, passage.packet, f"{hook}: {judgement.why}")

    # --- connection tracking -----------------------------------------------------------------------------

    def _tracked(self, place: Place, packet: Packet) -> Packet:
        """What answers a flow that was let through here is established, and goes to whom that flow came
        from; all else is new, whatever its sender would have it be."""
        for came, left in self.flows.get(place, ()):
            if _answers(packet, left):
                return replace(packet, destination=came.source, port=came.source_port, state="established")
        return replace(packet, state="invalid" if packet.icmp_type == "echo-reply" else "new")

    def _confirm(self, place: Place, came: Packet, left: Packet) -> None:
        """A flow counts once its first packet was let through (nf_conntrack_confirm)."""
        if came.state == "new":
            self.flows[place] = (*self.flows.get(place, ()), (came, left))

    def _masqueraded(self, place: Place, space: Netns, way: Way, packet: Packet, iif: str) -> Packet:
        """Only a flow's first packet is asked about; what answers has its ways already."""
        assert way.link is not None
        if packet.state != "new":
            return packet
        rule = firewall.judge(space, "postrouting", Passage(packet, iif, way.link.name), "nat").masquerade
        if rule is None:
            return packet
        own = routing.address_on(space, way.link, way.next_hop, packet.destination)
        if own is None:
            raise Dropped(place, packet, f"no address on {way.link.name} to masquerade as")
        self._note(place, f"masquerade {packet.source} as {own}")
        port = firewall.chosen_port(rule.ports, packet.source_port)
        return replace(packet, source=own, source_port=port)

    # --- links -------------------------------------------------------------------------------------------

    def _transmit(self, place: Place, space: Netns, link: Link, packet: Packet, way: Way) -> End:
        self._note(place, f"out by {link.name}")
        tunnel = tunnels.tunnel_of(place.machine, self.underlay.worlds[place.machine], link)
        if tunnel is not None and tunnel.wireguard is not None:
            return self._wireguard(place, tunnel, tunnel.wireguard, packet)
        if isinstance(link.details, VxlanDetails):
            return self._vxlan(place, space, link, link.details, packet, way)
        station = ethernet.resolve(self.underlay, place.machine, space, link, packet, way.next_hop)
        if isinstance(station, str):
            raise Dropped(place, packet, station)
        there = self.underlay.place(station.machine, station.space)
        return self.receive(there, station.space, station.link, packet)

    def _vxlan(
        self, place: Place, space: Netns, link: Link, details: VxlanDetails, packet: Packet, way: Way
    ) -> End:
        """Only permanent neighbours and entries lead anywhere: nothing is learned, nothing is flooded."""
        found = tunnels.far_end(space, link, way.next_hop)
        if isinstance(found, str):
            raise Dropped(place, packet, found)
        mac, remote = found
        local = details.local or remote
        outer = Packet(local, remote, "udp", details.port)
        arrival = self._carried(place, details.birth, outer, packet)
        far = tunnels.vxlan_at(self.underlay, arrival, details.vni, details.port)
        if far is None or far.link.mac != mac:
            raise Dropped(arrival, packet, f"no VXLAN device takes VNI {details.vni} for {mac}")
        return self._come_out(far, packet)

    def _wireguard(self, place: Place, tunnel: Tunnel, state: WireGuardState, packet: Packet) -> End:
        peer = tunnels.peer_for(state, packet.destination)
        if peer is None:
            raise Dropped(place, packet, f"{tunnel.link.name}: no peer is allowed {packet.destination}")
        far = self._to_peer(place, tunnel, state, peer, packet)
        assert far.wireguard is not None
        if far.wireguard.public_key != peer.public_key:
            raise Dropped(place, packet, "another key answers at the endpoint")
        sender = tunnels.peer_for(far.wireguard, packet.source)
        if sender is None or sender.public_key != state.public_key:
            there = self.underlay.place(far.machine, far.space)
            raise Dropped(there, packet, f"{far.link.name}: the sender is not allowed {packet.source}")
        return self._come_out(far, packet)

    def _to_peer(
        self, place: Place, tunnel: Tunnel, state: WireGuardState, peer: Peer, packet: Packet
    ) -> Tunnel:
        """The device behind the peer's endpoint; without one, whoever has dialled us under that key."""
        if peer.endpoint is not None:
            address, port = peer.endpoint
            outer = Packet(_unchosen(address.version), address, "udp", port, state.listen_port)
            arrival = self._carried(place, tunnel.birth, outer, packet)
            far = tunnels.wireguard_at(self.underlay, arrival, port)
            if far is None:
                raise Dropped(arrival, packet, f"no WireGuard listens on port {port}")
            return far
        for far, back in tunnels.dialling(self.underlay, peer, state):
            if self._has_dialled(far, back, tunnel, packet):
                return far
        raise Dropped(place, packet, "the peer has no endpoint and has not dialled")

    def _has_dialled(self, far: Tunnel, back: Peer, tunnel: Tunnel, packet: Packet) -> bool:
        """Whether the far side's packets come to our socket, so that our answers go back the same way."""
        assert back.endpoint is not None
        assert far.wireguard is not None
        address, port = back.endpoint
        outer = Packet(_unchosen(address.version), address, "udp", port, far.wireguard.listen_port)
        origin = self.underlay.place(far.machine, far.space)
        try:
            arrival = self._carried(origin, far.birth, outer, packet)
        except Dropped:
            return False
        found = tunnels.wireguard_at(self.underlay, arrival, port)
        return (
            found is not None and found.link.device == tunnel.link.device and found.machine == tunnel.machine
        )

    def _carried(self, place: Place, birth: int, outer: Packet, packet: Packet) -> Place:
        """Where the outer packet of a tunnel arrives. Raises Dropped with the inner one."""
        world = self.underlay.worlds[place.machine]
        socket = self.underlay.place(place.machine, world.spaces[birth])
        self._depth += 1
        try:
            return self._outer(socket, outer)
        except Dropped as dropped:
            raise Dropped(dropped.place, packet, f"in the tunnel's {outer}: {dropped.why}") from None
        finally:
            self._depth -= 1

    def _outer(self, socket: Place, outer: Packet) -> Place:
        """The outer packet may answer what went before it; what it begins is forgotten with it."""
        kept = dict(self.flows)
        try:
            return self.send(socket, outer)[0]
        finally:
            self.flows = kept

    def _come_out(self, far: Tunnel, packet: Packet) -> End:
        return self.receive(self.underlay.place(far.machine, far.space), far.space, far.link, packet)

    def _note(self, place: Place, what: str) -> None:
        self.hops.append(Hop(place, what, self._depth))
        if len(self.hops) > MOST_HOPS * 4 or self._depth > 2:
            raise Dropped(place, Packet(_unchosen(4), _unchosen(4), "icmp"), "it runs in circles")


def _answers(packet: Packet, left: Packet) -> bool:
    same_ends = (packet.source, packet.destination) == (left.destination, left.source)
    if not same_ends or packet.protocol != left.protocol:
        return False
    if packet.protocol.startswith("icmp"):
        return (packet.icmp_type, left.icmp_type) == ("echo-reply", "echo-request")
    return (packet.source_port, packet.port) == (left.port, left.source_port)


def _unchosen(version: int) -> IPAddress:
    return ip_address("0.0.0.0" if version == 4 else "::")
