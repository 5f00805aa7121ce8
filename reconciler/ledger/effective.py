"""Writes the effective tree into the repository, where people can look at it with git.

`refs/tnet/effective` is a commit on top of the last judged transaction: `git diff refs/tnet/ledger
refs/tnet/effective` shows what was rejected, and the commit's id is the same on every node.
"""

from __future__ import annotations

from reconciler.ledger.books import Books
from reconciler.ledger.objects import ObjectId, parents_of, tree_of
from reconciler.ledger.overlay import encode_tree, overlay
from reconciler.ledger.store import Store

LEDGER_REF = "refs/tnet/ledger"
EFFECTIVE_REF = "refs/tnet/effective"


def write_tree(store: Store, books: Books) -> ObjectId:
    """The id of the effective tree, which is in the repository afterwards."""
    overlaid = overlay(store.tree_of(books.commit), books.overlay(), store.raw_tree)
    store.write_trees([encode_tree(tree) for tree in overlaid.trees])
    return overlaid.root


def write_refs(store: Store, books: Books, tree: ObjectId) -> None:
    """Points `refs/tnet/ledger` and `refs/tnet/effective` to this state, both at once."""
    commit = store.write_commit(tree, books.commit, _message(books))
    store.update_refs({LEDGER_REF: books.commit, EFFECTIVE_REF: commit})


def written(store: Store, books: Books) -> ObjectId | None:
    """The effective tree, if tree and refs of this state are there already."""
    commit = store.resolve(EFFECTIVE_REF)
    if commit is None or store.resolve(LEDGER_REF) != books.commit:
        return None
    raw = store.commits([commit])[0]
    told = raw.partition(b"\n\n")[2].decode("utf-8", "replace").strip()
    return tree_of(raw) if told == _message(books) and parents_of(raw) == (books.commit,) else None


def _message(books: Books) -> str:
    return f"In effect after {books.commit}\n\nState {books.hash}"
