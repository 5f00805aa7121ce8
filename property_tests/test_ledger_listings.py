"""What a commit changed is the same whoever lists it: git, or the descent that decides where git gives up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from property_tests.ledger_histories import Move, histories, repository, written
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository import descent, store
from reconciler.ledger.repository.objects import CommitId, Entry, ObjectId
from reconciler.ledger.repository.overlay import encode_tree
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Edge, Store
from reconciler.ledger.view import LedgerView
from tests.integration.ledger.world import ALICE, Forge

Leaf = tuple[str, int]
Nested = dict[str, "Leaf | Nested"]
"""A tree: by name a mode and the number of a content, or another tree, which may be empty."""

MODES = ("100644", "100755", "120000", "160000", "100664", "100600", "10644", "120777")
ROOTS = ("trust", "farms", "tenants", "Tenants", "tenants. ", "\u017ftrust", "zz", "tenant\u200cs")
NAMES = ("a", "a.", "a0", "b", "a-b", "\u00e9", "a b", "n" * 40)

leaves = st.tuples(st.sampled_from(MODES), st.integers(0, 3))
below = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), leaves, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), leaves | inner, max_size=4),
    max_leaves=12,
)
roots = st.dictionaries(st.sampled_from(ROOTS), leaves | below, max_size=4)
edits = st.lists(
    st.tuples(st.lists(st.sampled_from((*ROOTS, *NAMES)), min_size=1, max_size=4), leaves | below)
)


def edited(tree: Nested, changes: list[tuple[list[str], Leaf | Nested]]) -> Nested:
    """The tree with something put, or put in place, at each of these paths."""
    result: Nested = dict(tree)
    for (first, *rest), content in changes:
        inner = result.get(first)
        start = inner if isinstance(inner, dict) else {}
        result[first] = edited(start, [(rest, content)]) if rest else content
    return result


def write(forge: Forge, tree: Nested) -> ObjectId:
    entries = {
        name.encode(): Entry("040000", write(forge, content))
        if isinstance(content, dict)
        else Entry(content[0], ObjectId(forge.write("blob", b"%d" % content[1])))
        for name, content in tree.items()
    }
    return ObjectId(forge.write("tree", encode_tree(entries)))


@contextmanager
def repository_of(trees: list[Nested]) -> Iterator[tuple[Store, list[CommitId]]]:
    with tempfile.TemporaryDirectory(prefix="tnet-test-") as directory:
        forge = Forge(Path(directory) / "forge.git")
        commits = [
            CommitId(forge.write("commit", forge.payload(write(forge, tree), [], "Tree"))) for tree in trees
        ]
        opened = Store(Runner(forge.path))
        try:
            yield opened, commits
        finally:
            opened.close()


@given(
    roots, edits, st.sampled_from([100_000, 3, 8]), st.sampled_from([16, 2, 3]), st.sampled_from([512, 20])
)
@example({"tenants": {"a": {}}}, [(["tenants", "a", "b"], {})], 100_000, 16, 512)
@example({"tenants": {"a": ("100644", 1)}}, [(["tenants", "a"], {"b": ("100644", 1)})], 100_000, 16, 512)
def test_git_and_the_descent_list_the_same(
    old: Nested,
    changes: list[tuple[list[str], Leaf | Nested]],
    listed: int,
    depth: int,
    path: int,
) -> None:
    new = edited(old, changes)
    with (
        mock.patch.multiple(descent, MAX_LISTED=listed, MAX_DEPTH=depth, MAX_PATH_BYTES=path),
        repository_of([old, new, {}]) as (opened, commits),
    ):
        pairs = [Edge(parent, commit) for commit in commits for parent in commits if parent != commit]
        edges = [*(Edge(None, commit) for commit in commits), *pairs]
        by_git = list(opened._listed_by_git(edges))
        ours = [opened._descended(edge) for edge in edges]
        assert by_git == ours
        event(f"unlistable: {None in ours}")
        paths = sorted({change.path for changes in ours for change in changes or ()})
        for wanted in (frozenset(paths), frozenset(paths[::2])):
            looked_up = list(opened._looked_up(pairs, wanted))
            assert looked_up == opened.differences(pairs, wanted)
            for changes, found in zip(ours[len(commits) :], looked_up, strict=True):
                assert changes is None or found == tuple(each for each in changes if each.path in wanted)


def judged_by(forge: Forge, anchor: Anchor, name: str) -> LedgerView:
    config = LedgerConfig(
        str(forge.path), "main", anchor.commit, anchor.root_fingerprints, forge.path.parent / name
    )
    ledger = Ledger(config)
    try:
        return ledger.sync()
    finally:
        ledger.close()


@settings(max_examples=max(5, settings().max_examples // 8))
@given(histories(max_size=8))
def test_verdicts_do_not_depend_on_what_git_can_list(moves: list[Move]) -> None:
    """A git that gives up on everything, one that lists all, and one that lists but for merges."""
    made = repository(moves)
    with tempfile.TemporaryDirectory(prefix="tnet-test-") as directory:
        forge = Forge(Path(directory) / "forge.git")
        anchor = Anchor(written(made, forge).chain[0], frozenset({ALICE.key.fingerprint}))
        by_git = judged_by(forge, anchor, "by-git")
        with mock.patch.object(Store, "_listed_by_git", lambda self, edges: (edge for edge in ())):
            assert judged_by(forge, anchor, "by-descent") == by_git
        with mock.patch.object(store, "FEW_EDGES", 0):
            assert judged_by(forge, anchor, "looked-up") == by_git
        with mock.patch.object(store, "DIFFERENCE_ANSWER_BYTES", 100):
            assert judged_by(forge, anchor, "by-both") == by_git
