"""The private keys behind whatever model is in force now, and behind the one before it."""

from __future__ import annotations

from reconciler.host.identity import Identity, KeyRing
from reconciler.model.model import Model


class NodeKeys:
    """The kernel's SecretStore for a node that lives longer than one model.

    A change of a network's key that fails has to be taken back, so the keys of the last model stay at hand
    until the next one comes.
    """

    def __init__(self, identity: Identity, node: str) -> None:
        self._rings: tuple[KeyRing, ...] = (KeyRing(identity, Model.of({}), node),)

    def update(self, model: Model) -> None:
        """From now on keys are found in `model`, then in the one before."""
        newest = self._rings[0]
        if model is not newest.model:
            self._rings = (newest.with_model(model), newest)

    def private_key(self, public_key: str) -> bytes:
        """Raises KeyError if this node has no such resource, or its key doesn't open."""
        for ring in self._rings:
            try:
                return ring.private_key(public_key)
            except KeyError:
                continue
        raise KeyError(public_key)
