"""Laws of change: a transaction touches what it is about, and growth disturbs no standing link."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from property_tests import farms
from property_tests.farms import Change, Fleet
from reconciler.compile.addresses import nr_slice
from reconciler.compile.node import NetworkPart, compile_node
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import Bridge, IPNetwork, Key, WireGuardPeer


def _parts(fleet: Fleet, node: str) -> dict[tuple[str, str], NetworkPart]:
    parts = compile_node(fleet.model, node).networks
    return {(part.tenant, part.network): part for part in parts}


def _objects(part: NetworkPart) -> dict[Key, KernelObject]:
    assert part.graph is not None
    return part.graph.by_key()


def _grown(change: Change) -> tuple[tuple[str, str], str, frozenset[IPNetwork]]:
    """The network that got a NR more, on which node, and the NR's prefixes."""
    for network in change.after.networks:
        before = change.before.network(*network.key)
        assert before is not None
        for nr in network.resources:
            if before.on(nr.node) is None:
                own = nr_slice(network.ipv4, network.ipv6, nr.index)
                return network.key, nr.node, frozenset({own.ipv4, own.ipv6})
    raise AssertionError("nothing grew")


@given(farms.grown_fleets())
def test_adding_a_nr_leaves_every_standing_link_as_it_is(change: Change) -> None:
    """On the other nodes nothing goes, and nothing changes but: a relay's peer also carries the new NR, the
    firewall lets a first link of its kind or a relay through, and the bridge's MTU follows a slower kind
    of link. Other networks on any node, and the nodes' own graphs, don't change at all."""
    grown, new_node, prefixes = _grown(change)
    for node in change.before.nodes:
        before, after = _parts(change.before, node), _parts(change.after, node)
        for key, part in before.items():
            if key != grown:
                assert after[key] == part
            else:
                assert node != new_node
                _assert_only_grew(_objects(part), _objects(after[key]), prefixes)
        nodes_own = (compile_node(fleet.model, node).node for fleet in (change.before, change.after))
        assert len(set(nodes_own)) == 1


def _assert_only_grew(
    before: dict[Key, KernelObject], after: dict[Key, KernelObject], prefixes: frozenset[IPNetwork]
) -> None:
    for key, old in before.items():
        new = after[key]
        if new == old or isinstance(old, NftTable):
            continue
        if isinstance(old, Bridge) and isinstance(new, Bridge):
            assert new == replace(old, mtu=new.mtu)
        else:
            assert isinstance(old, WireGuardPeer)
            assert new == replace(old, allowed_ips=old.allowed_ips | prefixes)


@given(farms.grown_fleets())
def test_the_mtu_changes_only_with_a_kind_of_link_that_is_new(change: Change) -> None:
    grown, _, _ = _grown(change)
    kinds: list[set[str]] = []
    mtus: list[set[int]] = []
    for fleet in (change.before, change.after):
        standing = [_parts(fleet, node).get(grown) for node in change.after.nodes]
        objects = [item for part in standing if part is not None for item in _objects(part).values()]
        kinds.append(
            {type(item).__name__ + str(getattr(item, "mtu", "")) for item in objects if _is_link(item)}
        )
        mtus.append({item.mtu for item in objects if isinstance(item, Bridge)})
    if kinds[0] == kinds[1]:
        assert mtus[0] == mtus[1]


def _is_link(item: KernelObject) -> bool:
    return type(item).__name__ in ("WireGuard", "Vxlan")


@given(farms.histories())
def test_compiling_on_from_what_was_compiled_before_gives_the_same(history: tuple[Fleet, ...]) -> None:
    for node in history[-1].nodes:
        previous = None
        for fleet in history:
            previous = compile_node(fleet.model, node, previous)
            assert previous == compile_node(fleet.model, node)


@given(farms.changed_fleets())
def test_what_did_not_change_is_the_very_same_value(change: Change) -> None:
    """So that finding the change among a thousand networks costs next to nothing."""
    model = change.before.model.with_changes(
        {
            path: change.after.documents.get(path)
            for path in change.before.documents.keys() | change.after.documents.keys()
            if change.before.documents.get(path) != change.after.documents.get(path)
        }
    )
    for node in change.before.nodes:
        before = compile_node(change.before.model, node)
        parts = {(part.tenant, part.network): part for part in compile_node(model, node, before).networks}
        for part in before.networks:
            key = (part.tenant, part.network)
            assert _concerned(change, key) or parts[key] is part


@given(farms.changed_fleets())
def test_a_change_reaches_only_the_networks_it_is_about(change: Change) -> None:
    """A network is concerned if its own documents changed, or those of a farm or node it stands on."""
    for node in change.before.nodes:
        before, after = _parts(change.before, node), _parts(change.after, node)
        for key, part in before.items():
            if not _concerned(change, key):
                assert after[key] == part, change.what


def _concerned(change: Change, key: tuple[str, str]) -> bool:
    network = change.before.network(*key)
    assert network is not None
    grounds = {f"farms/{nr.node.partition('/')[0]}/grants/{key[0]}.yaml" for nr in network.resources}
    for nr in network.resources:
        farm, _, name = nr.node.partition("/")
        grounds |= {f"farms/{farm}/farm.yaml", f"farms/{farm}/nodes/{name}.yaml"}
    tenant, name = key
    shard = f"tenants/{tenant[:2]}/{tenant}"
    grounds |= {f"{shard}/tenant.yaml", f"{shard}/networks/{name}.yaml", f"trust/suspensions/{tenant}.yaml"}
    before, after = change.before.documents, change.after.documents
    return any(before.get(path) != after.get(path) for path in grounds)
