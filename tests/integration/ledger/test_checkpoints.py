"""What checkpoints do for a node, and what they can't be made to do by who holds the forge or some keys."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from immutables import Map

from reconciler.ledger.checkpoints import state_file
from reconciler.ledger.checkpoints.checkpoint_branch import CheckpointFiles
from reconciler.ledger.judging.books import Books
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId, ObjectId
from reconciler.ledger.trouble import NoGoodState
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import AlarmKind, LedgerView
from tests.integration.ledger.checkpoints import (
    BRANCH,
    NOW,
    WALTER,
    WENDY,
    books_at,
    put,
    put_snapshot,
    signed,
    snapshot,
    witness,
    witnessed_policy,
)
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    CHLOE,
    DAVE,
    ERIN,
    MALLORY,
    SHOP,
    WEB,
    Blob,
    World,
    network,
)

pytestmark = pytest.mark.rule(18)


class Watched(World):
    """A world whose policy names Wendy as witness, and whose node looks for checkpoints."""

    def __init__(self, directory: Path, **settings: object) -> None:
        super().__init__(directory, root=witnessed_policy(ALICE, witnesses=(WENDY,)), **settings)  # type: ignore[arg-type]

    def new_ledger(self, name: str, **settings: object) -> Ledger:
        return super().new_ledger(name, **{"checkpoints": BRANCH, **settings})

    def witness(self, sequence: int = 1, commit: str = "main", **changes: object) -> None:
        """Wendy's witness of this commit on the branch, perhaps with other words than the truth."""
        put(self.forge, {"witness": signed(witness(books_at(self, commit), sequence, **changes), WENDY)})

    def notes(self) -> list[str]:
        return [note.code for note in self.sync().checkpoints.notes]

    def seen(self) -> int:
        """The sequence of the newest witness that counts."""
        found = self.sync().checkpoints.witness
        return 0 if found is None else found.checkpoint.sequence


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Watched]:
    """A farm, two tenants, a network each; all of it accepted by the node; no checkpoint yet."""
    made = Watched(tmp_path)
    made.populate()
    put(made.forge, {"README": b"x"})
    assert made.sync().alarm is None
    yield made
    made.ledger.close()


def assert_stands(world: Watched, good: LedgerView, kind: AlarmKind) -> None:
    """The alarm is raised, also by a process that has just started, and the last good state stands."""
    for ledger in (world.ledger, world.new_ledger("node")):
        view = ledger.sync()
        assert view.alarm is not None
        assert view.alarm.kind is kind, view.alarm
        assert view.alarm.advice
        assert dataclasses.replace(view, alarm=None, checkpoints=good.checkpoints) == good


# --- freshness ---------------------------------------------------------------------------------------


def test_a_witness_of_what_the_node_sees_says_how_fresh_it_is(world: Watched) -> None:
    world.witness(7)
    view = world.sync()
    assert view.checkpoints.expected
    assert view.checkpoints.witness is not None
    assert view.checkpoints.witness.checkpoint.issued == NOW
    assert [str(signer) for signer in view.checkpoints.witness.signers] == ["wendy (witness)"]
    assert (view.alarm, view.checkpoints.notes) == (None, ())
    assert world.new_ledger("node").judge_local() == view


def test_a_witness_of_an_earlier_transaction_counts_on(world: Watched) -> None:
    world.witness()
    world.sync()
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "accepted")
    assert world.seen() == 1


def remove_branch(world: Watched) -> None:
    (world.forge.path / "refs" / "heads" / BRANCH).unlink()


def test_without_the_branch_the_ledger_is_judged_and_it_is_said(world: Watched) -> None:
    remove_branch(world)
    assert world.notes() == ["CheckpointsMissing"]
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert world.codes() == ["accepted"]
    world.witness()
    fresh = world.new_ledger("node").sync()
    assert fresh.checkpoints.witness is not None
    assert fresh.checkpoints.notes == ()


def test_where_no_witness_is_named_nobody_misses_the_branch(tmp_path: Path) -> None:
    world = World(tmp_path)
    ledger = world.new_ledger("watching", checkpoints=BRANCH)
    assert ledger.sync().checkpoints.notes == ()
    ledger.close()
    world.ledger.close()


def test_a_node_that_is_not_told_of_checkpoints_fetches_none(world: Watched) -> None:
    world.witness()
    ledger = world.new_ledger("plain", checkpoints=None)
    assert ledger.sync().checkpoints.witness is None
    clone = f"--git-dir={world.directory}/plain/ledger.git"
    refs = subprocess.run(["git", clone, "for-each-ref"], capture_output=True, text=True, check=True).stdout
    assert "checkpoints" not in refs


