"""The protocol's number: who may raise it, and what a release does that doesn't know it (section 7.1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.ledger.trouble import LocalTrouble, UnknownProtocol
from reconciler.ledger.view import AlarmKind
from reconciler.model.paths import POLICY_PATH
from tests.integration.ledger.world import ALICE, DAVE, WEB, Person, World, network, policy

pytestmark = pytest.mark.rule(14)

ALICE2 = Person("alice2")


def test_the_number_is_looked_at_before_anything_else_in_the_policy(world: World) -> None:
    """A later form may have other fields."""
    later = policy(ALICE, version=2, protocol=2).replace(b"  version: 2\n", b"  edition: [2]\n")
    world.forge.commit({POLICY_PATH: later}, ALICE)
    alarm = world.sync().alarm
    assert alarm is not None and alarm.kind is AlarmKind.UNKNOWN_PROTOCOL
    assert "protocol 2" in alarm.message
    assert "newer release" in alarm.advice


def test_a_policy_taken_back_before_anybody_could_judge_it_is_no_fork(world: World) -> None:
    """The stop is at the transaction before it, and so is the mark: root may think better of it."""
    before = world.sync()
    world.forge.commit({POLICY_PATH: policy(ALICE, version=2, protocol=2)}, ALICE)
    stopped = world.sync()
    assert (stopped.tip, stopped.mark, stopped.state_hash) == (before.tip, before.mark, before.state_hash)
    world.forge.set_main(before.tip)
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "accepted")


def test_one_of_two_roots_stops_no_node(tmp_path: Path) -> None:
    world = World(tmp_path, root=policy(ALICE, ALICE2, threshold=2), root_people=(ALICE, ALICE2))
    later = policy(ALICE, ALICE2, threshold=2, version=2, protocol=2)
    world.forge.commit({POLICY_PATH: later}, ALICE)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "threshold")
    world.forge.commit({}, None, tree_of=world.anchor.commit)
    world.forge.merge(world.forge.branch({POLICY_PATH: later}, ALICE, on=world.forge.tip), by=ALICE2)
    alarm = world.sync().alarm
    assert alarm is not None and alarm.kind is AlarmKind.UNKNOWN_PROTOCOL
    world.ledger.close()


@pytest.mark.parametrize("number", ["0", "-1", "2.0", "'2'", "true", "null", "[2]", "2_0"])
def test_what_is_no_later_number_is_an_invalid_document(world: World, number: str) -> None:
    content = policy(ALICE, version=2).replace(b"protocol: 1", b"protocol: " + number.encode())
    world.forge.commit({POLICY_PATH: content}, ALICE)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "invalid-document")


def test_an_anchor_of_a_later_number_begins_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, root=policy(ALICE, protocol=2))
    for _ in range(2):
        with pytest.raises(UnknownProtocol, match="protocol 2"):
            world.sync()
        with pytest.raises(LocalTrouble):
            world.ledger.judge_local()
    world.ledger.close()


def test_what_a_release_with_another_number_remembered_is_judged_anew(world: World) -> None:
    """It may have judged by rules that this one doesn't know, or that it knew worse."""
    view = world.sync()
    path = world.directory / "node" / "ledger.git" / "tnet" / "chronicle.jsonl"
    written = path.read_bytes()
    head, _, rest = written.partition(b"\n")
    other = json.dumps({**json.loads(head), "protocol": 2}, separators=(",", ":")).encode()
    assert other.replace(b'"protocol":2', b'"protocol":1') == head
    path.write_bytes(other + b"\n" + rest)
    assert world.new_ledger("node").judge_local() == view
    assert path.read_bytes() == written
