"""Commits are read in the one form in which git writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.ledger.repository.objects import (
    CommitMalformed,
    glance,
    object_id,
    parents_of,
    parse_commit,
    printable,
    tree_of,
)
from reconciler.ledger.signatures import sshsig
from tests.unit.ledger.openssh import KINDS, KeyPair, run

TREE, PARENT = b"a" * 40, b"b" * 40
WHO = b"A B <a@b> 1700000000 +0100"
GOOD = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\nSubject\n\nBody\n" % (TREE, PARENT, WHO, WHO)


@pytest.mark.parametrize("kind", KINDS)
def test_what_git_signs_is_read_and_verified(tmp_path: Path, kind: tuple[str, int]) -> None:
    pair = KeyPair.make(tmp_path, *kind)
    repository = tmp_path / "repository"
    run("git", "init", "-q", repository)
    git = ("git", "-C", repository, "-c", "gpg.format=ssh", "-c", f"user.signingkey={pair.path}")
    git = (*git, "-c", "user.name=Zoë <b", "-c", "user.email=z@example.net")
    run(*git, "commit", "-q", "--allow-empty", "-S", "-m", "First\n\nwith a body")
    run(*git, "checkout", "-q", "-b", "side")
    run(*git, "commit", "-q", "--allow-empty", "-S", "-m", "Side")
    run(*git, "checkout", "-q", "-")
    run(*git, "merge", "-q", "--no-ff", "-S", "-m", "Merge", "side")
    for commit in run("git", "-C", repository, "rev-list", "HEAD").decode().split():
        raw = run("git", "-C", repository, "cat-file", "commit", commit)
        assert object_id("commit", raw) == commit
        parsed = parse_commit(raw)
        assert parsed.signature is not None
        assert sshsig.verify(parsed.signature, parsed.payload).fingerprint == pair.fingerprint
        shown = (
            run("git", "-C", repository, "show", "-s", "--format=%T %P%n%s%n%an", commit).decode().split("\n")
        )
        assert [parsed.tree, *parsed.parents] == shown[0].split()
        assert (parsed.subject, glance(raw).subject) == (shown[1], shown[1])
        assert glance(raw).author.startswith(shown[2])
        assert (tree_of(raw), parents_of(raw)) == (parsed.tree, parsed.parents)


def test_a_good_commit() -> None:
    commit = parse_commit(GOOD)
    assert (commit.tree, commit.parents) == (TREE.decode(), (PARENT.decode(),))
    assert (commit.subject, commit.signature, commit.payload) == ("Subject", None, GOOD)


def test_signature_headers_are_taken_out_of_the_payload() -> None:
    extra = b"\ngpgsig one\n two\n \n three\ngpgsig-sha256 other\n more\n\n"
    commit = parse_commit(GOOD.replace(b"\n\n", extra, 1))
    assert commit.signature == b"one\ntwo\n\nthree"
    assert commit.payload == GOOD


def test_a_commit_with_no_parent_or_many_is_read() -> None:
    assert parse_commit(GOOD.replace(b"parent %s\n" % PARENT, b"")).parents == ()
    octopus = b"".join(b"parent %040d\n" % number for number in range(8))
    assert len(parse_commit(GOOD.replace(b"parent %s\n" % PARENT, octopus)).parents) == 8


SPOILT: dict[str, tuple[bytes, bytes]] = {
    "two trees": (b"parent", b"tree %s\nparent" % PARENT),
    "a tree after the parent": (b"\nauthor", b"\ntree %s\nauthor" % PARENT),
    "no tree": (b"tree %s\n" % TREE, b""),
    "an upper-case id": (TREE, TREE.upper()),
    "a short id": (TREE, TREE[:-1]),
    "a long id": (TREE, TREE + b"a"),
    "a parent twice": (b"author", b"parent %s\nauthor" % PARENT),
    "a parent after the author": (b"committer", b"parent %s\ncommitter" % TREE),
    "two authors": (b"committer", b"author %s\ncommitter" % WHO),
    "no author": (b"author %s\n" % WHO, b""),
    "two committers": (b"\n\n", b"\ncommitter %s\n\n" % WHO),
    "an author in two lines": (b"author A", b"author A\n "),
    "no date": (b"1700000000 +0100\ncommitter", b"\ncommitter"),
    "a zero before the date": (b"1700000000", b"01700000000"),
    "a negative date": (b"1700000000", b"-1"),
    "an endless date": (b"1700000000", b"1" * 30),
    "a date that ssh-keygen can't read": (b"1700000000", b"253402214400"),
    "no zone": (b" +0100\ncommitter", b"\ncommitter"),
    "an encoding": (b"\n\n", b"\nencoding ISO-8859-1\n\n"),
    "an unknown header": (b"\n\n", b"\nx-note y\n\n"),
    "a merged tag": (b"\n\n", b"\nmergetag object %s\n type commit\n\n" % PARENT),
    "a signature at the front": (b"tree", b"gpgsig x\ntree"),
    "a signature before the author": (b"author", b"gpgsig x\nauthor"),
    "two signatures": (b"\n\n", b"\ngpgsig x\ngpgsig y\n\n"),
    "two signatures apart": (b"\n\n", b"\ngpgsig x\ngpgsig-sha256 y\ngpgsig z\n\n"),
    "a header without a name": (b"\n\n", b"\n value\n\n"),
    "a header without a space": (b"\n\n", b"\ngpgsig-sha256\n\n"),
    "a signature without a space": (b"\n\n", b"\ngpgsig\n x\n\n"),
    "a NUL in a header": (b"A B", b"A\0B"),
    "an escape in a header": (b"A B", b"A\x1bB"),
    "a carriage return in a header": (b"a@b>", b"a@b>\r"),
    "a NUL in the message": (b"Body", b"Bo\0dy"),
    "an escape in the message": (b"Body", b"\x1b[2J"),
    "a bare carriage return in the message": (b"Body", b"Bo\rdy"),
    "a header that is not UTF-8": (b"A B", b"\xe9"),
    "a message that is not UTF-8": (b"Body", b"\xe9"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_any_other_form_is_refused(what: str) -> None:
    old, new = SPOILT[what]
    spoilt = GOOD.replace(old, new, 1)
    assert spoilt != GOOD
    with pytest.raises(CommitMalformed):
        parse_commit(spoilt)


def test_a_huge_commit_is_refused() -> None:
    with pytest.raises(CommitMalformed):
        parse_commit(GOOD + b"x" * (1 << 20))


def test_every_shorter_commit_is_refused_or_has_a_shorter_message() -> None:
    for length in range(len(GOOD)):
        try:
            commit = parse_commit(GOOD[:length])
        except CommitMalformed:
            continue
        assert GOOD.endswith(b"\n\n" + commit.message.encode() + GOOD[length:])


def test_what_is_shown_of_a_commit_is_harmless() -> None:
    ugly = GOOD.replace(b"Subject", "\x1b]0;x\x07\u202etcejbuS\xff".encode() + b"\xff")
    shown = glance(ugly.replace(b"A B", b"\x1b[31mA"))
    assert all(character.isprintable() for character in shown.subject + shown.author)
    assert glance(b"garbage").date == 0
    assert glance(GOOD.replace(b"1700000000", b"9" * 18)).date == 253402214399


def test_printable_escapes_and_keeps() -> None:
    assert printable("Zoë \u202e\n".encode() + b"\xff") == "Zoë \\u202e\\n\\xff"
    assert re.fullmatch(r"[ -~]+", printable(bytes(range(128))))
