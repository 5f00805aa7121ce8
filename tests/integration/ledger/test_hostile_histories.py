"""Histories that only somebody with the Git server in his hands would make: to stop nodes, to part them, or
to keep them busy for hours.

What such commits say doesn't count anyhow. Here it is held that looking at them takes little, comes to the
same on every node, and keeps no node from what comes after them.
"""

from __future__ import annotations

import re
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.ancestry import parents_first
from reconciler.ledger.repository.objects import MAX_GLANCE_BYTES, CommitId
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.verdict import Reason, Verdict
from tests.integration.ledger.verdicts import assert_accepted, assert_rejected
from tests.integration.ledger.world import DAVE, SHOP, WEB, Blob, World, network
from tests.integration.ledger.world import signed as signed_by

pytestmark = pytest.mark.rule(22)

NEW = network("web", 31)


@pytest.fixture
def newcomer(world: World) -> Iterator[Callable[[], Sequence[Verdict]]]:
    """The verdicts of a node that judges everything in one go."""
    nodes: list[Ledger] = []

    def verdicts() -> Sequence[Verdict]:
        nodes.append(world.new_ledger(f"newcomer-{len(nodes)}"))
        return nodes[-1].sync().verdicts

    yield verdicts
    for node in nodes:
        node.close()


def empty_commits(world: World, parents: Iterable[Sequence[str]]) -> list[CommitId]:
    """Unsigned commits, each with the tip's tree and these parents."""
    files = world.forge.trees[world.forge.tip]
    tree = world.forge.write_tree(files)
    return [
        world.forge.add(world.forge.payload(tree, each, "Nothing"), files, push=False) for each in parents
    ]


def merge(world: World, *others: str) -> CommitId:
    """A merge that takes nothing of the others."""
    (commit,) = empty_commits(world, [[world.forge.tip, *others]])
    world.forge.set_main(commit)
    return commit


# --- ids in capital letters, which git follows ----------------------------------------------------------


@pytest.mark.rule(3)
def test_a_tree_named_in_capitals_stops_no_node(
    world: World, newcomer: Callable[[], Sequence[Verdict]]
) -> None:
    files = world.forge.trees[world.forge.tip]
    tree = world.forge.write_tree(files)
    world.forge.add(world.forge.payload(tree.upper(), [world.forge.tip], "Void"), files)
    assert world.codes() == ["void"]
    assert newcomer() == world.sync().verdicts
    world.forge.commit({WEB: NEW}, DAVE)
    assert_accepted(world)


def test_a_parent_named_in_capitals_is_a_parent_on_every_node(
    world: World, newcomer: Callable[[], Sequence[Verdict]]
) -> None:
    """Whether it is told by git, of many commits, or read here, of the newest few."""
    side = world.forge.branch({WEB: network("web", 7)}, DAVE, on=world.forge.tip)
    refused = world.forge.commit({WEB: network("web", 5)}, None)
    files = {**world.forge.trees[refused], WEB: Blob(network("web", 7))}
    raw = world.forge.payload(world.forge.write_tree(files), [refused, side.upper()], "Merge")
    world.forge.add(raw, files)
    assert world.codes(2) == ["unsigned", "malformed-commit"]
    for _ in range(20):
        world.forge.commit({"README": str(world.forge.clock).encode()})
    assert newcomer() == world.sync().verdicts


# --- woven ----------------------------------------------------------------------------------------------


def test_a_commit_with_more_parents_than_are_allowed_makes_a_merge_too_large(world: World) -> None:
    tip = world.forge.tip
    good = world.forge.branch({WEB: NEW}, DAVE, on=tip)
    sides = empty_commits(world, [[tip]] * 64)
    (wide,) = empty_commits(world, [[good, *sides]])
    world.forge.merge(wide, changes={WEB: NEW})
    assert_rejected(world, Reason.TOO_MANY_COMMITS)


def test_parents_beyond_what_is_read_of_a_commit_are_known_on_every_node(
    world: World, newcomer: Callable[[], Sequence[Verdict]]
) -> None:
    """A commit of 144 KiB, of which 128 are looked at, hides its last parents from who looks no further."""
    tip = world.forge.tip
    last = world.forge.branch({WEB: NEW}, DAVE, on=tip)
    sides = empty_commits(world, [[tip]] * 3_000)
    (wide,) = empty_commits(world, [[tip, *sides, last]])
    merge(world, wide)
    assert world.codes() == ["void"]
    world.forge.commit({SHOP: None})
    world.sync()
    merge(world, empty_commits(world, [[tip]])[0])
    assert world.codes() == ["void"]
    world.forge.merge(last, changes={WEB: NEW})
    world.sync()
    assert newcomer() == world.sync().verdicts
    assert world.codes() == ["no-author"]


def test_commits_woven_as_densely_as_they_may_be_are_put_in_order_at_once() -> None:
    names = [CommitId(f"{number:040x}") for number in range(5_000)]
    parents = {name: tuple(names[max(0, at - 64) : at]) for at, name in enumerate(names)}
    begun = time.process_time()
    order = list(parents_first(dict(reversed(parents.items()))))
    assert time.process_time() - begun < 5
    assert order == names


