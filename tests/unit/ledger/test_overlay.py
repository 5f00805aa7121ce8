"""The effective tree is built as git would build it."""

from __future__ import annotations

import pytest

from reconciler.ledger.repository.objects import Entry, ObjectId, object_id
from reconciler.ledger.repository.overlay import Tree, encode_tree, overlay, parse_tree

FILE = Entry("100644", ObjectId("1" * 40))
OTHER = Entry("100644", ObjectId("2" * 40))


class Trees:
    """Raw trees by their id."""

    def __init__(self) -> None:
        self.raw: dict[str, bytes] = {}

    def write(self, files: dict[str, Entry]) -> ObjectId:
        tree: Tree = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            first, _, rest = path.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = entry
            else:
                tree[first.encode()] = entry
        for first, inner in below.items():
            tree[first.encode()] = Entry("040000", self.write(inner))
        raw = encode_tree(tree)
        name = object_id("tree", raw)
        self.raw[name] = raw
        return name

    def read(self, name: ObjectId) -> Tree:
        return parse_tree(self.raw[name])


CASES: dict[str, tuple[dict[str, Entry], dict[str, Entry | None], dict[str, Entry]]] = {
    "nothing": ({"a": FILE}, {}, {"a": FILE}),
    "replaced": ({"a/b": FILE, "c": FILE}, {"a/b": OTHER}, {"a/b": OTHER, "c": FILE}),
    "added": ({"c": FILE}, {"a/b/d": OTHER}, {"a/b/d": OTHER, "c": FILE}),
    "removed": ({"a/b": FILE, "c": FILE}, {"a/b": None}, {"c": FILE}),
    "removed one of two": ({"a/b": FILE, "a/c": FILE}, {"a/b": None}, {"a/c": FILE}),
    "a file where a directory is": ({"a/b": FILE}, {"a": OTHER, "a/b": None}, {"a": OTHER}),
    "a directory where a file is": ({"a": FILE}, {"a": None, "a/b": OTHER}, {"a/b": OTHER}),
    "removed below what is no directory": ({"a": FILE}, {"a/b": None}, {"a": FILE}),
    "removed below what isn't there": ({"c": FILE}, {"a/b": None}, {"c": FILE}),
    "all removed": ({"a/b": FILE}, {"a/b": None}, {}),
    "order of git": (
        {"a-b": FILE, "a.b": FILE},
        {"a/x": FILE, "a0": FILE},
        {"a-b": FILE, "a.b": FILE, "a/x": FILE, "a0": FILE},
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_paths_are_set_and_taken_out(what: str) -> None:
    start, changes, expected = CASES[what]
    trees = Trees()
    top = trees.read(trees.write(start))
    overlaid = overlay(top, {path.encode(): entry for path, entry in changes.items()}, trees.read)
    known = {*trees.raw, *overlaid.below}
    assert object_id("tree", encode_tree(overlaid.top)) == trees.write(expected)
    assert all(entry.id in known for entry in overlaid.top.values() if entry.mode == "040000")
    assert all(object_id("tree", raw) == name for name, raw in overlaid.below.items())


@pytest.mark.parametrize("what", CASES)
def test_trees_are_made_from_nothing(what: str) -> None:
    _, _, expected = CASES[what]
    trees = Trees()
    overlaid = overlay({}, {path.encode(): entry for path, entry in expected.items()}, trees.read)
    root = trees.write(expected)
    assert object_id("tree", encode_tree(overlaid.top)) == root
    assert {*overlaid.below, root} == set(trees.raw)


def test_a_tree_is_read_as_it_was_written() -> None:
    tree: Tree = {
        b"a b": FILE,
        b"d": Entry("040000", ObjectId("3" * 40)),
        b"l": Entry("120000", ObjectId("4" * 40)),
    }
    assert parse_tree(encode_tree(tree)) == tree
