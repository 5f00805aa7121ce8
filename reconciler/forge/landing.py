"""How a request's commits get into the ledger, made real beforehand: the very commits that nodes would see.

A forge lands a request in one of four ways, and what nodes judge isn't the same:

- fast-forward: the branch's own commits become transactions, each by itself, signatures and all;
- merge: one new commit, unsigned or signed by the forge; what it brings in counts by provenance;
- rebase: a copy of each commit. Copies are new commits, and whoever signed the originals hasn't signed them;
- squash: one copy of all of them, unsigned likewise.

Merges are made by git's own `merge-tree`, as forges do, in a scratch store.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from reconciler.errors import TnetError
from reconciler.ledger.repository.objects import CommitId, ObjectId, glance, parents_of, printable
from reconciler.ledger.repository.runner import LOCAL_TIMEOUT_S, GitFailed, GitTimeout, end, failure
from reconciler.ledger.repository.store import Step, Store
from reconciler.ledger.trouble import LocalTrouble

MAX_COPIED = 1000
"""Commits of one request that a rebase is tried with."""
SHOWN_CONFLICTS = 10
MERGE_MEMORY_BYTES = 512 << 20
"""For git to merge: trees that hold each other many times over would take any amount."""


class Strategy(Enum):
    """How the forge lands a request."""

    FAST_FORWARD = "fast-forward"
    MERGE = "merge"
    REBASE = "rebase"
    SQUASH = "squash"


class CannotLand(TnetError):
    """The forge can't land it in this way, or it would stop every node. `code` is for programs."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.code = code


@dataclass(frozen=True, slots=True)
class Landing:
    """The transactions that would follow the ledger's tip. `stands_for` says of commits that the forge would
    yet have to make which commit of the request they are about."""

    strategy: Strategy
    steps: tuple[Step, ...]
    stands_for: Mapping[CommitId, CommitId] = field(default_factory=dict)


def land(store: Store, base: CommitId, head: CommitId, strategy: Strategy | None) -> Landing:
    """How `head` gets on top of `base`; `store` is a scratch store. Raises `CannotLand`.

    Without a strategy: as it is where that can be pushed, otherwise by the forge's merge.
    """
    ahead = store.first_parents(head, base)
    if strategy is None:
        strategy = Strategy.MERGE if ahead is None else Strategy.FAST_FORWARD
    if store.is_ancestor(head, base):
        return Landing(strategy, ())
    if strategy is Strategy.FAST_FORWARD:
        return Landing(strategy, _require_ahead(store, ahead, base, head))
    return _MAKERS[strategy](store, base, head)


def _require_ahead(
    store: Store, ahead: tuple[Step, ...] | None, base: CommitId, head: CommitId
) -> tuple[Step, ...]:
    if ahead is not None:
        return ahead
    if store.is_ancestor(base, head):
        raise CannotLand(
            "foxtrot",
            f"{head[:12]} has {base[:12]} behind it, but not on its first-parent chain: pushed as it is, it "
            "would put another history in front of the ledger's, and every node would stop with an alarm",
            f"make it linear: git rebase {base[:12]}, and sign again; or let the forge merge it",
        )
    raise CannotLand(
        "not-fast-forward",
        f"the ledger has moved on since {head[:12]} was begun, so it can't be fast-forwarded",
        f"git rebase {base[:12]}, and sign again",
    )


# --- what forges make ----------------------------------------------------------------------------------


def _merged(store: Store, base: CommitId, head: CommitId) -> Landing:
    tree, date = merge_trees(store, base, head), _date(store, head)
    commit = _write(store, tree, (base, head), f"Merge {head[:12]}", date)
    return Landing(Strategy.MERGE, (Step(commit, (base, head)),), {commit: head})


def _squashed(store: Store, base: CommitId, head: CommitId) -> Landing:
    tree, date = merge_trees(store, base, head), _date(store, head)
    commit = _write(store, tree, (base,), f"Squash {head[:12]}", date)
    return Landing(Strategy.SQUASH, (Step(commit, (base,)),), {commit: head})


def _rebased(store: Store, base: CommitId, head: CommitId) -> Landing:
    tip, steps, stands_for = base, list[Step](), dict[CommitId, CommitId]()
    for commit in _to_copy(store, base, head):
        copy = _copied(store, commit, tip)
        steps.append(Step(copy, (tip,)))
        stands_for[copy] = commit
        tip = copy
    return Landing(Strategy.REBASE, tuple(steps), stands_for)


