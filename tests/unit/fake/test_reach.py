"""What would reach what in one small farm; and that a leak is seen: with a rule less, or a policy open, the
packet that was dropped arrives.

Two tenants have the same ranges on the same nodes: `paris/p1` and `paris/p2` in one fast network, `lyon/p1`
hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from ipaddress import ip_address

import pytest

from property_tests.fake_farm import OUTSIDE, OUTSIDE_ADDRESSES, Container, FakeFarm
from property_tests.farms import (
    FAST_NIC,
    UPLINK,
    FarmSketch,
    Fleet,
    NetworkSketch,
    NodeSketch,
    ResourceSketch,
)
from reconciler.compile.names import NAT_NAMESPACE, namespace_name, netid
from reconciler.kernel.fake import World
from reconciler.kernel.fake.nft.tables import Chain, Rule, Table
from reconciler.kernel.fake.reachability import Packet, Place, Trace, converses, lets_in, reaches
from reconciler.kernel.fake.reachability.trace import Protocol
from reconciler.kernel.objects import HOST, IPAddress

P1, P2, L1 = "paris/p1", "paris/p2", "lyon/p1"
ACME, GLOBEX = (namespace_name(netid(tenant, "web")) for tenant in ("acme", "globex"))
UNDERLAY = "no tenant reaches the underlay"


def _network(tenant: str, first_slot: int) -> NetworkSketch:
    resources = tuple(ResourceSketch(node, n, first_slot) for n, node in enumerate((P1, P2, L1), start=1))
    return NetworkSketch(tenant, "web", "10.1.0.0/16", "fd01:1:1::/48", resources)


@cache
def _farm() -> FakeFarm:
    nodes = (
        NodeSketch("paris", "p1", public=True, fast=True),
        NodeSketch("paris", "p2", public=True, fast=True),
        NodeSketch("lyon", "p1", public=False),
    )
    networks = (_network("acme", 1), _network("globex", 2))
    return FakeFarm(Fleet((FarmSketch("paris", 1500), FarmSketch("lyon")), nodes, networks))


def _container(tenant: str, node: str) -> Container:
    found = (one for one in _farm().containers if (one.network.tenant, one.resource.node) == (tenant, node))
    return next(found)


def _sends(tenant: str, node: str, to: str, *, port: int = 0, source: str | None = None) -> Trace:
    """One packet of a container: TCP to that port, else an echo request."""
    protocol: Protocol | None = "tcp" if port else None
    return reaches(_farm().underlay, _container(tenant, node).place, to, protocol, port, source)


def _comes_in(node: str, nic: str, source: str, to: str, port: int) -> Trace:
    packet = Packet(ip_address(source), ip_address(to), "udp", port)
    return lets_in(_farm().underlay, node, nic, packet)


# --- what is spoiled ---------------------------------------------------------------------------------


Spoil = Callable[[World], None]


def without(namespace: str, chain: str, why: str) -> Spoil:
    """Takes every rule with that comment out of the chain."""

    def change(before: Chain) -> Chain:
        left: tuple[Rule, ...] = tuple(rule for rule in before.rules if rule.comment != why)
        assert left != before.rules, f"no rule {why!r} in {namespace or 'the host'} {chain}"
        return replace(before, rules=left)

    return lambda world: _change_chain(world, namespace, chain, change)


def opened(namespace: str, chain: str) -> Spoil:
    """Makes the chain's policy accept."""

    def change(before: Chain) -> Chain:
        assert before.hook is not None and before.hook.policy == "drop"
        return replace(before, hook=replace(before.hook, policy="accept"))

    return lambda world: _change_chain(world, namespace, chain, change)


def blocking_nothing(*namespaces: str) -> tuple[Spoil, ...]:
    return tuple(without(namespace, "forward", UNDERLAY) for namespace in namespaces)


def _change_chain(world: World, namespace: str, name: str, change: Callable[[Chain], Chain]) -> None:
    space = world.space(namespace)
    assert space is not None
    table: Table = space.nft["inet", "tnet"]
    chains = tuple(change(chain) if chain.name == name else chain for chain in table.chains)
    space.nft["inet", "tnet"] = replace(table, chains=chains)


