"""Checkpoints made in a person's or a witness machine's clone, and the branch on which they travel.

What is signed is what this clone itself comes to by judging the ledger from its anchor, and only the ledger's
mark is: what comes after it was refused or changes nothing, and may be dropped from the branch by anybody.

A checkpoint that not enough have signed yet lies on the branch as a draft, which nodes don't look at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from reconciler.authoring.author import Author
from reconciler.authoring.detached import sign
from reconciler.authoring.errors import AuthoringError, NothingToDo, SigningError
from reconciler.authoring.signing_key import SigningKey
from reconciler.ledger.chain import beginning
from reconciler.ledger.checkpoints import checkpoint, checkpoint_branch, state_file
from reconciler.ledger.checkpoints.checkpoint import (
    NAMESPACE,
    Checkpoint,
    CheckpointRefused,
    CheckpointUnsigned,
    Content,
    Kind,
    Place,
    SignedCheckpoint,
)
from reconciler.ledger.checkpoints.witness import witness_quorum
from reconciler.ledger.judging.authority import Quorum
from reconciler.ledger.judging.books import Books
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures.signed_text import SignedText

MESSAGE = "Checkpoints"
DRAFT = ".draft"
"""Put after the names of files that wait for more signatures."""


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint as it lies on the branch now: who has signed, and how many are missing."""

    checkpoint: Checkpoint
    signers: tuple[str, ...]
    missing: int
    commit: str