def test_an_expired_witness_is_told_with_its_time_and_decides_nothing(world: Watched) -> None:
    """No clock is asked for a verdict or an alarm: how old it is, is the reader's to say."""
    world.witness(issued=NOW - timedelta(days=900))
    view = world.sync()
    assert (view.alarm, view.checkpoints.notes) == (None, ())
    assert world.seen() == 1


@pytest.mark.parametrize("later", [1, 2])
def test_checkpoints_never_hold_up_a_transaction(world: Watched, later: int) -> None:
    for number in range(later):
        put(world.forge, {"witness": b"rubbish %d" % number})
        world.forge.commit({WEB: network("web", 3 + number)}, DAVE)
        assert world.codes() == ["accepted"]


# --- what doesn't count ------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [MALLORY, ALICE, DAVE, BOB])
def test_a_witness_by_the_wrong_role_is_not_believed(world: Watched, person: object) -> None:
    books = books_at(world)
    world.witness(3)
    assert world.seen() == 3
    lie = dataclasses.replace(books, hash="0" * 64)
    put(world.forge, {"witness": signed(witness(lie, 4), person)})  # type: ignore[arg-type]
    view = world.sync()
    assert [note.code for note in view.checkpoints.notes] == ["CheckpointUnsigned"]
    assert view.alarm is None
    assert world.seen() == 3


def test_a_witness_signed_for_another_purpose_is_not_believed(world: Watched) -> None:
    put(world.forge, {"witness": signed(witness(books_at(world)), WENDY, namespace="git")})
    assert world.notes() == ["CheckpointUnsigned"]


def test_a_witness_out_of_order_is_not_taken(world: Watched) -> None:
    """The forge shows an old one again: it proves nothing about now, and the node goes on from the newer."""
    world.witness(5)
    assert world.seen() == 5
    world.witness(4, issued=NOW + timedelta(days=1))
    assert world.notes() == ["WitnessOutOfOrder"]
    assert world.seen() == 5
    assert world.new_ledger("node").sync().checkpoints == world.sync().checkpoints


def test_two_witnesses_with_one_sequence_are_not_both_taken(world: Watched) -> None:
    world.witness(5)
    world.sync()
    world.witness(5, issued=NOW + timedelta(days=1))
    assert world.notes() == ["WitnessOutOfOrder"]


def test_the_newest_witness_outlives_the_clone(world: Watched) -> None:
    world.witness(5)
    world.sync()
    subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
    world.witness(4)
    view = world.new_ledger("node").sync()
    assert [note.code for note in view.checkpoints.notes] == ["WitnessOutOfOrder"]
    assert view.checkpoints.witness is not None
    assert view.checkpoints.witness.checkpoint.sequence == 5


def test_a_witness_for_another_ledger_is_not_believed(world: Watched) -> None:
    world.witness(anchor=CommitId("1" * 40))
    assert world.notes() == ["CheckpointForeign"]


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_a_truncated_witness_is_not_believed(world: Watched, keep: int) -> None:
    put(world.forge, {"witness": signed(witness(books_at(world)), WENDY)[:keep]})
    assert world.notes() in (["CheckpointMalformed"], ["CheckpointUnsigned"])


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"x" * (3 << 20), "CheckpointTooLarge"),
        (Blob(b"/etc/passwd", "120000"), "CheckpointUnreadable"),
        (Blob(b"1" * 40, "160000"), "CheckpointUnreadable"),
    ],
)
def test_a_witness_that_is_huge_or_no_file_is_passed_over(
    world: Watched, content: bytes | Blob, note: str
) -> None:
    put(world.forge, {"witness": content})
    assert world.notes() == [note]
    assert world.sync().alarm is None


def test_many_files_on_the_branch_are_nobodys_business(world: Watched) -> None:
    good = signed(witness(books_at(world)), WENDY)
    put(world.forge, {"witness": good, **{f"junk/{number}": b"" for number in range(2000)}, "a/witness": b""})
    assert world.notes() == []
    assert world.seen() == 1


