"""Checkpoints: signed statements about how far the ledger has come (docs/spec/checkpoints.md).

A *witness* is signed by an online key that the policy names, every now and then. It says: at this time I saw
this history, with this state. It shows whether a node is shown an old branch, or another one than the others
see. A *snapshot* is signed by root. It says what the state is, so that a new node needn't judge all that came
before.

Bytes in, values out; what a node makes of them is in `checkpoints`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from reconciler.errors import TnetError
from reconciler.ledger.judging.authority import Quorum
from reconciler.ledger.judging.books import Books
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures import signed_text
from reconciler.ledger.signatures.signed_text import SignedText, TextMalformed
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.ledger.verdict import Signer

NAMESPACE = "tnet-checkpoint"
"""The SSHSIG namespace of both kinds: such a signature is good for nothing else."""
TITLE = "tnet/v1 checkpoint"


class Kind(Enum):
    """What a checkpoint is for."""

    WITNESS = "witness"
    SNAPSHOT = "snapshot"


class CheckpointRefused(TnetError):
    """A checkpoint that says nothing to us; the subclasses say why."""


class CheckpointMalformed(CheckpointRefused):
    """Not in the form of the specification."""


class CheckpointUnsigned(CheckpointRefused):
    """Not signed, or not by enough of those who may."""


class CheckpointForeign(CheckpointRefused):
    """Of another ledger."""


@dataclass(frozen=True, slots=True)
class Place:
    """A transaction, and what the ledger came to there."""

    position: int
    commit: CommitId
    state: str
    log: str

    @classmethod
    def of(cls, books: Books) -> Place:
        return cls(books.position, books.commit, books.hash, books.log.root.hex())


@dataclass(frozen=True, slots=True)
class Content:
    """The file with the whole state that a snapshot stands for: its SHA-256 and its length."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed. `sequence` goes up by at least one from each of a kind to the next.

    A witness has a time at which it `expires`, a snapshot `content`. The times are UTC, whole seconds.
    """

    kind: Kind
    anchor: CommitId
    sequence: int
    place: Place
    issued: datetime
    expires: datetime | None = None
    content: Content | None = None

    @property
    def text(self) -> bytes:
        """The bytes that are signed."""
        return signed_text.encode(TITLE, self._fields())

    def _fields(self) -> dict[str, str]:
        place = self.place
        fields = {
            "kind": self.kind.value,
            "anchor": self.anchor,
            "sequence": str(self.sequence),
            "position": str(place.position),
            "commit": place.commit,
            "state": place.state,
            "log": place.log,
            "issued": time_text(self.issued),
        }
        if self.expires is not None:
            fields["expires"] = time_text(self.expires)
        if self.content is not None:
            fields |= {"content": self.content.sha256, "bytes": str(self.content.size_bytes)}
        return fields

    def __str__(self) -> str:
        return f"{self.kind.value} {self.sequence}"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with its signatures, which are not verified yet."""

    checkpoint: Checkpoint
    signed: SignedText


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A verified witness, and whose signatures count under it."""

    checkpoint: Checkpoint
    signers: tuple[Signer, ...]


_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_COMMON = {
    "anchor": _COMMIT,
    "sequence": _NUMBER,
    "position": _NUMBER,
    "commit": _COMMIT,
    "state": _HASH,
    "log": _HASH,
    "issued": _TIME,
}
_FORMS: Mapping[Kind, Mapping[str, re.Pattern[str]]] = {
    Kind.WITNESS: {"kind": re.compile("witness"), **_COMMON, "expires": _TIME},
    Kind.SNAPSHOT: {"kind": re.compile("snapshot"), **_COMMON, "content": _HASH, "bytes": _NUMBER},
}


def parse(data: bytes) -> SignedCheckpoint:
    """The checkpoint in a file. Raises `CheckpointMalformed`."""
    try:
        signed = signed_text.parse(data)
        kind = Kind.SNAPSHOT if signed.text.startswith(b"tnet/v1 checkpoint\nkind: snap") else Kind.WITNESS
        fields = signed_text.decode(signed.text, TITLE, _FORMS[kind])
        return SignedCheckpoint(_checkpoint(kind, fields), signed)
    except TextMalformed as broken:
        raise CheckpointMalformed(f"this is no checkpoint: {broken}") from None


def _checkpoint(kind: Kind, fields: Mapping[str, str]) -> Checkpoint:
    place = Place(
        int(fields["position"]), CommitId(fields["commit"]), state=fields["state"], log=fields["log"]
    )
    return Checkpoint(
        kind=kind,
        anchor=CommitId(fields["anchor"]),
        sequence=int(fields["sequence"]),
        place=place,
        issued=_time(fields["issued"]),
        expires=_time(fields["expires"]) if "expires" in fields else None,
        content=Content(fields["content"], int(fields["bytes"])) if "content" in fields else None,
    )


def verify(signed: SignedCheckpoint, quorum: Quorum) -> tuple[Signer, ...]:
    """Those of the quorum who signed it, by name. Raises `CheckpointUnsigned` if they are too few.

    Signatures by others don't count and do no harm; one that isn't of this text makes all of it void.
    """
    try:
        keys = signed.signed.keys(NAMESPACE)
    except SignatureRefused as refused:
        raise CheckpointUnsigned(f"a signature of the {signed.checkpoint} is refused: {refused}") from None
    approving = quorum.approving(keys)
    if len(approving) < quorum.signers.threshold:
        raise CheckpointUnsigned(
            f"the {signed.checkpoint} is signed by {_listed(approving)} of {quorum}; "
            f"it takes {quorum.signers.threshold}"
        )
    return tuple(approving[name] for name in sorted(approving))


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "nobody"


def time_text(moment: datetime) -> str:
    """A time as checkpoints have it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise TextMalformed(f"{text} is no time") from None