@contextmanager
def spoiled(node: str, spoils: tuple[Spoil, ...]) -> Iterator[None]:
    world = _farm().world(node)
    before = world.snapshot()
    try:
        for spoil in spoils:
            spoil(world)
        yield
    finally:
        world.restore(before)


# --- whole, it does what it should ---------------------------------------------------------------------


@pytest.mark.parametrize("node", [P1, P2, L1])
@pytest.mark.parametrize("other", [P1, P2, L1])
@pytest.mark.parametrize("version", [4, 6])
def test_containers_of_one_network_talk(node: str, other: str, version: int) -> None:
    if node == other:
        return
    there = _container("acme", other).address(version)
    trace = converses(_farm().underlay, _container("acme", node).place, there)
    assert trace.arrived, str(trace)


def test_the_fast_network_carries_vxlan_and_the_internet_wireguard() -> None:
    fast, far = _sends("acme", P1, "10.1.2.10"), _sends("acme", P1, "10.1.3.10")
    assert any("udp 10.99.1.1 > 10.99.1.2 port 4789" in hop.what for hop in fast.hops), str(fast)
    assert not any("4789" in hop.what for hop in far.hops), str(far)


@pytest.mark.parametrize("outside", OUTSIDE_ADDRESSES, ids=str)
def test_the_outside_sees_the_node_and_answers_it(outside: object) -> None:
    address = ip_address(str(outside).partition("/")[0])
    place = _container("acme", P1).place
    seen = reaches(_farm().underlay, place, address)
    host = _farm().world(P1).space(HOST)
    assert host is not None
    own = {a.address.ip for known in (host.addresses4, host.addresses6) for on in known.values() for a in on}
    assert seen.arrived and seen.place == Place(OUTSIDE, HOST), str(seen)
    assert seen.packet.source in own, str(seen)
    assert converses(_farm().underlay, place, address).arrived


# --- and a leak is seen ----------------------------------------------------------------------------------

