"""Laws of addresses and firewalls that can be read off the graphs: what has to be blocked is blocked, and no
two links share a prefix. Whether a packet gets through is asked of the fake, elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import ip_network

from hypothesis import given

from property_tests import farms
from property_tests.farms import Fleet
from reconciler.compile.names import NAT_NAMESPACE
from reconciler.compile.node import NodeGraph, compile_node
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import HOST, Address, IPNetwork


def _objects(compiled: NodeGraph) -> Iterator[KernelObject]:
    yield from compiled.node.objects
    for part in compiled.networks:
        yield from () if part.graph is None else part.graph.objects


def _blocked(table: NftTable) -> set[IPNetwork]:
    return {prefix for named in table.sets if named.name.startswith("blocked") for prefix in named.prefixes}


def _covers(blocked: set[IPNetwork], prefix: IPNetwork) -> bool:
    return any(
        wide.version == prefix.version and prefix.subnet_of(wide)  # type: ignore[arg-type]
        for wide in blocked
    )


def _kept_by(fleet: Fleet, farm: str) -> Iterator[IPNetwork]:
    document = fleet.model.farm(farm)
    assert document is not None
    yield from map(ip_network, document.spec.reserved)
    if document.spec.fast_network is not None:
        yield ip_network(document.spec.fast_network.prefix)


def _endpoints(fleet: Fleet) -> Iterator[IPNetwork]:
    for node in fleet.present:
        found = fleet.model.node(node.ref)
        assert found is not None
        yield from map(ip_network, found.spec.endpoints)


@given(farms.histories())
def test_every_node_keeps_tenants_from_its_farms_underlay_and_all_endpoints(
    history: tuple[Fleet, ...],
) -> None:
    fleet = history[-1]
    for node in fleet.present:
        tables = {
            item.namespace: item
            for item in compile_node(fleet.model, node.ref).node.objects
            if isinstance(item, NftTable)
        }
        assert tables.keys() == {HOST, NAT_NAMESPACE}
        for table in tables.values():
            wanted = (*_kept_by(fleet, node.farm), *_endpoints(fleet))
            assert [prefix for prefix in wanted if not _covers(_blocked(table), prefix)] == []


@given(farms.histories())
def test_what_a_farm_reserves_binds_no_other_farm(history: tuple[Fleet, ...]) -> None:
    fleet = history[-1]
    for node in fleet.present:
        others = [farm.name for farm in fleet.farms if farm.name != node.farm]
        foreign = {prefix for farm in others for prefix in _kept_by(fleet, farm)}
        for item in _objects(compile_node(fleet.model, node.ref)):
            if isinstance(item, NftTable):
                assert not foreign & _blocked(item)


@given(farms.fleets())
def test_every_nr_keeps_its_network_from_the_uplink(fleet: Fleet) -> None:
    """What goes to the network's own range, and finds no NR there, doesn't leave by the node."""
    for node in fleet.nodes:
        for part in compile_node(fleet.model, node).networks:
            network = fleet.network(part.tenant, part.network)
            assert network is not None and part.graph is not None
            table = next(item for item in part.graph.objects if isinstance(item, NftTable))
            for text in (network.ipv4, network.ipv6):
                assert _covers(_blocked(table), ip_network(text))


@given(farms.histories())
def test_nothing_is_forwarded_in_our_namespaces_but_what_a_rule_accepts(history: tuple[Fleet, ...]) -> None:
    for node in history[-1].present:
        for item in _objects(compile_node(history[-1].model, node.ref)):
            if isinstance(item, NftTable) and item.namespace != HOST:
                policies = {chain.hook: chain.policy for chain in item.chains}
                assert (policies["forward"], policies["input"]) == ("drop", "drop")


@given(farms.histories())
def test_no_two_links_of_a_namespace_share_a_prefix(history: tuple[Fleet, ...]) -> None:
    """Link-local prefixes are on every link and mean another one on each."""
    for node in history[-1].nodes:
        addresses = [
            item
            for item in _objects(compile_node(history[-1].model, node))
            if isinstance(item, Address) and not item.address.is_link_local
        ]
        for left, right in itertools.combinations(addresses, 2):
            if left.namespace == right.namespace and left.address.version == right.address.version:
                assert not left.address.network.overlaps(right.address.network)  # type: ignore[arg-type]


@given(farms.fleets())
def test_both_ends_of_a_transit_link_are_in_one_prefix(fleet: Fleet) -> None:
    for node in fleet.nodes:
        addresses = [item for item in _objects(compile_node(fleet.model, node)) if isinstance(item, Address)]
        there = {item.address.network for item in addresses if item.namespace == NAT_NAMESPACE}
        here = {
            item.address.network
            for item in addresses
            if item.namespace != NAT_NAMESPACE and (item.link.startswith("u") or item.link == "tnet0")
        }
        assert there == here
