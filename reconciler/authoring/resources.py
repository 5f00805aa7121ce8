"""Making network resources: free numbers, a fresh WireGuard key, its private half sealed to the node."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from reconciler.authoring.allocation import next_index, next_slot
from reconciler.authoring.errors import AuthoringError
from reconciler.model.documents import Network, Node, Resource, SealedKey, SealingKey
from reconciler.model.model import Model
from reconciler.model.sealing import SealingContext, seal


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource goes: whose network, and on which node as it is now."""

    tenant: str
    network: str
    node_ref: str
    node: Node


def new_resource(model: Model, tenant: str, network: Network, node_ref: str) -> Resource:
    """A resource of `network` on `node_ref` ("farm/node") with the next free numbers and a fresh key.

    Raises AuthoringError when there is no such node, or the network has a resource on it already.
    """
    if any(resource.node == node_ref for resource in network.spec.resources):
        raise AuthoringError(f"{tenant}/{network.metadata.name} has a resource on {node_ref} already")
    place = _place(model, tenant, network.metadata.name, node_ref)
    return _sealed(place, next_index(network), next_slot(model, node_ref))


def reseal(model: Model, tenant: str, network: Network) -> Network:
    """The network with fresh WireGuard keys for all resources, sealed to the nodes as they are now."""
    name = network.metadata.name
    resources = tuple(
        _sealed(_place(model, tenant, name, resource.node), resource.index, resource.slot)
        for resource in network.spec.resources
    )
    return replace(network, spec=replace(network.spec, resources=resources))


def _place(model: Model, tenant: str, network: str, node_ref: str) -> Place:
    node = model.node(node_ref)
    if node is None:
        raise AuthoringError(
            f"there is no node {node_ref}",
            "name it FARM/NODE; nodes are the files under farms/FARM/nodes/ that are in effect",
        )
    return Place(tenant, network, node_ref, node)


def _sealed(place: Place, index: int, slot: int) -> Resource:
    private = X25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    sealing_key = current_sealing_key(place.node)
    context = SealingContext(place.tenant, place.network, place.node.spec.id, sealing_key.id, public)
    ciphertext = seal(base64.b64decode(sealing_key.key), context, private.private_bytes_raw())
    return Resource(
        node=place.node_ref,
        node_id=place.node.spec.id,
        index=index,
        slot=slot,
        public_key=public,
        sealed=SealedKey(key=sealing_key.id, ciphertext=base64.b64encode(ciphertext).decode()),
    )


def current_sealing_key(node: Node) -> SealingKey:
    """The key to seal to: the first one that the node lists."""
    return node.spec.sealing_keys[0]
