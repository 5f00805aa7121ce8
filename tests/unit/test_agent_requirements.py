"""What a kernel lacks is found before anything is built."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from reconciler.agent.requirements import explain, missing_features
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import Namespace, Vxlan
from reconciler.kernel.probe import Capabilities, Capability

NAMES = ("namespaces", "bridge", "veth", "vxlan", "vrf", "wireguard", "nftables", "tun")
VXLAN = Vxlan("ns", "x", 1450, "02:00:00:00:00:01", 7, IPv4Address("10.0.0.1"), 4789, "", "fast0")
GRAPH = Graph.of("net", (Namespace("ns"), VXLAN))


def kernel_without(*names: str) -> Capabilities:
    return Capabilities(
        {name: Capability(name, name not in names, f"no {name}", f"get {name}") for name in NAMES}
    )


def test_a_kernel_that_has_all_lacks_nothing() -> None:
    assert missing_features(GRAPH, kernel_without()) == ()


@pytest.mark.parametrize("name", ["wireguard", "vrf", "bridge"])
def test_what_a_graph_does_not_use_may_be_missing(name: str) -> None:
    assert missing_features(GRAPH, kernel_without(name)) == ()


@pytest.mark.parametrize("name", ["vxlan", "namespaces"])
def test_what_it_uses_is_named_with_what_to_do(name: str) -> None:
    assert explain(missing_features(GRAPH, kernel_without(name, "vrf"))) == f"no {name} (get {name})"
