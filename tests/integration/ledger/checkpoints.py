"""Checkpoints on a test's forge: made from what the forge's own history comes to, or bent on the way."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from reconciler.ledger.checkpoints import state_file
from reconciler.ledger.checkpoints.checkpoint import NAMESPACE, Checkpoint, Content, Kind, Place
from reconciler.ledger.judging.books import Books
from reconciler.ledger.replay import replay
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures.signed_text import SignedText
from tests.integration.ledger.world import Blob, Forge, Person, World, armor, named, policy, signers_yaml

BRANCH = "tnet-checkpoints"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WENDY, WALTER = Person("wendy"), Person("walter")


def witnessed_policy(
    *root: Person, witnesses: tuple[Person, ...], version: int = 1, threshold: int = 1
) -> bytes:
    """A policy that names these as witnesses."""
    listed = signers_yaml(named(*witnesses), 1, 4)
    return policy(*root, version=version, threshold=threshold) + f"  witness:\n{listed}\n".encode()


def books_at(world: World, commit: str = "main") -> Books:
    """What the ledger comes to at a commit of the forge."""
    judged = replay(world.forge.path, world.anchor, commit)
    try:
        return judged.books
    finally:
        judged.close()


def witness(books: Books, sequence: int = 1, *, issued: datetime = NOW, **changes: object) -> Checkpoint:
    made = Checkpoint(
        Kind.WITNESS, books.anchor, sequence, Place.of(books), issued, expires=issued + timedelta(hours=1)
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def snapshot(books: Books, sequence: int = 1, state: bytes | None = None) -> Checkpoint:
    data = state_file.encode(books) if state is None else state
    content = Content(hashlib.sha256(data).hexdigest(), len(data))
    return Checkpoint(Kind.SNAPSHOT, books.anchor, sequence, Place.of(books), NOW, content=content)


def signed(statement: Checkpoint, *people: Person, namespace: str = NAMESPACE) -> bytes:
    text = SignedText(statement.text)
    for person in people:
        text = text.signed_also(armor(person.sign(statement.text, namespace)))
    return text.encoded


def put(forge: Forge, files: Mapping[str, bytes | Blob]) -> CommitId:
    """The checkpoints' branch with these files and nothing else."""
    commit = forge.commit(files, None, parents=[], push=False)
    (forge.path / "refs" / "heads" / BRANCH).write_text(commit + "\n")
    return commit


def put_snapshot(world: World, books: Books, *people: Person, sequence: int = 1) -> None:
    files = {
        "snapshot": signed(snapshot(books, sequence), *people),
        "state": state_file.encode(books),
    }
    put(world.forge, files)
