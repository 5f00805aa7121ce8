"""Whose word stands behind what a merge changes (docs/spec/ledger.md, section 9).

A forge can make a merge hold anything. So a merge counts only as far as signed commits that it brings in
made the change, step by step, from what is in effect now:

- A commit *authors* a path if it differs there from each of its parents, or adopts the path. The merge itself
  may be an author.
- Exactly one author is last, and the merge holds what that one made.
- Going back from it, every author found at the path what is in effect, or what an author before it made. Each
  way back ends with an author that found nothing but what is in effect, in a parent that knows the
  transaction which last changed the path; or with one that adopts the path in the place of what is in effect.
- All authors on these ways are named for the path. Approval is given by the last, and by who signed the
  merge. An earlier author has signed other content, and approves nothing of what came after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.ledger import bounds
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.lineage import Author, Lineage, Nearest
from reconciler.ledger.judging.provider import Provider
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason

Way = tuple[Author, ...]
"""An author, and all behind it on whose work its own stands, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Backing:
    """Who made a claim what it is: the last author and its way, and who made the same before."""

    last: Author
    way: Way
    seconding: Seconding


class Provenance:
    """The judgement of the authors behind the claims of one merge."""

    def __init__(
        self, state: State, lineage: Lineage, claims: tuple[Touched, ...], provider: Provider
    ) -> None:
        if lineage.merged * len(claims) > bounds.MAX_MERGE_WORK:
            raise Rejected(
                Reason.TOO_MANY_COMMITS,
                f"the merge changes {len(claims)} paths by {lineage.merged} commits",
            )
        self._state = state
        self._lineage = lineage
        self._provider = provider
        lineage.trace([claim.path for claim in claims])

    def backing(self, claim: Touched) -> Backing:
        """Raises `Rejected` where the claim isn't what its authors made from what is in effect."""
        trail = _Trail(self._state, self._lineage, self._provider, claim)
        last = trail.last()
        return Backing(last, trail.way(last), Seconding(trail, last))


@dataclass(frozen=True, eq=False)
class _Trail:
    """The authors of one claim."""

    state: State
    lineage: Lineage
    provider: Provider
    claim: Touched

    @cached_property
    def _nearest(self) -> Nearest:
        """An author that brought back what is in effect ends what was before it."""
        authors = self.lineage.authors(self.claim.path).values()
        return self.lineage.nearest(
            self.claim.path, {author.commit for author in authors if author.made == self.claim.effective}
        )

    def _authors(self, commits: Iterable[CommitId]) -> list[Author]:
        known = self.lineage.authors(self.claim.path)
        return [known[commit] for commit in sorted(commits)]

    def last(self) -> Author:
        """The one author after which the path wasn't touched. Raises `Rejected`."""
        name, last = self.claim.name, self._authors(self._nearest[self.lineage.merge.commit])
        if not last:
            raise Rejected(Reason.NO_AUTHOR, f"{name}: no commit of the merge made it what it now is")
        if len(last) > 1:
            which = ", ".join(author.commit[:12] for author in last)
            raise Rejected(Reason.SEVERAL_AUTHORS, f"{name}: changed on several lines: {which}")
        if last[0].made != self.claim.result:
            raise Rejected(
                Reason.NOT_AS_AUTHORED, f"{name}: the merge holds other content than {last[0].commit[:12]}"
            )
        return last[0]

    def way(self, author: Author) -> Way:
        """This author and those behind it, back to what is in effect.

        Raises `Rejected` for the first of them, in the order of their ids, that began from anything else.
        """
        found = {author.commit: author}
        failures: dict[CommitId, Rejected] = {}
        waiting = [author]
        while waiting:
            each = waiting.pop()
            try:
                before = self.founded_on(each)
            except Rejected as rejected:
                failures[each.commit] = rejected
                continue
            waiting += [other for other in before if other.commit not in found]
            found |= {other.commit: other for other in before}
        if failures:
            raise failures[min(failures)]
        return tuple(found[commit] for commit in sorted(found))

    def founded_on(self, author: Author) -> list[Author]:
        """The authors on whose work this one's stands; none if it began from what is in effect.

        Raises `Rejected` if it found anything else.
        """
        if author.adoption is not None:
            self._require_adopted(author)
            return []
        other = [parent for parent, found in author.found if found != self.claim.effective]
        if not other:
            self._require_knowing(author)
            return []
        behind: set[CommitId] = set()
        for parent, found in author.found:
            if found != self.claim.effective:
                behind |= self._makers(author, parent, found)
        return self._authors(behind)

    def _makers(self, author: Author, parent: CommitId | None, found: object) -> frozenset[CommitId]:
        """The nearest authors behind a parent, one of whom made what the author found there."""
        makers = frozenset[CommitId]() if parent is None else self._nearest.get(parent, frozenset())
        if all(maker.made != found for maker in self._authors(makers)):
            raise self._unfounded(author, parent)
        return makers

    def _unfounded(self, author: Author, parent: CommitId | None) -> Rejected:
        merge = self.lineage.merge
        if author.commit == merge.commit and parent == merge.parents[0]:
            return Rejected(
                Reason.BASED_ON_REJECTED,
                f"{self.claim.name}: the content before was rejected and isn't in effect",
            )
        return self._stale(author)

    def _require_knowing(self, author: Author) -> None:
        """What it found is what is in effect because it knew the transaction that made it so."""
        if not self._knows([parent for parent, _ in author.found if parent is not None]):
            raise self._stale(author)

    def _require_adopted(self, author: Author) -> None:
        assert author.adoption is not None
        claim, commit = self.claim, author.commit
        if author.adoption.expected != claim.effective:
            detail = f"{claim.name}: {commit[:12]} adopts it in the place of other content than is in effect"
            raise Rejected(Reason.ADOPT_MISMATCH, detail)
        if self.provider.files_at([commit], [claim.path])[commit].get(claim.path) != author.made:
            detail = f"{claim.name}: {commit[:12]} adopts other content than it holds"
            raise Rejected(Reason.ADOPT_MISMATCH, detail)
        if not self._knows(self.lineage.commits[commit]):
            raise self._stale(author)

    def _knows(self, parents: Iterable[CommitId]) -> bool:
        last_change = self.state.books.last_change(self.claim.path)
        return self.lineage.knows(parents, last_change)

    def _stale(self, author: Author) -> Rejected:
        last_change = self.state.books.last_change(self.claim.path)
        return Rejected(
            Reason.STALE_BASE,
            f"{self.claim.name}: {author.commit[:12]} didn't begin from what {last_change[:12]} made of it",
        )

    def same_behind(self, author: Author) -> list[Author]:
        """The nearest authors behind one that adopted what they had made already."""
        if author.adoption is None:
            return []
        behind = self.lineage.behind(author.commit, self._nearest)
        return [each for each in self._authors(behind) if each.made == self.claim.result]