def test_an_object_that_git_refuses_on_the_branch_does_not_keep_the_ledger_from_being_fetched(
    world: Watched,
) -> None:
    tree = world.forge.write("tree", b"100644 a/b\0" + bytes.fromhex(world.forge.write("blob", b"x")))
    raw = world.forge.payload(tree, [], "broken")
    (world.forge.path / "refs" / "heads" / BRANCH).write_text(world.forge.write("commit", raw) + "\n")
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    view = world.sync()
    assert view.verdicts[-1].code == "accepted"
    assert [note.code for note in view.checkpoints.notes] == ["ObjectsRefused"]


@pytest.mark.parametrize("kind", ["blob", "tree", "tag of a blob", "missing"])
def test_a_branch_that_is_no_commit_is_passed_over(world: Watched, kind: str) -> None:
    blob = world.forge.write("blob", b"x")
    made = {
        "blob": blob,
        "tree": world.forge.write("tree", b""),
        "tag of a blob": world.forge.write(
            "tag", f"object {blob}\ntype blob\ntag x\ntagger x <x@example.net> 1 +0000\n\nx\n".encode()
        ),
        "missing": "1" * 40,
    }
    (world.forge.path / "refs" / "heads" / BRANCH).write_text(made[kind] + "\n")
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "accepted")
    assert view.checkpoints.witness is None


def test_a_tag_of_a_tag_of_a_good_branch_is_taken_for_it(world: Watched) -> None:
    world.witness(4)
    tagged = (world.forge.path / "refs" / "heads" / BRANCH).read_text().strip()
    for kind in ("commit", "tag"):
        text = f"object {tagged}\ntype {kind}\ntag x\ntagger x <x@example.net> 1 +0000\n\nx\n"
        tagged = world.forge.write("tag", text.encode())
    (world.forge.path / "refs" / "heads" / BRANCH).write_text(tagged + "\n")
    assert world.seen() == 4


def test_after_trouble_with_the_branch_it_is_looked_for_again_by_and_by(world: Watched) -> None:
    remove_branch(world)
    assert world.notes() == ["CheckpointsMissing"]
    world.witness(2)
    for _ in range(30):
        if world.seen():
            break
    assert world.seen() == 2
    assert world.notes() == []


def test_a_key_that_is_no_witness_any_more_says_nothing_any_more(world: Watched) -> None:
    """Its last word was a lie with the highest sequence there is: root takes the key away, nodes go on."""
    good = world.sync()
    world.witness(
        999_999_999_999_999, place=dataclasses.replace(witness(books_at(world)).place, state="0" * 64)
    )
    assert_stands(world, good, AlarmKind.SPLIT_VIEW)
    world.forge.commit({"trust/policy.yaml": witnessed_policy(ALICE, witnesses=(WALTER,), version=2)}, ALICE)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "accepted")
    assert [note.code for note in view.checkpoints.notes] == ["CheckpointUnsigned"]
    put(world.forge, {"witness": signed(witness(books_at(world), 1), WALTER)})
    assert world.seen() == 1


def test_where_the_policy_names_no_witness_nobody_is_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.populate()
    put(world.forge, {"witness": signed(witness(books_at(world)), WENDY)})
    ledger = world.new_ledger("watching", checkpoints=BRANCH)
    view = ledger.sync()
    assert not view.checkpoints.expected
    assert [note.code for note in view.checkpoints.notes] == ["CheckpointUnsigned"]
    ledger.close()
    world.ledger.close()


# --- another view ------------------------------------------------------------------------------------


@pytest.mark.rule(15)
def test_a_witness_off_the_chain_stops_the_node(world: Watched) -> None:
    """The witness was shown another branch than this node is."""
    good = world.sync()
    fork = world.forge.commit({SHOP: network("shop", 9)}, ERIN, push=False)
    world.witness(commit=fork)
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert_stands(world, good, AlarmKind.OFF_CHAIN)


@pytest.mark.rule(15)
def test_a_branch_that_is_held_back_behind_the_witness_stops_the_node(world: Watched) -> None:
    old = world.forge.tip
    world.forge.commit({SHOP: network("shop", 9)}, ERIN)
    world.witness()
    world.forge.set_main(old)
    good = dataclasses.replace(world.sync(), alarm=None)
    assert_stands(world, good, AlarmKind.OFF_CHAIN)


@pytest.mark.rule(15)
def test_the_alarm_stays_when_the_witness_is_taken_away_again(world: Watched) -> None:
    """A forge that has shown a split view once can't make it unseen."""
    world.sync()
    fork = world.forge.commit({SHOP: network("shop", 9)}, ERIN, push=False)
    world.witness(3, commit=fork)
    assert world.sync().alarm is not None
    world.witness(2)
    view = world.sync()
    assert view.alarm is not None
    assert view.alarm.kind is AlarmKind.OFF_CHAIN
    world.witness(4)
    assert world.sync().alarm is None


