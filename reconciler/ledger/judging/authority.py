"""Who may change what: the delegation from root to farmers and tenants, deny by default.

    path                                  its owner
    trust/policy.yaml                     root, by the policy in effect and by the new one
    trust/suspensions/                    root
    farms/<farm>/farm.yaml                created and removed: root; changed: the farm
    farms/<farm>/nodes/, grants/          the farm
    tenants/<xx>/<tenant>/tenant.yaml     created: root (with the tenant's proofs); else the tenant
    tenants/<xx>/<tenant>/networks/       the tenant

The owner's document names who signs. The first of its rules that matches the path replaces them there, but
never for the document itself. "Root", "the farm" and "the tenant" are those of the documents in effect before
the transaction. A locked-out tenant gets new keys from root: see `approval`.

See docs/spec/ledger.md, sections 8 and 10.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from reconciler.ledger.judging.keyring import Keyring, role_of, ruled_role_of
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.signatures import keys
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.verdict import Reason, Signer
from reconciler.model import paths
from reconciler.model.documents import Farm, Policy, Signers, Suspension, Tenant
from reconciler.model.model import Model
from reconciler.model.paths import Place
from reconciler.model.signers import Naming, own_signers, signers_for


@dataclass(frozen=True, slots=True)
class Quorum:
    """So many distinct principals of these must approve. `title` names them all for people.

    What the commits in `withdrawn` approved counts no longer.
    """

    role: str
    signers: Signers
    title: str = ""
    withdrawn: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.title or self.role

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


def root_quorum(model: Model) -> Quorum:
    """Root, by the policy in effect."""
    return quorum_of(policy_of(model))


def quorum_of(document: Naming) -> Quorum:
    """The document's own signers."""
    return Quorum(role_of(document), own_signers(document), withdrawn=frozenset(document.spec.withdrawn))


def quorum_for(model: Model, path: str, place: Place, exists: bool, stays: bool) -> Quorum:
    """Who has to approve a change of this document, by the documents in effect. Raises `Rejected`."""
    owner_path = _owner_path(path, place, exists, stays)
    owner = model.documents.get(owner_path)
    if owner is None:
        raise Rejected(Reason.NO_RULE, f"{path}: nobody may change it, because {owner_path} is not in effect")
    assert isinstance(owner, Naming)
    return quorum_of(owner) if owner_path == path else _by_its_word(owner, owner_path, path)


def _owner_path(path: str, place: Place, exists: bool, stays: bool) -> str:
    """The document that names who may change this one."""
    if place.kind in (Policy, Suspension):
        return paths.POLICY_PATH
    if place.kind is Farm:
        return path if exists and stays else paths.POLICY_PATH
    if place.kind is Tenant:
        return path if exists else paths.POLICY_PATH
    return paths.farm_path(place.farm) if place.farm else paths.tenant_path(place.tenant)


def _by_its_word(owner: Naming, owner_path: str, path: str) -> Quorum:
    """Whom the owner's first rule that matches the path names, otherwise the owner's own signers."""
    own, signers = quorum_of(owner), signers_for(owner, path)
    if signers is own.signers:
        return own
    title = f"those whom a rule of {owner_path} names"
    return replace(own, role=ruled_role_of(owner), signers=signers, title=title)


def require_named(quorum: Quorum, key: PublicKey, path: str, keyring: Keyring) -> Signer:
    """The principal of the quorum whose key this is. Raises `Rejected`."""
    signer = quorum.signer(key)
    if signer is not None:
        return signer
    known = keyring.roles(key)
    if not known:
        raise Rejected(Reason.UNKNOWN_KEY, f"{path}: nobody is known by the key {key.fingerprint}")
    who = ", ".join(str(role) for role in known)
    raise Rejected(Reason.NOT_AUTHORIZED, f"{path}: {who} signed it, and it is for {quorum} to change")


def require_quorum(quorum: Quorum, approvals: Collection[PublicKey], path: str) -> tuple[Signer, ...]:
    """The principals who approve, if they are enough. Raises `Rejected`."""
    approving = quorum.approving(approvals)
    needed = quorum.signers.threshold
    if len(approving) < needed:
        who = ", ".join(sorted(approving)) or "nobody"
        raise Rejected(Reason.THRESHOLD, f"{path}: {needed} of {quorum} have to approve, and only {who} did")
    return tuple(approving.values())
