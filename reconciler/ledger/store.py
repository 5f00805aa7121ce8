"""Reads a repository's objects and history, fast and without believing it: the ids of what is read are
computed anew.

Two git processes are kept while a store is open: one for objects (`cat-file --batch`), one for differences
(`diff-tree --stdin`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from reconciler.ledger.bounds import DIFFERENCE_MEMORY_BYTES
from reconciler.ledger.conversation import Conversation, OutOfMemory, batches
from reconciler.ledger.objects import (
    MAX_COMMIT_BYTES,
    Change,
    CommitId,
    Entry,
    ObjectId,
    object_id,
    tree_of,
)
from reconciler.ledger.pack import pack
from reconciler.ledger.runner import GitFailed, Runner
from reconciler.ledger.trouble import CloneUnfit, Damaged, TreeTooLarge

_ABSENT = "000000"


class Step(NamedTuple):
    """One commit of the first-parent chain with all its parents."""

    commit: CommitId
    parents: tuple[CommitId, ...]


class Edge(NamedTuple):
    """From a parent to a commit; from nothing (None) to a commit that has no parent."""

    parent: CommitId | None
    commit: CommitId


class Store:
    """A repository, bare or not, read through git."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._end_mark = b"#" + secrets.token_hex(16).encode("ascii") + b"\n"

    @cached_property
    def _objects(self) -> Conversation:
        return Conversation(self.runner, "cat-file", "--batch")

    @cached_property
    def _differences(self) -> Conversation:
        options = ("--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--root")
        return Conversation(self.runner, "diff-tree", *options, memory_bytes=DIFFERENCE_MEMORY_BYTES)

    def close(self) -> None:
        """Ends the kept processes. The store may be used on: they start again when needed."""
        for name in ("_objects", "_differences"):
            conversation = self.__dict__.pop(name, None)
            if conversation is not None:
                conversation.close()

    def check_fit(self, borrowing: bool = True) -> None:
        """Raises `CloneUnfit` where history may be cut off or bent, or (unless `borrowing`) where objects are
        read from another repository."""
        directory = _common_directory(self.runner.git_dir)
        for name, what in _UNFIT.items():
            path = directory / name
            if path.exists() and path.stat().st_size and not (borrowing and name == _BORROWED):
                raise CloneUnfit(
                    f"{path} exists: {what}, so the ledger can't be judged here",
                    "use a full clone (`git fetch --unshallow`), or remove the file",
                )

    # --- objects ---------------------------------------------------------------------------------

    def commits(self, ids: Sequence[CommitId]) -> list[bytes]:
        """The raw bytes of each of these commits, in order. Raises `Damaged`.

        Of one that is longer than a commit may be, only so much that this is seen.
        """
        return [raw for raw in self._read(ids, "commit", None) if raw is not None]

    def blobs(self, ids: Sequence[ObjectId], limit_bytes: int) -> list[bytes | None]:
        """The content of each of these blobs, in order; None for one over the limit. Raises `Damaged`."""
        return self._read(ids, "blob", limit_bytes)

    def _read(self, ids: Sequence[str], kind: str, limit: int | None) -> list[bytes | None]:
        found: list[bytes | None] = []
        for group in batches([name.encode("ascii") + b"\n" for name in ids]):
            self._objects.ask(b"".join(group))
            found += [self._answer(question[:-1].decode("ascii"), kind, limit) for question in group]
        return found

    def _answer(self, name: str, kind: str, limit: int | None) -> bytes | None:
        header = self._objects.line().split()
        if len(header) != 3:
            raise Damaged(f"the {kind} {name} is missing from the repository")
        size = int(header[2])
        if limit is not None and size > limit:
            self._skip(size + 1)
            return None
        if header[1].decode("ascii") != kind:
            raise Damaged(f"the object {name} is a {header[1].decode('ascii')}, not a {kind}")
        if kind == "commit" and size > MAX_COMMIT_BYTES:
            return self._beginning(name, size)
        data = self._objects.exactly(size + 1)[:-1]
        if object_id(kind, data) != name:
            raise Damaged(f"the {kind} {name} holds other content than its name says")
        return data

    def _beginning(self, name: str, size: int) -> bytes:
        """One byte more than a commit may have; the rest is only hashed."""
        data = self._objects.exactly(MAX_COMMIT_BYTES + 1)
        digest = hashlib.sha1(b"commit %d\0" % size + data, usedforsecurity=False)
        left = size - len(data)
        while left:
            part = self._objects.exactly(min(left, 1 << 20))
            digest.update(part)
            left -= len(part)
        self._skip(1)
        if digest.hexdigest() != name:
            raise Damaged(f"the commit {name} holds other content than its name says")
        return data

    def _skip(self, count: int) -> None:
        while count:
            count -= len(self._objects.exactly(min(count, 1 << 20)))

    # --- differences -------------------------------------------------------------------------------

    def differences(self, edges: Sequence[Edge]) -> list[tuple[Change, ...]]:
        """What each of these commits changed against that parent, every path, in git's order."""
        found: list[tuple[Change, ...]] = []
        for group in batches([_question(edge) + self._end_mark for edge in edges]):
            self._differences.ask(b"".join(group))
            found += [_changes(self._difference(question)) for question in group]
        return found

    def _difference(self, question: bytes) -> list[bytes]:
        """The NUL-ended words of one answer, which ends with the mark on a line of its own."""
        answer = bytearray()
        while not answer.endswith(self._end_mark):
            try:
                answer += self._differences.line()
            except OutOfMemory:
                del self.__dict__["_differences"]
                raise TreeTooLarge(
                    f"the commit {question[:12].decode('ascii')} changes more paths than can be looked at, "
                    "so neither it nor what follows can be judged",
                    "whoever runs the forge sets the branch back to before it",
                ) from None
        # The first word is the commit's id; nothing at all is said of one that changes nothing.
        return bytes(answer).removesuffix(self._end_mark).split(b"\0")[1:-1]

    def tree(self, commit: CommitId) -> dict[bytes, Entry]:
        """All files in the commit's tree."""
        listed = self._local("ls-tree", "-r", "-z", "--full-tree", commit)
        entries: dict[bytes, Entry] = {}
        for line in listed.split(b"\0")[:-1]:
            about, _, path = line.partition(b"\t")
            mode, _, name = about.decode("ascii").split(" ")
            entries[path] = Entry(mode, ObjectId(name))
        return entries

    # --- history -----------------------------------------------------------------------------------

    def resolve(self, revision: str) -> CommitId | None:
        """The commit that a revision names; None if there is none."""
        if not revision or "\n" in revision:
            return None
        self._objects.ask(revision.encode("utf-8", "surrogateescape") + b"^{commit}\n")
        header = self._objects.line().rsplit(maxsplit=2)
        if len(header) != 3 or header[1] != b"commit":
            return None
        self._skip(int(header[2]) + 1)
        return CommitId(header[0].decode("ascii"))

    def first_parents(self, tip: CommitId, base: CommitId) -> tuple[Step, ...] | None:
        """The first-parent chain from after `base` to `tip`, oldest first; None if it misses `base`."""
        if tip == base:
            return ()
        listed = self._history("--first-parent", "--parents", tip, f"^{base}")
        steps = tuple(_step(line) for line in reversed(listed))
        expected = (base, *(step.commit for step in steps))
        if not steps or any(
            step.parents[:1] != (parent,) for step, parent in zip(steps, expected, strict=False)
        ):
            return None
        return steps

    def reachable(self, tip: CommitId) -> set[CommitId]:
        """Every commit that can be reached from `tip`, itself among them.

        Nothing is excluded from the walk: git stops an excluding one by dates, which those who make commits
        choose.
        """
        return {CommitId(line) for line in self._history(tip)}

    def is_ancestor(self, ancestor: CommitId, descendant: CommitId) -> bool:
        """Whether the first can be reached from the second (a commit from itself, too)."""
        try:
            self.runner.run("merge-base", "--is-ancestor", ancestor, descendant)
        except GitFailed as failed:
            if failed.status == 1:
                return False
            raise Damaged(str(failed)) from failed
        return True

    def _history(self, *arguments: str) -> list[str]:
        return self._local("rev-list", *arguments).decode("ascii").splitlines()

    # --- writing -----------------------------------------------------------------------------------

    def tree_of(self, commit: CommitId) -> ObjectId:
        return tree_of(self.commits([commit])[0])

    def raw_tree(self, name: ObjectId) -> bytes:
        """The raw bytes of a tree. Raises `Damaged`."""
        (raw,) = self._read([name], "tree", None)
        assert raw is not None
        return raw

    def write_trees(self, trees: Sequence[bytes]) -> None:
        """Writes these raw trees. As a pack of our own making: `git mktree` refuses entries that a hostile
        tree may hold where we don't govern (a mode `40755`, a submodule that is a blob's id)."""
        if trees:
            self._local("unpack-objects", "-q", data=pack("tree", trees))

    def write_commit(self, tree: ObjectId, parent: CommitId, message: str) -> CommitId:
        """A commit by nobody at no time, so that it has the same id on every node."""
        nobody = {"GIT_AUTHOR_NAME": "tnet", "GIT_AUTHOR_EMAIL": "", "GIT_AUTHOR_DATE": "@0 +0000"}
        committer = {name.replace("AUTHOR", "COMMITTER"): value for name, value in nobody.items()}
        runner = self.runner.with_environment({**nobody, **committer})
        return CommitId(runner.text("commit-tree", tree, "-p", parent, "-m", message))

    def update_refs(self, refs: Mapping[str, str]) -> None:
        """Sets all of these refs, or none."""
        lines = "".join(f"update {ref} {value}\n" for ref, value in refs.items())
        self._local("update-ref", "--stdin", data=lines.encode("ascii"))

    def _local(self, *arguments: str, data: bytes = b"") -> bytes:
        """Of a command on the clone alone a failure means that the clone is damaged."""
        try:
            return self.runner.run(*arguments, data=data)
        except GitFailed as failed:
            raise Damaged(str(failed)) from failed


