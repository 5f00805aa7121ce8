"""The ledger judged in any clone, read only: for people's own work trees, and for what is not pushed yet.

No fetch, no mark, no alarm: it says what every node would say if the branch were at this commit. What was
judged before is remembered in the repository's `tnet/chronicle.jsonl`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from reconciler.errors import TnetError
from reconciler.ledger import bounds
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain.chronicle import Chronicle, Record
from reconciler.ledger.chain.course import Course, resume
from reconciler.ledger.chain.git_provider import GitProvider
from reconciler.ledger.chain.past import Past
from reconciler.ledger.judging import proposal
from reconciler.ledger.judging.books import Books
from reconciler.ledger.judging.judge import judge
from reconciler.ledger.judging.keyring import Keyring
from reconciler.ledger.judging.proposal import File, Proposal
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import CommitId, ObjectId
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Store
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.trouble import AnchorRefused
from reconciler.ledger.verdict import Verdict
from reconciler.ledger.view import LedgerView
from reconciler.ledger.worktree import changed_files
from reconciler.model.documents import Document
from reconciler.model.model import Model


class NotOnChain(TnetError):
    """A commit that was to be compared with isn't one of the branch's transactions."""


class Replay:
    """The ledger as it stands at one commit of a repository."""

    def __init__(self, course: Course, past: Past) -> None:
        self._store = past.store
        self._course = course
        self._past = past

    @property
    def store(self) -> Store:
        """The repository that this was read from."""
        return self._store

    @property
    def books(self) -> Books:
        """Where it stands."""
        return self._course.books

    @property
    def state(self) -> State:
        """All that the verdict on the next transaction depends on."""
        return self._course.state

    def provider(self) -> GitProvider:
        """Answers about the next transaction."""
        return GitProvider(self._store, self._course.history)

    @property
    def model(self) -> Model:
        """What is in effect there."""
        return self._course.state.model

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """On all transactions from the anchor on, the oldest first. Writes nothing, unlike `view`."""
        return self._course.verdicts

    @property
    def leaves(self) -> Sequence[bytes]:
        """The log's leaf of each of these: for inclusion proofs (`merkle`)."""
        return self._course.leaves

    def records(self) -> Iterator[Record]:
        """The same, each with what its transaction touched. Raises `LocalTrouble`s."""
        return self._past.records()

    def contents(self, names: Sequence[ObjectId]) -> list[bytes]:
        """The documents with these ids, each of which was accepted once. Raises `Damaged`."""
        return [data or b"" for data in self._store.blobs(names, bounds.MAX_DOCUMENT_BYTES)]

    def standing(self, path: str, name: ObjectId) -> Document | None:
        """The document in effect at a path, if this is its object."""
        entry = self._course.books.effective(path.encode("ascii"))
        return self.model.documents.get(path) if entry is not None and entry.id == name else None

    @cached_property
    def view(self) -> LedgerView:
        return LedgerView.of(self._course, self._course.effective.write(self._course.books))

    @property
    def keyring(self) -> Keyring:
        """Whose keys count, by what is in effect."""
        return self._course.state.keyring

    def blob(self, path: str) -> bytes | None:
        """What is in effect at a path, as it was committed; None if nothing is."""
        entry = self._course.books.effective(path.encode("utf-8"))
        if entry is None:
            return None
        return self._store.blobs([entry.id], bounds.MAX_DOCUMENT_BYTES)[0]

    def since(self, base: str) -> tuple[Verdict, ...]:
        """The verdicts on the transactions after `base`, if they were pushed. Raises `NotOnChain`."""
        commit = self._store.resolve(base)
        for verdict in self._course.verdicts:
            if verdict.commit == commit:
                return tuple(self._course.verdicts[verdict.position + 1 :])
        raise NotOnChain(
            f"{base} is not on the first-parent chain from the anchor to {self._course.books.commit[:12]}",
            f"rebase onto it: `git rebase {base}`, and sign again",
        )

    def check_files(
        self,
        files: Mapping[str, File | None],
        signer: PublicKey | None = None,
        message: str = proposal.SUBJECT,
    ) -> Verdict:
        """The verdict on a commit of these files (None: removed) by this key; if None, as by all it takes."""
        return self._check({path.encode("utf-8"): file for path, file in files.items()}, signer, message)

    def check_worktree(self, root: Path, signer: PublicKey | None = None) -> Verdict:
        """The same for what the work tree at `root`, whose HEAD this is, holds uncommitted."""
        return self._check(changed_files(self._store.runner, root), signer)

    def _check(
        self,
        files: Mapping[bytes, File | None],
        signer: PublicKey | None,
        message: str = proposal.SUBJECT,
    ) -> Verdict:
        tip = self._course.books.commit
        present = self._store.files_at([tip], files.keys())[tip]
        proposed = Proposal(tip, present, files, signer, message)
        judged = judge(self._course.state, proposed.transaction, proposed, ask_authority=signer is not None)
        return judged.verdict

    def close(self) -> None:
        self._store.close()


def replay(git_dir: Path, anchor: Anchor, tip: str = "HEAD", *, remember: bool = True) -> Replay:
    """The ledger from its anchor to `tip`. Raises `LocalTrouble`s, among them `AnchorRefused`.

    Unless `remember`, the chronicle is left to whoever else writes it: a node's may begin later.
    """
    store = Store(Runner(git_dir))
    store.check_fit()
    commit = _resolved(store, tip)
    steps = None if store.resolve(anchor.commit) is None else store.first_parents(commit, anchor.commit)
    if steps is None:
        raise AnchorRefused(
            f"{tip} does not lead to the anchor {anchor.commit[:12]} over first parents",
            "is this a clone of the ledger, and its anchor (`git config tnet.anchor`) the right one?",
        )
    chronicle = Chronicle(git_dir / "tnet" / "chronicle.jsonl", anchor.commit)
    course = resume(store, anchor, chronicle, [step.commit for step in steps])
    known = course.books.position
    records = list(course.judge(steps[known:]))
    if records and remember:
        with suppress(OSError):  # Reading a repository that one may not write is no reason to fail.
            chronicle.write(known, records)
    return Replay(course, Past(store, anchor, chronicle, course.verdicts, records))


def _resolved(store: Store, tip: str) -> CommitId:
    commit = store.resolve(tip)
    if commit is None:
        raise NotOnChain(f"{tip} names no commit here")
    return commit
