"""Off a fork by root's word, and by nothing else."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.ledger.checkpoints import reanchor
from reconciler.ledger.checkpoints.reanchor import NAMESPACE, Reanchor, ReanchorRefused
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures.signed_text import SignedText
from reconciler.ledger.trouble import NoGoodState
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import AlarmKind, LedgerView
from tests.integration.ledger.checkpoints import (
    BRANCH,
    WENDY,
    books_at,
    put,
    put_snapshot,
    signed,
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
    Person,
    World,
    armor,
    farm,
    network,
    policy,
)

pytestmark = pytest.mark.rule(17)


class Forked(World):
    """The node has accepted `old`; then the branch was rewritten from `common` on and leads to `new`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, root=witnessed_policy(ALICE, witnesses=(WENDY,)))
        self.populate()
        self.common = self.forge.tip
        put(self.forge, {"README": b"x"})
        self.old = self.forge.commit({WEB: network("web", 3)}, DAVE)
        self.good = self.sync()
        self.forge.commit({"README": b"lost"}, None, parents=[self.common])
        self.new = self.forge.commit({SHOP: network("shop", 4)}, ERIN)

    def new_ledger(self, name: str, **settings: object) -> Ledger:
        return super().new_ledger(name, **{"checkpoints": BRANCH, **settings})

    def record(self, **changes: object) -> Reanchor:
        books = books_at(self, self.new)
        made = Reanchor(books.anchor, 1, self.old, self.new, books.position, books.hash)
        return dataclasses.replace(made, **changes)  # type: ignore[arg-type]

    def give(self, record: Reanchor, *people: Person) -> None:
        self.ledger.take_reanchor(sealed(record, *people))

    def plant(self, record: Reanchor, *people: Person) -> None:
        """Puts it where the node keeps it, past the checks at the door."""
        (self.directory / "node" / "reanchor").write_bytes(sealed(record, *people))

    def refusal(self) -> str:
        """What the node says against the record it was given; the last good state stands."""
        said = ""
        for ledger in (self.ledger, self.new_ledger("node")):
            view = ledger.sync()
            assert view.alarm is not None
            assert view.alarm.kind is AlarmKind.REANCHOR_REFUSED, view.alarm
            assert view.alarm.advice
            assert same(view, self.good)
            assert said in ("", view.alarm.message)
            said = view.alarm.message
        return said


def same(view: LedgerView, good: LedgerView) -> bool:
    return dataclasses.replace(view, alarm=None, checkpoints=good.checkpoints) == good


def sealed(record: Reanchor, *people: Person, namespace: str = NAMESPACE) -> bytes:
    text = SignedText(record.text)
    for person in people:
        text = text.signed_also(armor(person.sign(record.text, namespace)))
    return text.encoded


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Forked]:
    made = Forked(tmp_path)
    yield made
    made.ledger.close()


def test_without_a_record_the_node_stays(world: Forked) -> None:
    view = world.sync()
    assert view.alarm is not None
    assert view.alarm.kind is AlarmKind.REWRITTEN
    assert same(view, world.good)


@pytest.mark.rule(16)
def test_by_roots_record_the_node_goes_over_and_comes_to_what_others_have(world: Forked) -> None:
    world.give(world.record(), ALICE)
    view = world.sync()
    assert (view.alarm, view.mark) == (None, world.new)
    other = world.new_ledger("other").sync()
    assert (view.state_hash, view.model, view.verdicts) == (other.state_hash, other.model, other.verdicts)
    kept = json.loads((world.directory / "node" / "mark.json").read_text())
    assert (kept["commit"], kept["reanchored"]) == (world.new, 1)
    assert world.new_ledger("node").sync() == view


def test_what_comes_after_the_new_transaction_is_judged_as_always(world: Forked) -> None:
    world.give(world.record(), ALICE)
    world.forge.commit({WEB: network("web", 5)}, MALLORY)
    world.forge.commit({WEB: network("web", 1, [("paris/p1", 1, 1)])}, None)
    assert world.codes(3) == ["accepted", "unknown-key", "repair"]
    world.forge.set_main(world.old)
    view = world.sync()
    assert view.alarm is not None
    assert view.alarm.kind is AlarmKind.REWRITTEN


def test_a_record_may_come_before_the_branch_does(world: Forked) -> None:
    tip = world.forge.tip
    world.forge.set_main(world.old)
    assert world.sync().alarm is None
    world.give(world.record(), ALICE)
    assert world.sync().alarm is None
    world.forge.set_main(tip)
    assert (world.sync().alarm, world.sync().mark) == (None, world.new)


def test_a_record_that_leads_away_from_an_earlier_transaction_does_for_all_behind_it(world: Forked) -> None:
    world.give(world.record(old=CommitId(world.anchor.commit)), ALICE)
    assert world.sync().mark == world.new


