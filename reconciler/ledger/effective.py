"""Writes the effective tree into the repository, where people can look at it with git.

`refs/tnet/effective` is a commit on top of the last judged transaction: `git diff refs/tnet/ledger
refs/tnet/effective` shows what was rejected, and the commit's id is the same on every node.
"""

from __future__ import annotations

from reconciler.ledger.books import Books
from reconciler.ledger.objects import ObjectId
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
    commit = store.write_commit(tree, books.commit, f"In effect after {books.commit}\n\nState {books.hash}")
    store.update_refs({LEDGER_REF: books.commit, EFFECTIVE_REF: commit})