LEAKS: dict[str, tuple[str, tuple[Spoil, ...], Callable[[], Trace], Place]] = {
    "to another node's endpoint": (
        P1,
        blocking_nothing(NAT_NAMESPACE, HOST),  # a NR's own table doesn't hold endpoints
        lambda: _sends("acme", P1, "192.0.2.12", port=22),
        Place(P2, HOST),
    ),
    "to the own node": (
        P1,
        (*blocking_nothing(NAT_NAMESPACE), without(HOST, "input", "no tenant reaches the node")),
        lambda: _sends("acme", P1, "192.0.2.11", port=22),
        Place(P1, HOST),
    ),
    "to another node's fast address": (
        P1,
        (*blocking_nothing(ACME, NAT_NAMESPACE, HOST), without(HOST, "forward", "tenants go nowhere else")),
        lambda: _sends("acme", P1, "10.99.1.2", port=22),
        Place(P2, HOST),
    ),
    "to the node's end of the veth": (
        P1,
        (*blocking_nothing(ACME, NAT_NAMESPACE), without(HOST, "input", "no tenant reaches the node")),
        lambda: _sends("acme", P1, "fd74:6e65:7400::", port=22),
        Place(P1, HOST),
    ),
    "to the NAT namespace": (
        P1,
        (*blocking_nothing(ACME), opened(NAT_NAMESPACE, "input")),
        lambda: _sends("acme", P1, "100.64.0.1"),
        Place(P1, NAT_NAMESPACE),
    ),
    "to another tenant's NR by transit": (
        P1,
        (
            *blocking_nothing(ACME, NAT_NAMESPACE),
            opened(NAT_NAMESPACE, "forward"),
            opened(GLOBEX, "input"),
        ),
        lambda: _sends("acme", P1, "100.64.0.5"),
        Place(P1, GLOBEX),
    ),
    "with another container's address": (
        P1,
        (without(ACME, "forward", "a container may only use the NR's addresses"),),
        lambda: _sends("acme", P1, "fd01:1:1:2::10", source="fd01:1:1:3::10"),
        Place(P2, f"c-{netid('acme', 'web')}"),
    ),
    "into VXLAN from the internet": (
        P1,
        (without(HOST, "input", "VXLAN from anywhere else"),),
        lambda: _comes_in(P1, UPLINK, "10.99.1.2", "10.99.1.1", 4789),
        Place(P1, HOST),
    ),
    "into VXLAN from a stranger in the fast network": (
        P1,
        (without(HOST, "input", "VXLAN from anywhere else"),),
        lambda: _comes_in(P1, FAST_NIC, "10.99.1.77", "10.99.1.1", 4789),
        Place(P1, HOST),
    ),
    "from the internet to the NAT namespace": (
        P1,
        (without(HOST, "forward", "nothing else comes in"), opened(NAT_NAMESPACE, "input")),
        lambda: _comes_in(P1, UPLINK, "203.0.113.9", "100.64.0.1", 53),
        Place(P1, NAT_NAMESPACE),
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_seen_where_the_firewall_is_spoiled_and_only_there(leak: str) -> None:
    node, spoils, send, where = LEAKS[leak]
    whole = send()
    assert not whole.arrived, str(whole)
    with spoiled(node, spoils):
        trace = send()
    assert trace.arrived and trace.place == where, str(trace)


@pytest.mark.parametrize("leak", LEAKS)
def test_every_one_of_the_spoiled_rules_is_enough_alone(leak: str) -> None:
    """Firewalls stand behind each other: while one of those is whole, nothing gets through."""
    node, spoils, send, _ = LEAKS[leak]
    for kept in range(len(spoils)):
        with spoiled(node, (*spoils[:kept], *spoils[kept + 1 :])):
            trace = send()
        assert not trace.arrived, f"with {kept} whole: {trace}"


# --- with flows open -----------------------------------------------------------------------------------


def test_only_the_answer_to_an_open_flow_comes_in() -> None:
    outside, own = "203.0.113.9", _container("acme", P1).place
    asked = reaches(_farm().underlay, own, outside, "udp", 53)
    answer = Packet(ip_address(outside), asked.packet.source, "udp", asked.packet.source_port, 53)
    for packet, arrives in (
        (answer, True),
        (replace(answer, source=ip_address("203.0.113.10")), False),
        (replace(answer, port=answer.port + 1), False),
        (replace(answer, source_port=54), False),
        (replace(answer, protocol="tcp"), False),
    ):
        trace = lets_in(_farm().underlay, P1, UPLINK, packet, after=asked)
        assert (trace.place == Place(*own)) == arrives, str(trace)
    assert lets_in(_farm().underlay, P1, UPLINK, answer).place == Place(P1, HOST), "nobody asked"


def _after_a_tenant_shadows_the_hidden_peer() -> Trace:
    """A tenant sends from the port that a WireGuard of the node has to where its hidden peer dials from;
    afterwards that peer's network pings."""
    wireguard = 51820
    there = next(ip for ip in _uplink_ips(L1) if ip.version == 4)
    shadow = reaches(
        _farm().underlay, _container("globex", P1).place, there, "udp", wireguard, source_port=wireguard
    )
    return reaches(_farm().underlay, _container("acme", L1).place, "10.1.1.10", after=shadow)


def _uplink_ips(node: str) -> list[IPAddress]:
    host = _farm().world(node).space(HOST)
    assert host is not None
    nic = host.named(UPLINK)
    assert nic is not None
    return [one.address.ip for one in host.addresses4[nic.device]]


def test_no_tenant_draws_a_hidden_peers_packets_to_itself() -> None:
    whole = _after_a_tenant_shadows_the_hidden_peer()
    assert whole.arrived, str(whole)
    with spoiled(P1, (without(HOST, "postrouting", "tenants as the node, never from its own ports"),)):
        drawn = _after_a_tenant_shadows_the_hidden_peer()
    assert not drawn.arrived and drawn.place.namespace.startswith("c-"), str(drawn)
