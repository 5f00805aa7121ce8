"""Who may change what: the delegation from root to farmers and tenants, deny by default.

    trust/policy.yaml                     root, by the policy in effect and by the new one
    farms/<farm>/farm.yaml                created and removed by root, changed by the farm's farmers
    farms/<farm>/nodes/, grants/          the farm's farmers
    tenants/<xx>/<tenant>/tenant.yaml     created by root (with the tenant's proofs), else the tenant
    tenants/<xx>/<tenant>/networks/       the tenant

"The farmers", "the tenant" and "root" are those of the documents in effect before the transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from reconciler.ledger import keys
from reconciler.ledger.keyring import Keyring, role_of, signers_of
from reconciler.ledger.keys import PublicKey
from reconciler.ledger.rejected import Rejected
from reconciler.ledger.verdict import Reason, Signer
from reconciler.model import paths
from reconciler.model.documents import Document, Farm, Policy, Signers, Tenant
from reconciler.model.model import Model
from reconciler.model.paths import Place


@dataclass(frozen=True, slots=True)
class Quorum:
    """So many distinct principals of these must approve."""

    role: str
    signers: Signers

    def signer(self, key: PublicKey) -> Signer | None:
        """The principal whose key this is; None if it is nobody's here."""
        for principal in self.signers.principals:
            if any(keys.from_text(text) == key for text in principal.keys):
                return Signer(self.role, principal.name, key.fingerprint)
        return None

    def approving(self, approvals: Collection[PublicKey]) -> dict[str, Signer]:
        """The principals who approve, each once."""
        found = (self.signer(key) for key in approvals)
        return {signer.principal: signer for signer in found if signer is not None}


def policy_of(model: Model) -> Policy:
    """The policy in effect. There always is one: the anchor has it, and no transaction can remove it."""
    assert model.policy is not None
    return model.policy


def quorum_of(document: Document) -> Quorum:
    """Those whom a policy, farm or tenant names."""
    signers = signers_of(document)
    assert signers is not None
    return Quorum(role_of(document), signers)


def quorum_for(model: Model, path: str, place: Place, exists: bool, stays: bool) -> Quorum:
    """Who has to approve a change of this document, by the documents in effect. Raises `Rejected`."""
    root = quorum_of(policy_of(model))
    if place.kind is Policy:
        return root
    if place.kind is Farm:
        return quorum_of(model.documents[path]) if exists and stays else root
    if place.kind is Tenant:
        return quorum_of(model.documents[path]) if exists else root
    return _owner(model, path, place)


def _owner(model: Model, path: str, place: Place) -> Quorum:
    owner = paths.tenant_path(place.tenant) if place.farm == "" else paths.farm_path(place.farm)
    document = model.documents.get(owner)
    if document is None:
        raise Rejected(Reason.NO_RULE, f"{path}: nobody may change it, because {owner} is not in effect")
    return quorum_of(document)


def require_named(quorum: Quorum, key: PublicKey, path: str, keyring: Keyring) -> Signer:
    """The principal of the quorum whose key this is. Raises `Rejected`."""
    signer = quorum.signer(key)
    if signer is not None:
        return signer
    known = keyring.roles(key)
    if not known:
        raise Rejected(Reason.UNKNOWN_KEY, f"{path}: nobody is known by the key {key.fingerprint}")
    who = ", ".join(str(role) for role in known)
    raise Rejected(Reason.NOT_AUTHORIZED, f"{path}: {who} signed it, and it is for {quorum.role} to change")


def require_quorum(quorum: Quorum, approvals: Collection[PublicKey], path: str) -> tuple[Signer, ...]:
    """The principals who approve, if they are enough. Raises `Rejected`."""
    approving = quorum.approving(approvals)
    needed = quorum.signers.threshold
    if len(approving) < needed:
        who = ", ".join(sorted(approving)) or "nobody"
        raise Rejected(
            Reason.THRESHOLD,
            f"{path}: {needed} of {quorum.role} have to approve, and only {who} did",
        )
    return tuple(approving.values())
