"""What was signed as one is merged as one (docs/spec/ledger.md, section 9).

A signed commit is one statement, however many documents it changes. Where a merge counts for one of them, the
others stand in the merge too, as the commit made them; or as somebody who may say so left them after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from reconciler.ledger import bounds, governed
from reconciler.ledger.judging.authority import quorum_for
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.lineage import Lineage
from reconciler.ledger.judging.provider import Provider
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import Change, CommitId, Entry, printable
from reconciler.ledger.signatures.keys import PublicKey
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
    made = _made_by({author for author in authors if author != merge}, lineage, provider)
    others = frozenset().union(*made.values()) - {claim.path for claim in claims}
    if not others:
        return
    if lineage.merged * len(others) > bounds.MAX_MERGE_WORK:
        raise Rejected(Reason.TOO_MANY_COMMITS, f"the merged commits change {len(others)} more paths")
    lineage.trace(others)
    results = provider.files_at([merge], sorted(others))[merge]
    check = _Check(state, lineage, provider)
    for path in sorted(others):
        check.require_merged(path, results.get(path), [each for each, paths in made.items() if path in paths])


def _made_by(
    authors: Collection[CommitId], lineage: Lineage, provider: Provider
) -> dict[CommitId, frozenset[bytes]]:
    """By commit the paths of documents that it authors. Raises `Rejected` if they change too much."""
    made: dict[CommitId, frozenset[bytes]] = {}
    count = 0
    for author in sorted(authors):
        changed: list[frozenset[bytes]] = []
        for edge in lineage.edges([author]):  # One by one: dozens of parents may differ in very much each.
            (changes,) = provider.listings([edge])
            count += bounds.MAX_MERGE_WORK + 1 if changes is None else len(changes)
            if count > bounds.MAX_MERGE_WORK:
                raise Rejected(
                    Reason.TOO_MANY_COMMITS, "what the merged commits change is too much to be looked at"
                )
            changed.append(_documents(changes or ()))
        made[author] = frozenset.intersection(*changed) | lineage.adopted.get(author, {}).keys()
    return made


def _documents(changes: Iterable[Change]) -> frozenset[bytes]:
    return frozenset(change.path for change in changes if governed.place(change.path) is not None)


class _Check:
    def __init__(self, state: State, lineage: Lineage, provider: Provider) -> None:
        self._state = state
        self._lineage = lineage
        self._provider = provider
        self._keys: dict[CommitId, PublicKey | None] = {}

    def require_merged(self, path: bytes, result: Entry | None, authors: Sequence[CommitId]) -> None:
        """Raises `Rejected` unless the merge holds what these made, or what rightfully became of it."""
        known = self._lineage.authors(path)
        last = self._last(path)
        others = Counter(self._key(each) for each in last if not self._is_named(each, path, known[each].made))
        differs = any(known[each].made != result for each in last)
        for author in authors:
            wrongful = others.total() - others[self._key(author)]
            if differs or wrongful:
                raise Rejected(
                    Reason.INCOMPLETE_MERGE,
                    f"{printable(path)}: {author[:12]} changes it too, and the merge leaves that out",
                )

    def _last(self, path: bytes) -> frozenset[CommitId]:
        """The last authors of a path behind the merge: what the merge itself makes of it isn't asked for."""
        return self._lineage.behind(self._lineage.merge.commit, self._lineage.nearest(path))

    def _key(self, commit: CommitId) -> PublicKey | None:
        if commit not in self._keys:
            try:
                self._keys[commit] = self._provider.signer(commit)
            except Rejected:
                self._keys[commit] = None
        return self._keys[commit]

    def _is_named(self, commit: CommitId, path: bytes, made: Entry | None) -> bool:
        """Whether who signed the commit may change the path."""
        key, place = self._key(commit), governed.place(path)
        assert place is not None
        if key is None:
            return False
        exists = self._state.books.effective(path) is not None
        try:
            quorum = quorum_for(
                self._state.model, path.decode("ascii"), place, exists, stays=made is not None
            )
        except Rejected:
            return False
        return quorum.signer(key) is not None
