"""What merges bring in, found by walking history itself.

Git's own walks with exclusions stop early by dates, and whoever makes a commit chooses its date. So the set
of commits that the ledger already knows is kept here, and a merge's new commits are walked up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.ledger import bounds
from reconciler.ledger.objects import CommitId, parents_of
from reconciler.ledger.store import Store

Parents = dict[CommitId, tuple[CommitId, ...]]


class History:
    """The ledger's chain (`positions`: each transaction and the anchor) and all that hangs on it."""

    def __init__(self, store: Store, chain: Iterable[CommitId]) -> None:
        self._store = store
        self.positions = {commit: number for number, commit in enumerate(chain)}
        self._known: set[CommitId] = set()
        self._known_tip: CommitId | None = None

    def extend(self, chain: Iterable[CommitId]) -> None:
        """The chain has grown by these transactions."""
        for commit in chain:
            self.positions[commit] = len(self.positions)

    def merged(self, first_parent: CommitId, others: Sequence[CommitId]) -> Parents | None:
        """The parents of each commit reachable from `others` and not from `first_parent`.

        None if they are more than `bounds.MAX_MERGED_COMMITS`.
        """
        self._learn(first_parent)
        return self._walk(others, bounds.MAX_MERGED_COMMITS)

    def descends(self, commit: CommitId, ancestor: CommitId) -> bool:
        """Whether `ancestor`, which is on the chain, is reachable from `commit`, which the ledger knows."""
        position = self.positions.get(commit)
        if position is not None:
            return self.positions[ancestor] <= position
        return self._store.is_ancestor(ancestor, commit)

    def _learn(self, tip: CommitId) -> None:
        """Makes `_known` hold exactly what is reachable from `tip`, a later commit than the one before."""
        if self._known_tip is None:
            self._known = self._store.reachable(tip)
        elif self._known_tip != tip:
            new = self._walk([tip], bounds.MAX_MERGED_COMMITS)
            self._known |= self._store.reachable(tip) if new is None else new.keys()
        self._known_tip = tip

    def _walk(self, starts: Iterable[CommitId], limit: int) -> Parents | None:
        """What is reachable from `starts` and not known; None if more than `limit`."""
        found: Parents = {}
        wave = [commit for commit in dict.fromkeys(starts) if commit not in self._known]
        while wave:
            if len(found) + len(wave) > limit:
                return None
            for commit, raw in zip(wave, self._store.commits(wave), strict=True):
                found[commit] = parents_of(raw)
            following = dict.fromkeys(parent for commit in wave for parent in found[commit])
            wave = [commit for commit in following if commit not in self._known and commit not in found]
        return found
