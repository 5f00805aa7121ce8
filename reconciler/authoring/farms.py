"""Farms, and what their farmers grant."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reconciler.authoring.change import Change, require_new
from reconciler.authoring.consequences import consequences, on_farm
from reconciler.authoring.errors import AuthoringError, NothingToDo
from reconciler.model import paths
from reconciler.model.documents import Document, Farm, FarmSpec, Grant, GrantSpec, Metadata, OpenGrant
from reconciler.model.model import Model


def add_farm(model: Model, name: str, spec: FarmSpec) -> Change:
    """A new farm (root signs)."""
    path = paths.farm_path(name)
    require_new(model, path, f"farm {name}")
    farm = Farm(api_version="tnet/v1", metadata=Metadata(name=name), spec=spec)
    return Change(f"farm {name}: add", {path: farm})


def grant(model: Model, farm: str, tenant: str, spec: GrantSpec) -> Change:
    """What `tenant` may place on `farm` from now on, in place of what it might before (a farmer signs)."""
    if model.farm(farm) is None:
        raise AuthoringError(f"there is no farm {farm}", f"root adds it: tnet farm add {farm} …")
    path = paths.grant_path(farm, tenant)
    before = model.grant(farm, tenant)
    if before is not None and before.spec == spec:
        raise NothingToDo(f"{tenant} has this grant on {farm} already: {path}")
    metadata = before.metadata if before else Metadata(name=tenant)
    verb = "change" if before else "give"
    documents = {path: Grant(api_version="tnet/v1", metadata=metadata, spec=spec)}
    unknown = model.tenant(tenant) is None
    waits = (f"there is no tenant {tenant} yet: the grant waits for root to add it",) if unknown else ()
    notes = (*waits, *_unknown_nodes(model, farm, spec.nodes), *_on_farm(model, farm, documents))
    return Change(f"farm {farm}: {verb} grant for {tenant}", documents, notes)


def open_grant(model: Model, farm: str, spec: OpenGrant | None) -> Change:
    """What tenants without a grant of their own may place on `farm`; None: nothing (a farmer signs)."""
    path = paths.farm_path(farm)
    before = model.farm(farm)
    if before is None:
        raise AuthoringError(f"there is no farm {farm}", f"root adds it: tnet farm add {farm} …")
    if before.spec.open_grant == spec:
        raise NothingToDo(f"{farm} has " + ("this open grant already" if spec else "no open grant"))
    after = msgspec.structs.replace(before, spec=msgspec.structs.replace(before.spec, open_grant=spec))
    nodes = spec.nodes if spec else ()
    notes = (*_unknown_nodes(model, farm, nodes), *_on_farm(model, farm, {path: after}))
    return Change(f"farm {farm}: {'open' if spec else 'close'} to every tenant", {path: after}, notes)


def _unknown_nodes(model: Model, farm: str, named: tuple[str, ...]) -> tuple[str, ...]:
    known = {node for node, _ in model.nodes_in(farm)}
    return tuple(f"there is no node {farm}/{node} yet" for node in named if node not in known)


def _on_farm(model: Model, farm: str, documents: Mapping[str, Document | None]) -> tuple[str, ...]:
    return consequences(model, documents, on_farm(model, farm))


def revoke_grant(model: Model, farm: str, tenant: str) -> Change:
    """No grant of its own for `tenant` on `farm` any more (a farmer signs)."""
    path = paths.grant_path(farm, tenant)
    if model.grant(farm, tenant) is None:
        raise NothingToDo(f"{tenant} has no grant of its own on {farm}: there is no {path} in effect")
    documents = {path: None}
    notes = _on_farm(model, farm, documents)
    return Change(f"farm {farm}: revoke grant for {tenant}", documents, notes)


def remove_farm(model: Model, name: str) -> Change:
    """No such farm any more (root signs). Its nodes and grants are its farmers' and stay as they are."""
    path = paths.farm_path(name)
    if model.farm(name) is None:
        raise AuthoringError(f"there is no farm {name} in effect")
    documents = {path: None}
    nodes = [f"{name}/{node}" for node, _ in model.nodes_in(name)]
    kept = (f"its nodes stay written down, and nobody can change them: {', '.join(nodes)}",) if nodes else ()
    notes = (*kept, *_on_farm(model, name, documents))
    return Change(f"farm {name}: remove", documents, notes)
