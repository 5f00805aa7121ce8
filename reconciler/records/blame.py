"""Line by line, who wrote what a document says: the transaction that brought the line into effect, and of a
merge the signed commit that made it.

What was rejected has no part in it: a line goes back over the *accepted* versions of its document, from each
to what was in effect before, not to what the commit's parent held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.ledger.chain.git_provider import GitProvider
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.lineage import Author, Lineage
from reconciler.ledger.judging.touching import scope_of
from reconciler.ledger.replay import Replay
from reconciler.ledger.repository.objects import CommitId, Entry, parents_of
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Step
from reconciler.ledger.verdict import Signer, Verdict
from reconciler.records.approvers import Before
from reconciler.records.line_diff import Hunk, hunks

Lines = Mapping[int, int]
"""Lines of the document as it is now, each with the line it was in an earlier version; counted from 0."""


@dataclass(frozen=True, slots=True)
class Version:
    """What one accepted transaction made of a document."""

    verdict: Verdict
    item: Touched


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """Where a line comes from. `author` is the commit that wrote it: the transaction's own, or one that it
    merged. What stands in the anchor is signed by nobody."""

    verdict: Verdict
    author: CommitId
    fingerprint: str
    signer: Signer | None


def versions_of(judged: Replay, paths: Collection[str]) -> dict[str, list[Version]]:
    """Every version of these documents that was ever in effect, removals too, the oldest first."""
    found: dict[str, list[Version]] = {path: [] for path in paths}
    for record in judged.records():
        for item in record.touched if record.verdict.changes_state else ():
            if item.name in found and not item.is_repair:
                found[item.name].append(Version(record.verdict, item))
    return found


class Blame:
    """Asks for the origin of lines; `before` opens the ledger as it stood before a transaction."""

    def __init__(self, judged: Replay, before: Before) -> None:
        self._runner = judged.store.runner
        self._before = before

    def lines(self, versions: Sequence[Version], wanted: Iterable[int]) -> dict[int, LineOrigin]:
        """The origin of these lines of the last version."""
        pending: Lines = {line: line for line in wanted}
        found: dict[int, LineOrigin] = {}
        for version in reversed(versions):
            if not pending:
                break
            new, old = version.item.result, version.item.effective
            written, pending = _split(pending, _hunks(self._runner, old, new))
            found |= self._written(version, written)
        return found

    def _written(self, version: Version, lines: Lines) -> dict[int, LineOrigin]:
        verdict = version.verdict
        if not lines:
            return {}
        if verdict.position == 0:
            return dict.fromkeys(lines, LineOrigin(verdict, verdict.commit, "", None))
        before = self._before(verdict.commit)
        provider = before.provider()
        authors = dict(_authors(before, version, provider, lines))
        origins = {commit: _origin(before, verdict, commit, provider) for commit in set(authors.values())}
        return {line: origins[commit] for line, commit in authors.items()}


def _origin(before: Replay, verdict: Verdict, commit: CommitId, provider: GitProvider) -> LineOrigin:
    key = provider.signer(commit)
    known = (*verdict.signers, *before.state.keyring.roles(key))
    signer = next((each for each in known if each.fingerprint == key.fingerprint), None)
    return LineOrigin(verdict, commit, key.fingerprint, signer)


def _authors(
    before: Replay, version: Version, provider: GitProvider, lines: Lines
) -> Iterator[tuple[int, CommitId]]:
    """Which commit of the transaction wrote each of the lines that it brought."""
    commit = version.verdict.commit
    raw = before.store.commits([commit])[0]
    (transaction,) = provider.transactions([Step(commit, parents_of(raw))])
    lineage = scope_of(before.state, transaction, provider).lineage
    if lineage is None:
        yield from ((line, commit) for line in lines)
    else:
        yield from _Way(before.store.runner, lineage, version.item.path).authors(commit, lines)


class _Way:
    """From a merge back over the commits that made a path what it is."""

    def __init__(self, runner: Runner, lineage: Lineage, path: bytes) -> None:
        self._runner = runner
        self._authors = lineage.authors(path)
        self._nearest = lineage.nearest(path)

    def authors(self, merge: CommitId, lines: Lines) -> Iterator[tuple[int, CommitId]]:
        """Each line with the commit that wrote it."""
        waiting: list[tuple[Author, Lines]] = [(self._authors[next(iter(self._nearest[merge]))], lines)]
        while waiting:
            author, left = waiting.pop()
            for parent, found in author.found:
                maker = self._maker(parent, found)
                if maker is not None and left:
                    left, passed = _split(left, _hunks(self._runner, found, author.made))
                    waiting.append((maker, passed))
            yield from ((line, author.commit) for line in left)

    def _maker(self, parent: CommitId | None, found: Entry | None) -> Author | None:
        """Who, of the merged commits, made what an author found in a parent."""
        nearest = () if parent is None else self._nearest.get(parent, frozenset())
        makers = (self._authors[commit] for commit in sorted(nearest))
        return next((each for each in makers if found is not None and each.made == found), None)


def _hunks(runner: Runner, old: Entry | None, new: Entry | None) -> tuple[Hunk, ...] | None:
    """Where two versions differ; None if there was none before, or is none after."""
    return None if old is None or new is None else hunks(runner, old.id, new.id)


def _split(lines: Lines, differing: tuple[Hunk, ...] | None) -> tuple[Lines, Lines]:
    """The lines that the newer version brought, and the others as they stood in the older one."""
    if differing is None:
        return lines, {}
    written: dict[int, int] = {}
    older: dict[int, int] = {}
    for line, number in lines.items():
        shift, inside = _shift(number, differing)
        if inside:
            written[line] = number
        else:
            older[line] = number - shift
    return written, older


def _shift(number: int, differing: Sequence[Hunk]) -> tuple[int, bool]:
    """By how much a line of the newer version has moved down, and whether it is new itself."""
    shift = 0
    for hunk in differing:
        if number < hunk.new_start:
            break
        if number < hunk.new_start + hunk.new_count:
            return shift, True
        shift += hunk.new_count - hunk.old_count
    return shift, False