@pytest.mark.rule(16)
def test_the_record_works_and_the_mark_moves_also_without_the_clone(world: Forked) -> None:
    """Who was root at the mark is kept with the mark, and so is the record."""
    world.give(world.record(), ALICE)
    world.ledger.close()
    subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
    assert world.new_ledger("node").sync().mark == world.new
    subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
    with pytest.raises(ReanchorRefused, match="not newer"):
        world.new_ledger("node").take_reanchor(sealed(world.record(), ALICE))
    world.forge.set_main(world.old)
    with pytest.raises(NoGoodState, match="no earlier state here"):
        world.new_ledger("node").sync()


# --- what doesn't lead off ---------------------------------------------------------------------------


@pytest.mark.parametrize("person", [MALLORY, WENDY, DAVE, BOB])
def test_a_record_by_the_wrong_role_is_refused(world: Forked, person: Person) -> None:
    with pytest.raises(ReanchorRefused, match="signed by nobody of root"):
        world.give(world.record(), person)
    world.plant(world.record(), person)
    assert "signed by nobody of root" in world.refusal()


def test_a_record_signed_for_another_purpose_is_refused(world: Forked) -> None:
    with pytest.raises(ReanchorRefused, match="purpose"):
        world.ledger.take_reanchor(sealed(world.record(), ALICE, namespace="tnet-checkpoint"))


def test_a_record_for_another_ledger_is_refused(world: Forked) -> None:
    record = world.record(anchor=CommitId("1" * 40))
    with pytest.raises(ReanchorRefused, match="begins at"):
        world.give(record, ALICE)
    world.plant(record, ALICE)
    assert "begins at" in world.refusal()


def test_a_record_for_another_nodes_fork_is_refused(world: Forked) -> None:
    other = world.forge.commit({WEB: network("web", 7)}, DAVE, parents=[world.common], push=False)
    record = world.record(old=other)
    with pytest.raises(ReanchorRefused, match="never was at"):
        world.give(record, ALICE)
    world.plant(record, ALICE)
    assert "never was at" in world.refusal()


def test_a_record_is_not_followed_again(world: Forked) -> None:
    """A forge that brings the left history back, with the record of then in somebody's hands."""
    world.give(world.record(), ALICE)
    world.sync()
    back = dataclasses.replace(
        world.record(), old=world.new, new=world.old, position=8, state=world.good.state_hash
    )
    for record in (world.record(), back):
        with pytest.raises(ReanchorRefused, match="not newer than number 1"):
            world.give(record, ALICE)
    world.forge.set_main(world.old)
    world.plant(back, ALICE)
    view = world.sync()
    assert view.alarm is not None
    assert view.alarm.kind is AlarmKind.REWRITTEN
    world.give(dataclasses.replace(back, sequence=2), ALICE)
    assert (world.sync().alarm, world.sync().mark) == (None, world.old)


def test_a_record_does_not_lead_backwards(world: Forked) -> None:
    """To what the node has behind it there is no fork: that would be a rollback."""
    world.forge.set_main(world.common)
    books = books_at(world, world.common)
    record = world.record(new=world.common, position=books.position, state=books.hash)
    with pytest.raises(ReanchorRefused, match="has behind it"):
        world.give(record, ALICE)
    world.plant(record, ALICE)
    assert "has behind it" in world.refusal()


def test_a_record_with_another_state_is_refused(world: Forked) -> None:
    """Root's word chooses between histories; it can't make one up."""
    world.give(world.record(state="0" * 64), ALICE)
    assert "this node comes to" in world.refusal()


@pytest.mark.parametrize("changes", [{"position": 3}, {"position": 999}, {"new": CommitId("1" * 40)}])
def test_a_record_to_what_the_branch_does_not_have_is_refused(
    world: Forked, changes: dict[str, object]
) -> None:
    world.give(world.record(**changes), ALICE)
    assert "not on the branch's first-parent chain" in world.refusal()


def test_the_branch_has_to_be_that_of_the_record(world: Forked) -> None:
    """The forge shows a third history instead."""
    world.give(world.record(), ALICE)
    world.forge.commit({SHOP: network("shop", 6)}, ERIN, parents=[world.common])
    assert "not on the branch's first-parent chain" in world.refusal()
    world.forge.set_main(world.new)
    assert world.sync().mark == world.new


@pytest.mark.parametrize("keep", [0, 40, 300, -1])
def test_a_truncated_record_is_refused(world: Forked, keep: int) -> None:
    with pytest.raises(ReanchorRefused):
        world.ledger.take_reanchor(sealed(world.record(), ALICE)[:keep])


def test_a_record_that_lies_there_damaged_is_said(world: Forked) -> None:
    (world.directory / "node" / "reanchor").write_bytes(b"rubbish")
    assert "no re-anchor record" in world.refusal()


def test_a_new_node_needs_no_record(world: Forked) -> None:
    with pytest.raises(ReanchorRefused, match="accepted nothing yet"):
        world.new_ledger("other").take_reanchor(sealed(world.record(), ALICE))


# --- thresholds --------------------------------------------------------------------------------------


