"""A farm of three nodes with a fast network, and as many tenant networks over all three as asked for.

All links are VXLAN: where the kernel has no WireGuard, that would take a process a network and measure
the starting of processes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence

from reconciler.compile.node import NodeGraph, compile_node
from reconciler.kernel.graph import Graph
from reconciler.model.documents import (
    Document,
    Farm,
    FarmSpec,
    FastNetwork,
    FastPort,
    Grant,
    GrantSpec,
    Metadata,
    Network,
    NetworkSpec,
    Node,
    NodeSpec,
    PortRange,
    Principal,
    Resource,
    SealedKey,
    SealingKey,
    Signers,
    Tenant,
    TenantSpec,
)
from reconciler.model.model import Model
from reconciler.model.paths import farm_path, grant_path, network_path, node_ref_path, tenant_path

NODES = ("n1", "n2", "n3")
HERE = "farm/n1"
UPLINK, FAST_NIC = "uplink0", "fast0"
FAST_PREFIX, FAST_ADDRESS = "10.99.0.0/24", "10.99.0.1"
TENANT = "tenant"

_NOBODY = Signers((Principal("nobody", ("ssh-ed25519 AAAA",)),))


def farm_documents() -> dict[str, Document]:
    """Everything but the networks."""
    spec = FarmSpec(_NOBODY, PortRange(20000, 40000), FastNetwork(FAST_PREFIX))
    return {
        farm_path("farm"): Farm("tnet/v1", Metadata("farm"), spec),
        grant_path("farm", TENANT): Grant("tnet/v1", Metadata(TENANT), GrantSpec(65535)),
        tenant_path(TENANT): Tenant("tnet/v1", Metadata(TENANT), TenantSpec(_NOBODY)),
        **{node_ref_path(f"farm/{name}"): _node(name, place) for place, name in enumerate(NODES, 1)},
    }


def network_document(number: int, nodes: Sequence[str] = NODES) -> dict[str, Network]:
    """Network `number`, from 1, as a document at its path."""
    name = f"net{number}"
    resources = tuple(_resource(name, node, index, number) for index, node in enumerate(nodes, 1))
    ula = f"fd{number >> 16 & 0xFF:02x}:{number & 0xFFFF:x}:1::/48"
    spec = NetworkSpec("10.0.0.0/16", ula, resources, (), {"farm": number})
    return {network_path(TENANT, name): Network("tnet/v1", Metadata(name), spec)}


def without_third(number: int) -> dict[str, Network]:
    """Network `number` on two nodes only."""
    return network_document(number, NODES[:2])


def model(numbers: Iterable[int]) -> Model:
    """The farm with the networks of these numbers."""
    documents = farm_documents()
    for number in numbers:
        documents |= network_document(number)
    return Model.of(documents)


def graphs(of: Model) -> list[Graph]:
    """What node n1 should have: its own graph first."""
    return node_graphs(compile_node(of, HERE))


def node_graphs(compiled: NodeGraph) -> list[Graph]:
    parts = [part.graph for part in compiled.networks if part.graph is not None]
    return [compiled.node, *parts]


def _node(name: str, place: int) -> Node:
    spec = NodeSpec(
        id=_unique(name),
        reachability="public",
        uplink=UPLINK,
        sealing_keys=(SealingKey(_unique(f"sealing {name}"), "AAAA"),),
        endpoints=(f"192.0.2.{place}",),
        fast=FastPort(FAST_NIC, f"10.99.0.{place}"),
    )
    return Node("tnet/v1", Metadata(name), spec)


def _resource(network: str, node: str, index: int, slot: int) -> Resource:
    key = base64.b64encode(hashlib.sha256(f"{network} {node}".encode()).digest()).decode()
    sealed = SealedKey(_unique(f"sealing {node}"), "AAAA")
    return Resource(f"farm/{node}", _unique(node), index, slot, key, sealed)


def _unique(seed: str) -> str:
    return base64.b32encode(hashlib.sha256(seed.encode()).digest())[:26].decode().lower()
