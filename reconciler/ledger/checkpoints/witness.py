"""What the newest witness says: how fresh the branch is that this node is shown, and whether it is the branch
that others are shown.

The newest one is kept beside the mark. It has to lie on the branch's first-parent chain, and what it says of
the state there has to be what this node came to: else one of the two is shown another history, and that is an
alarm. Who may witness is what the ledger says at the branch's tip, so a stolen key can be taken away. Clocks
decide nothing here: that a witness has expired is told, and that is all.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.ledger.chain.course import Course
from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointMalformed,
    CheckpointRefused,
    CheckpointUnsigned,
    Kind,
    SignedCheckpoint,
    Witnessed,
)
from reconciler.ledger.checkpoints.snapshot import require_this_ledger
from reconciler.ledger.judging.authority import Quorum
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures import signed_text
from reconciler.ledger.verdict import Signer
from reconciler.model.documents import Policy
from reconciler.model.model import Model
from reconciler.whole_file import write_whole


class WitnessOutOfOrder(CheckpointRefused):
    """Not newer than the one that was seen last."""


class OffChain(CheckpointRefused):
    """The witness saw a transaction that this branch doesn't have there."""


class SplitView(CheckpointRefused):
    """The witness came to another state than this node, at the same transaction."""


def witness_quorum(model: Model) -> Quorum | None:
    """Those whom the policy in effect names as witnesses; None if it names nobody."""
    return quorum_by(model.policy)


def quorum_by(policy: Policy | None) -> Quorum | None:
    """The same by one policy."""
    if policy is None or policy.spec.witness is None:
        return None
    return Quorum("witness", policy.spec.witness, "the witnesses that the policy names")


class LastWitness:
    """The newest witness that this node has seen, in a file that outlives the clone."""

    def __init__(self, path: Path, anchor: CommitId) -> None:
        self._path = path
        self._anchor = anchor

    def read(self, quorum: Quorum | None) -> Witnessed | None:
        """It, if it is by those who may witness now: else what it says doesn't matter any more."""
        try:
            with self._path.open("rb") as file:
                data = file.read(signed_text.MAX_BYTES + 1)
            return verified(data, self._anchor, quorum)
        except (FileNotFoundError, CheckpointRefused):
            return None

    def take(self, data: bytes, quorum: Quorum | None) -> None:
        """Puts this one in its place. Raises `CheckpointRefused` unless it may be, and OSError."""
        last, newer = self.read(quorum), verified(data, self._anchor, quorum)
        if last is None or last.checkpoint.sequence < newer.checkpoint.sequence:
            write_whole(self._path, data, mode=0o644, durable=True)
        elif last.checkpoint != newer.checkpoint:
            raise WitnessOutOfOrder(
                f"the {newer.checkpoint} is shown, after the {last.checkpoint} was seen here",
                "somebody shows this node an old witness, or two machines witness with one sequence",
            )


def verified(data: bytes, anchor: CommitId, quorum: Quorum | None) -> Witnessed:
    """The witness in a file, by those who may. Raises `CheckpointRefused`."""
    signed = checkpoint.parse(data)
    found = signed.checkpoint
    if found.kind is not Kind.WITNESS:
        raise CheckpointMalformed("where a witness should be is a snapshot")
    require_this_ledger(found, anchor)
    return Witnessed(found, _signers(signed, quorum))


def _signers(signed: SignedCheckpoint, quorum: Quorum | None) -> tuple[Signer, ...]:
    if quorum is None:
        raise CheckpointUnsigned(
            "there is a witness, and the policy names nobody who may", "root names them: spec.witness"
        )
    return checkpoint.verify(signed, quorum)


def require_agreement(seen: Checkpoint, course: Course) -> None:
    """Raises `OffChain` or `SplitView` where this ledger isn't the one that the checkpoint is of."""
    place = seen.place
    if course.history.positions.get(place.commit) != place.position:
        raise OffChain(
            f"the {seen} is of transaction {place.position}, {place.commit[:12]}, which this branch "
            f"doesn't have there: this node is shown another branch, or an older one",
            "compare the branch with what the witness and the other nodes are shown",
        )
    verdict = course.verdict_at(place.position)
    if verdict is None:
        return  # Before the snapshot from which this node began: there is nothing to compare.
    if (place.state, place.log) != (verdict.state_hash, course.log_at(place.position).root.hex()):
        raise SplitView(
            f"the {seen} came to the state {place.state[:12]} at {place.commit[:12]}, and this node to "
            f"{verdict.state_hash[:12]}: one of the two is mistaken, or was shown another history",
            "keep both clones, and compare `tnet log` on both",
        )
