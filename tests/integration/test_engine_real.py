"""The engine on the real kernel: the same calls that the property tests make to the fake."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from property_tests.farms import FarmSketch, Fleet, NetworkSketch, NodeSketch, ResourceSketch
from reconciler.compile.names import netid, transit_name
from reconciler.compile.node import compile_node
from reconciler.engine.apply import Applier
from reconciler.engine.converge import converge, observe
from reconciler.engine.journal import Journal
from reconciler.engine.plan import plan
from reconciler.engine.result import Applied, Refused, Result, RolledBack, Unchanged
from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import Key, WireGuard, WireGuardPeer
from reconciler.kernel.port import Operation, Outcome
from reconciler.model.sealing import wireguard_public_key
from reconciler.services.wireguard_go import linux_transport
from tests.integration.engine_apart import apart, run

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("wireguard-go") is None, reason="needs root and wireguard-go"
)

HERE, NEAR, FAR, FARTHER = "paris/p1", "paris/p2", "lyon/p1", "oslo/p1"
WEB = NetworkSketch(
    "acme",
    "web",
    "10.1.0.0/16",
    "fd01:1:1::/48",
    resources=(ResourceSketch(HERE, 1, 1), ResourceSketch(NEAR, 2, 1), ResourceSketch(FAR, 3, 1)),
)
SHOP = replace(WEB, tenant="globex", resources=(ResourceSketch(HERE, 1, 2), ResourceSketch(FAR, 2, 2)))
FLEET = Fleet(
    farms=(FarmSketch("paris", 1500), FarmSketch("lyon"), FarmSketch("oslo")),
    nodes_=(
        NodeSketch("paris", "p1", public=True, fast=True),
        NodeSketch("paris", "p2", public=True, fast=True),
        NodeSketch("lyon", "p1", public=False),
        NodeSketch("oslo", "p1", public=True),
    ),
    networks=(WEB, SHOP),
)
GROWN = replace(
    FLEET, networks=(replace(WEB, resources=(*WEB.resources, ResourceSketch(FARTHER, 4, 1))), SHOP)
)


class Keys:
    def __init__(self) -> None:
        self._private: dict[str, bytes] = {}

    def real(self, name: str) -> str:
        private = base64.b64decode(name)
        public = wireguard_public_key(private)
        self._private[public] = private
        return public

    def private_key(self, public_key: str) -> bytes:
        return self._private[public_key]


@dataclass
class Node:
    """A node on the real kernel, in the thread that made it."""

    kernel: NetlinkKernel
    journal: Journal
    keys: Keys

    @staticmethod
    def here(directory: Path) -> Node:
        keys = Keys()
        return Node(NetlinkKernel(linux_transport(), keys), Journal(directory / "journal"), keys)

    def graphs(self, fleet: Fleet) -> list[Graph]:
        compiled = compile_node(fleet.model, HERE)
        parts = [part.graph for part in compiled.networks if part.graph is not None]
        return [self._with_real_keys(graph) for graph in (compiled.node, *parts)]

    def _with_real_keys(self, graph: Graph) -> Graph:
        return Graph.of(graph.owner, map(self._with_real_key, graph.objects), graph.edges)

    def _with_real_key(self, item: KernelObject) -> KernelObject:
        return (
            replace(item, public_key=self.keys.real(item.public_key)) if isinstance(item, WireGuard) else item
        )

    def converge(self, graphs: Sequence[Graph]) -> dict[str, Result]:
        return converge(graphs, self.kernel, self.journal)

    def converged(self, graphs: Sequence[Graph]) -> None:
        bad = {owner: result.message for owner, result in self.converge(graphs).items() if not result.ok}
        assert not bad, bad

    def objects(self, graphs: Sequence[Graph]) -> dict[str, dict[Key, KernelObject]]:
        seen = observe(graphs, self.kernel)
        return {owner: dict(objects) for owner, objects in seen.owned.items()}


def watch(kernel: NetlinkKernel) -> list[Operation]:
    """What the kernel is asked to do from now on."""
    seen: list[Operation] = []
    execute = kernel.execute

    def watched(operations: Sequence[Operation]) -> list[Outcome]:
        seen.extend(operations)
        return execute(operations)

    kernel.execute = watched  # type: ignore[method-assign]
    return seen


def test_two_networks_converge_and_a_second_pass_does_nothing(tmp_path: Path) -> None:
    def work() -> None:
        node = Node.here(tmp_path)
        graphs = node.graphs(FLEET)
        assert {type(result) for result in node.converge(graphs).values()} == {Applied}
        assert {type(result) for result in node.converge(graphs).values()} == {Unchanged}
        assert not node.journal.pending
        assert Node.here(tmp_path).objects(graphs) == node.objects(graphs)

    apart(work)


def test_one_more_resource_is_one_more_peer_and_its_routes(tmp_path: Path) -> None:
    def work() -> None:
        node = Node.here(tmp_path)
        node.converged(node.graphs(FLEET))
        operations = watch(node.kernel)
        node.converged(node.graphs(GROWN))
        assert {operation.verb for operation in operations} == {"add"}
        kinds = sorted(operation.key.kind for operation in operations if operation.owner != "node")
        assert kinds == ["route", "route", "wireguard-peer"]
        assert [type(result) for result in node.converge(node.graphs(GROWN)).values()] == [Unchanged] * 3

    apart(work)


def test_a_changed_peer_is_changed_alone_and_keeps_the_device(tmp_path: Path) -> None:
    def work() -> None:
        node = Node.here(tmp_path)
        graphs = node.graphs(FLEET)
        node.converged(graphs)
        peer = next(item for item in graphs[1].objects if isinstance(item, WireGuardPeer))
        objects = [replace(item, keepalive_s=7) if item == peer else item for item in graphs[1].objects]
        changed = [graphs[0], Graph.of(graphs[1].owner, objects, graphs[1].edges), graphs[2]]
        operations = watch(node.kernel)
        node.converged(changed)
        assert [(operation.verb, operation.key) for operation in operations] == [("change", peer.key)]
        assert {type(result) for result in node.converge(changed).values()} == {Unchanged}

    apart(work)


def test_a_foreign_link_that_appears_meanwhile_takes_the_network_back(tmp_path: Path) -> None:
    def work() -> None:
        node = Node.here(tmp_path)
        alone = node.graphs(replace(FLEET, networks=(SHOP,)))
        node.converged(alone)
        before = node.objects(alone)
        graphs = node.graphs(FLEET)
        web = next(graph for graph in graphs if graph.owner == netid("acme", "web"))
        made = plan(web, observe(graphs, node.kernel))
        taken = transit_name(web.owner)
        run("ip", "-n", "tnet-nat", "link", "add", taken, "type", "bridge")
        result = Applier(node.kernel, node.journal).apply(made)
        assert isinstance(result, RolledBack) and "EEXIST" in result.reason, result
        assert node.objects(alone) == before
        assert isinstance(node.converge(graphs)[web.owner], Refused)
        assert "bridge" in run("ip", "-n", "tnet-nat", "-d", "link", "show", taken)
        run("ip", "-n", "tnet-nat", "link", "delete", taken)
        node.converged(graphs)

    apart(work)


def test_removal_leaves_nothing(tmp_path: Path) -> None:
    def work() -> None:
        before = run("ip", "-o", "link")
        node = Node.here(tmp_path)
        node.converged(node.graphs(FLEET))
        node.converged([Graph.of("node", ())])
        assert run("ip", "netns") == ""
        assert node.objects([]) == {}
        assert sorted(_names(run("ip", "-o", "link"))) == sorted(_names(before))
        assert not list(Path("/run/tnet").rglob("*.pid"))
        assert run("nft", "list", "tables") == ""

    apart(work)


def _names(links: str) -> list[str]:
    return [line.split(":")[1].strip() for line in links.splitlines()]
