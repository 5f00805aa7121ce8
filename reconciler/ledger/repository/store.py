"""Reads a repository's objects and history, fast and without believing it: the ids of what is read are
computed anew.

Two git processes are kept while a store is open: one for objects (`cat-file --batch`), one for differences
(`diff-tree --stdin`).
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from reconciler.ledger.repository import descent, lookup
from reconciler.ledger.repository.conversation import Conversation, TooLong, batches
from reconciler.ledger.repository.descent import RawTree
from reconciler.ledger.repository.git_program import require_fit_git
from reconciler.ledger.repository.objects import (
    MAX_COMMIT_BYTES,
    Change,
    CommitId,
    Entry,
    ObjectId,
    object_id,
    parents_of,
    tree_of,
)
from reconciler.ledger.repository.pack import pack
from reconciler.ledger.repository.runner import GitFailed, Runner
from reconciler.ledger.trouble import CloneUnfit, Damaged, LocalTrouble

DIFFERENCE_MEMORY_BYTES = 128 << 20
"""Memory for git to find what a commit changed, and how much it may say: more than it takes for all that may
be listed. What takes more is found out here, with the same result."""
DIFFERENCE_ANSWER_BYTES = 64 << 20
FEW_EDGES = 64
"""So many edges of a merge are compared whole, in the process that is there. Of more, each of which might be
a dear one, only the paths in question are looked up."""
MAX_TREE_IN_MEMORY_BYTES = 8 << 20
MAX_REMEMBERED_TOO_LONG = 10_000
FEW_OBJECTS = 200
NEAR = 16
"""Steps of the chain that are looked up one by one before git is asked for all."""

# Else a `.gitmodules` in the work tree, the index or HEAD could keep a submodule from being listed.
_ALL = ("--ignore-submodules=none",)
_ABSENT = "000000"
_DIRECTORY_MODE = descent.DIRECTORY.encode("ascii")
_MODES_END = len(":100644 100644")
_SOME_DIRECTORY = Entry(descent.DIRECTORY, ObjectId("0" * 40))
"""Of directories that differ nothing but the path matters."""


_Answer = TypeVar("_Answer")
Listings = Generator[tuple[Change, ...] | None, None, None]


class Step(NamedTuple):
    """One commit of the first-parent chain with all its parents."""

    commit: CommitId
    parents: tuple[CommitId, ...]


class Edge(NamedTuple):
    """From a parent to a commit; from nothing (None) to a commit that has no parent.

    (`diff-tree --stdin` remembers the parent that it was last asked about as the commit's only one. So of a
    commit that has parents nothing may be asked against None.)
    """

    parent: CommitId | None
    commit: CommitId


class Store:
    """A repository, bare or not, read through git."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._too_long: set[tuple[str, int]] = set()
        self._end_mark = b"#" + secrets.token_hex(16).encode("ascii") + b"\n"

    @cached_property
    def _objects(self) -> Conversation:
        return Conversation(self.runner, "cat-file", "--batch")

    @cached_property
    def _differences(self) -> Conversation:
        options = ("--stdin", "-r", "-t", "-z", "--raw", "--no-renames", "--no-abbrev", "--root", *_ALL)
        return Conversation(self.runner, "diff-tree", *options, memory_bytes=DIFFERENCE_MEMORY_BYTES)

    def close(self) -> None:
        """Ends the kept processes. The store may be used on: they start again when needed."""
        self._end("_objects")
        self._end("_differences")

    def _end(self, name: str) -> None:
        conversation: Conversation | None = self.__dict__.pop(name, None)
        if conversation is not None:
            conversation.close()

    def check_fit(self, borrowing: bool = True) -> None:
        """Raises `CloneUnfit` where history may be cut off or bent, where objects were left out, or (unless
        `borrowing`) where they are read from another repository; `GitUnfit` for a git not to be relied on."""
        require_fit_git()
        directory = _common_directory(self.runner.git_dir)
        if any((directory / "objects" / "pack").glob("*.promisor")):
            raise CloneUnfit(
                f"{directory} is a partial clone: objects were left out, so the ledger can't be judged here",
                "clone it anew without `--filter`",
            )
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
        return list(self._read(ids, self._commit))

    def blobs(self, ids: Sequence[ObjectId], limit_bytes: int) -> list[bytes | None]:
        """The content of each of these blobs, in order; None for one over the limit. Raises `Damaged`."""
        wanted = [name for name in ids if (name, limit_bytes) not in self._too_long]
        read = zip(wanted, self._read(wanted, lambda name: self._blob(name, limit_bytes)), strict=True)
        found = dict(read)
        return [found.get(name) for name in ids]

    def raw_tree(self, name: ObjectId) -> RawTree:
        """The raw bytes of a tree. Raises `Damaged`."""
        (raw,) = self._trees([name])
        return raw

    def _trees(self, names: Sequence[ObjectId]) -> Iterator[RawTree]:
        return self._read(names, self._tree)

    def _read(self, ids: Sequence[str], answer: Callable[[str], _Answer]) -> Iterator[_Answer]:
        """What `answer` reads of each object. Nothing else may be asked before all is taken."""
        left = len(ids)
        try:
            for group in batches([name.encode("ascii") + b"\n" for name in ids]):
                self._objects.ask(b"".join(group))
                for question in group:
                    found = answer(question[:-1].decode("ascii"))
                    left -= 1
                    yield found
        finally:
            if left:  # Answers that nobody took would be taken for those to the next questions.
                self._end("_objects")

    def _size(self, name: str, kind: str) -> int:
        """Reads the head of an answer."""
        header = self._objects.line().split()
        if len(header) != 3:
            raise Damaged(f"the {kind} {name} is missing from the repository")
        if header[1].decode("ascii") != kind:
            raise Damaged(f"the object {name} is a {header[1].decode('ascii')}, not a {kind}")
        return int(header[2])

    def _commit(self, name: str) -> bytes:
        size = self._size(name, "commit")
        return self._beginning(name, size) if size > MAX_COMMIT_BYTES else self._whole("commit", name, size)

    def _blob(self, name: str, limit: int) -> bytes | None:
        size = self._size(name, "blob")
        if size <= limit:
            return self._whole("blob", name, size)
        self._skip(size + 1)
        if len(self._too_long) < MAX_REMEMBERED_TOO_LONG:
            self._too_long.add((name, limit))
        return None

    def _tree(self, name: str) -> RawTree:
        size = self._size(name, "tree")
        return (
            self._whole("tree", name, size)
            if size <= MAX_TREE_IN_MEMORY_BYTES
            else self._in_a_file("tree", name, size)
        )

    def _whole(self, kind: str, name: str, size: int) -> bytes:
        data = self._objects.exactly(size + 1)[:-1]
        if object_id(kind, data) != name:
            raise Damaged(f"the {kind} {name} holds other content than its name says")
        return data

    def _in_a_file(self, kind: str, name: str, size: int) -> mmap.mmap:
        """An object's bytes in a file without a name, from where they take no memory."""
        digest = hashlib.sha1(b"%s %d\0" % (kind.encode("ascii"), size), usedforsecurity=False)
        try:
            with tempfile.TemporaryFile() as file:
                for part in self._parts(size):
                    digest.update(part)
                    file.write(part)
                file.flush()
                mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except OSError as error:
            raise LocalTrouble(
                f"the {kind} {name} of {size} bytes can't be put into a file: {error}"
            ) from error
        self._skip(1)
        if digest.hexdigest() != name:
            raise Damaged(f"the {kind} {name} holds other content than its name says")
        return mapped

    def _parts(self, size: int) -> Iterator[bytes]:
        while size:
            part = self._objects.exactly(min(size, 1 << 20))
            size -= len(part)
            yield part

    def _beginning(self, name: str, size: int) -> bytes:
        """One byte more than a commit may have; the rest is only hashed."""
        data = self._objects.exactly(MAX_COMMIT_BYTES + 1)
        digest = hashlib.sha1(b"commit %d\0" % size + data, usedforsecurity=False)
        for part in self._parts(size - len(data)):
            digest.update(part)
        self._skip(1)
        if digest.hexdigest() != name:
            raise Damaged(f"the commit {name} holds other content than its name says")
        return data

    def _skip(self, size: int) -> None:
        for _ in self._parts(size):
            pass

    # --- differences -------------------------------------------------------------------------------

    def listings(self, edges: Sequence[Edge]) -> list[tuple[Change, ...] | None]:
        """The governed files that each of these commits changed against that parent, by path; None where more
        differs than may be listed (`descent`). Raises `Damaged`."""
        return list(self.each_listing(edges))

    def each_listing(self, edges: Sequence[Edge]) -> Listings:
        """The same, one after the other: a few hundred together might fill the memory."""
        done = 0
        while done < len(edges):
            with closing(self._listed_by_git(edges[done:])) as by_git:
                for changes in by_git:
                    done += 1
                    yield changes
            if done < len(edges):
                done += 1
                yield self._descended(edges[done - 1])

    def differences(self, edges: Sequence[Edge], paths: frozenset[bytes]) -> list[tuple[Change, ...]]:
        """What each of these commits changed against that parent, of these paths alone. Raises `Damaged`."""
        whole = self._listed_by_git(edges if len(edges) <= FEW_EDGES else ())
        found = [None if all_ is None else _at(all_, paths) for all_ in whole]
        found += [None] * (len(edges) - len(found))
        dear = [edge for edge, changes in zip(edges, found, strict=True) if changes is None]
        looked_up = iter(self._looked_up(dear, paths) if dear else ())
        return [next(looked_up) if changes is None else changes for changes in found]

    def _listed_by_git(self, edges: Sequence[Edge]) -> Listings:
        """As far as git gets: it ends early where git gives up, from which nothing follows."""
        left = len(edges)
        try:
            for group in batches([_question(edge) + self._end_mark for edge in edges]):
                self._differences.ask(b"".join(group))
                for _ in group:
                    answer = self._differences.until(self._end_mark, DIFFERENCE_ANSWER_BYTES)
                    left -= 1
                    yield descent.held_to_bounds(_differing(answer))
        except (Damaged, TooLong):
            pass
        finally:
            if left:  # It is gone, or has more to say, which nobody would hear.
                self._end("_differences")

    def _descended(self, edge: Edge) -> tuple[Change, ...] | None:
        old = None if edge.parent is None else self.tree_of(edge.parent)
        return descent.descend(old, self.tree_of(edge.commit), self.raw_tree)

    def _looked_up(self, edges: Sequence[Edge], paths: frozenset[bytes]) -> Iterator[tuple[Change, ...]]:
        commits = list(dict.fromkeys(name for edge in edges for name in (edge.commit, edge.parent) if name))
        files = self.files_at(commits, paths)
        for edge in edges:
            old = files[edge.parent] if edge.parent else {}
            new = files[edge.commit]
            yield tuple(
                Change(path, old.get(path), new.get(path))
                for path in sorted(old.keys() | new.keys())
                if old.get(path) != new.get(path)
            )

    def files_at(
        self, commits: Sequence[CommitId], paths: Collection[bytes]
    ) -> dict[CommitId, Mapping[bytes, Entry]]:
        """By commit the files that stand at those of the paths where there are any. Raises `Damaged`."""
        roots = dict(zip(commits, map(tree_of, self._read(commits, self._commit)), strict=True))
        files = lookup.files_at(frozenset(roots.values()), paths, self._trees)
        return {commit: files[root] for commit, root in roots.items()}

    def governed_files(self, commit: CommitId, at_most: int) -> tuple[Change, ...] | None:
        """All governed files of a commit, as if each were new; None if more entries than `at_most` lead to
        them, or some are not within the bounds of a path."""
        return descent.descend(None, self.tree_of(commit), self.raw_tree, at_most)

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
        near = self._near(tip, base)
        if near is not None:
            return near
        listed = self._history("--first-parent", "--parents", tip, f"^{base}")
        steps = tuple(_step(line) for line in reversed(listed))
        expected = (base, *(step.commit for step in steps))
        if not steps or any(
            step.parents[:1] != (parent,) for step, parent in zip(steps, expected, strict=False)
        ):
            return None
        return steps

    def _near(self, tip: CommitId, base: CommitId) -> tuple[Step, ...] | None:
        """The same if `base` is only a few steps away: without starting a process. None says nothing."""
        steps: list[Step] = []
        while len(steps) < NEAR:
            commit = steps[-1].parents[0] if steps else tip
            raw = self.commits([commit])[0]
            parents = parents_of(raw)
            if not parents or len(raw) > MAX_COMMIT_BYTES:  # Of such a one not all parents may be seen here.
                return None
            steps.append(Step(commit, parents))
            if parents[0] == base:
                return tuple(reversed(steps))
        return None

    def parents_behind(self, tip: CommitId) -> dict[CommitId, tuple[CommitId, ...]]:
        """The parents of every commit that can be reached from `tip`, itself among them.

        Nothing is excluded from the walk: git stops an excluding one by dates, which those who make commits
        choose.
        """
        return dict(map(_step, self._history("--parents", tip)))

    def parents(self, commit: CommitId) -> tuple[CommitId, ...]:
        """All of them, however many."""
        (line,) = self._history("--parents", "--max-count=1", commit)
        return _step(line).parents

    def require_history(self, tip: CommitId) -> None:
        """Raises `Damaged` if not all behind `tip` can be walked: then it can't be said what isn't there."""
        self._history(tip)

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

    def sound_trees(self, names: Iterable[ObjectId]) -> set[ObjectId]:
        """Those of these trees that are there. Raises `Damaged` if one of them isn't what its name says."""
        asked = list(names)
        return {name for name, there in zip(asked, self._read(asked, self._is_there), strict=True) if there}

    def _is_there(self, name: str) -> bool:
        header = self._objects.line().split()
        if len(header) == 3:
            self._whole(header[1].decode("ascii"), name, int(header[2]))
        return len(header) == 3

    def write_objects(self, objects: Sequence[tuple[str, bytes]]) -> None:
        """Writes these (kind, content). As a pack of our own making: `git mktree` refuses entries that a
        hostile tree may hold where we don't govern (a submodule that is a blob's id)."""
        if objects:
            # So many loose objects would take seconds.
            command = ("unpack-objects", "-q") if len(objects) < FEW_OBJECTS else ("index-pack", "--stdin")
            self._local(*command, data=pack(objects))

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


def _differing(answer: bytes) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """Path, old and new of git's raw form: `:<old mode> <new mode> <old id> <new id> <letter>` NUL path NUL.

    The first word is the commit's id; nothing at all is said of one that changes nothing.
    """
    words = answer.split(b"\0")[1:-1]
    for about, path in zip(words[0::2], words[1::2], strict=True):
        if _DIRECTORY_MODE in about[:_MODES_END]:
            yield path, _SOME_DIRECTORY, _SOME_DIRECTORY
        else:
            old_mode, new_mode, old_id, new_id, _ = about[1:].decode("ascii").split(" ")
            yield path, _entry(old_mode, old_id), _entry(new_mode, new_id)


def _at(changes: Sequence[Change], paths: frozenset[bytes]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.path in paths)


def _entry(mode: str, name: str) -> Entry | None:
    return None if mode == _ABSENT else Entry(mode, ObjectId(name))
