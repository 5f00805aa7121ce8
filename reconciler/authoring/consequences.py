"""What an edit would suspend, and what it would let run again: said before somebody's network stops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.documents import Document
from reconciler.model.model import Model
from reconciler.model.suspension import suspensions

MOST_SHOWN = 20
"""Lines for people; a farm may carry thousands of networks."""

NetworkName = tuple[str, str]
"""Tenant and network."""


def on_farm(model: Model, farm: str) -> set[NetworkName]:
    """The networks with a resource on one of the farm's nodes."""
    return {name for node, _ in model.nodes_in(farm) for name in on_node(model, f"{farm}/{node}")}


def on_node(model: Model, node: str) -> set[NetworkName]:
    return {(tenant, network.metadata.name) for tenant, network in model.networks_on(node)}


def of_tenant(model: Model, tenant: str) -> set[NetworkName]:
    return {(tenant, network.metadata.name) for network in model.networks_of(tenant)}


def consequences(
    model: Model, documents: Mapping[str, Document | None], networks: Iterable[NetworkName]
) -> tuple[str, ...]:
    """A sentence for each resource of these networks that stops or runs again with these documents."""
    lines = list(_lines(model, model.with_changes(documents), sorted(networks)))
    left = len(lines) - MOST_SHOWN
    return (*lines[:MOST_SHOWN], f"and {left} more like these") if left > 0 else tuple(lines)


def _lines(before: Model, after: Model, networks: Iterable[NetworkName]) -> Iterator[str]:
    for tenant, name in networks:
        old, new = suspensions(before, tenant, name), suspensions(after, tenant, name)
        yield from (
            f"suspends {tenant}/{name} on {node}: {new[node]}" for node in sorted(new.keys() - old.keys())
        )
        yield from (f"{tenant}/{name} runs again on {node}" for node in sorted(old.keys() - new.keys()))
