"""How fresh what a node sees is, by the newest witness: for people and monitoring, never for a verdict."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.agent.status import CheckpointNote, Condition, WitnessStatus
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, time_text
from reconciler.ledger.view import CheckpointView


def witness_status(view: CheckpointView, now: datetime) -> WitnessStatus | None:
    """The newest witness, and how old it is at `now`; None if there is none."""
    if view.witness is None:
        return None
    found = view.witness.checkpoint
    expires = _expires(found)
    return WitnessStatus(
        sequence=found.sequence,
        position=found.place.position,
        commit=found.place.commit,
        issued=time_text(found.issued),
        expires=time_text(expires),
        age_seconds=int((now - found.issued).total_seconds()),
        stale=expires < now,
        signers=tuple(signer.principal for signer in view.witness.signers),
    )


def _expires(found: Checkpoint) -> datetime:
    return found.expires or datetime.min.replace(tzinfo=UTC)


def notes(view: CheckpointView) -> tuple[CheckpointNote, ...]:
    """What doesn't count, for the status."""
    return tuple(
        CheckpointNote(code=note.code, message=note.message, advice=note.advice) for note in view.notes
    )


def fresh(view: CheckpointView, now: datetime) -> Condition | None:
    """The condition `Fresh`; None where nobody is named to witness, or this node doesn't look."""
    if not view.expected:
        return None
    witness = witness_status(view, now)
    if witness is None:
        return Condition(
            type="Fresh",
            status=False,
            reason="NeverWitnessed",
            message="the policy names witnesses, and none of theirs has reached this node; "
            "a witness machine runs: tnet checkpoint witness --push",
        )
    seen = f"witness {witness.sequence} saw {witness.commit[:12]} {_age(witness.age_seconds)} ago"
    if witness.stale:
        said = f"{seen} and has expired: this node may be shown an old branch, or the witness doesn't run"
        return Condition(type="Fresh", status=False, reason="Stale", message=said)
    return Condition(type="Fresh", status=True, reason="Witnessed", message=seen)


def _age(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"
