"""The worked example in docs/spec/data-plane.md is what compile makes of example-repo/.

    python -m tests.unit.compile.test_spec_example

writes it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.compile.names import NAT_NAMESPACE
from reconciler.compile.node import NodeGraph, compile_node
from reconciler.kernel.graph import Graph
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import HOST, Namespace, Sysctl, WireGuard, WireGuardPeer
from reconciler.model.loader import load
from reconciler.model.model import Model
from tests.integration.compile_text import Setting, commands, nft_text

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "spec" / "data-plane.md"
EXAMPLES = ("commands", "resource", "nat", "node")
_BLOCK = re.compile(r"(<!-- example: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _compiled() -> NodeGraph:
    repository = ROOT / "example-repo"
    files = {str(path.relative_to(repository)): path for path in repository.rglob("*.yaml")}
    model = Model.of({name: load(name, path.read_bytes()) for name, path in files.items()})
    return compile_node(model, "paris/p1")


def _resource(compiled: NodeGraph) -> Graph:
    graph = compiled.networks[0].graph
    assert graph is not None
    return graph


def _table(graph: Graph, namespace: str) -> str:
    tables = (item for item in graph.objects if isinstance(item, NftTable) and item.namespace == namespace)
    return nft_text(next(tables))


def _commands(graph: Graph) -> str:
    """Without namespaces, sysctls and tables, which have sections of their own, and without keys."""
    left_out = (Namespace, Sysctl, NftTable, WireGuard, WireGuardPeer)
    shown = Graph.of(graph.owner, (item for item in graph.objects if not isinstance(item, left_out)))
    lines = (line.strip() for line in commands(shown, Setting(lambda name: name)))
    return "\n".join(re.sub(r"(ip|bridge) -n  ", r"\1 ", line) for line in lines)


def example(name: str) -> str:
    compiled = _compiled()
    graph = _resource(compiled)
    if name == "commands":
        return _commands(graph)
    if name == "resource":
        return _table(graph, f"tnet-{graph.owner}")
    return _table(compiled.node, NAT_NAMESPACE if name == "nat" else HOST)


def _block(name: str) -> str:
    return f"```\n{example(name)}\n```\n"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_shows_what_compile_makes(name: str) -> None:
    found = {match[2]: match[0] for match in _BLOCK.finditer(PAGE.read_text())}
    assert _block(name) in found[name], "write the page anew: python -m tests.unit.compile.test_spec_example"


if __name__ == "__main__":
    PAGE.write_text(_BLOCK.sub(lambda match: match[1] + _block(match[2]) + match[3], PAGE.read_text()))
