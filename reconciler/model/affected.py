"""Whose NRs may stop or start running when documents change, found by the indexes alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reconciler.model.documents import Farm, Network, Node, Policy
from reconciler.model.model import Model
from reconciler.model.paths import Place, place_of

NetworkName = tuple[str, str]
"""Tenant and network."""


def affected(old: Model, new: Model, paths: Collection[str]) -> frozenset[NetworkName]:
    """The networks whose `suspensions` may differ between two models that differ at `paths` only.

    None is missing. Where more stands on a farm's open grant than it has, all networks of that farm count.
    """
    found: set[NetworkName] = set()
    for path in paths:
        place = place_of(path)
        if place is not None:
            for model in (old, new):
                found.update(_names(_standing_on(model, place)))
            for farm in _farms(old, path, place) | _farms(new, path, place):
                if _is_crowded(old, farm) or _is_crowded(new, farm):
                    found.update(_names(old.networks_in(farm)), _names(new.networks_in(farm)))
    return frozenset(found)


def _names(networks: Iterator[tuple[str, Network]]) -> Iterator[NetworkName]:
    return ((tenant, network.metadata.name) for tenant, network in networks)


def _standing_on(model: Model, place: Place) -> Iterator[tuple[str, Network]]:
    if place.kind is Policy:
        return iter(())
    if place.kind is Farm:
        return model.networks_in(place.farm)
    if place.kind is Node:
        return model.networks_on(f"{place.farm}/{place.name}")
    return ((place.tenant, network) for network in model.networks_of(place.tenant))


def _farms(model: Model, path: str, place: Place) -> frozenset[str]:
    """Where this document counts for what others may hold by an open grant."""
    document = model.documents.get(path)
    if isinstance(document, Network):
        return frozenset(nr.node.partition("/")[0] for nr in document.spec.resources)
    return frozenset({place.farm} - {""})


def _is_crowded(model: Model, farm: str) -> bool:
    site = model.farm(farm)
    shared = None if site is None else site.spec.open_grant
    return shared is not None and model.open_resource_count(farm) > shared.max_resources