def test_no_git_process_is_started_for_each_known_commit_that_a_merge_hangs_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unsigned merge of many commits, each on another old one, asks for each what lies behind it."""
    tip = world.forge.tip
    world.forge.commit({WEB: NEW}, DAVE)
    old = empty_commits(world, [[tip]] * 300)
    for at in range(0, 300, 60):
        merge(world, *old[at : at + 60])
    assert set(world.codes(5)) == {"void"}
    chain = [tip]
    for each in old:
        chain += empty_commits(world, [[chain[-1], each]])
    made = world.forge.branch({WEB: network("web", 32)}, DAVE, on=chain[-1])
    started: list[str] = []
    start = Runner.start

    def counted(runner: Runner, *arguments: str, **settings: int | None) -> object:
        started.append(arguments[0])
        return start(runner, *arguments, **settings)

    monkeypatch.setattr(Runner, "start", counted)
    world.forge.merge(made, changes={WEB: network("web", 32)})
    assert_rejected(world, Reason.STALE_BASE)
    assert len(started) < 20, started


@pytest.mark.rule(9)
def test_what_an_old_side_branch_knows_is_told_apart_by_what_lies_behind_it(world: World) -> None:
    """A known commit that isn't of the chain: one merged before the last change of the path, one after it."""
    tip = world.forge.tip
    (before,) = empty_commits(world, [[tip]])
    changed = world.forge.commit({WEB: NEW}, DAVE)
    (after,) = empty_commits(world, [[changed]])
    merge(world, before, after)
    assert world.codes() == ["void"]
    world.forge.merge(world.forge.branch({WEB: network("web", 33)}, DAVE, on=after))
    assert_accepted(world)
    world.forge.commit({WEB: NEW}, DAVE)
    assert_accepted(world)
    world.forge.merge(
        world.forge.branch({WEB: network("web", 34)}, DAVE, on=after), changes={WEB: network("web", 34)}
    )
    assert_rejected(world, Reason.STALE_BASE)


@pytest.mark.parametrize("signed", [False, True])
def test_of_what_many_parents_differ_in_only_one_list_is_in_memory(world: World, signed: bool) -> None:
    """Before anything is asked about signatures, and after it, where one commit is looked at against each."""
    forge, tip = world.forge, world.forge.tip
    junk = {f"tenants/junk/{number:05d}": Blob(b"") for number in range(3_000)}
    files = forge.trees[tip]
    sides = []
    for name in "abcdefghijkl":
        tree = forge.write_tree({**files, **junk, f"tenants/{name}": Blob(b"")})
        sides.append(forge.add(forge.payload(tree, [tip], name), files, push=False))
    new = {**files, WEB: Blob(NEW)}
    payload = forge.payload(forge.write_tree(new), [tip, *sides], "Change")
    if signed:
        made = forge.add(signed_by(payload, DAVE), new, push=False)
        forge.add(forge.payload(forge.write_tree(new), [tip, made], "Merge"), new)
    else:
        forge.add(payload, new)
    tracemalloc.start()
    try:
        verdict = world.sync().verdicts[-1]
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert verdict.reason is (Reason.ACCEPTED if signed else Reason.UNSIGNED)
    assert peak_bytes < 16_000_000, peak_bytes


# --- words ----------------------------------------------------------------------------------------------


def test_what_anybody_writes_into_a_commit_is_remembered_in_short(world: World) -> None:
    """Thousands of unsigned commits with a line of 100 KiB take next to nothing in a pack."""
    author = "x" * 50_000
    files = world.forge.trees[world.forge.tip]
    payload = world.forge.payload(world.forge.write_tree(files), [world.forge.tip], "s" * 50_000)
    world.forge.add(payload.replace(b"author Somebody", f"author {author}".encode()), files)
    verdict = world.sync().verdicts[-1]
    assert max(map(len, (verdict.subject, verdict.author, verdict.detail))) < 5 * MAX_GLANCE_BYTES
    line = "tnet-adopt: " + "y" * 100_000
    world.forge.commit({WEB: NEW}, DAVE, subject=f"{line}\n\nend")
    assert len(assert_rejected(world, Reason.MALFORMED_ADOPT).detail) <= 4_000


# --- size -----------------------------------------------------------------------------------------------


def test_a_signed_file_of_any_length_takes_no_memory(world: World) -> None:
    """Not ours, and not that of git, which else reads whatever is below half a gigabyte into it."""
    world.forge.commit({WEB: b"a" * (100 << 20)}, DAVE)
    assert_rejected(world, Reason.INVALID_DOCUMENT)
    (reader,) = (
        status
        for status in Path("/proc").glob("[0-9]*/status")
        if _asks_for_objects(status.with_name("cmdline"), str(world.directory / "node"))
    )
    peak = re.search(r"VmHWM:\s*(\d+) kB", reader.read_text())
    assert peak is not None and int(peak[1]) < 50_000


def _asks_for_objects(command: Path, where: str) -> bool:
    try:
        words = command.read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:  # It has ended.
        return False
    return "cat-file" in words and any(word.startswith(f"--git-dir={where}/") for word in words)
