"""What two models compile differently, found without compiling what they have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from reconciler.compile.part import grounds
from reconciler.model.affected import NetworkName, affected
from reconciler.model.documents import Farm, Node
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Concerned:
    """`networks` gives, by node, those whose part there may differ. With `nodes_themselves` the nodes' own
    graphs may differ, on any node: each knows the endpoints of all."""

    networks: Mapping[str, Set[NetworkName]]
    nodes_themselves: bool


def concerned(old: Model, new: Model) -> Concerned:
    """What has to be compiled of both models to see how they differ."""
    paths = list(changed_paths(old, new))
    by_node: dict[str, set[NetworkName]] = {}
    for name in _changed_networks(old, new, paths):
        for node in {*_nodes_of(old, name), *_nodes_of(new, name)}:
            by_node.setdefault(node, set()).add(name)
    return Concerned(by_node, any(_is_of_nodes(path, old, new) for path in paths))


def changed_paths(old: Model, new: Model) -> Iterator[str]:
    """Where the two hold different documents."""
    for path, document in new.documents.items():
        before = old.documents.get(path)
        if before is not document and before != document:
            yield path
    yield from (path for path in old.documents if path not in new.documents)


def _is_of_nodes(path: str, old: Model, new: Model) -> bool:
    return any(isinstance(model.documents.get(path), Farm | Node) for model in (old, new))


def _changed_networks(old: Model, new: Model, paths: Collection[str]) -> Iterator[NetworkName]:
    for name in affected(old, new, paths):
        if _grounds_of(old, name) != _grounds_of(new, name):
            yield name


def _grounds_of(model: Model, name: NetworkName) -> tuple[object, ...] | None:
    network = model.network(*name)
    return None if network is None else grounds(model, name[0], network)


def _nodes_of(model: Model, name: NetworkName) -> Iterator[str]:
    network = model.network(*name)
    return (resource.node for resource in (network.spec.resources if network is not None else ()))