@pytest.mark.rule(15)
@pytest.mark.parametrize(("field", "value"), [("state", "0" * 64), ("log", "0" * 64), ("position", 3)])
def test_a_witness_with_another_state_stops_the_node(world: Watched, field: str, value: object) -> None:
    good = world.sync()
    place = dataclasses.replace(witness(books_at(world)).place, **{field: value})  # type: ignore[arg-type]
    world.witness(place=place)
    kind = AlarmKind.OFF_CHAIN if field == "position" else AlarmKind.SPLIT_VIEW
    assert_stands(world, good, kind)


def test_a_new_node_that_sees_a_split_view_starts_nothing(world: Watched) -> None:
    fork = world.forge.commit({SHOP: network("shop", 9)}, ERIN, push=False)
    world.witness(commit=fork)
    with pytest.raises(NoGoodState, match="witness 1"):
        world.new_ledger("other").sync()


@pytest.mark.rule(15)
def test_a_snapshot_by_root_off_the_chain_or_with_another_state_stops_the_node(world: Watched) -> None:
    good = world.sync()
    fork = world.forge.commit({SHOP: network("shop", 9)}, ERIN, push=False)
    put_snapshot(world, books_at(world, fork), ALICE)
    assert_stands(world, good, AlarmKind.OFF_CHAIN)
    put_snapshot(world, dataclasses.replace(books_at(world), hash="0" * 64), ALICE)
    assert_stands(world, good, AlarmKind.SPLIT_VIEW)


# --- beginning at a snapshot -------------------------------------------------------------------------


def cold(world: Watched, name: str = "cold") -> LedgerView:
    ledger = world.new_ledger(name)
    try:
        return ledger.sync()
    finally:
        ledger.close()


def after(view: LedgerView, position: int) -> LedgerView:
    """What a full view has in common with one that was begun at this position."""
    verdicts = tuple(verdict for verdict in view.verdicts if verdict.position > position)
    return dataclasses.replace(view, verdicts=verdicts, checkpoints=type(view.checkpoints)())


def test_a_new_node_begins_at_a_snapshot_and_comes_to_the_same(world: Watched) -> None:
    world.forge.commit({WEB: network("web", 3)}, MALLORY)  # Refused, and in the tree from here on.
    marked = world.forge.commit({SHOP: network("shop", 4)}, ERIN)
    books = books_at(world)
    put_snapshot(world, books, ALICE)
    world.forge.commit({WEB: network("web", 5)}, DAVE)
    world.forge.commit({WEB: network("web", 1, [("paris/p1", 1, 1)])}, None)
    world.forge.commit({WEB: network("web", 6, [("paris/p1", 1, 1)])}, DAVE)
    full, begun = world.sync(), cold(world)
    assert begun.verdicts[0].reason is Reason.SNAPSHOT
    assert (begun.verdicts[0].commit, begun.checkpoints.begun_at) == (marked, books.position)
    assert [verdict.code for verdict in begun.verdicts[1:]] == ["based-on-rejected", "repair", "accepted"]
    assert after(begun, books.position) == after(full, books.position)
    assert world.new_ledger("cold").judge_local() == begun
    world.forge.commit({SHOP: network("shop", 7)}, ERIN)
    assert cold(world).state_hash == world.sync().state_hash


def test_nothing_before_the_snapshot_is_judged(world: Watched) -> None:
    """Shown by what isn't needed: the chronicle of such a node has only what came after."""
    put_snapshot(world, books_at(world), ALICE)
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    cold(world)
    kept = world.directory / "cold" / "ledger.git" / "tnet"
    assert len((kept / "snapshot" / "chronicle.jsonl").read_bytes().splitlines()) == 2
    assert not (kept / "chronicle.jsonl").exists()


@pytest.mark.parametrize("position", [1, 4, 7])
def test_any_transaction_that_counts_may_be_the_snapshots(world: Watched, position: int) -> None:
    full = world.sync()
    put_snapshot(world, books_at(world, full.verdicts[position].commit), ALICE)
    begun = cold(world)
    assert begun.verdicts[0].position == position
    assert after(begun, position) == after(world.sync(), position)


def forged(world: Watched, **changes: object) -> Books:
    return dataclasses.replace(books_at(world), **changes)  # type: ignore[arg-type]


