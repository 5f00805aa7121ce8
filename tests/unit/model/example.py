"""The example repository as a test's starting point: true texts to spoil, true documents to change."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from reconciler.model.documents import Document, Farm, Grant, Network, Node
from reconciler.model.loader import load
from reconciler.model.model import Model

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "example-repo"

POLICY = "trust/policy.yaml"
PARIS, LYON = "farms/paris/farm.yaml", "farms/lyon/farm.yaml"
P1, P2 = "farms/paris/nodes/p1.yaml", "farms/paris/nodes/p2.yaml"
L1, L2 = "farms/lyon/nodes/l1.yaml", "farms/lyon/nodes/l2.yaml"
PARIS_ACME, LYON_ACME = "farms/paris/grants/acme.yaml", "farms/lyon/grants/acme.yaml"
LYON_GLOBEX = "farms/lyon/grants/globex.yaml"
ACME, GLOBEX = "tenants/ac/acme/tenant.yaml", "tenants/gl/globex/tenant.yaml"
WEB, SHOP = "tenants/ac/acme/networks/web.yaml", "tenants/gl/globex/networks/shop.yaml"

_Kind = TypeVar("_Kind", bound=Document)


@cache
def texts() -> dict[str, str]:
    """Every governed file of the example by its path in the repository."""
    files = sorted(EXAMPLE.rglob("*.yaml"))
    return {str(file.relative_to(EXAMPLE)): file.read_text() for file in files}


@cache
def documents() -> dict[str, Document]:
    return {path: load(path, text.encode()) for path, text in texts().items()}


@cache
def model() -> Model:
    return Model.of(documents())


def document(path: str, kind: type[_Kind]) -> _Kind:
    found = documents()[path]
    assert isinstance(found, kind)
    return found


def farm(path: str, **spec: object) -> Farm:
    """The farm with some fields of its spec changed."""
    found = document(path, Farm)
    return replace(found, spec=replace(found.spec, **spec))


def node(path: str, **spec: object) -> Node:
    found = document(path, Node)
    return replace(found, spec=replace(found.spec, **spec))


def grant(path: str, **spec: object) -> Grant:
    found = document(path, Grant)
    return replace(found, spec=replace(found.spec, **spec))


def network(path: str, **spec: object) -> Network:
    found = document(path, Network)
    return replace(found, spec=replace(found.spec, **spec))


def resource_changed(path: str, number: int, **fields: object) -> Network:
    """The network with some fields of one of its NRs changed."""
    resources = list(document(path, Network).spec.resources)
    resources[number] = replace(resources[number], **fields)
    return network(path, resources=tuple(resources))
