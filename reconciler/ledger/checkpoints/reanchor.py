"""The one way off a fork: root says on which of two histories the ledger goes on.

A node never leaves what it has accepted because of what a remote shows. If the branch was rewritten, and root
decides that the new one stands, it signs a *re-anchor record* (docs/spec/checkpoints.md): from which old
transaction, to which new one, and what the state is there. The record is given to nodes by another way than
the forge. A node follows it if

 1. it is of this node's ledger, and its sequence is above that of the last one followed here;
 2. as many have signed it as root's threshold says, by the policy at this node's mark;
 3. the old transaction is this node's mark, or comes before it on the same chain: it is about this fork;
 4. the new one is not on that chain: there is something to leave;
 5. the new one is on the branch's chain from the anchor, where the record says;
 6. judging that chain from the anchor comes to the record's state there.

So a record can choose between histories, each of which obeys the rules; it can't make up a state.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import TnetError
from reconciler.ledger.chain.course import Course
from reconciler.ledger.chain.mark import Mark
from reconciler.ledger.judging.authority import Quorum
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures import signed_text
from reconciler.ledger.signatures.signed_text import SignedText, TextMalformed
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.ledger.verdict import Signer
from reconciler.whole_file import write_whole

NAMESPACE = "tnet-reanchor"
"""The SSHSIG namespace of these records: such a signature is good for nothing else."""
TITLE = "tnet/v1 reanchor"


class ReanchorRefused(TnetError):
    """The record isn't followed; the message says why."""


@dataclass(frozen=True, slots=True)
class Reanchor:
    """What is signed: leave the chain on which `old` is for the one that has `new` at `position`."""

    anchor: CommitId
    sequence: int
    old: CommitId
    new: CommitId
    position: int
    state: str

    @property
    def text(self) -> bytes:
        """The bytes that are signed."""
        return signed_text.encode(
            TITLE,
            {
                "anchor": self.anchor,
                "sequence": str(self.sequence),
                "old": self.old,
                "new": self.new,
                "position": str(self.position),
                "state": self.state,
            },
        )

    def __str__(self) -> str:
        return f"re-anchor record {self.sequence}"


@dataclass(frozen=True, slots=True)
class SignedReanchor:
    """A record with its signatures, which are not verified yet."""

    record: Reanchor
    signed: SignedText


_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FORMS: Mapping[str, re.Pattern[str]] = {
    "anchor": _COMMIT,
    "sequence": _NUMBER,
    "old": _COMMIT,
    "new": _COMMIT,
    "position": _NUMBER,
    "state": re.compile(r"[0-9a-f]{64}"),
}


def parse(data: bytes) -> SignedReanchor:
    """The record in a file. Raises `ReanchorRefused`."""
    try:
        signed = signed_text.parse(data)
        fields = signed_text.decode(signed.text, TITLE, _FORMS)
    except TextMalformed as broken:
        raise ReanchorRefused(
            f"this is no re-anchor record: {broken}", "root makes one: tnet reanchor create"
        ) from None
    record = Reanchor(
        anchor=CommitId(fields["anchor"]),
        sequence=int(fields["sequence"]),
        old=CommitId(fields["old"]),
        new=CommitId(fields["new"]),
        position=int(fields["position"]),
        state=fields["state"],
    )
    return SignedReanchor(record, signed)


def signers(signed: SignedReanchor, root: Quorum) -> tuple[Signer, ...]:
    """Those of root who have signed, each once. Raises `ReanchorRefused` for what is no signature of it."""
    try:
        approving = root.approving(signed.signed.keys(NAMESPACE))
    except SignatureRefused as refused:
        raise ReanchorRefused(f"a signature of the {signed.record} is refused: {refused}") from None
    return tuple(approving[name] for name in sorted(approving))


def require_for(mark: Mark, signed: SignedReanchor) -> None:
    """Steps 1 and 2: raises `ReanchorRefused` unless a node that stands at this mark may look at it."""
    record = signed.record
    if record.anchor != mark.anchor:
        raise ReanchorRefused(
            f"the {record} is of the ledger that begins at {record.anchor[:12]}; "
            f"this one begins at {mark.anchor[:12]}"
        )
    if record.sequence <= mark.reanchored:
        raise ReanchorRefused(
            f"the {record} is not newer than number {mark.reanchored}, which was followed here",
            "each record needs a higher sequence than the ones before: tnet reanchor create --sequence",
        )
    require_root(signed, Quorum("root", mark.root, "root at this node's mark"))


def require_root(signed: SignedReanchor, root: Quorum) -> tuple[Signer, ...]:
    """Raises `ReanchorRefused` unless as many of root have signed as it takes."""
    found = signers(signed, root)
    if len(found) < root.signers.threshold:
        names = ", ".join(each.principal for each in found) or "nobody"
        raise ReanchorRefused(
            f"the {signed.record} is signed by {names} of {root}; it takes {root.signers.threshold}",
            "let another root sign it: tnet reanchor sign FILE",
        )
    return found


def require_fork(record: Reanchor, mark: Mark, chain: Collection[CommitId]) -> None:
    """Steps 3 and 4. `chain` leads from the anchor to the mark, as far as it is known here."""
    if record.old != mark.commit and record.old not in chain:
        raise ReanchorRefused(
            f"the {record} leads away from {record.old[:12]}, which this node never was at: "
            f"it stands at {mark.commit[:12]}",
            "it was made for another fork; root makes one with this node's mark as --old",
        )
    if record.new == mark.commit or record.new in chain:
        raise ReanchorRefused(
            f"the {record} leads to {record.new[:12]}, which this node has behind it: "
            "there is no fork to leave, and no way back",
        )


def require_reached(record: Reanchor, course: Course) -> None:
    """Steps 5 and 6, once the branch is judged. Raises `ReanchorRefused`."""
    verdict = course.verdict_at(record.position)
    if verdict is None or verdict.commit != record.new:
        raise ReanchorRefused(
            f"the {record} leads to {record.new[:12]} at position {record.position}, "
            "and that is not on the branch's first-parent chain from the anchor",
            "push the branch that root means, or ask root which it is",
        )
    if verdict.state_hash != record.state:
        raise ReanchorRefused(
            f"the {record} says that the state at {record.new[:12]} is {record.state[:12]}; "
            f"this node comes to {verdict.state_hash[:12]}",
            "ask root: the record was made with another history, or by other rules",
        )


def read(path: Path) -> SignedReanchor | None:
    """The record that this node was given; None if it has none. Raises `ReanchorRefused`."""
    try:
        with path.open("rb") as file:
            return parse(file.read(signed_text.MAX_BYTES + 1))
    except FileNotFoundError:
        return None


def write(path: Path, signed: SignedReanchor) -> None:
    """Keeps the record, whole and on the disk when it returns. Raises OSError."""
    write_whole(path, signed.signed.encoded, mode=0o644, durable=True)
