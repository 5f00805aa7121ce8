"""Every table that compile makes is taken by nft and listed back as what it was."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from property_tests.farms import FarmSketch, Fleet, NetworkSketch, NodeSketch, ResourceSketch
from reconciler.compile.node import compile_node
from reconciler.kernel.nft_json import LIST_TABLES, add_table, decode_tables
from reconciler.kernel.nftables import NftTable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

FLEET = Fleet(
    farms=(FarmSketch("paris", 1500), FarmSketch("lyon", 1500, fast_ipv6=True)),
    nodes_=(
        NodeSketch("paris", "p1", public=True, fast=True),
        NodeSketch("paris", "p2", public=False, fast=True, ipv6_endpoint=True),
        NodeSketch("lyon", "p1", public=False, fast=True),
        NodeSketch("lyon", "p2", public=True, fast=True, ipv6_endpoint=True),
    ),
    networks=(
        NetworkSketch(
            "acme",
            "web",
            "10.1.0.0/16",
            "fd01:1:1::/48",
            tuple(
                ResourceSketch(f"{farm}/{name}", index, 1)
                for index, (farm, name) in enumerate(
                    (("paris", "p1"), ("paris", "p2"), ("lyon", "p1"), ("lyon", "p2")), 1
                )
            ),
            ("paris/p1",),
        ),
    ),
)


def _tables(node: str) -> Iterator[NftTable]:
    compiled = compile_node(FLEET.model, node)
    graphs = [compiled.node, *(part.graph for part in compiled.networks if part.graph is not None)]
    return (item for graph in graphs for item in graph.objects if isinstance(item, NftTable))


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"t{os.getpid()}-nft"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def _nft(namespace: str, document: str) -> str:
    argv = ["ip", "netns", "exec", namespace, "nft", "-j", "-f", "-"]
    done = subprocess.run(argv, input=document, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("node", FLEET.nodes)
def test_tables_come_back_as_they_were_made(namespace: str, node: str) -> None:
    for table in _tables(node):
        _nft(namespace, add_table(table))
        assert decode_tables(table.namespace, _nft(namespace, LIST_TABLES)) == {table.name: table}
        subprocess.run(["ip", "netns", "exec", namespace, "nft", "flush", "ruleset"], check=True)