class CheckpointDesk:
    """Reads, makes and signs checkpoints in a clone; `remote` is whose branch is looked at beside our own."""

    def __init__(self, author: Author, branch: str, remote: str = "origin") -> None:
        self._author = author
        self._tree = author.tree
        self.branch = branch
        self._refs = (f"refs/remotes/{remote}/{branch}", f"refs/heads/{branch}")

    # --- reading -----------------------------------------------------------------------------------

    def newest(self, kind: Kind) -> SignedCheckpoint | None:
        """The newest one of this kind that counts, on the remote's branch as last fetched or on our own."""
        found = (self._counting(kind, data) for data in self._all(kind.value))
        return max(filter(None, found), key=lambda each: each.checkpoint.sequence, default=None)

    def shown(self, ref: str | None = None) -> dict[str, bytes]:
        """The checkpoints' files that lie on the branch, drafts too; a state isn't one."""
        names = (kind.value + end for kind in Kind for end in ("", DRAFT))
        refs = self._refs if ref is None else (ref,)
        found = ((name, self._file(each, name)) for name in names for each in refs)
        return {name: data for name, data in found if data is not None}

    def quorum(self, kind: Kind) -> Quorum:
        """Who signs this kind: root as pinned, or the witnesses of the policy in effect."""
        if kind is Kind.SNAPSHOT:
            return beginning.pinned_root(self._author.replay.store, self._author.anchor)
        found = witness_quorum(self._author.replay.model)
        if found is None:
            raise AuthoringError(
                "the policy names no witnesses, so nodes would believe none",
                "root names them: `witness:` in spec of trust/policy.yaml, with principals and threshold",
            )
        return found

    def _counting(self, kind: Kind, data: bytes) -> SignedCheckpoint | None:
        try:
            found = checkpoint.parse(data)
            checkpoint.verify(found, self.quorum(kind))
        except (CheckpointRefused, AuthoringError):
            return None
        return found if found.checkpoint.kind is kind else None

    def _all(self, name: str) -> Iterator[bytes]:
        for ref in self._refs:
            data = self._file(ref, name)
            if data is not None:
                yield data

    def _file(self, ref: str, name: str) -> bytes | None:
        if not self._tree.git("for-each-ref", "--format=x", ref):
            return None
        return self._tree.show(self._tree.resolve(ref), name)

    # --- making ------------------------------------------------------------------------------------

    def witness(self, key: SigningKey, now: datetime, valid: timedelta) -> Made:
        """Signs what this clone's HEAD comes to as seen now. Raises AuthoringError."""
        last = self.newest(Kind.WITNESS)
        if last is not None and not self._left(last.checkpoint.place.commit):
            self._require_goes_on(last.checkpoint)
        moment = now.astimezone(UTC).replace(microsecond=0)
        made = Checkpoint(
            kind=Kind.WITNESS,
            anchor=self._author.anchor.commit,
            sequence=self._next(last),
            place=Place.of(self._marked),
            issued=moment,
            expires=moment + valid,
        )
        return self._put(made, SignedText(made.text), key, None)

    def snapshot(self, key: SigningKey, now: datetime) -> Made:
        """Signs the whole state that this clone's HEAD comes to. Raises AuthoringError."""
        last = self.newest(Kind.SNAPSHOT)
        place = Place.of(self._marked)
        if last is not None and last.checkpoint.place == place:
            raise NothingToDo(
                f"the {last.checkpoint} is of {place.commit[:12]} already, and nothing came since"
            )
        state = state_file.encode(self._marked)
        made = Checkpoint(
            kind=Kind.SNAPSHOT,
            anchor=self._author.anchor.commit,
            sequence=self._next(last),
            place=place,
            issued=now.astimezone(UTC).replace(microsecond=0),
            content=_content(state),
        )
        return self._put(made, SignedText(made.text), key, state)

    def sign(self, kind: Kind, key: SigningKey) -> Made:
        """Adds a signature to the draft, after judging for oneself that it says the truth."""
        data = next(self._all(kind.value + DRAFT), None)
        if data is None:
            raise NothingToDo(
                f"no {kind.value} waits for a signature on {self.branch}", f"git fetch origin {self.branch}"
            )
        draft = checkpoint.parse(data)
        self.require_true(draft.checkpoint)
        state = None
        if kind is Kind.SNAPSHOT:
            state = _state(draft.checkpoint, self._books(draft.checkpoint.place.commit))
        return self._put(draft.checkpoint, draft.signed, key, state)

    def require_true(self, found: Checkpoint) -> None:
        """Raises AuthoringError unless it says what this clone comes to as well."""
        if found.anchor != self._author.anchor.commit:
            raise AuthoringError(f"the {found} is of the ledger that begins at {found.anchor[:12]}")
        self._require_goes_on(found)
        books = self._books(found.place.commit)
        if Place.of(books) != found.place:
            raise AuthoringError(
                f"the {found} has another state at {found.place.commit[:12]} than this clone comes to",
                "one of the two was shown another history: compare `tnet log` on both machines",
            )
        if found.content is not None and found.content != _content(_state(found, books)):
            raise AuthoringError(f"the {found} stands for other content than this clone comes to")

    def _require_goes_on(self, found: Checkpoint) -> None:
        commits = {verdict.position: verdict.commit for verdict in self._author.replay.verdicts}
        if commits.get(found.place.position) != found.place.commit:
            raise AuthoringError(
                f"the {found} is of {found.place.commit[:12]}, which isn't transaction "
                f"{found.place.position} of this branch: it was rewritten, or this clone is behind",
                "fetch and compare; after a fork root decides: tnet reanchor",
            )

    def _left(self, commit: CommitId) -> bool:
        """Whether this is a transaction of the history that root has left, as this clone was told."""
        told, store = self._author.reanchored, self._author.replay.store
        if told is None or None in (store.resolve(told.old), store.resolve(commit)):
            return False
        return store.is_ancestor(commit, told.old) or store.is_ancestor(told.old, commit)

    def _next(self, last: SignedCheckpoint | None) -> int:
        return 1 if last is None else last.checkpoint.sequence + 1

    @cached_property
    def _marked(self) -> Books:
        """The books at the ledger's mark."""
        return self._books(self._author.replay.books.mark)

    def _books(self, commit: str) -> Books:
        return self._author.judged(commit).books

    # --- writing -----------------------------------------------------------------------------------

    def _put(self, made: Checkpoint, text: SignedText, key: SigningKey, state: bytes | None) -> Made:
        quorum = self.quorum(made.kind)
        text = _signed(text, key, quorum, made)
        signers, missing = _count(SignedCheckpoint(made, text), quorum)
        end = DRAFT if missing else ""
        files: dict[str, bytes | None] = {made.kind.value: text.encoded}
        if state is not None:
            files["state"] = state
        named = {name + end: data for name, data in files.items()}
        dropped = {} if end else {name + DRAFT: None for name in files}
        return Made(made, signers, missing, self._commit({**named, **dropped}))

    def _commit(self, changes: Mapping[str, bytes | None]) -> str:
        """The branch as one commit: what counts on it now, with these files set or (None) taken out."""
        entries = {**self._kept(), **{name: self._blob(data) for name, data in changes.items() if data}}
        for name, data in changes.items():
            if data is None:
                entries.pop(name, None)
        listing = "".join(f"100644 blob {blob}\t{name}\n" for name, blob in sorted(entries.items()))
        tree = self._tree.git("mktree", stdin=listing.encode("ascii"))
        commit = self._tree.git("commit-tree", tree, "-m", MESSAGE, env=_NOBODY)
        self._tree.git("update-ref", "-m", "tnet: checkpoint", f"refs/heads/{self.branch}", commit)
        return commit

    def _kept(self) -> dict[str, str]:
        """The newest files that count, and the drafts, as blobs."""
        kept: dict[str, str] = {}
        for ref in self._refs:
            if not self._tree.git("for-each-ref", "--format=x", ref):
                continue
            for line in self._tree.git("ls-tree", ref).splitlines():
                about, _, name = line.partition("\t")
                if name in _NAMES and about.startswith("100644 blob "):
                    kept.setdefault(name, about.split(" ")[2])
        for kind in Kind:
            newest = self.newest(kind)
            if newest is None:
                kept.pop(kind.value, None)
            else:
                kept |= self._with_state(kind, newest)
        return kept

    def _with_state(self, kind: Kind, newest: SignedCheckpoint) -> dict[str, str]:
        """The blobs of this checkpoint, and of the state beside it where it lies."""
        for ref in self._refs:
            if self._file(ref, kind.value) == newest.signed.encoded:
                names = (kind.value, "state") if kind is Kind.SNAPSHOT else (kind.value,)
                return {name: self._tree.git("rev-parse", f"{ref}:{name}") for name in names}
        return {}

    def _blob(self, data: bytes) -> str:
        return self._tree.git("hash-object", "-w", "--no-filters", "--stdin", stdin=data)


