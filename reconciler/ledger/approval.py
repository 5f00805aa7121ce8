"""Who stands behind each change, and whether they are enough (docs/spec/ledger.md, "Authority")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.ledger.authority import quorum_for, require_named, require_quorum
from reconciler.ledger.books import Touched
from reconciler.ledger.keys import PublicKey
from reconciler.ledger.objects import CommitId
from reconciler.ledger.provenance import Provenance
from reconciler.ledger.provider import Provider, Transaction
from reconciler.ledger.rejected import Rejected
from reconciler.ledger.state import State
from reconciler.ledger.verdict import Reason, Signer
from reconciler.model.paths import Place


@dataclass(frozen=True, slots=True)
class Approved:
    """What step 5 found: by path, the keys that approve it."""

    keys: Mapping[str, list[PublicKey]]


def approvals(
    state: State,
    transaction: Transaction,
    provider: Provider,
    claims: tuple[Touched, ...],
    places: Mapping[str, Place],
    signers: set[Signer],
) -> Approved:
    """Whose keys approve each path, after it is shown that they are enough. Raises `Rejected`.

    `signers` collects whose signatures were looked at and known, also when it raises.
    """
    authors = (
        _MergeAuthors(state, transaction, provider, claims)
        if transaction.is_merge
        else _SoleAuthor(transaction, provider)
    )
    found: dict[str, list[PublicKey]] = {}
    for claim in claims:
        path = claim.name
        quorum = quorum_for(
            state.model, path, places[path], claim.effective is not None, claim.result is not None
        )
        named, approving = authors.keys(claim)
        for key in named:
            signers.update(state.keyring.roles(key) if quorum.signer(key) is None else ())
            require_named(quorum, key, path, state.keyring)
        signers.update(require_quorum(quorum, approving, path))
        found[path] = approving
    return Approved(found)


class _SoleAuthor:
    """Who stands behind an ordinary commit: the one who signed it."""

    def __init__(self, transaction: Transaction, provider: Provider) -> None:
        self._key = provider.signer(transaction.commit)

    def keys(self, claim: Touched) -> tuple[list[PublicKey], list[PublicKey]]:
        """The keys that must be named for the path, and those that approve it."""
        return [self._key], [self._key]


class _MergeAuthors:
    """Who stands behind a merge: the authors of each path, and whoever signed the merge."""

    def __init__(
        self, state: State, merge: Transaction, provider: Provider, claims: tuple[Touched, ...]
    ) -> None:
        self._provider = provider
        self._provenance = Provenance(state, merge, claims, provider)
        self._merger = self._signer_of(merge)

    def _signer_of(self, merge: Transaction) -> PublicKey | None:
        try:
            return self._provider.signer(merge.commit)
        except Rejected as rejected:
            if rejected.reason is Reason.MALFORMED_COMMIT:
                raise
            # A forge's merge is unsigned, or signed by a key of its own: it just approves nothing.
            return None

    def keys(self, claim: Touched) -> tuple[list[PublicKey], list[PublicKey]]:
        authors = [author.commit for author in self._provenance.authors(claim)]
        keys = [self._signer(commit, claim) for commit in authors]
        merger = [] if self._merger is None else [self._merger]
        return keys, [keys[-1], *merger]

    def _signer(self, commit: CommitId, claim: Touched) -> PublicKey:
        try:
            return self._provider.signer(commit)
        except Rejected as rejected:
            detail = f"{claim.name}: {commit[:12]}, which made the change: {rejected.detail}"
            raise Rejected(rejected.reason, detail) from None
