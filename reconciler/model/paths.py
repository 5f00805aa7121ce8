"""Where each document lies in the repository, and what a path says of the document there.

The way between names and paths is one to one in both directions: a document has one place, and a path
that is not exactly that place is not governed. `misplaced` recognises the near misses, for a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from reconciler.model.documents import Document, Farm, Grant, Network, Node, Policy, Suspension, Tenant

POLICY_PATH = "trust/policy.yaml"
POLICY_NAME = "policy"
"""`metadata.name` of the one policy."""

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_SHAPES: tuple[tuple[type[Document], re.Pattern[str]], ...] = tuple(
    (kind, re.compile(shape.replace("LABEL", _LABEL)))
    for kind, shape in (
        (Policy, r"trust/(?P<name>policy)\.yaml"),
        (Suspension, r"trust/suspensions/(?P<tenant>(?P<name>LABEL))\.yaml"),
        (Farm, r"farms/(?P<farm>(?P<name>LABEL))/farm\.yaml"),
        (Node, r"farms/(?P<farm>LABEL)/nodes/(?P<name>LABEL)\.yaml"),
        (Grant, r"farms/(?P<farm>LABEL)/grants/(?P<tenant>(?P<name>LABEL))\.yaml"),
        (Tenant, r"tenants/(?P<shard>..)/(?P<tenant>(?P<name>LABEL))/tenant\.yaml"),
        (Network, r"tenants/(?P<shard>..)/(?P<tenant>LABEL)/networks/(?P<name>LABEL)\.yaml"),
    )
)
_LOOKS_GOVERNED = re.compile(r"(trust|farms|tenants)/.+\.(yaml|yml|json)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """What a path says: the kind, the document's name, and the farm or tenant it belongs to ("" if none)."""

    kind: type[Document]
    name: str
    farm: str = ""
    tenant: str = ""


def shard(tenant: str) -> str:
    """The directory between `tenants/` and the tenant's own: the first two characters of its name."""
    return tenant[:2]


def suspension_path(tenant: str) -> str:
    return f"trust/suspensions/{tenant}.yaml"


def farm_path(farm: str) -> str:
    return f"farms/{farm}/farm.yaml"


def node_path(farm: str, node: str) -> str:
    return f"farms/{farm}/nodes/{node}.yaml"


def node_ref_path(ref: str) -> str:
    """The path of a node given as `<farm>/<node>`."""
    farm, _, node = ref.partition("/")
    return node_path(farm, node)


def grant_path(farm: str, tenant: str) -> str:
    return f"farms/{farm}/grants/{tenant}.yaml"


def tenant_path(tenant: str) -> str:
    return f"tenants/{shard(tenant)}/{tenant}/tenant.yaml"


def network_path(tenant: str, network: str) -> str:
    return f"tenants/{shard(tenant)}/{tenant}/networks/{network}.yaml"


@lru_cache(maxsize=65536)
def place_of(path: str) -> Place | None:
    """What a governed path says; None for a path where no document can lie."""
    for kind, shape in _SHAPES:
        match = shape.fullmatch(path)
        if match is not None:
            return _checked_place(kind, match.groupdict())
    return None


def _checked_place(kind: type[Document], found: dict[str, str]) -> Place | None:
    tenant = found.get("tenant", "")
    if "shard" in found and (len(tenant) < 2 or found["shard"] != shard(tenant)):
        return None
    if kind is Suspension and len(tenant) < 2:
        return None
    return Place(kind, found["name"], found.get("farm", ""), tenant)


def path_of(place: Place) -> str:
    """The inverse of `place_of`."""
    if place.kind is Policy:
        return POLICY_PATH
    if place.kind is Suspension:
        return suspension_path(place.tenant)
    if place.kind is Farm:
        return farm_path(place.farm)
    if place.kind is Node:
        return node_path(place.farm, place.name)
    if place.kind is Grant:
        return grant_path(place.farm, place.tenant)
    if place.kind is Tenant:
        return tenant_path(place.tenant)
    return network_path(place.tenant, place.name)


def kind_for_path(path: str) -> type[Document] | None:
    """The kind of document that lies at `path`; None if nothing there is governed."""
    place = place_of(path)
    return None if place is None else place.kind


def misplaced(path: str) -> str | None:
    """Why a path that looks like a document's is nevertheless ignored, as a sentence; None if it doesn't."""
    if not _LOOKS_GOVERNED.fullmatch(path) or place_of(path) is not None:
        return None
    for kind, shape in _SHAPES:
        match = shape.fullmatch(path)
        if match is not None:
            return _misplaced_tenant(kind, match.groupdict())
    return f"no document belongs at {path}: names are DNS labels and files end in .yaml"


def _misplaced_tenant(kind: type[Document], found: dict[str, str]) -> str:
    tenant = found["tenant"]
    if len(tenant) < 2:
        return f"the tenant's name {tenant!r} is too short: at least two characters"
    return f"it belongs at {path_of(Place(kind, found['name'], tenant=tenant))}"
