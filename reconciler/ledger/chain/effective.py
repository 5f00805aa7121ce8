"""Writes the effective tree into the repository, where people can look at it with git.

It has the documents in effect, and beside them what the last judged commit has where nothing is governed.
Under `trust/`, `farms/` and `tenants/` nothing of that commit's own tree is taken, so it needn't be known in
what it differs. If the commit's root tree is longer than `MAX_ROOT_BYTES`, the documents are all there is.

`refs/tnet/effective` is a commit on top of the last judged transaction: `git diff refs/tnet/ledger
refs/tnet/effective` shows what was rejected, and the commit's id is the same on every node.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.ledger.governed import is_governed
from reconciler.ledger.judging.books import Books, Touched
from reconciler.ledger.repository.objects import CommitId, ObjectId, object_id
from reconciler.ledger.repository.overlay import Overlaid, Tree, encode_tree, overlay, parse_tree
from reconciler.ledger.repository.store import Store

LEDGER_REF = "refs/tnet/ledger"
EFFECTIVE_REF = "refs/tnet/effective"

MAX_ROOT_BYTES = 1 << 20
LARGE, MAX_LARGE = 64, 16
"""Names in a directory that is kept parsed, and how many of those are."""


class EffectiveTree:
    """Follows the books, so that writing the tree costs what has changed since it was last written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents: Tree | None = None
        self._changed: set[bytes] = set()
        self._large: dict[ObjectId, Tree] = {}

    def note(self, touched: Iterable[Touched]) -> None:
        """A transaction that counts has changed these paths."""
        self._changed.update(item.path for item in touched if not item.is_repair)

    def write(self, books: Books) -> ObjectId:
        """The id of the effective tree, which is in the repository afterwards, whole.

        The first time all of it is looked at: what is there already is read and checked. Raises `Damaged`.
        """
        overlaid = self._overlaid(books)
        root = encode_tree(_beside(self._store, self._store.tree_of(books.commit)) | overlaid.top)
        name = object_id("tree", root)
        needed = {**overlaid.below, name: root}
        there = self._store.sound_trees(needed)
        self._store.write_objects([("tree", raw) for each, raw in needed.items() if each not in there])
        self._documents = overlaid.top
        self._remember(overlaid)
        self._changed.clear()
        return name

    def _overlaid(self, books: Books) -> Overlaid:
        if self._documents is None:
            everything = {path: books.effective(path) for path in books.entries}
            return overlay({}, everything, self._read)
        changed = {path: books.effective(path) for path in self._changed}
        return overlay(self._documents, changed, self._read)

    def _read(self, name: ObjectId) -> Tree:
        known = self._large.get(name)
        return parse_tree(self._store.raw_tree(name)) if known is None else known

    def _remember(self, overlaid: Overlaid) -> None:
        """A directory of some hundred names, as `tenants/` is, in which every transaction changes one."""
        self._large |= {name: tree for name, tree in overlaid.parsed.items() if len(tree) > LARGE}
        self._large = dict(list(self._large.items())[-MAX_LARGE:])


def _beside(store: Store, root: ObjectId) -> Tree:
    """What a root tree has that nobody governs."""
    raw = store.raw_tree(root)
    if len(raw) > MAX_ROOT_BYTES:
        return {}
    return {name: entry for name, entry in parse_tree(raw).items() if not is_governed(name)}


def write_refs(store: Store, books: Books, tree: ObjectId) -> None:
    """Points `refs/tnet/ledger` and `refs/tnet/effective` to this state, both at once, if they don't yet."""
    raw = _commit(books, tree)
    name = CommitId(object_id("commit", raw))
    if store.resolve(LEDGER_REF) == books.commit and store.resolve(EFFECTIVE_REF) == name:
        return
    store.write_objects([("commit", raw)])
    store.update_refs({LEDGER_REF: books.commit, EFFECTIVE_REF: name})


def _commit(books: Books, tree: ObjectId) -> bytes:
    """By nobody at no time, so that it has the same id on every node."""
    return (
        f"tree {tree}\nparent {books.commit}\nauthor tnet <> 0 +0000\ncommitter tnet <> 0 +0000\n\n"
        f"In effect after {books.commit}\n\nState {books.hash}\n"
    ).encode("ascii")
