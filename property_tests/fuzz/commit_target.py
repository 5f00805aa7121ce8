"""Commits: any bytes are refused by name, or read in the one way in which they could have been written."""

from __future__ import annotations

from reconciler.ledger.judging.adoption import AdoptionMalformed, adoptions_in, adoptions_of
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.repository.objects import (
    Commit,
    CommitMalformed,
    glance,
    object_id,
    parents_of,
    parse_commit,
    printable,
    tree_of,
)


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the parser is wrong."""
    shown = glance(data)
    assert (shown.subject + shown.author).isprintable() and shown.date >= 0
    assert printable(data).isprintable()
    parents_of(data)
    assert len(object_id("commit", data)) == 40
    try:
        commit = parse_commit(data)
    except CommitMalformed as malformed:
        assert str(malformed).isprintable()
        commit = None
    _check_signer(data)
    _check_adoptions(data)
    if commit is not None:
        _check_reading(data, commit)


def _check_signer(data: bytes) -> None:
    try:
        key_that_signed(data)
    except Rejected as rejected:
        assert not rejected.reason.accepted
        assert rejected.detail.isprintable()


def _check_adoptions(data: bytes) -> None:
    try:
        found = adoptions_of(data)
    except AdoptionMalformed:
        return
    for path, adoption in found.items():
        assert adoptions_in(f"Subject\n\n{adoption}\n") == {path: adoption}


def _check_reading(data: bytes, commit: Commit) -> None:
    """The payload is what the fields say; with or without a signature, the rest reads the same."""
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines += [f"author {commit.author}", f"committer {commit.committer}", "", commit.message]
    assert "\n".join(lines).encode() == commit.payload
    assert (tree_of(data), parents_of(data)) == (commit.tree, commit.parents)
    plain = parse_commit(commit.payload)
    assert plain.signature is None and plain.payload == commit.payload
    head, _, message = commit.payload.partition(b"\n\n")
    signature = b"x" if commit.signature is None else commit.signature
    folded = signature.replace(b"\n", b"\n ")
    signed = parse_commit(head + b"\ngpgsig " + folded + b"\n\n" + message)
    assert (signed.payload, signed.signature) == (commit.payload, signature)
