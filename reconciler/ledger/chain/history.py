"""What merges bring in, found by walking history itself (docs/spec/ledger.md, section 9).

Git's own walks with exclusions stop early by dates, and whoever makes a commit chooses its date. So all that
the ledger already knows is kept here, and a merge's new commits are walked up to it.

Of each known commit the last transaction behind it is kept. Transactions lie in one line, so it has every
earlier one behind it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.ledger import bounds
from reconciler.ledger.repository.ancestry import Parents, parents_first
from reconciler.ledger.repository.objects import MAX_COMMIT_BYTES, MAX_PARENTS, CommitId, parents_of
from reconciler.ledger.repository.store import Store

READ_AT_ONCE = 64
"""Commits, each of which may have 128 KiB."""
_NONE_BEHIND = -1


class History:
    """The ledger's chain (`positions`: each transaction and the anchor) and all that hangs on it."""

    def __init__(self, store: Store, chain: Iterable[CommitId]) -> None:
        self._store = store
        self.positions = {commit: number for number, commit in enumerate(chain)}
        self._last_behind: dict[CommitId, int] = {}
        self._known_tip: CommitId | None = None

    def extend(self, chain: Iterable[CommitId]) -> None:
        """The chain has grown by these transactions."""
        for commit in chain:
            self.positions[commit] = len(self.positions)

    def merged(self, first_parent: CommitId, others: Sequence[CommitId]) -> Parents | None:
        """The parents of each commit reachable from `others` and not from `first_parent`.

        None if they are more than `bounds.MAX_MERGED_COMMITS`, or one has more than `MAX_PARENTS`.
        """
        self._learn(first_parent)
        return self._walk(others, bounds.MAX_MERGED_COMMITS)

    def descends(self, commit: CommitId, ancestor: CommitId) -> bool:
        """Whether `ancestor`, which is on the chain, is reachable from `commit`, which the ledger knows."""
        return self._position_behind(commit) >= self.positions[ancestor]

    def _position_behind(self, commit: CommitId) -> int:
        position = self.positions.get(commit)
        return self._last_behind[commit] if position is None else position

    def _learn(self, tip: CommitId) -> None:
        """Makes exactly that known which is reachable from `tip`, a later commit than the one before."""
        if self._known_tip == tip:
            return
        new = self._walk([tip]) if self._last_behind else self._store.parents_behind(tip)
        assert new is not None
        for commit, parents in parents_first(new).items():
            behind = max(map(self._position_behind, parents), default=_NONE_BEHIND)
            self._last_behind[commit] = self.positions.get(commit, behind)
        self._known_tip = tip

    def _walk(self, starts: Iterable[CommitId], limit: int | None = None) -> Parents | None:
        """What is reachable from `starts` and not known.

        If there is a limit: None if it is more, or more woven than commits in the right form are."""
        found: dict[CommitId, tuple[CommitId, ...]] = {}
        wave = self._unknown(starts)
        while wave:
            if limit is not None and len(found) + len(wave) > limit:
                return None
            for commit, parents in zip(wave, self._parents(wave), strict=True):
                if limit is not None and len(parents) > MAX_PARENTS:
                    return None
                found[commit] = parents
            following = dict.fromkeys(parent for commit in wave for parent in found[commit])
            wave = [commit for commit in self._unknown(following) if commit not in found]
        return found

    def _unknown(self, commits: Iterable[CommitId]) -> list[CommitId]:
        return [commit for commit in dict.fromkeys(commits) if commit not in self._last_behind]

    def _parents(self, commits: Sequence[CommitId]) -> Iterator[tuple[CommitId, ...]]:
        for start in range(0, len(commits), READ_AT_ONCE):
            some = commits[start : start + READ_AT_ONCE]
            for commit, raw in zip(some, self._store.commits(some), strict=True):
                parents = parents_of(raw)
                cut_off = len(raw) > MAX_COMMIT_BYTES and len(parents) > MAX_PARENTS
                yield self._store.parents(commit) if cut_off else parents
