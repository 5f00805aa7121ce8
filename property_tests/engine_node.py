"""A node whose kernel is the fake: two NICs, things that belong to others, and the engine over it.

`FakeNode.process()` is one life of the program: fresh transport, kernel and journal over a world and a
directory that outlive it.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from property_tests.farms import FAST_NIC, UPLINK, Fleet
from reconciler.compile.node import compile_node
from reconciler.engine.converge import converge, sysctl_keys
from reconciler.engine.journal import Journal
from reconciler.engine.result import Result
from reconciler.kernel.codec.address import add_address
from reconciler.kernel.codec.link import create_plain
from reconciler.kernel.fake import FakeTransport, boot
from reconciler.kernel.fake.world import World
from reconciler.kernel.graph import Graph, KernelObject, Observed
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import HOST, LINK_GROUP, Address, Key, WireGuard
from reconciler.model.sealing import wireguard_public_key

FOREIGN_LINKS = ("docker0", "tnet1", "br-lan")
FOREIGN_NAMESPACES = ("tnet-somebody", "blue")


class Keys:
    """Derives a private key from the name that a farm gives a public one, and finds it again."""

    def __init__(self) -> None:
        self._private: dict[str, bytes] = {}

    def real(self, name: str) -> str:
        private = hashlib.sha256(base64.b64decode(name)).digest()
        public = wireguard_public_key(private)
        self._private[public] = private
        return public

    def private_key(self, public_key: str) -> bytes:
        return self._private[public_key]


@dataclass
class Process:
    """One life of the program."""

    transport: FakeTransport
    kernel: NetlinkKernel
    journal: Journal

    def converge(self, graphs: Sequence[Graph], **options: Any) -> dict[str, Result]:
        return converge(graphs, self.kernel, self.journal, **options)


class FakeNode:
    def __init__(self, wireguard: str = "kernel") -> None:
        self.world = boot()
        self._wireguard: Any = wireguard
        self._keys = Keys()
        self._directory = tempfile.TemporaryDirectory()
        self._journal: Journal | None = None
        self._plug_in(FakeTransport(self.world))

    def _plug_in(self, transport: FakeTransport) -> None:
        for name in (UPLINK, FAST_NIC):
            _good(transport.route_request(HOST, [create_plain(name, "bridge")]))
            space, link = next((space, link) for space, link in self.world.devices() if link.name == name)
            self.world.put(space, replace(link, mtu=9216, up=True))

    def inhabit(self, links: Sequence[str], namespaces: Sequence[str]) -> None:
        """Let others have these, each link with an address."""
        transport = FakeTransport(self.world)
        for number, name in enumerate(links):
            _good(transport.route_request(HOST, [create_plain(name, "bridge")]))
            address = Address(HOST, name, ip_interface(f"198.51.{number}.1/24"))
            index = next(link.index for _, link in self.world.devices() if link.name == name)
            _good(transport.route_request(HOST, [add_address(address, index)]))
        for name in namespaces:
            transport.namespace_add(name)
            _good(transport.route_request(name, [create_plain("inside", "bridge")]))

    def process(self) -> Process:
        """The next life of the program; the one before is over."""
        if self._journal is not None:
            self._journal.close()
        self._journal = Journal(Path(self._directory.name) / "journal")
        transport = FakeTransport(self.world, self._wireguard)
        return Process(transport, NetlinkKernel(transport, self._keys), self._journal)

    def forget_journal(self) -> None:
        for file in (Path(self._directory.name) / "journal").iterdir():
            file.unlink()

    def graphs(self, fleet: Fleet, node: str) -> list[Graph]:
        """What is compiled for that node, with WireGuard keys that exist."""
        compiled = compile_node(fleet.model, node)
        parts = [part.graph for part in compiled.networks if part.graph is not None]
        return [self._with_real_keys(graph) for graph in (compiled.node, *parts)]

    def _with_real_keys(self, graph: Graph) -> Graph:
        objects = [self._with_real_key(item) for item in graph.objects]
        return Graph.of(graph.owner, objects, graph.edges)

    def _with_real_key(self, item: KernelObject) -> KernelObject:
        if isinstance(item, WireGuard):
            return replace(item, public_key=self._keys.real(item.public_key))
        return item

    def seen(self, graphs: Sequence[Graph]) -> Observed:
        """Everything, with the sysctls of these graphs."""
        transport = FakeTransport(self.world, self._wireguard)
        return NetlinkKernel(transport, self._keys).observe(sysctl_keys(graphs))


def strangers(world: World) -> dict[str, Any]:
    """All that others have: links without our mark with what is on them, and their namespaces."""
    found: dict[str, Any] = {}
    for space, link in world.devices():
        name = world.name_of(space.id)
        if link.group != LINK_GROUP and link.name != "lo" and not name.startswith("tnet-nat"):
            addresses = space.addresses4.get(link.device, ()) + space.addresses6.get(link.device, ())
            found[f"{name}/{link.name}"] = (link.kind, link.mac, link.up, link.mtu, addresses)
    return found


def owned(seen: Observed, owner: str) -> Mapping[Key, KernelObject]:
    return dict(seen.of(owner))


def owners_of(graphs: Sequence[Graph]) -> dict[str, Graph]:
    return {graph.owner: graph for graph in graphs}


def inhabitants() -> st.SearchStrategy[tuple[list[str], list[str]]]:
    """Links and namespaces of others."""
    return st.tuples(
        st.lists(st.sampled_from(FOREIGN_LINKS), unique=True),
        st.lists(st.sampled_from(FOREIGN_NAMESPACES), unique=True),
    )


def _good(acks: Sequence[Any]) -> None:
    bad = [ack for ack in acks if ack.code]
    assert not bad, bad
