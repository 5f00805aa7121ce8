"""Where the node is in history: forwards only, over the anchor and the mark, whatever the remote shows."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.trouble import AnchorRefused, MarkDamaged, NoGoodState
from reconciler.ledger.view import AlarmKind, LedgerView
from reconciler.model.paths import tenant_path
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    CHLOE,
    DAVE,
    ERIN,
    MALLORY,
    SHOP,
    WEB,
    World,
    network,
    node,
    policy,
    tenant,
)


def assert_alarm(world: World, kind: AlarmKind, good: LedgerView) -> None:
    """The alarm is raised, also by a process that has just started, and the last good state stands."""
    for ledger in (world.ledger, world.new_ledger("node")):
        view = ledger.sync()
        assert view.alarm is not None, view
        assert view.alarm.kind is kind, view.alarm
        assert view.alarm.advice
        assert dataclasses.replace(view, alarm=None) == good


@pytest.mark.rule(15)
def test_a_rewritten_branch_is_not_judged(world: World) -> None:
    old = CommitId(world.forge.git("rev-parse", "main~1"))
    good = world.sync()
    world.forge.commit({SHOP: network("shop", 9)}, ERIN, parents=[old])
    assert_alarm(world, AlarmKind.REWRITTEN, good)


@pytest.mark.rule(15)
@pytest.mark.rule(16)
def test_a_branch_set_back_behind_the_mark_is_not_believed(world: World) -> None:
    good = world.sync()
    world.forge.set_main(world.forge.git("rev-parse", "main~1"))
    assert_alarm(world, AlarmKind.ROLLED_BACK, good)


@pytest.mark.rule(15)
def test_a_foxtrot_is_not_judged(world: World) -> None:
    """Main's history swapped into the second parent: every old commit is there, and none is on the chain."""
    good = world.sync()
    side = world.forge.commit({"README": b"x"}, None, parents=[CommitId(world.anchor.commit)], push=False)
    world.forge.commit({}, None, parents=[side, world.forge.tip], tree_of=world.forge.tip)
    assert_alarm(world, AlarmKind.FOXTROT, good)


@pytest.mark.rule(15)
def test_a_branch_without_the_anchor_is_not_judged(world: World) -> None:
    good = world.sync()
    world.forge.commit({"trust/policy.yaml": policy(MALLORY)}, MALLORY, parents=[])
    assert_alarm(world, AlarmKind.REWRITTEN, good)


@pytest.mark.rule(15)
def test_a_branch_without_the_anchor_is_refused_at_the_start(world: World) -> None:
    world.forge.commit({"trust/policy.yaml": policy(MALLORY)}, MALLORY, parents=[])
    with pytest.raises(NoGoodState):
        world.new_ledger("other").sync()


def test_after_an_alarm_the_node_goes_on_when_the_branch_is_back(world: World) -> None:
    tip = world.forge.tip
    world.forge.set_main(world.forge.git("rev-parse", "main~2"))
    assert world.sync().alarm is not None
    world.forge.set_main(tip)
    assert world.sync().alarm is None
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert world.codes() == ["accepted"]


@pytest.mark.rule(16)
def test_a_tail_of_refused_commits_may_be_dropped(world: World) -> None:
    """Else one unsigned commit shown to one node would strand it for ever."""
    good = world.forge.tip
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    world.forge.commit({"README": b"x"}, None)
    assert world.codes(2) == ["unknown-key", "void"]
    world.forge.set_main(good)
    world.forge.commit({WEB: network("web", 4)}, DAVE)
    assert world.codes() == ["accepted"]
    other = world.new_ledger("other").sync()
    assert other.state_hash == world.sync().state_hash == world.new_ledger("node").judge_local().state_hash


@pytest.mark.rule(16)
def test_the_mark_outlives_the_clone(world: World) -> None:
    world.sync()
    subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
    world.forge.set_main(world.forge.git("rev-parse", "main~1"))
    with pytest.raises(NoGoodState):
        world.new_ledger("node").sync()


@pytest.mark.rule(16)
def test_the_mark_is_the_last_transaction_that_changed_something(world: World) -> None:
    expected = world.forge.commit({WEB: network("web", 3)}, DAVE)
    world.forge.commit({WEB: network("web", 4)}, MALLORY)
    world.forge.commit({"README": b"x"}, None)
    assert world.sync().mark == expected
    kept = json.loads((world.directory / "node" / "mark.json").read_text())
    assert kept["commit"] == expected


def test_a_damaged_mark_stops_the_node(world: World) -> None:
    (world.directory / "node" / "mark.json").write_text("{")
    with pytest.raises(MarkDamaged):
        world.new_ledger("node").sync()


@pytest.mark.rule(16)
def test_a_mark_that_another_process_has_moved_is_not_moved_back(world: World) -> None:
    """`tnet apply` beside the agent: what one of them has accepted, the other can't be led back behind."""
    old = world.forge.tip
    newer = world.forge.commit({WEB: network("web", 3)}, DAVE)
    newest = world.forge.commit({WEB: network("web", 4)}, DAVE)
    other = world.new_ledger("node")
    assert other.sync().mark == newest
    other.close()
    for shown in (old, newer):
        world.forge.set_main(shown)
        view = world.sync()
        assert view.alarm is not None
        assert view.alarm.kind is AlarmKind.ROLLED_BACK
        assert (view.tip, view.mark) == (newest, newest)
        assert json.loads((world.directory / "node" / "mark.json").read_text())["commit"] == newest


