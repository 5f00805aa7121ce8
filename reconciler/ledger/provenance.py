"""Whose word stands behind what a merge changes (docs/spec/ledger.md, "Merges").

A forge can make a merge hold anything. So a merge counts only as far as signed commits that it brings in
made the change, step by step, from what is in effect now:

- A commit *authors* a path if it differs there from each of its parents. The merge itself may be an author.
- Of all authors of a path exactly one is last, and the merge holds what that one made.
- The first authors began from what is in effect, in a parent that knows the transaction which last changed
  the path: neither abandoned work nor a return to content once left can be replayed.
- All authors are named for the path. Approval is given by the last author and by who signed the merge.
  An earlier author has signed other content, and approves nothing of what came after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.ledger import bounds
from reconciler.ledger.books import Touched
from reconciler.ledger.objects import Change, CommitId, Entry
from reconciler.ledger.provider import Provider, Transaction
from reconciler.ledger.rejected import Rejected
from reconciler.ledger.state import State
from reconciler.ledger.store import Edge
from reconciler.ledger.verdict import Reason

Parents = Mapping[CommitId, tuple[CommitId, ...]]


@dataclass(frozen=True, slots=True)
class Author:
    """A commit that made a path what it is there, and what it found in each parent (no parent: nothing)."""

    commit: CommitId
    made: Entry | None
    found: tuple[tuple[CommitId | None, Entry | None], ...]


@dataclass(slots=True)
class _Traces:
    """How often, and from what, a commit changed a path, while its parents are gone through."""

    changes: dict[tuple[CommitId, bytes], list[tuple[CommitId | None, Change]]] = field(default_factory=dict)

    def add(self, edge: Edge, changes: Sequence[Change], paths: frozenset[bytes]) -> None:
        for change in changes:
            if change.path in paths:
                self.changes.setdefault((edge.commit, change.path), []).append((edge.parent, change))


class Provenance:
    """The authors behind the changes of one merge."""

    def __init__(
        self, state: State, merge: Transaction, touched: Sequence[Touched], provider: Provider
    ) -> None:
        merged = provider.merged(merge)
        if merged is None:
            raise Rejected(
                Reason.TOO_MANY_COMMITS, f"the merge brings in more than {bounds.MAX_MERGED_COMMITS} commits"
            )
        if len(merged) * len(touched) > bounds.MAX_MERGE_WORK:
            raise Rejected(
                Reason.TOO_MANY_COMMITS, f"the merge changes {len(touched)} paths by {len(merged)} commits"
            )
        self._state = state
        self._merge = merge
        self._provider = provider
        self._order = _parents_first({**merged, merge.commit: merge.parents})
        self._authors = self._find_authors(frozenset(item.path for item in touched))

    def _find_authors(self, paths: frozenset[bytes]) -> dict[bytes, dict[CommitId, Author]]:
        edges = [
            Edge(parent, commit)
            for commit, parents in self._order.items()
            for parent in (parents or (None,))
            if commit != self._merge.commit or parent != self._merge.parents[0]
        ]
        traces = _Traces()
        traces.add(Edge(self._merge.parents[0], self._merge.commit), self._merge.changes, paths)
        for edge, changes in zip(edges, self._provider.differences(edges), strict=True):
            traces.add(edge, changes, paths)
        authors: dict[bytes, dict[CommitId, Author]] = {}
        for (commit, path), found in traces.changes.items():
            if len(found) == max(1, len(self._order[commit])):
                made = found[0][1].new
                olds = tuple((parent, change.old) for parent, change in found)
                authors.setdefault(path, {})[commit] = Author(commit, made, olds)
        return authors

    def authors(self, item: Touched) -> tuple[Author, ...]:
        """All authors of a path, the last one at the end. Raises `Rejected` where the change isn't theirs."""
        authors = self._authors.get(item.path, {})
        if not authors:
            raise Rejected(Reason.NO_AUTHOR, f"{item.name}: no commit of the merge made it what it now is")
        first, last = self._ends(authors)
        if len(last) > 1:
            which = ", ".join(sorted(commit[:12] for commit in last))
            raise Rejected(Reason.SEVERAL_AUTHORS, f"{item.name}: changed on several lines: {which}")
        final = authors[next(iter(last))]
        if final.made != item.result:
            raise Rejected(
                Reason.NOT_AS_AUTHORED, f"{item.name}: the merge holds other content than {final.commit[:12]}"
            )
        for commit in sorted(first):
            self._require_base(item, authors[commit])
        return (*(author for author in authors.values() if author is not final), final)

    def _ends(self, authors: Mapping[CommitId, Author]) -> tuple[set[CommitId], frozenset[CommitId]]:
        """The authors with no author before them, and those with none after them."""
        first: set[CommitId] = set()
        nearest: dict[CommitId, frozenset[CommitId]] = {}
        for commit, parents in self._order.items():
            before = frozenset().union(*(nearest.get(parent, frozenset()) for parent in parents))
            if commit in authors:
                if not before:
                    first.add(commit)
                before = frozenset({commit})
            nearest[commit] = before
        return first, nearest[self._merge.commit]

    def _require_base(self, item: Touched, author: Author) -> None:
        last_change = self._state.books.last_change(item.path)
        for parent, found in author.found:
            if (
                parent is not None
                and found == item.effective
                and self._provider.descends(parent, last_change)
            ):
                return
        raise Rejected(
            Reason.STALE_BASE,
            f"{item.name}: {author.commit[:12]} didn't begin from what {last_change[:12]} made of it",
        )


def _parents_first(parents: Parents) -> dict[CommitId, tuple[CommitId, ...]]:
    """The same commits, each after those of its parents that are among them."""
    order: dict[CommitId, tuple[CommitId, ...]] = {}
    for start in sorted(parents):
        waiting = [start]
        while waiting:
            commit = waiting[-1]
            missing = [parent for parent in parents[commit] if parent in parents and parent not in order]
            if commit in order or not missing:
                waiting.pop()
                order.setdefault(commit, parents[commit])
            else:
                waiting.extend(missing)
    return order
