"""The effective tree as a real tree: a commit's own tree with a few paths replaced.

Built from raw tree objects and not through an index: git's index refuses names (`.git`, `..`) that a hostile
tree may hold where we don't govern.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.ledger.objects import Entry, ObjectId, object_id

TREE_MODE = "040000"
_ID_BYTES = 20

Tree = dict[bytes, Entry]


@dataclass(slots=True)
class Overlaid:
    """The new trees, each after its own subtrees; the last is the root."""

    root: ObjectId
    trees: list[Tree] = field(default_factory=list)


def overlay(
    root: ObjectId, changes: Mapping[bytes, Entry | None], read: Callable[[ObjectId], bytes]
) -> Overlaid:
    """The tree `root` with each of these paths set, or taken out where None; `read` gives a tree's bytes."""
    if not changes:
        return Overlaid(root)
    split = {tuple(path.split(b"/")): entry for path, entry in changes.items()}
    made: list[Tree] = []
    return Overlaid(_write(_changed(parse_tree(read(root)), split, read, made), made), made)


def parse_tree(raw: bytes) -> Tree:
    """The entries of a raw tree: mode, space, name, NUL, 20 bytes of id, again and again."""
    entries: Tree = {}
    at = 0
    while at < len(raw):
        end = raw.index(b"\0", at)
        mode, _, name = raw[at:end].partition(b" ")
        at = end + 1 + _ID_BYTES
        entries[name] = Entry(mode.decode("ascii").zfill(6), ObjectId(raw[end + 1 : at].hex()))
    return entries


def encode_tree(tree: Mapping[bytes, Entry]) -> bytes:
    """The raw bytes of a tree, its entries in git's order: a directory sorts as if its name ended in `/`."""
    ordered = sorted(tree.items(), key=lambda item: item[0] + b"/" * is_directory(item[1]))
    return b"".join(
        b"%s %s\0%s" % (entry.mode.lstrip("0").encode("ascii"), name, bytes.fromhex(entry.id))
        for name, entry in ordered
    )


def is_directory(entry: Entry) -> bool:
    """By its file type alone, as git takes it: a hostile tree may have `40755` or `0040000`."""
    return stat.S_ISDIR(int(entry.mode, 8))


_Changes = Mapping[tuple[bytes, ...], Entry | None]


def _changed(tree: Tree, changes: _Changes, read: Callable[[ObjectId], bytes], made: list[Tree]) -> Tree:
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


def _change_below(
    tree: Tree, name: bytes, inner: _Changes, read: Callable[[ObjectId], bytes], made: list[Tree]
) -> None:
    """Changes within the directory `name`; a file in its place goes if something has to be put there."""
    present = tree.get(name)
    directory = present if present is not None and is_directory(present) else None
    if directory is None and not any(inner.values()):
        return
    start = {} if directory is None else parse_tree(read(directory.id))
    subtree = _changed(start, inner, read, made)
    if subtree:
        tree[name] = Entry(TREE_MODE, _write(subtree, made))
    else:
        del tree[name]


def _write(tree: Tree, made: list[Tree]) -> ObjectId:
    made.append(tree)
    return object_id("tree", encode_tree(tree))