# --- the anchor --------------------------------------------------------------------------------------


def pinned(world: World, **changes: object) -> LedgerView:
    config = dataclasses.replace(world.ledger._config, directory=world.directory / "pinned", **changes)
    return type(world.ledger)(config).sync()


def test_other_root_keys_than_pinned_are_refused(world: World) -> None:
    with pytest.raises(AnchorRefused):
        pinned(world, root_fingerprints=frozenset({MALLORY.key.fingerprint}))


def test_root_keys_beyond_the_pinned_are_refused(tmp_path: Path) -> None:
    world = World(tmp_path, root=policy(ALICE, MALLORY))
    with pytest.raises(AnchorRefused):
        world.sync()


def test_an_anchor_without_a_policy_is_refused(world: World) -> None:
    other = world.forge.commit({"README": b"x"}, None, parents=[])
    with pytest.raises(AnchorRefused):
        pinned(world, anchor=other)


def test_a_later_anchor_has_all_its_documents_in_effect(world: World) -> None:
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    later = pinned(world, anchor=CommitId(world.forge.git("rev-parse", "main~1")))
    assert later.model == world.sync().model
    assert [verdict.code for verdict in later.verdicts] == ["anchor", "accepted"]


# --- the same everywhere -----------------------------------------------------------------------------


@pytest.mark.rule(1)
@pytest.mark.rule(2)
def test_in_one_go_or_commit_by_commit_gives_the_same(world: World) -> None:
    changes = [
        ({WEB: network("web", 3)}, DAVE),
        ({WEB: network("web", 4)}, MALLORY),
        ({"farms/paris/nodes/p2.yaml": node("p2", 2)}, BOB),
        ({WEB: network("web", 5)}, DAVE),
    ]
    for files, person in changes:
        world.forge.commit(files, person)
        world.sync()
    one_go = world.new_ledger("other").sync()
    assert one_go == world.sync()
    assert one_go == world.new_ledger("node").judge_local()


@pytest.mark.rule(2)
@pytest.mark.rule(19)
def test_a_later_change_of_keys_changes_no_verdict_before_it(world: World) -> None:
    """A key is good up to the transaction that removes it, and what it signed until then stays accepted."""
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    before = world.sync().verdicts
    world.forge.commit({tenant_path("acme"): tenant("acme", CHLOE)}, DAVE)
    world.forge.commit({WEB: network("web", 4)}, DAVE)
    known, anew = world.sync(), world.new_ledger("other").sync()
    assert [verdict.code for verdict in known.verdicts[-2:]] == ["accepted", "unknown-key"]
    assert known.verdicts[: len(before)] == anew.verdicts[: len(before)] == before
    assert known == anew


@pytest.mark.rule(1)
def test_any_difference_in_history_or_verdicts_is_a_difference_in_the_state(world: World) -> None:
    """Also one that changes nothing in effect."""
    tip = world.forge.tip
    hashes = {world.sync().state_hash}
    for files, person in (({}, None), ({"README": b"x"}, None), ({WEB: network("web", 3)}, MALLORY)):
        world.forge.set_main(tip)
        world.forge.commit(files, person)
        view = world.sync()
        assert view.alarm is None
        hashes.add(view.state_hash)
    assert len(hashes) == 4


@pytest.mark.rule(2)
def test_a_damaged_chronicle_is_judged_anew(world: World) -> None:
    view = world.sync()
    path = world.directory / "node" / "ledger.git" / "tnet" / "chronicle.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in (
        b"",
        b"{",
        lines[0],
        b"".join(lines[:-1]) + lines[-1][:20],
        b"".join(lines).replace(b"web", b"wob"),
    ):
        path.write_bytes(damaged)
        assert world.new_ledger("node").judge_local() == view
        assert path.read_bytes() == b"".join(lines)


@pytest.mark.rule(2)
def test_a_verdict_in_the_chronicle_that_does_not_follow_is_not_believed(world: World) -> None:
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    view = world.sync()
    path = world.directory / "node" / "ledger.git" / "tnet" / "chronicle.jsonl"
    path.write_bytes(path.read_bytes().replace(b"unknown-key", b"accepted"))
    assert world.new_ledger("node").judge_local() == view


@pytest.mark.rule(23)
def test_the_effective_tree_shows_with_git_what_was_refused(world: World) -> None:
    world.forge.commit({WEB: network("web", 3), "README": b"x"}, MALLORY)
    world.forge.commit(
        {
            "farms/paris/nodes/.git/x": b"x",
            "farms/paris/nodes/p1.yaml/sub": b"",
            "farms/paris/nodes/p1.yaml": None,
        },
        MALLORY,
    )
    world.sync()
    clone = ["git", f"--git-dir={world.directory}/node/ledger.git"]
    shown = subprocess.run(
        [*clone, "diff", "--name-only", "refs/tnet/ledger", "refs/tnet/effective"],
        check=True,
        capture_output=True,
    )
    assert set(shown.stdout.decode().split()) == {
        WEB,
        "farms/paris/nodes/.git/x",
        "farms/paris/nodes/p1.yaml",
        "farms/paris/nodes/p1.yaml/sub",
    }
    assert world.effective("README") == b"x"
    assert world.effective("farms/paris/nodes/p1.yaml") == node("p1")
