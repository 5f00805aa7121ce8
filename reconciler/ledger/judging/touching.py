"""What a transaction touches (docs/spec/ledger.md, section 7, step 1).

That is what differs from its first parent, and what its message, or that of a commit which it merges, adopts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.ledger import bounds
from reconciler.ledger.judging.adoption import Adoption, AdoptionMalformed, adoptions_of
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.lineage import Adopted, Lineage
from reconciler.ledger.judging.provider import Provider, Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a transaction's claims come from: the adoptions in its own message (`own`) and in all, and of a
    merge the commits that it brings in; None if they are too many to be looked at."""

    own: Mapping[bytes, Adoption]
    adopted: Adopted
    lineage: Lineage | None


def scope_of(state: State, transaction: Transaction, provider: Provider) -> Scope:
    """Raises `Rejected`."""
    merged = provider.merged(transaction) if transaction.is_merge else {}
    adopted = _adopted(state, transaction, merged or {}, provider)
    own = adopted.get(transaction.commit, {})
    if merged is None or not transaction.is_merge:
        return Scope(own, adopted, None)
    return Scope(own, adopted, Lineage(transaction, merged, adopted, provider))


def _adopted(
    state: State, transaction: Transaction, merged: Iterable[CommitId], provider: Provider
) -> Adopted:
    """The adoptions of the transaction and of the commits it merges, where there are any.

    Forges quote messages in those of their merges. So in a merge, and in what a merge brings in, they count
    only under a signature by somebody who is known.
    """
    found = {transaction.commit: _own(state, transaction, provider)}
    count = len(found[transaction.commit])
    for commit in merged:
        found[commit] = _others(state, commit, provider)
        count += len(found[commit])
        if count > bounds.MAX_PATHS:
            raise Rejected(Reason.TOO_MANY_PATHS, f"it adopts more than {bounds.MAX_PATHS} times")
    return {commit: adoptions for commit, adoptions in found.items() if adoptions}


def _own(state: State, transaction: Transaction, provider: Provider) -> dict[bytes, Adoption]:
    try:
        adoptions = adoptions_of(transaction.raw)
    except AdoptionMalformed as malformed:
        if transaction.is_merge and not _is_known(state, transaction.commit, provider):
            return {}
        raise Rejected(Reason.MALFORMED_ADOPT, str(malformed)) from None
    counts = not (adoptions and transaction.is_merge) or _is_known(state, transaction.commit, provider)
    return adoptions if counts else {}


def _others(state: State, commit: CommitId, provider: Provider) -> dict[bytes, Adoption]:
    try:
        adoptions = adoptions_of(provider.raw(commit))
    except AdoptionMalformed:
        return {}
    return adoptions if adoptions and _is_known(state, commit, provider) else {}


def _is_known(state: State, commit: CommitId, provider: Provider) -> bool:
    try:
        return bool(state.keyring.roles(provider.signer(commit)))
    except Rejected:
        return False


def with_adopted(
    state: State,
    transaction: Transaction,
    changed: tuple[Touched, ...],
    adopted: Adopted,
    provider: Provider,
) -> tuple[Touched, ...]:
    """What the transaction changes, and what is adopted without being changed by it.

    What merged commits adopt and what isn't there (any more) is no matter of this transaction.
    """
    own = adopted.get(transaction.commit, {}).keys()
    every = frozenset(path for adoptions in adopted.values() for path in adoptions)
    missing = sorted(every - {item.path for item in changed})
    if not missing:
        return changed
    stands = provider.files_at([transaction.commit], missing)[transaction.commit]
    added = (
        Touched(path, state.books.effective(path), stands.get(path), stands.get(path)) for path in missing
    )
    kept = (item for item in added if item.path in own or not item.is_repair)
    return tuple(sorted((*changed, *kept), key=lambda item: item.path))


def require_as_adopted(touched: Iterable[Touched], adoptions: Mapping[bytes, Adoption]) -> None:
    """The transaction's own adoptions say what is in effect and what it holds. Raises `Rejected`."""
    for item in touched:
        adoption = adoptions.get(item.path)
        if adoption is None:
            continue
        if adoption.expected != item.effective:
            detail = f"{item.name}: it is adopted in the place of other content than is in effect"
            raise Rejected(Reason.ADOPT_MISMATCH, detail)
        if adoption.new != item.result:
            detail = f"{item.name}: other content is adopted than the commit holds"
            raise Rejected(Reason.ADOPT_MISMATCH, detail)
