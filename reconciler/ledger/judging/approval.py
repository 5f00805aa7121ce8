"""Who stands behind each change, and whether they are enough (docs/spec/ledger.md, section 8).

A commit gives one approval at most: that of the principal who signed it. All who made a path what it is must
be named for it; the last of them, and who signed a merge, approve it. So does who made what the last one
adopted as it was.

One change may be approved by others than its owner: root's threshold gives a tenant that is locked out new
keys. That is a *recovery*. It stands alone in its transaction and is marked as such for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.ledger.judging import by_forge
from reconciler.ledger.judging.authority import Quorum, quorum_for, require_named, require_quorum, root_quorum
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.provenance import Provenance, Seconding
from reconciler.ledger.judging.provider import Provider, Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import CommitId, parse_commit
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.verdict import Reason, Signer
from reconciler.model.documents import Tenant
from reconciler.model.paths import Place


@dataclass(frozen=True, slots=True)
class Approved:
    """What step 5 found: by path, the keys that approve it; as what the transaction may be accepted; and the
    commits whose signers' consent was counted."""

    keys: Mapping[str, list[PublicKey]]
    reason: Reason
    counted: frozenset[CommitId]


@dataclass(frozen=True, slots=True)
class Consent:
    """A commit, and the key whose valid signature it carries."""

    commit: CommitId
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Voices:
    """Whose consents matter for one path: the authors must all be named for it; enough must be approving.

    `seconding` knows who approves besides if they may; `consent` tells who signed a commit, if anybody did.
    """

    authors: tuple[Consent, ...]
    approving: tuple[Consent, ...]
    seconding: Seconding | None = None
    consent: Callable[[CommitId], Consent | None] = lambda commit: None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was counted for one path, and as what."""

    reason: Reason
    approving: tuple[Consent, ...]
    counted: frozenset[CommitId]


class _Authors(Protocol):
    def voices(self, claim: Touched) -> Voices:
        """Who stands behind this claim. Raises `Rejected`."""


def approvals(
    state: State,
    transaction: Transaction,
    provider: Provider,
    claims: tuple[Touched, ...],
    places: Mapping[str, Place],
    provenance: Provenance | None,
    signers: set[Signer],
) -> Approved:
    """Whose keys approve each path, after it is shown that they are enough. Raises `Rejected`.

    `provenance` is that of a merge. `signers` collects whose signatures were looked at and known, also when
    it raises.
    """
    authors: _Authors = (
        _SoleAuthor(transaction, provider)
        if provenance is None
        else _MergeAuthors(transaction, provider, provenance)
    )
    hearing = _Hearing(state, provider, signers)
    heard: dict[str, _Heard] = {}
    for claim in claims:
        heard[claim.name] = hearing.hear(claim, places[claim.name], authors.voices(claim))
        if heard[claim.name].reason is Reason.RECOVERY:
            _require_mere_recovery(claim, claims)
    return Approved(
        {path: [consent.key for consent in each.approving] for path, each in heard.items()},
        next((each.reason for each in heard.values() if each.reason is Reason.RECOVERY), Reason.ACCEPTED),
        frozenset().union(*(each.counted for each in heard.values())),
    )


def _require_mere_recovery(tenant: Touched, claims: tuple[Touched, ...]) -> None:
    """Root changes a tenant's file, and does nothing else in the same commit. Raises `Rejected`."""
    if tenant.result is None:
        raise Rejected(Reason.RECOVERY_EXCEEDED, f"{tenant.name}: only the tenant itself can remove it")
    if len(claims) > 1:
        detail = f"{tenant.name}: the commit changes {len(claims) - 1} other document(s), too"
        raise Rejected(Reason.RECOVERY_EXCEEDED, detail)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """Asks, path by path, whether those who speak for a change are those whom it takes."""

    state: State
    provider: Provider
    signers: set[Signer]

    def hear(self, claim: Touched, place: Place, voices: Voices) -> _Heard:
        """Accepted by the path's own quorum, or as a recovery by root in a tenant's place.

        Raises `Rejected` if neither approves.
        """
        stays, exists = claim.result is not None, claim.effective is not None
        try:
            quorum = quorum_for(self.state.model, claim.name, place, exists, stays)
            return self._heard(Reason.ACCEPTED, quorum, claim, voices)
        except Rejected:
            root = root_quorum(self.state.model)
            if place.kind is not Tenant or not exists or not _are_all_of(root, voices.authors):
                raise
            return self._heard(Reason.RECOVERY, root, claim, voices)

    def _heard(self, reason: Reason, quorum: Quorum, claim: Touched, voices: Voices) -> _Heard:
        for consent in voices.authors:
            known = quorum.signer(consent.key) is not None
            self.signers.update(() if known else self.state.keyring.roles(consent.key))
            require_named(quorum, consent.key, claim.name, self.state.keyring)
        self._require_standing(quorum, claim, voices)
        seconding, behind = self._seconding(quorum, voices)
        approving = (*voices.approving, *seconding)
        self.signers.update(require_quorum(quorum, [consent.key for consent in approving], claim.name))
        return _Heard(reason, approving, behind.union(consent.commit for consent in voices.authors))

    def _seconding(self, quorum: Quorum, voices: Voices) -> tuple[list[Consent], frozenset[CommitId]]:
        """Who approves besides, and all commits on whose work that stands."""
        if voices.seconding is None:
            return [], frozenset()
        approving, behind = voices.seconding.approving(
            lambda commit: self._counts(quorum, voices.consent(commit))
        )
        return [each for each in map(voices.consent, approving) if each], frozenset(behind)

    def _counts(self, quorum: Quorum, consent: Consent | None) -> bool:
        if consent is None or quorum.signer(consent.key) is None:
            return False
        return not self._is_withdrawn(quorum, consent)

    def _require_standing(self, quorum: Quorum, claim: Touched, voices: Voices) -> None:
        """No author's consent was taken back.

        The transaction itself can't be: what would list it is behind it."""
        for consent in voices.authors:
            if self._is_withdrawn(quorum, consent):
                detail = f"{claim.name}: the approval given by {consent.commit[:12]} has been taken back"
                raise Rejected(Reason.WITHDRAWN, detail)

    def _is_withdrawn(self, quorum: Quorum, consent: Consent) -> bool:
        if not quorum.withdrawn:
            return False
        unsigned = parse_commit(self.provider.raw(consent.commit)).unsigned_id
        return not quorum.withdrawn.isdisjoint((consent.commit, unsigned))


