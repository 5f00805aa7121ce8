"""What `tnet status` prints of checkpoints."""

from __future__ import annotations

import pytest

from reconciler.agent.status import CheckpointNote, Status, WitnessStatus
from reconciler.cli.status import show

WITNESS = WitnessStatus(
    sequence=7,
    position=12,
    commit="a" * 40,
    issued="2026-01-02T03:04:05Z",
    expires="2026-01-02T05:04:05Z",
    age_seconds=90,
    stale=False,
    signers=("wendy",),
)


def printed(capsys: pytest.CaptureFixture[str], **changes: object) -> list[str]:
    show(Status(node="paris/p1", pid=1, time="", passes=1, **changes), "text")  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


def test_the_newest_witness_and_its_age(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, witness=WITNESS)
    assert "witness   7 by wendy: transaction 12 aaaaaaaaaaaa, 90 s old, fresh" in lines


def test_what_is_stale_begun_later_or_passed_over_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    stale = WitnessStatus(
        **{name: getattr(WITNESS, name) for name in WITNESS.__struct_fields__} | {"stale": True}
    )
    note = CheckpointNote(code="WitnessOutOfOrder", message="an old one", advice="look who shows it")
    lines = printed(capsys, witness=stale, begun_at=9, checkpoint_notes=(note,))
    assert any(line.endswith("90 s old, STALE") for line in lines)
    assert "begun     at root's snapshot of transaction 9" in lines
    assert "note      WitnessOutOfOrder: an old one" in lines
    assert "            look who shows it" in lines


def test_without_checkpoints_nothing_is_said_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert not [line for line in printed(capsys) if line.startswith(("witness", "begun", "note"))]
