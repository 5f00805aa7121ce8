"""Who reaches whom, in whole farms of fake kernels that were converged to what is compiled for them.

Every pair of NRs with a link or a relay talks, by IPv4 and IPv6. Nothing of a tenant comes anywhere that is
not its own or the outside: not to other tenants, not to nodes, not to the underlay; and nothing from there
comes in. Containers may forge their source.

To be outside is also to be an address of another node that the ledger doesn't list: its node is as well
protected from tenants as from everybody (docs/spec/data-plane.md, "Blocked").
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from property_tests import farms
from property_tests.fake_farm import OUTSIDE, OUTSIDE_ADDRESSES, Container, FakeFarm, connected
from property_tests.farms import FAST_NIC, UPLINK, Fleet
from reconciler.kernel.fake.reachability import Packet, Place, Trace, converses, lets_in, reaches
from reconciler.kernel.fake.reachability.trace import Protocol
from reconciler.kernel.objects import HOST, IPAddress

heavy = settings(max_examples=15, suppress_health_check=tuple(HealthCheck))
"""A farm is some 0.1 s to build, a matrix up to a second to ask for."""

FLEETS = farms.fleets(farms=2, nodes=2, networks=3, min_networks=1)
"""Small, because every packet is tried that anybody could send."""

PROBES: tuple[tuple[Protocol | None, int], ...] = (
    (None, 0),
    ("tcp", 22),
    ("udp", 4789),
    ("udp", farms.FIRST_PORT + 1),
)


def _pairs(farm: FakeFarm) -> Iterator[tuple[Container, Container]]:
    for left, right in itertools.permutations(farm.containers, 2):
        if left.network == right.network:
            yield left, right


def _own_places(farm: FakeFarm, container: Container) -> set[Place]:
    """Where a tenant's packet may end: in its own network, and outside."""
    same = [one for one in farm.containers if one.network == container.network]
    return {Place(OUTSIDE, HOST), *(Place(*one.place) for one in same), *(Place(*one.router) for one in same)}


def _ends_well(farm: FakeFarm, container: Container, own: set[Place], trace: Trace) -> bool:
    """Nowhere, in its own network, outside; or, from the internet, at another node's unlisted address."""
    if not trace.arrived or trace.place in own:
        return True
    elsewhere = trace.place.namespace == HOST and trace.place.machine != container.resource.node
    return elsewhere and trace.packet.destination in farm.unlisted


def _every_address(farm: FakeFarm) -> list[IPAddress]:
    """All that any kernel of the farm has, and the outside's."""
    found = {
        item.address.ip
        for world in farm.underlay.worlds.values()
        for space in world.spaces.values()
        for known in (*space.addresses4.values(), *space.addresses6.values())
        for item in known
        if not item.address.ip.is_loopback
    }
    return sorted(found, key=lambda one: (one.version, int(one)))


def _versions(address: IPAddress, addresses: list[IPAddress]) -> list[IPAddress]:
    return [one for one in addresses if one.version == address.version]


@heavy
@given(FLEETS)
def test_all_nrs_of_a_network_that_can_be_linked_talk_to_each_other(fleet: Fleet) -> None:
    farm = FakeFarm(fleet)
    for left, right in _pairs(farm):
        expected = connected(fleet, left.network, left.resource.node, right.resource.node)
        for version in (4, 6):
            trace = converses(farm.underlay, left.place, right.address(version))
            talks = trace.arrived and trace.place == Place(*left.place)
            assert talks == expected, f"{left.place} to {right.place}\n{trace}"


@heavy
@given(FLEETS)
def test_containers_reach_the_outside_and_get_answers(fleet: Fleet) -> None:
    farm = FakeFarm(fleet)
    for container in farm.containers:
        for outside in OUTSIDE_ADDRESSES:
            trace = converses(farm.underlay, container.place, outside.ip)
            assert trace.arrived, str(trace)


@heavy
@given(FLEETS, st.data())
def test_nothing_of_a_tenant_ends_up_anywhere_but_in_its_network_or_outside(
    fleet: Fleet, data: st.DataObject
) -> None:
    farm = FakeFarm(fleet)
    addresses = _every_address(farm)
    for container in farm.containers:
        own = _own_places(farm, container)
        forged = data.draw(st.sampled_from((None, *addresses)), label="forged source")
        for to in addresses if forged is None else _versions(forged, addresses):
            for protocol, port in PROBES:
                trace = reaches(farm.underlay, container.place, to, protocol, port, forged)
                assert _ends_well(farm, container, own, trace), str(trace)


@heavy
@given(FLEETS, st.data())
def test_nothing_made_by_hand_outside_comes_in_to_a_tenant(fleet: Fleet, data: st.DataObject) -> None:
    farm = FakeFarm(fleet)
    addresses = _every_address(farm)
    for node in fleet.present:
        source = data.draw(st.sampled_from(addresses), label="forged source")
        for nic in (UPLINK, FAST_NIC):
            for to in _versions(source, addresses):
                usual: Protocol = "icmp" if to.version == 4 else "icmpv6"
                for protocol, port in PROBES:
                    packet = Packet(source, to, protocol or usual, port)
                    trace = lets_in(farm.underlay, node.ref, nic, packet)
                    assert _harmless(trace), str(trace)


def _harmless(trace: Trace) -> bool:
    return not trace.arrived or trace.place.namespace == HOST


@heavy
@given(FLEETS)
def test_vxlan_from_outside_of_the_fast_network_is_dropped(fleet: Fleet) -> None:
    """A node with a fast port takes UDP 4789 only on it, and only from the farm's other nodes."""
    farm = FakeFarm(fleet)
    for node in fleet.present:
        own = fleet.model.fast_address(node.ref)
        if own is None:
            continue
        stranger = next(one.ip for one in OUTSIDE_ADDRESSES if one.version == own.version)
        for nic in (UPLINK, FAST_NIC):
            trace = lets_in(farm.underlay, node.ref, nic, Packet(stranger, own, "udp", 4789))
            assert not trace.arrived, str(trace)
