"""Nodes, as their farmer writes them down from what the host says of itself."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.authoring.change import Change
from reconciler.authoring.consequences import consequences, on_node
from reconciler.authoring.errors import AuthoringError, NothingToDo
from reconciler.model import paths
from reconciler.model.documents import Metadata, Node, NodeSpec
from reconciler.model.model import Model


def add_node(model: Model, farm: str, name: str, spec: NodeSpec, *, replace_host: bool = False) -> Change:
    """A new node, or the same host described anew (a farmer signs).

    Another host under a known name needs `replace_host`: networks there stay suspended until they are
    sealed to it again.
    """
    if model.farm(farm) is None:
        raise AuthoringError(f"there is no farm {farm}", f"root adds it: tnet farm add {farm} …")
    path = paths.node_path(farm, name)
    before = model.node(f"{farm}/{name}")
    if before is None:
        node = Node(api_version="tnet/v1", metadata=Metadata(name=name), spec=spec)
        return Change(f"node {farm}/{name}: add", {path: node})
    if before.spec == spec:
        raise NothingToDo(f"{path} says this already")
    if before.spec.id != spec.id and not replace_host:
        raise AuthoringError(
            f"{farm}/{name} is another host: its unique id is {before.spec.id}, the file's is {spec.id}",
            "choose another name, or --replace: networks on it then need `tnet network reseal`",
        )
    return Change(f"node {farm}/{name}: change", {path: replace(before, spec=spec)})


def remove_node(model: Model, farm: str, name: str) -> Change:
    """No such node any more (a farmer signs), whatever hangs on it."""
    ref = f"{farm}/{name}"
    if model.node(ref) is None:
        raise AuthoringError(f"there is no node {ref} in effect", _known(model, farm))
    documents = {paths.node_path(farm, name): None}
    return Change(f"node {ref}: remove", documents, consequences(model, documents, on_node(model, ref)))


def _known(model: Model, farm: str) -> str:
    names = ", ".join(f"{farm}/{name}" for name, _ in model.nodes_in(farm))
    return f"{farm} has: {names}" if names else f"{farm} has no nodes"
