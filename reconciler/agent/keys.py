"""The private keys behind whatever model is in force now, and behind the one before it."""

from __future__ import annotations

import logging
from pathlib import Path

from reconciler.host.identity import Identity, IdentityError, KeyRing
from reconciler.model.model import Model

log = logging.getLogger(__name__)


class NodeKeys:
    """The kernel's SecretStore for a node that lives longer than one model.

    A change of a network's key that fails has to be taken back, so the keys of the last model stay at hand
    until the next one comes. The identity may change under a running agent (a fresh sealing key, a backup
    put back), so it is read again when a key is missing.
    """

    def __init__(self, directory: Path, node: str) -> None:
        """Raises IdentityError if there is no identity at `directory`."""
        self._directory = directory
        self._rings: tuple[KeyRing, ...] = (KeyRing(Identity.load(directory), Model.of({}), node),)

    def update(self, model: Model) -> None:
        """From now on keys are found in `model`, then in the one before."""
        newest = self._rings[0]
        if model is not newest.model:
            self._rings = (newest.with_model(model), newest)

    def other_host(self, model: Model) -> str:
        """Why this host is not the one that `model` has under the node's name; "" if it is."""
        found = self._mismatch(model)
        if found:
            self._read_identity()
            found = self._mismatch(model)
        return found

    def _mismatch(self, model: Model) -> str:
        name, own = self._rings[0].node, self._rings[0].identity.node_id
        node = model.node(name)
        if node is None or node.spec.id == own:
            return ""
        return f"this host's unique id is {own}, and that of the ledger's {name} is {node.spec.id}"

    def private_key(self, public_key: str) -> bytes:
        """Raises KeyError if this node has no such resource, or its key doesn't open."""
        try:
            return self._opened(public_key)
        except KeyError:
            self._read_identity()
        return self._opened(public_key)

    def _opened(self, public_key: str) -> bytes:
        for ring in self._rings:
            try:
                return ring.private_key(public_key)
            except KeyError:
                continue
        raise KeyError(public_key)

    def _read_identity(self) -> None:
        """Take over an identity that has changed. One that can't be read leaves what is known in force."""
        newest = self._rings[0]
        try:
            identity = Identity.load(self._directory)
        except IdentityError as error:
            log.warning("the identity can't be read again: %s", error)
            return
        if identity != newest.identity:
            self._rings = (KeyRing(identity, newest.model, newest.node), *self._rings)
