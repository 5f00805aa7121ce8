"""The private keys behind whatever model is in force now."""

from __future__ import annotations

from reconciler.host.identity import Identity, KeyRing
from reconciler.model.model import Model


class NodeKeys:
    """The kernel's SecretStore for a node that lives longer than one model."""

    def __init__(self, identity: Identity, node: str) -> None:
        self._ring = KeyRing(identity, Model.of({}), node)

    def update(self, model: Model) -> None:
        """From now on keys are found in `model`; those that were opened and are still wanted stay open."""
        self._ring = self._ring.with_model(model)

    def private_key(self, public_key: str) -> bytes:
        """Raises KeyError if this node has no such resource, or its key doesn't open."""
        return self._ring.private_key(public_key)