_BORROWED = "objects/info/alternates"
_UNFIT = {
    _BORROWED: "objects are taken from another repository",
    "shallow": "this is a shallow clone",
    "info/grafts": "grafts stand in for history",
}


def _common_directory(git_dir: Path) -> Path:
    """Where objects and history lie: elsewhere for a linked work tree (`git help repository-layout`)."""
    link = git_dir / "commondir"
    return git_dir / link.read_text("utf-8").strip() if link.exists() else git_dir


def _step(line: str) -> Step:
    commit, *parents = (CommitId(word) for word in line.split(" "))
    return Step(commit, tuple(parents))


def _question(edge: Edge) -> bytes:
    return " ".join(name for name in (edge.commit, edge.parent) if name).encode("ascii") + b"\n"


def _changes(words: list[bytes]) -> tuple[Change, ...]:
    """The pairs `:<old mode> <new mode> <old id> <new id> <letter>`, path of git's raw form."""
    changes = tuple(_change(about, path) for about, path in zip(words[0::2], words[1::2], strict=True))
    if len({change.path for change in changes}) != len(changes):
        raise Damaged("a tree in the repository lists a path twice")
    return changes


def _change(about: bytes, path: bytes) -> Change:
    old_mode, new_mode, old_id, new_id, _ = about[1:].decode("ascii").split(" ")
    return Change(path, _entry(old_mode, old_id), _entry(new_mode, new_id))


def _entry(mode: str, name: str) -> Entry | None:
    return None if mode == _ABSENT else Entry(mode, ObjectId(name))
