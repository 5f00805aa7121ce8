"""Which signed commits show that a transaction's change of a document was approved.

All of them hold the document as the transaction holds it. Of a merge these are the commits that made it so,
and the merge itself if one of those who may have signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.ledger.judging.authority import Quorum
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.provider import Provider, Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.touching import scope_of
from reconciler.ledger.replay import Replay
from reconciler.ledger.repository.objects import CommitId, parents_of
from reconciler.ledger.repository.store import Step

Before = Callable[[CommitId], Replay]
"""The ledger as it stood right before a transaction."""
_Names = tuple[tuple[str, ...], ...]
"""As whom a signer speaks: a name in each quorum where there is one."""


def approving_commits(
    before: Replay, commit: CommitId, item: Touched, quorums: Sequence[Quorum]
) -> tuple[CommitId, ...]:
    """One commit for each principal, as many as the quorums take, sorted.

    `before` stands right before the commit.
    """
    provider = before.provider()
    raw = before.store.commits([commit])[0]
    (transaction,) = provider.transactions([Step(commit, parents_of(raw))])
    found: dict[_Names, CommitId] = {}
    for each in _holding(before, transaction, provider, item):
        names = _names(provider, each, quorums)
        if any(names) and not _enough(found, quorums):
            found.setdefault(names, each)
    return tuple(sorted(found.values()))


def _holding(
    before: Replay, transaction: Transaction, provider: Provider, item: Touched
) -> Iterator[CommitId]:
    """Who made the path what it is, the last first, then the transaction itself."""
    lineage = scope_of(before.state, transaction, provider).lineage
    if lineage is not None:
        authors = lineage.authors(item.path)
        for commit in reversed(lineage.commits):
            if commit != transaction.commit and commit in authors and authors[commit].made == item.result:
                yield commit
    yield transaction.commit


def _names(provider: Provider, commit: CommitId, quorums: Sequence[Quorum]) -> _Names:
    try:
        key = provider.signer(commit)
    except Rejected:
        return ()
    return tuple(tuple(quorum.approving([key])) for quorum in quorums)


def _enough(found: Iterable[_Names], quorums: Sequence[Quorum]) -> bool:
    names = list(found)
    return all(
        len({name for each in names for name in each[number]}) >= quorum.signers.threshold
        for number, quorum in enumerate(quorums)
    )