class Seconding:
    """Those who made what the last author only confirmed, by adopting it: they approve it, too."""

    def __init__(self, trail: _Trail, last: Author) -> None:
        self._trail = trail
        self._last = last

    def approving(self, counts: Callable[[CommitId], bool]) -> tuple[list[CommitId], set[CommitId]]:
        """Those whose own way leads back to what is in effect, all on it being commits that count; and all on
        these ways."""
        ways = _Ways(self._trail, counts)
        found: dict[CommitId, Author] = {}
        waiting = [self._last]
        while waiting:
            for author in self._trail.same_behind(waiting.pop()):
                if author.commit not in found and ways.hold(author):
                    found[author.commit] = author
                    waiting.append(author)
        return list(found), ways.behind(found.values())


@dataclass
class _Ways:
    """Which authors' ways hold: each author is looked at once, however many stand on its work."""

    trail: _Trail
    counts: Callable[[CommitId], bool]
    founded_on: dict[CommitId, list[Author]] = field(default_factory=dict)
    known: dict[CommitId, bool] = field(default_factory=dict)

    def hold(self, author: Author) -> bool:
        waiting = [author]
        while waiting:
            each = waiting[-1]
            missing = [other for other in self._founded_on(each) if other.commit not in self.known]
            if missing:
                waiting += missing
            else:
                waiting.pop()
                self.known.setdefault(each.commit, self._holds(each))
        return self.known[author.commit]

    def behind(self, authors: Iterable[Author]) -> set[CommitId]:
        """These and all on their ways."""
        found: set[CommitId] = set()
        waiting = list(authors)
        while waiting:
            each = waiting.pop()
            if each.commit not in found:
                found.add(each.commit)
                waiting += self._founded_on(each)
        return found

    def _holds(self, author: Author) -> bool:
        """After it is known of those on whose work it stands."""
        return all(self.known[each.commit] for each in self._founded_on(author)) and self.counts(
            author.commit
        )

    def _founded_on(self, author: Author) -> list[Author]:
        if author.commit not in self.founded_on:
            try:
                self.founded_on[author.commit] = self.trail.founded_on(author)
            except Rejected:
                self.founded_on[author.commit] = []
                self.known[author.commit] = False
        return self.founded_on[author.commit]