_MAKERS = {Strategy.MERGE: _merged, Strategy.SQUASH: _squashed, Strategy.REBASE: _rebased}


def _to_copy(store: Store, base: CommitId, head: CommitId) -> list[CommitId]:
    """What a rebase copies: all but merges, the oldest first."""
    limit = f"--max-count={MAX_COPIED + 1}"
    order = ("--topo-order", "--reverse", "--no-merges")
    found = store.runner.text("rev-list", *order, limit, head, f"^{base}").splitlines()
    if len(found) > MAX_COPIED:
        raise CannotLand(
            "too-many-commits",
            f"the request has more than {MAX_COPIED} commits, too many to try a rebase with",
            "split it, or merge it by a merge commit",
        )
    return [CommitId(line) for line in found]


def _copied(store: Store, commit: CommitId, onto: CommitId) -> CommitId:
    """The commit's change on top of `onto`. The histories are cut down to what says how the merge goes: the
    commit's own parent is the merge base."""
    raw = store.commits([commit])[0]
    parents = parents_of(raw)
    start = store.tree_of(parents[0]) if parents else _empty_tree(store)
    base = _write(store, start, (), "base")
    ours = _write(store, store.tree_of(onto), (base,), "ours")
    theirs = _write(store, store.tree_of(commit), (base,), "theirs")
    shown = glance(raw)
    return _write(store, merge_trees(store, ours, theirs), (onto,), shown.subject, shown.date)


def _date(store: Store, commit: CommitId) -> int:
    return glance(store.commits([commit])[0]).date


def _empty_tree(store: Store) -> ObjectId:
    return ObjectId(store.runner.text("mktree"))


def merge_trees(store: Store, ours: CommitId, theirs: CommitId) -> ObjectId:
    """The tree of their merge by git's own strategy. Raises `CannotLand` where it conflicts."""
    process = store.runner.start(*_MERGE_TREE, ours, theirs, memory_bytes=MERGE_MEMORY_BYTES)
    try:
        said, complaint = process.communicate(timeout=LOCAL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise GitTimeout(f"git merge-tree took longer than {LOCAL_TIMEOUT_S:g} s") from None
    finally:
        end(process)
    if process.returncode == 1:
        raise _conflicting(said)
    if process.returncode != 0:
        raise _unable(failure(_MERGE_TREE, process.returncode, complaint))
    return ObjectId(said.split(b"\0")[0].decode("ascii"))


_MERGE_TREE = ("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z")


def _conflicting(said: bytes) -> CannotLand:
    """Told are, each ended by NUL, the tree's id and the paths."""
    paths = sorted({printable(path) for path in said.split(b"\0")[1:] if path})
    return CannotLand(
        "conflict",
        f"it conflicts with the ledger in {_listed(paths)}",
        "rebase onto the ledger's branch, resolve it there, and sign again",
    )


def _unable(trouble: LocalTrouble) -> TnetError:
    said = trouble.stderr if isinstance(trouble, GitFailed) else ""
    if "unrelated histories" in said:
        return CannotLand(
            "unrelated", "it shares no history with the ledger", "begin the branch from the ledger's branch"
        )
    if "out of memory" in said.lower():
        return CannotLand(
            "too-large",
            "its trees are more than can be merged",
            "take out what makes them so: the ledger's directories are small",
        )
    if "usage: git merge-tree" in said:
        return LocalTrouble("this git can't merge without a work tree", "install git 2.38 or newer")
    return trouble


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:SHOWN_CONFLICTS])
    rest = len(paths) - SHOWN_CONFLICTS
    return f"{shown} and {rest} more" if rest > 0 else shown


def _write(
    store: Store, tree: ObjectId, parents: Sequence[CommitId], subject: str, date: int = 0
) -> CommitId:
    """A commit as a forge makes it: by its own hand, without a signature that counts."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    who = f"the forge <forge@invalid> {date} +0000"
    text = "\n".join((*lines, f"author {who}", f"committer {who}", "", subject, ""))
    written = store.runner.text("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode("utf-8"))
    return CommitId(written)
