"""Whose key is it: every key that the effective documents name, with the roles it stands in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from immutables import Map

from reconciler.ledger import keys
from reconciler.ledger.keys import PublicKey
from reconciler.ledger.verdict import Signer
from reconciler.model.documents import Document, Farm, Policy, Signers, Tenant


def signers_of(document: Document | None) -> Signers | None:
    """Who signs by this document's word; None for kinds that name nobody."""
    if isinstance(document, Policy):
        return document.spec.root
    if isinstance(document, Farm):
        return document.spec.farmers
    if isinstance(document, Tenant):
        return document.spec.signers
    return None


def role_of(document: Document) -> str:
    """In what role the document's signers sign: `root`, `farm <name>`, `tenant <name>`."""
    if isinstance(document, Policy):
        return "root"
    return f"{document.__class__.__name__.lower()} {document.metadata.name}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The roles of each key, kept in step with the effective documents."""

    _roles: Map[bytes, frozenset[Signer]] = field(default_factory=Map)

    def roles(self, key: PublicKey) -> tuple[Signer, ...]:
        """In which roles this key may sign for something, in a fixed order; none for an unknown key."""
        found = self._roles.get(key.blob, frozenset())
        return tuple(sorted(found, key=lambda signer: (signer.role, signer.principal)))

    def with_changes(self, changes: Iterable[tuple[Document | None, Document | None]]) -> Keyring:
        """After these documents (old, new) have taken each other's place."""
        roles = self._roles.mutate()
        for old, new in changes:
            for blob, signer in _named(old):
                left = roles[blob] - {signer}
                if left:
                    roles[blob] = left
                else:
                    del roles[blob]
            for blob, signer in _named(new):
                roles[blob] = roles.get(blob, frozenset()) | {signer}
        return Keyring(roles.finish())


def _named(document: Document | None) -> set[tuple[bytes, Signer]]:
    signers = signers_of(document)
    if document is None or signers is None:
        return set()
    role = role_of(document)
    return {
        (key.blob, Signer(role, principal.name, key.fingerprint))
        for principal in signers.principals
        for key in map(keys.from_text, principal.keys)
    }
