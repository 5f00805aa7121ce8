"""Laws of links, over all nodes at once: both ends agree, and each packet finds its way there and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hypothesis import given

from property_tests import farms
from property_tests.farms import Fleet, NetworkSketch
from reconciler.compile.addresses import Slice, nr_slice
from reconciler.compile.node import NetworkPart, compile_node
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import (
    Bridge,
    FdbEntry,
    IPNetwork,
    Neighbour,
    Route,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)


@dataclass(frozen=True)
class Resource:
    """A NR as compiled, with quick ways to its parts."""

    node: str
    slice: Slice
    part: NetworkPart
    graph: Graph

    @cached_property
    def wireguard(self) -> WireGuard | None:
        return next((item for item in self.graph.objects if isinstance(item, WireGuard)), None)

    @cached_property
    def vxlan(self) -> Vxlan | None:
        return next((item for item in self.graph.objects if isinstance(item, Vxlan)), None)

    @cached_property
    def peers(self) -> dict[str, WireGuardPeer]:
        peers = (item for item in self.graph.objects if isinstance(item, WireGuardPeer))
        return {peer.public_key: peer for peer in peers}

    @cached_property
    def routes(self) -> dict[IPNetwork, Route]:
        return {item.destination: item for item in self.graph.objects if isinstance(item, Route)}

    @cached_property
    def unreachable(self) -> str:
        found = (condition for condition in self.part.conditions if condition.reason == "Unreachable")
        return " ".join(condition.message for condition in found)


def _resources(fleet: Fleet, network: NetworkSketch) -> dict[str, Resource]:
    """The running NRs of a network by node."""
    made = {}
    for sketch in network.resources:
        parts = compile_node(fleet.model, sketch.node).networks
        part = next(part for part in parts if (part.tenant, part.network) == network.key)
        if part.graph is not None:
            own = nr_slice(network.ipv4, network.ipv6, sketch.index)
            made[sketch.node] = Resource(sketch.node, own, part, part.graph)
    return made


def _networks(fleet: Fleet) -> Iterator[dict[str, Resource]]:
    return (_resources(fleet, network) for network in fleet.networks)


@given(farms.histories())
def test_wireguard_peers_are_peers_of_each_other(history: tuple[Fleet, ...]) -> None:
    for resources in _networks(history[-1]):
        by_key = {nr.wireguard.public_key: nr for nr in resources.values() if nr.wireguard}
        for nr in by_key.values():
            for key, peer in nr.peers.items():
                assert nr.wireguard is not None
                back = by_key[key].peers[nr.wireguard.public_key]
                assert peer.endpoint is not None or back.endpoint is not None, "neither end dials"
                _assert_dials(peer, by_key[key])


def _assert_dials(peer: WireGuardPeer, there: Resource) -> None:
    if peer.endpoint is not None:
        assert there.wireguard is not None
        assert peer.endpoint[1] == there.wireguard.listen_port


@given(farms.histories())
def test_one_end_of_each_session_keeps_it_open_the_hidden_one_where_there_is_one(
    history: tuple[Fleet, ...],
) -> None:
    fleet = history[-1]
    for resources in _networks(fleet):
        by_key = {nr.wireguard.public_key: nr for nr in resources.values() if nr.wireguard}
        for own_key, nr in by_key.items():
            for key, peer in nr.peers.items():
                assert {peer.keepalive_s, by_key[key].peers[own_key].keepalive_s} == {0, 25}
                hidden = not fleet.node(nr.node).public
                assert peer.keepalive_s == 25 or not hidden


@given(farms.histories())
def test_an_allowed_ip_belongs_to_one_peer_and_has_a_route(history: tuple[Fleet, ...]) -> None:
    for resources in _networks(history[-1]):
        for nr in resources.values():
            allowed = [prefix for peer in nr.peers.values() for prefix in peer.allowed_ips]
            assert len(allowed) == len(set(allowed))
            name = nr.wireguard.name if nr.wireguard else ""
            routed = {destination for destination, route in nr.routes.items() if route.link == name}
            assert set(allowed) == routed


@given(farms.histories())
def test_vxlan_neighbours_know_each_others_macs_and_addresses(history: tuple[Fleet, ...]) -> None:
    for resources in _networks(history[-1]):
        ends = {nr.vxlan.mac: nr.vxlan for nr in resources.values() if nr.vxlan}
        for nr in resources.values():
            for item in nr.graph.objects:
                if isinstance(item, FdbEntry):
                    assert nr.vxlan is not None
                    assert item.remote == ends[item.mac].local
                    assert (ends[item.mac].vni, ends[item.mac].mtu) == (nr.vxlan.vni, nr.vxlan.mtu)
                elif isinstance(item, Neighbour):
                    assert item.mac in ends


# --- the way of a packet ------------------------------------------------------------------------------


def _hop(here: Resource, resources: dict[str, Resource], destination: IPNetwork) -> Resource | None:
    """The NR to which `here` sends what goes to that slice; None if it has no route."""
    route = here.routes.get(destination)
    if route is None:
        return None
    if here.wireguard is not None and route.link == here.wireguard.name:
        key = next(key for key, peer in here.peers.items() if destination in peer.allowed_ips)
        return next(nr for nr in resources.values() if nr.wireguard and nr.wireguard.public_key == key)
    macs = {item.address: item.mac for item in here.graph.objects if isinstance(item, Neighbour)}
    assert route.via is not None
    return next(nr for nr in resources.values() if nr.vxlan and nr.vxlan.mac == macs[route.via])


def _accepts(there: Resource, sender: Resource, source: IPNetwork) -> bool:
    """Whether `there` takes a packet of `source` from `sender`: WireGuard by allowed-ips, and rp_filter
    by the way back."""
    return_route = there.routes.get(source)
    if return_route is None:
        return False
    if there.wireguard is not None and return_route.link == there.wireguard.name:
        assert sender.wireguard is not None
        return source in there.peers[sender.wireguard.public_key].allowed_ips
    return there.vxlan is not None and return_route.link == there.vxlan.name


def _way(start: Resource, end: Resource, resources: dict[str, Resource], version: int) -> list[str] | None:
    """The nodes that a packet passes from one NR to the other; None if it has no way."""
    source = start.slice.ipv4 if version == 4 else start.slice.ipv6
    target = end.slice.ipv4 if version == 4 else end.slice.ipv6
    way, here = [start.node], start
    while here is not end:
        following = _hop(here, resources, target)
        if following is None:
            return None
        assert _accepts(following, here, source), f"{following.node} drops {source} from {here.node}"
        way.append(following.node)
        assert len(way) <= 3, f"more than one relay: {way}"
        here = following
    return way


@given(farms.histories())
def test_every_packet_has_the_same_way_there_and_back_or_both_ends_say_unreachable(
    history: tuple[Fleet, ...],
) -> None:
    for resources in _networks(history[-1]):
        for left, right in itertools.combinations(resources.values(), 2):
            for version in (4, 6):
                there, back = (_way(*ends, resources, version) for ends in ((left, right), (right, left)))
                assert there == (back and back[::-1])
                for here, other in ((left, right), (right, left)):
                    said = other.node in here.unreachable.split()
                    said = said or f"{other.node}," in here.unreachable.split()
                    assert said == (there is None)


@given(farms.histories())
def test_relays_of_the_network_are_its_only_relays_and_say_so_in_their_firewall(
    history: tuple[Fleet, ...],
) -> None:
    fleet = history[-1]
    for network, resources in zip(fleet.networks, _networks(fleet), strict=True):
        carrying = set()
        for left, right in itertools.permutations(resources.values(), 2):
            way = _way(left, right, resources, 4)
            carrying |= set(way[1:-1]) if way else set()
        assert carrying <= set(network.relays)
        assert carrying == {node for node, nr in resources.items() if _relays(nr)}


def _relays(nr: Resource) -> bool:
    table = nr.graph.by_key()[next(key for key in nr.graph.by_key() if key.kind == "nft-table")]
    chains = {chain.name: chain for chain in table.chains}  # type: ignore[union-attr]
    return any(rule.comment == "relay" for rule in chains["forward"].rules)


@given(farms.histories())
def test_all_bridges_of_a_network_have_the_least_mtu_of_its_links(history: tuple[Fleet, ...]) -> None:
    for resources in _networks(history[-1]):
        links = [link for nr in resources.values() for link in (nr.wireguard, nr.vxlan) if link]
        least = min((link.mtu for link in links), default=1500)
        bridges = {
            item.mtu for nr in resources.values() for item in nr.graph.objects if isinstance(item, Bridge)
        }
        assert bridges <= {least}