class TwoRoots(World):
    """Alice and Chloe are root together."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, root=policy(ALICE, CHLOE, threshold=2), root_people=(ALICE, CHLOE))

    def by_both(self, files: dict[str, bytes]) -> CommitId:
        branch = self.forge.branch(files, ALICE, self.forge.tip)
        return self.forge.merge(branch, by=CHLOE)

    def fork(self) -> Reanchor:
        """One history is accepted, another is shown; the record that leads over."""
        common = self.forge.tip
        old = self.by_both({"farms/paris/farm.yaml": farm("paris", BOB)})
        assert self.codes() == ["accepted"]
        self.forge.set_main(common)
        new = self.by_both({"farms/lyon/farm.yaml": farm("lyon", BOB)})
        books = books_at(self)
        return Reanchor(books.anchor, 1, old, new, books.position, books.hash)


@pytest.fixture
def two_roots(tmp_path: Path) -> Iterator[TwoRoots]:
    made = TwoRoots(tmp_path)
    yield made
    made.ledger.close()


@pytest.mark.parametrize("people", [(ALICE,), (ALICE, ALICE), (CHLOE, MALLORY)])
def test_a_record_signed_by_one_of_two_is_refused(two_roots: TwoRoots, people: tuple[Person, ...]) -> None:
    record = two_roots.fork()
    with pytest.raises(ReanchorRefused, match="it takes 2"):
        two_roots.ledger.take_reanchor(sealed(record, *people))
    two_roots.ledger.take_reanchor(sealed(record, *people, ALICE, CHLOE))
    assert two_roots.sync().mark == record.new


def test_root_is_who_was_root_at_the_mark(two_roots: TwoRoots) -> None:
    """Neither the anchor's policy counts nor that of the branch which the forge shows."""
    two_roots.by_both({"trust/policy.yaml": policy(ALICE, CHLOE, version=2)})
    record = two_roots.fork()
    two_roots.ledger.take_reanchor(sealed(record, ALICE))
    assert two_roots.sync().mark == record.new


# --- beside checkpoints ------------------------------------------------------------------------------


def test_checkpoints_of_the_left_history_stop_nobody_and_new_ones_count(world: Forked) -> None:
    put(world.forge, {"witness": signed(witness(books_at(world, world.old), 5), WENDY)})
    world.sync()
    world.give(world.record(), ALICE)
    view = world.sync()
    assert (view.alarm, view.mark) == (None, world.new)
    assert [note.code for note in view.checkpoints.notes] == ["CheckpointOfLeftFork"]
    assert world.new_ledger("node").sync().alarm is None
    put(world.forge, {"witness": signed(witness(books_at(world), 6), WENDY)})
    assert world.sync().checkpoints.notes == ()
    fork = world.forge.commit({SHOP: network("shop", 9)}, ERIN, parents=[world.common], push=False)
    put(world.forge, {"witness": signed(witness(books_at(world, fork), 7), WENDY)})
    after = world.sync()
    assert after.alarm is not None
    assert after.alarm.kind is AlarmKind.OFF_CHAIN


def test_a_snapshot_of_the_left_history_stops_nobody(world: Forked) -> None:
    put_snapshot(world, books_at(world, world.old), ALICE, sequence=3)
    world.give(world.record(), ALICE)
    assert (world.sync().alarm, world.sync().mark) == (None, world.new)


def test_a_snapshot_beyond_the_new_transaction_does_not_stand_in_for_judging_it(world: Forked) -> None:
    """The state that root has signed is compared, so the node judges at least up to there."""
    record = world.record()
    world.forge.commit({SHOP: network("shop", 8)}, ERIN)
    put_snapshot(world, books_at(world), ALICE)
    world.ledger.close()
    subprocess.run(["rm", "-r", str(world.directory / "node" / "ledger.git")], check=True)
    lost = world.new_ledger("node")
    lost.take_reanchor(sealed(dataclasses.replace(record, state="0" * 64), ALICE))
    with pytest.raises(NoGoodState, match="this node comes to"):
        lost.sync()
    lost.take_reanchor(sealed(record, ALICE))
    view = lost.sync()
    assert (view.alarm, view.tip) == (None, world.forge.tip)
    assert view.verdicts[0].reason is Reason.ANCHOR
    assert [note.code for note in view.checkpoints.notes] == ["SnapshotAhead"]
    lost.close()


# --- the form ----------------------------------------------------------------------------------------


def test_the_text_is_as_the_specification_has_it() -> None:
    record = Reanchor(CommitId("a" * 40), 2, CommitId("b" * 40), CommitId("c" * 40), 7, "d" * 64)
    assert record.text.decode() == (
        "tnet/v1 reanchor\n"
        f"anchor: {'a' * 40}\n"
        "sequence: 2\n"
        f"old: {'b' * 40}\n"
        f"new: {'c' * 40}\n"
        "position: 7\n"
        f"state: {'d' * 64}\n"
    )
    assert reanchor.parse(sealed(record, ALICE)).record == record
