"""What was signed as one is merged as one (docs/spec/ledger.md, "Merges").

A signed commit is one statement, however many documents it changes. Where a merge counts for one of them, the
others stand in the merge too, as the commit made them; or as somebody who may say so left them after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from reconciler.ledger import bounds, governed
from reconciler.ledger.authority import quorum_for
from reconciler.ledger.books import Touched
from reconciler.ledger.keys import PublicKey
from reconciler.ledger.lineage import Lineage
from reconciler.ledger.objects import Change, CommitId, Entry, printable
from reconciler.ledger.provider import Provider
from reconciler.ledger.rejected import Rejected
from reconciler.ledger.state import State
from reconciler.ledger.verdict import Reason


def require_whole(
    state: State,
    lineage: Lineage,
    claims: Sequence[Touched],
    authors: Collection[CommitId],
    provider: Provider,
) -> None:
    """Raises `Rejected` if one of these authors of the claims made something that the merge leaves out."""
    merge = lineage.merge.commit
    made = {author: _made(lineage, author, provider) for author in sorted(authors) if author != merge}
    others = frozenset().union(*made.values()) - {claim.path for claim in claims}
    if not others:
        return
    if lineage.merged * len(others) > bounds.MAX_MERGE_WORK:
        raise Rejected(Reason.TOO_MANY_COMMITS, f"the merged commits change {len(others)} more paths")
    lineage.trace(others)
    results = provider.files_at([merge], sorted(others))[merge]
    check = _Check(state, lineage, provider)
    for path in sorted(others):
        for author in (each for each, paths in made.items() if path in paths):
            check.require_merged(path, results.get(path), author)


def _made(lineage: Lineage, commit: CommitId, provider: Provider) -> frozenset[bytes]:
    """The paths of documents that the commit authors."""
    changed = [_documents(commit, changes) for changes in provider.listings(lineage.edges([commit]))]
    return frozenset.intersection(*changed) | lineage.adopted.get(commit, {}).keys()


def _documents(commit: CommitId, changes: Iterable[Change] | None) -> frozenset[bytes]:
    if changes is None:
        raise Rejected(Reason.TOO_MANY_COMMITS, f"{commit[:12]} changes more than can be listed")
    return frozenset(change.path for change in changes if governed.place(change.path) is not None)


class _Check:
    def __init__(self, state: State, lineage: Lineage, provider: Provider) -> None:
        self._state = state
        self._lineage = lineage
        self._provider = provider

    def require_merged(self, path: bytes, result: Entry | None, author: CommitId) -> None:
        """Raises `Rejected` unless the merge holds what the author made, or what rightfully became of it."""
        authors = self._lineage.authors(path)
        for commit in self._last(path):
            rightful = commit == author or self._may_replace(commit, author, path, authors[commit].made)
            if authors[commit].made != result or not rightful:
                raise Rejected(
                    Reason.INCOMPLETE_MERGE,
                    f"{printable(path)}: {author[:12]} changes it too, and the merge leaves that out",
                )

    def _last(self, path: bytes) -> Iterator[CommitId]:
        """The last authors of a path behind the merge: what the merge itself makes of it isn't asked for."""
        nearest = self._lineage.nearest(path)
        yield from sorted(self._lineage.behind(self._lineage.merge.commit, nearest))

    def _may_replace(self, commit: CommitId, author: CommitId, path: bytes, made: Entry | None) -> bool:
        """Whether the commit is signed by who signed the other, or by somebody named for the path."""
        key = self._key(commit)
        return key is not None and (key == self._key(author) or self._is_named(key, path, made))

    def _key(self, commit: CommitId) -> PublicKey | None:
        try:
            return self._provider.signer(commit)
        except Rejected:
            return None

    def _is_named(self, key: PublicKey, path: bytes, made: Entry | None) -> bool:
        place = governed.place(path)
        assert place is not None
        exists = self._state.books.effective(path) is not None
        try:
            quorum = quorum_for(
                self._state.model, path.decode("ascii"), place, exists, stays=made is not None
            )
        except Rejected:
            return False
        return quorum.signer(key) is not None
