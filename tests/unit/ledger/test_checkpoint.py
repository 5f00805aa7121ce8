"""The bytes of checkpoints and of the state behind a snapshot: one encoding each; nothing else is taken."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from reconciler.ledger.checkpoints import checkpoint, state_file
from reconciler.ledger.checkpoints.checkpoint import (
    NAMESPACE,
    Checkpoint,
    CheckpointMalformed,
    CheckpointUnsigned,
    Content,
    Kind,
    Place,
)
from reconciler.ledger.checkpoints.state_file import StateMalformed
from reconciler.ledger.judging.authority import Quorum
from reconciler.ledger.judging.books import Books, opened
from reconciler.ledger.repository.objects import CommitId, Entry, ObjectId
from reconciler.ledger.signatures import signed_text
from reconciler.ledger.signatures.signed_text import SignedText
from reconciler.model.documents import Principal, Signers
from tests.integration.ledger.world import ALICE, BOB, MALLORY, Person, armor

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLACE = Place(7, CommitId("a" * 40), "b" * 64, "c" * 64)
WITNESS = Checkpoint(Kind.WITNESS, CommitId("d" * 40), 3, PLACE, NOW, expires=NOW + timedelta(hours=1))
SNAPSHOT = Checkpoint(Kind.SNAPSHOT, CommitId("d" * 40), 4, PLACE, NOW, content=Content("e" * 64, 12))
WITNESS_TEXT = (
    "tnet/v1 checkpoint\n"
    "kind: witness\n"
    f"anchor: {'d' * 40}\n"
    "sequence: 3\n"
    "position: 7\n"
    f"commit: {'a' * 40}\n"
    f"state: {'b' * 64}\n"
    f"log: {'c' * 64}\n"
    "issued: 2026-01-02T03:04:05Z\n"
    "expires: 2026-01-02T04:04:05Z\n"
)


def signed(statement: Checkpoint, *people: Person, namespace: str = NAMESPACE) -> bytes:
    text = SignedText(statement.text)
    for person in people:
        text = text.signed_also(armor(person.sign(statement.text, namespace)))
    return text.encoded


def quorum(*people: Person, threshold: int = 1) -> Quorum:
    principals = tuple(Principal(name=each.name, keys=(each.key.text,)) for each in people)
    return Quorum("witness", Signers(principals=principals, threshold=threshold))


def test_the_text_is_as_the_specification_has_it() -> None:
    assert WITNESS.text.decode() == WITNESS_TEXT
    assert SNAPSHOT.text.decode().splitlines()[-2:] == [f"content: {'e' * 64}", "bytes: 12"]


@pytest.mark.parametrize("statement", [WITNESS, SNAPSHOT])
def test_what_is_written_is_read(statement: Checkpoint) -> None:
    data = signed(statement, ALICE, BOB)
    found = checkpoint.parse(data)
    assert found.checkpoint == statement
    assert found.signed.encoded == data
    names = [signer.principal for signer in checkpoint.verify(found, quorum(BOB, ALICE, threshold=2))]
    assert names == ["alice", "bob"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sequence: 3", "sequence: 03"),
        ("sequence: 3", "sequence: +3"),
        ("sequence: 3", "sequence: -3"),
        ("sequence: 3", "sequence: 1234567890123456"),
        ("sequence: 3\n", ""),
        ("sequence: 3\n", "sequence: 3\nsequence: 3\n"),
        ("sequence: 3\nposition: 7\n", "position: 7\nsequence: 3\n"),
        ("sequence: 3", "sequence:  3"),
        ("sequence: 3", "sequence: 3\r"),
        ("sequence: 3", "sequence: 3 "),
        ("kind: witness", "kind: Witness"),
        ("kind: witness", "kind: snapshot"),
        ("kind: witness", "kind: snapshot-witness"),
        ("tnet/v1", "tnet/v2"),
        ("a" * 40, "A" * 40),
        ("a" * 40, "a" * 39),
        ("b" * 64, "b" * 65),
        ("01-02T03", "13-02T03"),
        ("05Z", "05"),
        ("T03:04:05Z", " 03:04:05Z"),
        ("position: 7", "position: \u0667"),
        ("tnet", "\ufefftnet"),
    ],
)
def test_another_text_is_no_checkpoint(old: str, new: str) -> None:
    assert old in WITNESS_TEXT
    text = SignedText(WITNESS_TEXT.replace(old, new, 1).encode())
    with pytest.raises(CheckpointMalformed):
        checkpoint.parse(text.encoded)


@given(st.integers(0, len(signed(WITNESS, ALICE)) - 1))
def test_a_truncated_file_proves_nothing(length: int) -> None:
    with pytest.raises((CheckpointMalformed, CheckpointUnsigned)):
        checkpoint.verify(checkpoint.parse(signed(WITNESS, ALICE)[:length]), quorum(ALICE))


@given(st.integers(0, len(signed(WITNESS, ALICE)) - 1), st.integers(1, 255))
def test_a_file_with_one_byte_changed_proves_nothing(at: int, by: int) -> None:
    data = bytearray(signed(WITNESS, ALICE))
    data[at] ^= by
    with pytest.raises((CheckpointMalformed, CheckpointUnsigned)):
        checkpoint.verify(checkpoint.parse(bytes(data)), quorum(ALICE))


@given(st.binary(max_size=200))
def test_garbage_is_refused_by_name(data: bytes) -> None:
    for content in (data, signed(WITNESS, ALICE) + data[:1] + b"x", WITNESS.text + b"\n" + data + b"x"):
        with pytest.raises(CheckpointMalformed):
            checkpoint.parse(content)


def test_a_file_that_is_too_long_is_refused() -> None:
    with pytest.raises(CheckpointMalformed):
        checkpoint.parse(signed(WITNESS, *[ALICE] * (signed_text.MAX_SIGNATURES + 1)))
    with pytest.raises(CheckpointMalformed):
        checkpoint.parse(b"x" * (signed_text.MAX_BYTES + 1))


@pytest.mark.rule(18)
@pytest.mark.parametrize("people", [(), (MALLORY,), (ALICE,), (ALICE, ALICE), (ALICE, MALLORY)])
def test_too_few_of_those_who_may_are_nobody(people: tuple[Person, ...]) -> None:
    with pytest.raises(CheckpointUnsigned):
        checkpoint.verify(checkpoint.parse(signed(WITNESS, *people)), quorum(ALICE, BOB, threshold=2))


def test_signatures_of_strangers_do_no_harm() -> None:
    found = checkpoint.parse(signed(WITNESS, MALLORY, ALICE))
    assert [each.principal for each in checkpoint.verify(found, quorum(ALICE))] == ["alice"]


@pytest.mark.parametrize("namespace", ["git", "tnet-tenant", "tnet-reanchor", "file"])
def test_a_signature_for_another_purpose_is_none(namespace: str) -> None:
    with pytest.raises(CheckpointUnsigned):
        checkpoint.verify(checkpoint.parse(signed(WITNESS, ALICE, namespace=namespace)), quorum(ALICE))


# --- the state ---------------------------------------------------------------------------------------


def books() -> Books:
    start = opened(CommitId("1" * 40), {b"trust/policy.yaml": ObjectId("2" * 40)})
    return dataclasses.replace(
        start,
        commit=CommitId("3" * 40),
        mark=CommitId("3" * 40),
        position=1,
        log=start.log.append(b"\1" * 32),
        leaf=b"\1" * 32,
        changed_by=Map({b"farms/b/farm.yaml": CommitId("3" * 40), b"farms/a/farm.yaml": CommitId("1" * 40)}),
        retired=Map({"globex": None, "acme": None}),
    )


def test_every_part_of_the_books_is_in_the_state() -> None:
    """Whoever adds a field to the books has to think of the state file."""
    known = "anchor commit position mark hash leaf log entries changed_by retired"
    assert {field.name for field in dataclasses.fields(Books)} == set(known.split())
    assert state_file.decode(state_file.encode(books())) == books()


def test_the_states_bytes_are_as_the_specification_has_them() -> None:
    assert hashlib.sha256(state_file.encode(books())).hexdigest() == (
        hashlib.sha256(
            b"tnet/v1 state\0"
            + b"\x11" * 20
            + b"\x33" * 20
            + (1).to_bytes(8, "big")
            + bytes.fromhex(books().hash)
            + b"\1" * 32
            + books().log.root
            + b"\0\0\0\1\0\0\0\x11trust/policy.yaml"
            + b"\x22" * 20
            + b"\0\0\0\2\0\0\0\x11farms/a/farm.yaml"
            + b"\x11" * 20
            + b"\0\0\0\x11farms/b/farm.yaml"
            + b"\x33" * 20
            + b"\0\0\0\2\0\0\0\4acme\0\0\0\6globex"
        ).hexdigest()
    )


@given(st.integers(0, 300))
def test_a_truncated_state_is_none(length: int) -> None:
    data = state_file.encode(books())
    with pytest.raises(StateMalformed):
        state_file.decode(data[: length % len(data)])


def test_a_state_has_one_encoding() -> None:
    data = state_file.encode(books())
    a, b = (
        b"\0\0\0\x11farms/%c/farm.yaml" % name + each * 20
        for name, each in ((b"a", b"\x11"), (b"b", b"\x33"))
    )
    for other in (data + b"\0", data.replace(a + b, b + a), data.replace(a + b, a + a), b"x" + data[1:]):
        assert other != data
        with pytest.raises(StateMalformed):
            state_file.decode(other)


def test_a_list_longer_than_the_state_takes_no_memory() -> None:
    head = state_file.encode(books())[: 14 + 40 + 8 + 96]
    with pytest.raises(StateMalformed):
        state_file.decode(head + b"\xff" * 4)


def test_an_entry_of_the_books_is_read_back() -> None:
    found = state_file.decode(state_file.encode(books()))
    assert found.effective(b"trust/policy.yaml") == Entry("100644", ObjectId("2" * 40))