def assert_judged_from_the_anchor(world: Watched, *notes: str) -> None:
    begun = cold(world)
    assert begun.verdicts[0].reason is Reason.ANCHOR
    assert [note.code for note in begun.checkpoints.notes] == list(notes)
    assert begun.alarm is None
    assert after(begun, 0) == after(world.sync(), 0)


@pytest.mark.parametrize("person", [MALLORY, WENDY, DAVE, BOB])
def test_a_snapshot_by_the_wrong_role_is_not_used(world: Watched, person: object) -> None:
    evil = books_at(world).entries.set(WEB.encode(), ObjectId(world.forge.write("blob", network("web", 9))))
    put_snapshot(world, forged(world, entries=evil), person)  # type: ignore[arg-type]
    assert_judged_from_the_anchor(world, "CheckpointUnsigned", "CheckpointUnsigned")


def test_a_snapshot_needs_roots_threshold(tmp_path: Path) -> None:
    root = witnessed_policy(ALICE, CHLOE, witnesses=(WENDY,), threshold=2)
    world = World(tmp_path, root=root, root_people=(ALICE, CHLOE))
    world.forge.commit({"README": b"x"}, None)
    branch = world.forge.branch({"farms/paris/farm.yaml": b"x"}, ALICE, world.forge.tip)
    world.forge.merge(branch, by=CHLOE)
    books = dataclasses.replace(books_at(world), mark=world.forge.tip)
    for people, reason in (
        ((ALICE,), Reason.ANCHOR),
        ((ALICE, ALICE), Reason.ANCHOR),
        ((ALICE, CHLOE), Reason.SNAPSHOT),
    ):
        put_snapshot(world, books, *people)
        ledger = world.new_ledger(f"cold{len(people)}{reason}", checkpoints=BRANCH)
        assert ledger.sync().verdicts[0].reason is reason
        ledger.close()
    world.ledger.close()


def test_a_snapshot_with_one_entry_changed_is_not_used(world: Watched) -> None:
    """The text is root's, the state beside it isn't what root signed."""
    books = books_at(world)
    evil = books.entries.set(WEB.encode(), ObjectId(world.forge.write("blob", network("web", 9))))
    files = {
        "snapshot": signed(snapshot(books), ALICE),
        "state": state_file.encode(dataclasses.replace(books, entries=evil)),
    }
    put(world.forge, files)
    assert_judged_from_the_anchor(world, "SnapshotForged")


@pytest.mark.parametrize("bend", ["truncated", "longer", "empty", "missing"])
def test_a_snapshot_whose_state_is_not_whole_is_not_used(world: Watched, bend: str) -> None:
    books = books_at(world)
    state = state_file.encode(books)
    bent = {"truncated": state[:-1], "longer": state + b"\0", "empty": b""}
    files = {"snapshot": signed(snapshot(books), ALICE)}
    put(world.forge, files if bend == "missing" else {**files, "state": bent[bend]})
    assert_judged_from_the_anchor(world, "CheckpointTooLarge" if bend == "longer" else "SnapshotForged")


def test_a_huge_state_that_root_did_not_sign_is_not_even_read(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world.forge, {"snapshot": signed(snapshot(books_at(world)), MALLORY), "state": bytes(1 << 20)})
    read: list[int] = []
    monkeypatch.setattr(CheckpointFiles, "state", lambda _files, at_most: read.append(at_most))
    assert_judged_from_the_anchor(world, "CheckpointUnsigned", "CheckpointUnsigned")
    assert read == []


def test_a_snapshot_that_cannot_be_kept_and_contradicts_the_mark_is_not_tried_for_ever(
    world: Watched,
) -> None:
    full = world.sync()
    world.ledger.close()
    put_snapshot(world, dataclasses.replace(books_at(world), hash="0" * 64), ALICE)
    kept = world.directory / "node" / "ledger.git"
    subprocess.run(["rm", "-r", str(kept)], check=True)
    ledger = world.new_ledger("node")
    with pytest.raises(NoGoodState):
        ledger.sync()
    shutil.rmtree(kept / "tnet")
    (kept / "tnet").write_bytes(b"a file where a directory should be")
    again = world.new_ledger("node")
    with pytest.raises(NoGoodState, match="snapshot 1"):
        again.sync()
    put(world.forge, {"README": b"x"})
    assert again.sync().state_hash == full.state_hash
    for each in (ledger, again):
        each.close()


