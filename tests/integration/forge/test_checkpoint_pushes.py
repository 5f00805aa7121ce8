"""The checkpoints' branch on a server with the hook: replaced each time, and never by less."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.ledger.checkpoints import state_file
from reconciler.ledger.judging.books import Books
from tests.integration.forge.place import Place, Pushed
from tests.integration.ledger.checkpoints import BRANCH, WENDY, books_at, put, signed, snapshot, witness
from tests.integration.ledger.world import ALICE, DAVE, MALLORY, WEB, network

pytestmark = pytest.mark.rule(18)


def push(place: Place, files: Mapping[str, bytes], *more: str) -> Pushed:
    """The branch with these files, and perhaps other refs in the same push."""
    commit = put(place.world.forge, dict(files))
    return place.push(f"+{commit}:refs/heads/{BRANCH}", *more)


def books(place: Place) -> Books:
    return books_at(place.world)


def snapshot_files(place: Place, sequence: int = 1) -> dict[str, bytes]:
    now = books(place)
    return {"snapshot": signed(snapshot(now, sequence), ALICE), "state": state_file.encode(now)}


def test_newer_checkpoints_take_the_place_of_older_ones(witnessed: Place) -> None:
    now = books(witnessed)
    assert push(witnessed, {"witness": signed(witness(now, 1), WENDY)}).ok
    newer = {"witness": signed(witness(now, 2), WENDY), **snapshot_files(witnessed)}
    assert push(witnessed, newer).ok
    assert push(witnessed, newer).ok, "the same again"


def test_an_older_one_does_not(witnessed: Place) -> None:
    now = books(witnessed)
    assert push(witnessed, {"witness": signed(witness(now, 2), WENDY)}).ok
    assert "isn't newer" in push(witnessed, {"witness": signed(witness(now, 1), WENDY)}).told
    assert push(witnessed, {"witness": signed(witness(now, 3), WENDY), **snapshot_files(witnessed, 2)}).ok
    older = {"witness": signed(witness(now, 3), WENDY), **snapshot_files(witnessed, 1)}
    assert "isn't newer" in push(witnessed, older).told


def test_none_goes_and_the_branch_stays(witnessed: Place) -> None:
    files = {"witness": signed(witness(books(witnessed)), WENDY), **snapshot_files(witnessed)}
    assert push(witnessed, files).ok
    without_witness = {name: data for name, data in files.items() if name != "witness"}
    without_state = {name: data for name, data in files.items() if name != "state"}
    assert "would go" in push(witnessed, without_witness).told
    assert "isn't the one that was signed" in push(witnessed, without_state).told
    assert "isn't the one that was signed" in push(witnessed, {**files, "state": b"{}"}).told
    assert "can't be deleted" in witnessed.push(f":refs/heads/{BRANCH}").told


def test_by_others_or_of_another_state_they_are_refused(witnessed: Place) -> None:
    now = books(witnessed)
    assert not push(witnessed, {"witness": signed(witness(now), MALLORY)}).ok
    assert not push(witnessed, {"witness": signed(witness(now), ALICE)}).ok
    assert not push(witnessed, {"witness": b"garbage"}).ok
    by_witness = {**snapshot_files(witnessed), "snapshot": signed(snapshot(now), WENDY)}
    assert not push(witnessed, by_witness).ok
    place = witness(now).place
    lie = type(place)(place.position, place.commit, "0" * 64, place.log)
    assert "came to the state" in push(witnessed, {"witness": signed(witness(now, place=lie), WENDY)}).told


def test_a_witness_may_come_with_what_it_saw(witnessed: Place) -> None:
    """In one push with the transaction, and not without it."""
    world = witnessed.world
    tip = world.forge.commit({WEB: network("web", 1, [("paris/p1", 1, 5)])}, DAVE)
    files = {"witness": signed(witness(books(witnessed)), WENDY)}
    assert "doesn't have there" in push(witnessed, files).told
    assert push(witnessed, files, f"{tip}:refs/heads/main").ok


def test_before_there_is_a_ledger_there_is_nothing_to_check_against(witnessed: Place) -> None:
    witnessed.git("update-ref", "-d", "refs/heads/main")
    assert "no ledger yet" in push(witnessed, {"witness": signed(witness(books(witnessed)), WENDY)}).told
