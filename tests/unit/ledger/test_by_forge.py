"""Which commits look as if a forge had made them."""

from __future__ import annotations

import pytest

from reconciler.ledger.judging.by_forge import advice, is_by_forge
from reconciler.ledger.repository.objects import CommitId

DAVE = "Dave <dave@example.net> 1700000000 +0000"


def commit(committer: str = DAVE, message: str = "Change\n") -> bytes:
    return f"tree {'a' * 40}\nparent {'b' * 40}\nauthor {DAVE}\ncommitter {committer}\n\n{message}".encode()


@pytest.mark.parametrize(
    "raw",
    [
        commit("GitHub <noreply@github.com> 1700000000 +0000"),
        commit("forgejo <noreply@git.example.net> 1700000000 +0000"),
        commit(message="Add a relay (#12)\n\n* one\n\n* two\n"),
        commit(message="Add a relay\n\nSee merge request acme/ledger!12\n"),
        commit(message="Add a relay (#3)\n\nReviewed-on: https://git.example.net/acme/ledger/pulls/3\n"),
    ],
)
def test_what_forges_make_is_recognized(raw: bytes) -> None:
    assert is_by_forge(raw)
    assert "tnet adopt 0123456789ab`" in advice(CommitId("0123456789abcdef"), raw)


@pytest.mark.parametrize(
    "raw",
    [
        commit(),
        commit("Norma Reply <norma.reply@example.net> 1700000000 +0000"),
        commit("Dave <123+dave@users.noreply.github.com> 1700000000 +0000"),
        commit(message="See #12 for the reason (#12) why\n"),
        b"no commit at all",
    ],
)
def test_what_people_make_is_not(raw: bytes) -> None:
    assert not is_by_forge(raw)
    assert advice(CommitId("0123456789abcdef"), raw) == ""