def test_a_state_that_root_signed_and_that_is_none_is_not_used(world: Watched) -> None:
    """Signed as it is, so only its form and the ledger itself speak against it."""
    books = books_at(world)
    for state in (
        b"rubbish",
        state_file.encode(forged(world, anchor=CommitId("1" * 40))),
        state_file.encode(forged(world, entries=books.entries.set(b"trust/x", ObjectId("1" * 40)))),
        state_file.encode(forged(world, entries=books.entries.set(WEB.encode(), ObjectId("1" * 40)))),
        state_file.encode(forged(world, entries=Map())),
    ):
        put(world.forge, {"snapshot": signed(snapshot(books, state=state), ALICE), "state": state})
        begun = cold(world, f"cold{len(state)}{state[-30:].hex()}")
        assert begun.verdicts[0].reason is Reason.ANCHOR
        assert begun.state_hash == world.sync().state_hash


def test_a_snapshot_for_another_ledger_is_not_used(world: Watched) -> None:
    put_snapshot(world, forged(world, anchor=CommitId("1" * 40)), ALICE)
    assert_judged_from_the_anchor(world, "CheckpointForeign", "CheckpointForeign")


def test_a_snapshot_off_the_chain_begins_nothing(world: Watched) -> None:
    fork = world.forge.commit({SHOP: network("shop", 9)}, ERIN, push=False)
    put_snapshot(world, books_at(world, fork), ALICE)
    with pytest.raises(NoGoodState, match="snapshot 1"):
        cold(world)


@pytest.mark.rule(16)
def test_a_node_with_a_mark_never_goes_back_nor_elsewhere_by_a_snapshot(world: Watched) -> None:
    """Root's word of another state isn't taken by a node that has judged it, nor after it lost its clone."""
    full = world.sync()
    evil = forged(world, hash="0" * 64)
    early = books_at(world, full.verdicts[3].commit)
    for books, note in (
        (dataclasses.replace(early, hash="0" * 64), "SnapshotContradicted"),
        (evil, "SnapshotContradicted"),
    ):
        put_snapshot(world, books, ALICE)
        subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
        ledger = world.new_ledger("node")
        with pytest.raises(NoGoodState, match="snapshot 1"):
            ledger.sync()
        put(world.forge, {"README": b"x"})
        view = ledger.sync()
        ledger.close()
        assert view.verdicts[0].reason is Reason.ANCHOR
        assert view.state_hash == full.state_hash
        assert note in [each.code for each in view.checkpoints.notes]


@pytest.mark.rule(16)
def test_a_snapshot_beyond_the_mark_is_not_used_by_a_node_that_lost_its_clone(world: Watched) -> None:
    world.sync()
    world.ledger.close()
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    put_snapshot(world, books_at(world), ALICE)
    subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
    view = world.new_ledger("node").sync()
    assert view.verdicts[0].reason is Reason.ANCHOR
    assert [note.code for note in view.checkpoints.notes] == ["SnapshotAhead"]
    assert view.verdicts[-1].code == "accepted"


@pytest.mark.rule(2)
def test_a_damaged_copy_of_the_snapshot_is_taken_anew_or_judged_around(world: Watched) -> None:
    put_snapshot(world, books_at(world), ALICE)
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    begun = cold(world)
    kept = world.directory / "cold" / "ledger.git" / "tnet" / "snapshot"
    for name, damage in (("state", b"x"), ("snapshot", b""), ("chronicle.jsonl", b"{"), ("state", None)):
        (kept / name).write_bytes(damage) if damage is not None else (kept / name).unlink()
        assert (
            dataclasses.replace(world.new_ledger("cold").judge_local(), checkpoints=begun.checkpoints)
            == begun
        )
    put(world.forge, {"README": b"x"})
    (kept / "state").write_bytes(b"x")
    again = cold(world)
    assert (again.verdicts[0].reason, again.state_hash) == (Reason.ANCHOR, begun.state_hash)


@pytest.mark.rule(16)
def test_the_mark_of_a_node_that_began_at_a_snapshot_is_kept_as_any(world: Watched) -> None:
    books = books_at(world)
    put_snapshot(world, books, ALICE)
    cold(world)
    kept = json.loads((world.directory / "cold" / "mark.json").read_text())
    assert (kept["commit"], kept["position"], kept["state_hash"]) == (
        books.commit,
        books.position,
        books.hash,
    )
    world.forge.set_main(world.forge.git("rev-parse", "main~2"))
    view = cold(world)
    assert view.alarm is not None
    assert view.alarm.kind is AlarmKind.ROLLED_BACK