def _are_all_of(quorum: Quorum, consents: tuple[Consent, ...]) -> bool:
    return all(quorum.signer(consent.key) is not None for consent in consents)


def _signer(commit: CommitId, provider: Provider) -> PublicKey:
    """Whose key has signed a commit. Raises `Rejected`, with fitting advice if a forge has made it."""
    try:
        return provider.signer(commit)
    except Rejected as rejected:
        if rejected.reason not in (Reason.UNSIGNED, Reason.UNSUPPORTED_SIGNATURE):
            raise
        hint = by_forge.advice(commit, provider.raw(commit))
        raise Rejected(rejected.reason, rejected.detail, hint or rejected.hint) from None


class _SoleAuthor:
    """Who stands behind an ordinary commit: the one who signed it."""

    def __init__(self, transaction: Transaction, provider: Provider) -> None:
        self._consent = Consent(transaction.commit, _signer(transaction.commit, provider))

    def voices(self, claim: Touched) -> Voices:
        return Voices((self._consent,), (self._consent,))


class _MergeAuthors:
    """Who stands behind a merge: the authors of each path, and whoever signed the merge."""

    def __init__(self, merge: Transaction, provider: Provider, provenance: Provenance) -> None:
        self._provider = provider
        self._provenance = provenance
        self._merger = self._merger_of(merge)
        self._known: dict[CommitId, PublicKey] = {}
        self._consents: dict[CommitId, Consent | None] = {}

    def _merger_of(self, merge: Transaction) -> tuple[Consent, ...]:
        try:
            return (Consent(merge.commit, self._provider.signer(merge.commit)),)
        except Rejected as rejected:
            if rejected.reason is Reason.MALFORMED_COMMIT:
                raise
            # A forge's merge is unsigned, or signed by a key of its own: it just approves nothing.
            return ()

    def voices(self, claim: Touched) -> Voices:
        """An earlier author has signed other content, and approves nothing of what came after."""
        backing = self._provenance.backing(claim)
        authors = tuple(Consent(author.commit, self._signer(author.commit, claim)) for author in backing.way)
        last = next(consent for consent in authors if consent.commit == backing.last.commit)
        return Voices(authors, (last, *self._merger), backing.seconding, self._consent)

    def _consent(self, commit: CommitId) -> Consent | None:
        if commit not in self._consents:
            self._consents[commit] = self._consent_if_signed(commit)
        return self._consents[commit]

    def _consent_if_signed(self, commit: CommitId) -> Consent | None:
        try:
            return Consent(commit, self._provider.signer(commit))
        except Rejected:
            return None

    def _signer(self, commit: CommitId, claim: Touched) -> PublicKey:
        if commit not in self._known:
            self._known[commit] = self._verified(commit, claim)
        return self._known[commit]

    def _verified(self, commit: CommitId, claim: Touched) -> PublicKey:
        try:
            return _signer(commit, self._provider)
        except Rejected as rejected:
            detail = f"{claim.name}: {commit[:12]}, which made the change: {rejected.detail}"
            raise Rejected(rejected.reason, detail, rejected.hint) from None
