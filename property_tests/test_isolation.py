"""Flows that tenants have opened let nothing in but their own answers, and divert nobody else's packets."""

from __future__ import annotations

import itertools
from dataclasses import replace
from ipaddress import ip_address

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from property_tests import farms
from property_tests.fake_farm import OUTSIDE_ADDRESSES, Container, FakeFarm, connected
from property_tests.farms import UPLINK, Fleet
from reconciler.kernel.fake.reachability import Packet, Place, Trace, converses, lets_in, reaches
from reconciler.kernel.objects import HOST, IPAddress

few = settings(max_examples=15, suppress_health_check=tuple(HealthCheck))
FLEETS = farms.fleets(farms=2, nodes=2, networks=3, min_networks=2)
DNS = 53


def _elsewhere(address: IPAddress) -> IPAddress:
    return ip_address(int(address) + 1)


@few
@given(FLEETS)
def test_nothing_comes_in_but_the_answer_to_an_open_flow(fleet: Fleet) -> None:
    farm = FakeFarm(fleet)
    for container, outside in itertools.product(farm.containers, OUTSIDE_ADDRESSES):
        asked = reaches(farm.underlay, container.place, outside.ip, "udp", DNS)
        answer = Packet(outside.ip, asked.packet.source, "udp", asked.packet.source_port, DNS)
        node = container.resource.node
        assert lets_in(farm.underlay, node, UPLINK, answer, asked).place == Place(*container.place)
        for other in (
            replace(answer, source=_elsewhere(outside.ip)),
            replace(answer, port=answer.port + 1),
            replace(answer, source_port=DNS + 1),
            replace(answer, protocol="tcp"),
        ):
            trace = lets_in(farm.underlay, node, UPLINK, other, asked)
            assert trace.place == Place(node, HOST), str(trace)


def _uplink_address(farm: FakeFarm, node: str, version: int) -> IPAddress:
    host = farm.world(node).space(HOST)
    assert host is not None
    nic = host.named(UPLINK)
    assert nic is not None
    known = (host.addresses4 if version == 4 else host.addresses6)[nic.device]
    return next(one.address.ip for one in known)


def _listen_ports(fleet: Fleet) -> list[int]:
    slots = {resource.slot for network in fleet.networks for resource in network.resources}
    return [farms.FIRST_PORT + slot - 1 for slot in sorted(slots)]


def _grabbing(farm: FakeFarm, container: Container, after: Trace | None) -> Trace | None:
    """The container sends from every WireGuard port to every WireGuard port of every other node."""
    ports = _listen_ports(farm.fleet)
    nodes = [node.ref for node in farm.fleet.present if node.ref != container.resource.node]
    for node, version, here, there in itertools.product(nodes, (4, 6), ports, ports):
        to = _uplink_address(farm, node, version)
        after = reaches(farm.underlay, container.place, to, "udp", there, source_port=here, after=after)
    return after


@few
@given(FLEETS, st.data())
def test_whatever_a_tenant_sends_the_networks_of_others_keep_talking(
    fleet: Fleet, data: st.DataObject
) -> None:
    farm = FakeFarm(fleet)
    greedy = data.draw(st.sampled_from(farm.containers), label="greedy container")
    after = _grabbing(farm, greedy, None)
    for left, right in itertools.permutations(farm.containers, 2):
        linked = left.network == right.network and connected(
            fleet, left.network, left.resource.node, right.resource.node
        )
        for version in (4, 6) if linked else ():
            trace = converses(farm.underlay, left.place, right.address(version), after=after)
            assert trace.arrived, str(trace)


@few
@given(FLEETS)
def test_a_tenant_does_not_pass_for_the_answer_to_another_ones_flow(fleet: Fleet) -> None:
    farm = FakeFarm(fleet)
    for asking, lying in itertools.permutations(farm.containers, 2):
        if asking.network == lying.network or asking.resource.node != lying.resource.node:
            continue
        for outside in OUTSIDE_ADDRESSES:
            asked = reaches(farm.underlay, asking.place, outside.ip, "udp", DNS)
            for to in {asked.packet.source, asking.address(outside.version)}:
                lie = reaches(
                    farm.underlay,
                    lying.place,
                    to,
                    "udp",
                    asked.packet.source_port,
                    source=outside.ip,
                    source_port=DNS,
                    after=asked,
                )
                assert not lie.arrived or lie.place.namespace in (lying.place[1], lying.router[1]), str(lie)
