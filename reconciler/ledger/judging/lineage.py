"""Who made a path what it is, among the commits that a merge brings in (docs/spec/ledger.md, section 9).

A commit *authors* a path if it differs there from each of its parents, or if it adopts the path. Nothing here
says whether that counts (`provenance` does).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.ledger import bounds
from reconciler.ledger.judging.adoption import Adoption
from reconciler.ledger.judging.provider import Provider, Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.repository.ancestry import Parents, parents_first
from reconciler.ledger.repository.objects import Change, CommitId, Entry
from reconciler.ledger.repository.store import Edge
from reconciler.ledger.verdict import Reason

Adopted = Mapping[CommitId, Mapping[bytes, Adoption]]
"""By commit and path."""


@dataclass(frozen=True, slots=True)
class Author:
    """A commit that made a path what it is there, and what it found in each parent (no parent: nothing)."""

    commit: CommitId
    made: Entry | None
    found: tuple[tuple[CommitId | None, Entry | None], ...]
    adoption: Adoption | None = None


_NONE: frozenset[CommitId] = frozenset()
Nearest = Mapping[CommitId, frozenset[CommitId]]
"""By commit: the authors of one path at which a walk from it over its parents stops."""


@dataclass(slots=True)
class _Traces:
    """How often, and from what, a commit changed a path, while its parents are gone through."""

    changes: dict[tuple[CommitId, bytes], list[tuple[CommitId | None, Change]]] = field(default_factory=dict)

    def add(self, edge: Edge, changes: Sequence[Change], paths: Collection[bytes]) -> None:
        for change in changes:
            if change.path in paths:
                self.changes.setdefault((edge.commit, change.path), []).append((edge.parent, change))


class Lineage:
    """A merge with the commits it brings in, each after those of its parents that are among them."""

    def __init__(self, merge: Transaction, merged: Parents, adopted: Adopted, provider: Provider) -> None:
        self.merge = merge
        self.adopted = adopted
        self.commits = parents_first({**merged, merge.commit: merge.parents})
        self._provider = provider
        self._known: dict[CommitId, dict[CommitId, bool]] = {}
        self._authors: dict[bytes, dict[CommitId, Author]] = {}

    @property
    def merged(self) -> int:
        """How many commits the merge brings in."""
        return len(self.commits) - 1

    def trace(self, paths: Collection[bytes]) -> None:
        """Finds the authors of these paths, all in one go."""
        missing = frozenset(paths) - self._authors.keys()
        if missing:
            self._authors.update({path: {} for path in missing})
            for (commit, path), found in self._changes(missing).items():
                if len(found) == max(1, len(self.commits[commit])):
                    olds = tuple((parent, change.old) for parent, change in found)
                    self._authors[path][commit] = Author(commit, found[0][1].new, olds)
            for commit, adoption in self._adoptions(missing):
                self._authors[adoption.path][commit] = Author(commit, adoption.new, (), adoption)

    def authors(self, path: bytes) -> Mapping[CommitId, Author]:
        """All authors of a path."""
        self.trace((path,))
        return self._authors[path]

    def nearest(self, path: bytes, moot: Collection[CommitId] = ()) -> Nearest:
        """The nearest authors of a path at each commit (of an author: itself).

        At a `moot` author it is none: whatever was made before is gone there. Raises `Rejected` if they are
        too many.
        """
        authors = self.authors(path)
        nearest: dict[CommitId, frozenset[CommitId]] = {}
        for commit in self.commits:
            if commit in moot:
                nearest[commit] = _NONE
            elif commit in authors:
                nearest[commit] = frozenset({commit})
            else:
                nearest[commit] = self._few(commit, self.behind(commit, nearest))
        return nearest

    def behind(self, commit: CommitId, nearest: Nearest) -> frozenset[CommitId]:
        """The nearest authors at the commit's parents."""
        sets = {each for parent in self.commits[commit] if (each := nearest.get(parent))}
        return _NONE.union(*sets) if len(sets) > 1 else next(iter(sets), _NONE)

    def _few(self, commit: CommitId, authors: frozenset[CommitId]) -> frozenset[CommitId]:
        if len(authors) > bounds.MAX_NEAREST_AUTHORS:
            raise Rejected(
                Reason.TOO_MANY_COMMITS,
                f"behind {commit[:12]} one path is changed on more than {bounds.MAX_NEAREST_AUTHORS} lines",
            )
        return authors

    def knows(self, parents: Iterable[CommitId], transaction: CommitId) -> bool:
        """Whether a transaction before the merge is reachable from one of these parents (or is it)."""
        known = self._known.get(transaction)
        if known is None:
            known = self._known[transaction] = {}
            for commit, behind in self.commits.items():
                known[commit] = any(self._knows(each, transaction, known) for each in behind)
        return any(self._knows(each, transaction, known) for each in parents)

    def _knows(self, commit: CommitId, transaction: CommitId, known: dict[CommitId, bool]) -> bool:
        if commit not in known:
            known[commit] = self._provider.descends(commit, transaction)
        return known[commit]

    def edges(self, commits: Collection[CommitId]) -> list[Edge]:
        """From each of these to each of its parents."""
        return [Edge(parent, commit) for commit in commits for parent in self.commits[commit] or (None,)]

    def _changes(
        self, paths: Collection[bytes]
    ) -> dict[tuple[CommitId, bytes], list[tuple[CommitId | None, Change]]]:
        known = Edge(self.merge.parents[0], self.merge.commit)
        edges = [edge for edge in self.edges(self.commits) if edge != known]
        traces = _Traces()
        traces.add(known, self.merge.changes or (), paths)
        for edge, changes in zip(edges, self._provider.differences(edges, frozenset(paths)), strict=True):
            traces.add(edge, changes, paths)
        return traces.changes

    def _adoptions(self, paths: Collection[bytes]) -> Iterator[tuple[CommitId, Adoption]]:
        for commit, adoptions in self.adopted.items():
            for path, adoption in adoptions.items():
                if path in paths:
                    yield commit, adoption
