"""Trees with a few paths replaced, or made of paths from nothing.

Built from raw tree objects and not through an index: git's index refuses names (`.git`, `..`) that a hostile
tree may hold where we don't govern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.ledger.repository.descent import DIRECTORY, RawTree, entries
from reconciler.ledger.repository.objects import Entry, ObjectId, object_id

Tree = dict[bytes, Entry]


@dataclass(slots=True)
class Overlaid:
    """The topmost tree, which may be empty, and all new trees below it by their ids, each after its own
    subtrees: raw, and parsed."""

    top: Tree
    below: dict[ObjectId, bytes] = field(default_factory=dict)
    parsed: dict[ObjectId, Tree] = field(default_factory=dict)


def overlay(
    top: Mapping[bytes, Entry],
    changes: Mapping[bytes, Entry | None],
    read: Callable[[ObjectId], Mapping[bytes, Entry]],
) -> Overlaid:
    """The tree `top` with each of these paths set, or taken out where None; `read` gives a subtree.

    A directory of which nothing is left goes, too.
    """
    split = {tuple(path.split(b"/")): entry for path, entry in changes.items()}
    made = Overlaid({})
    made.top = _changed(dict(top), split, read, made)
    return made


def parse_tree(raw: RawTree) -> Tree:
    """The entries of a raw tree by name. Raises `Damaged`."""
    return {named.name: named.entry for named in entries(raw)}


def encode_tree(tree: Mapping[bytes, Entry]) -> bytes:
    """The raw bytes of a tree, its entries in git's order: a directory sorts as if its name ended in `/`."""
    ordered = sorted(tree.items(), key=lambda item: item[0] + b"/" * (item[1].mode == DIRECTORY))
    return b"".join(
        b"%s %s\0%s" % (entry.mode.lstrip("0").encode("ascii"), name, bytes.fromhex(entry.id))
        for name, entry in ordered
    )


_Changes = Mapping[tuple[bytes, ...], Entry | None]
_Read = Callable[[ObjectId], Mapping[bytes, Entry]]


def _changed(tree: Tree, changes: _Changes, read: _Read, made: Overlaid) -> Tree:
    below: dict[bytes, dict[tuple[bytes, ...], Entry | None]] = {}
    for path, entry in changes.items():
        if len(path) > 1:
            below.setdefault(path[0], {})[path[1:]] = entry
        elif entry is None:
            tree.pop(path[0], None)
        else:
            tree[path[0]] = entry
    for name, inner in below.items():
        _change_below(tree, name, inner, read, made)
    return tree


def _change_below(tree: Tree, name: bytes, inner: _Changes, read: _Read, made: Overlaid) -> None:
    """Changes within the directory `name`; a file in its place goes if something has to be put there."""
    present = tree.get(name)
    directory = present if present is not None and present.mode == DIRECTORY else None
    if directory is None and not any(inner.values()):
        return
    start = {} if directory is None else dict(read(directory.id))
    subtree = _changed(start, inner, read, made)
    if not subtree:
        del tree[name]
        return
    raw = encode_tree(subtree)
    written = object_id("tree", raw)
    made.below[written], made.parsed[written] = raw, subtree
    tree[name] = Entry(DIRECTORY, written)
