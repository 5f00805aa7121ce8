"""Whose key is it: every key that the effective documents name, with the roles it stands in.

The keys of witnesses are not among them: they sign checkpoints, and no transaction.

See docs/spec/ledger.md, section 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from immutables import Map

from reconciler.ledger.signatures import keys
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.verdict import Signer
from reconciler.model.documents import Document, Policy, Principal
from reconciler.model.signers import Naming, all_principals, own_signers

RULED_BY_POLICY = "policy"
"""The role of those whom only a rule of the policy names: they are not root."""


def role_of(document: Naming) -> str:
    """In what role the document's own signers sign: `root`, `farm <name>`, `tenant <name>`."""
    if isinstance(document, Policy):
        return "root"
    return f"{document.__class__.__name__.lower()} {document.metadata.name}"


def ruled_role_of(document: Naming) -> str:
    """In what role those sign whom a rule of the document names."""
    return RULED_BY_POLICY if isinstance(document, Policy) else role_of(document)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The roles of each key, kept in step with the effective documents."""

    _roles: Map[bytes, frozenset[Signer]] = field(default_factory=Map)

    def roles(self, key: PublicKey) -> tuple[Signer, ...]:
        """In which roles this key may sign for something, in a fixed order; none for an unknown key."""
        found = self._roles.get(key.blob, frozenset())
        return tuple(sorted(found, key=lambda signer: (signer.role, signer.principal)))

    def holders(self) -> Iterator[tuple[PublicKey, tuple[Signer, ...]]]:
        """Every key that is named, with its roles."""
        for blob in self._roles:
            key = keys.from_wire(blob)
            yield key, self.roles(key)

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
    return {
        (key.blob, Signer(role, principal.name, key.fingerprint))
        for role, principal in _principals(document)
        for key in map(keys.from_text, principal.keys)
    }


def _principals(document: Document | None) -> Iterator[tuple[str, Principal]]:
    """Everybody whom the document names, with the role; whom it names twice in the first of both."""
    if isinstance(document, Naming):
        own = {principal.name for principal in own_signers(document).principals}
        for principal in all_principals(document):
            yield role_of(document) if principal.name in own else ruled_role_of(document), principal
