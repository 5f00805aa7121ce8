"""What a graph asks of a kernel, and what of it is missing here. Pure."""

from __future__ import annotations

from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import Bridge, Namespace, Veth, Vxlan, WireGuard
from reconciler.kernel.probe import Capabilities, Capability

_FEATURES: dict[type[KernelObject], str] = {
    Namespace: "namespaces",
    Bridge: "bridge",
    Veth: "veth",
    Vxlan: "vxlan",
    WireGuard: "wireguard",
    NftTable: "nftables",
}


def missing_features(graph: Graph, capabilities: Capabilities) -> tuple[Capability, ...]:
    """The capabilities that `graph` needs and the kernel lacks."""
    if not capabilities.missing:
        return ()
    needed = {_FEATURES.get(type(item)) for item in graph.objects}
    return tuple(capability for capability in capabilities.missing if capability.name in needed)


def explain(missing: tuple[Capability, ...]) -> str:
    """For a person: what is missing, and what to do."""
    return "; ".join(f"{capability.reason} ({capability.advice})" for capability in missing)