_NAMES = frozenset(
    name + end
    for name in (*(kind.value for kind in Kind), checkpoint_branch.STATE.decode("ascii"))
    for end in ("", DRAFT)
)
_NOBODY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "tnet"), ("EMAIL", "tnet@localhost"))
}


def _state(found: Checkpoint, books: Books) -> bytes:
    if books.mark != books.commit:
        raise AuthoringError(f"the {found} is of a transaction that changed nothing: only a mark may be")
    return state_file.encode(books)


def _content(state: bytes) -> Content:
    return Content(hashlib.sha256(state).hexdigest(), len(state))


def _signed(text: SignedText, key: SigningKey, quorum: Quorum, made: Checkpoint) -> SignedText:
    """The text with this key's signature as well. Raises AuthoringError if it wouldn't count."""
    before = set(quorum.approving(text.keys(NAMESPACE)))
    signed = text.signed_also(sign(text.text, NAMESPACE, key))
    if len(quorum.approving(signed.keys(NAMESPACE))) == len(before):
        raise SigningError(
            f"your signature adds nothing to the {made}: the key is nobody's of {quorum}, or its holder has "
            "signed already",
            "choose another: --key FILE; `tnet key list` shows yours",
        )
    return signed


def _count(signed: SignedCheckpoint, quorum: Quorum) -> tuple[tuple[str, ...], int]:
    """Who has signed, and how many are missing."""
    names = tuple(sorted(quorum.approving(signed.signed.keys(NAMESPACE))))
    try:
        checkpoint.verify(signed, quorum)
    except CheckpointUnsigned:
        return names, quorum.signers.threshold - len(names)
    return names, 0
