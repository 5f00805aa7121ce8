"""How old what a node sees is, told from the newest witness and the node's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.agent.freshness import fresh, notes, witness_status
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, Kind, Place, Witnessed
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Signer
from reconciler.ledger.view import CheckpointView, Note

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLACE = Place(7, CommitId("a" * 40), "b" * 64, "c" * 64)


def seen(age: timedelta, valid: timedelta = timedelta(hours=24)) -> CheckpointView:
    issued = NOW - age
    found = Checkpoint(Kind.WITNESS, CommitId("d" * 40), 3, PLACE, issued, expires=issued + valid)
    return CheckpointView(True, Witnessed(found, (Signer("witness", "wendy", "SHA256:x"),)))


def test_where_nobody_is_named_to_witness_nothing_is_said() -> None:
    assert fresh(CheckpointView(), NOW) is None
    assert witness_status(CheckpointView(), NOW) is None


def test_a_named_witness_that_never_came_is_missed() -> None:
    said = fresh(CheckpointView(expected=True), NOW)
    assert said is not None
    assert (said.status, said.reason) == (False, "NeverWitnessed")


@pytest.mark.rule(18)
@pytest.mark.parametrize(
    ("age", "reason", "words"),
    [
        (timedelta(seconds=-5), "Witnessed", "0 s ago"),
        (timedelta(seconds=90), "Witnessed", "90 s ago"),
        (timedelta(minutes=119), "Witnessed", "119 min ago"),
        (timedelta(hours=24), "Witnessed", "24 h ago"),
        (timedelta(hours=24, seconds=1), "Stale", "24 h ago"),
        (timedelta(days=900), "Stale", "900 d ago"),
    ],
)
def test_a_witness_grows_old(age: timedelta, reason: str, words: str) -> None:
    said = fresh(seen(age), NOW)
    assert said is not None
    assert (said.status, said.reason) == (reason == "Witnessed", reason)
    assert words in said.message
    status = witness_status(seen(age), NOW)
    assert status is not None
    assert (status.age_seconds, status.stale) == (int(age.total_seconds()), reason == "Stale")
    assert status.signers == ("wendy",)


def test_notes_are_handed_on() -> None:
    view = CheckpointView(notes=(Note("WitnessOutOfOrder", "old", "look"),))
    assert [(note.code, note.message, note.advice) for note in notes(view)] == [
        ("WitnessOutOfOrder", "old", "look")
    ]
