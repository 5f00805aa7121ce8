"""The commits that a push brings to a branch, and whether they are signed by people whom the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.ledger.governed import is_governed
from reconciler.ledger.keyring import Keyring
from reconciler.ledger.objects import CommitId
from reconciler.ledger.rejected import Rejected
from reconciler.ledger.signing import key_that_signed
from reconciler.ledger.store import Store

# Of a merge only what differs from each of its parents: what it made itself.
_DIFF = ("diff-tree", "--stdin", "-r", "-z", "-c", "--root", "--raw", "--no-renames", "--no-abbrev")


def unsigned_newcomer(store: Store, tip: CommitId, keyring: Keyring) -> str | None:
    """Why one of the commits behind `tip` that no ref has yet may not come; None if all may.

    Only commits that make something of a governed path have to be signed.
    """
    authors = list(_authors(store, tip))
    for commit, raw in zip(authors, store.commits(authors), strict=True):
        why = _complaint(raw, keyring)
        if why is not None:
            return f"{commit[:12]} changes what the ledger rules, and {why}"
    return None


def _complaint(raw: bytes, keyring: Keyring) -> str | None:
    try:
        key = key_that_signed(raw)
    except Rejected as rejected:
        return f"{rejected.reason.value}: {rejected.detail}"
    return None if keyring.roles(key) else f"nobody in the ledger has the key {key.fingerprint}"


def _authors(store: Store, tip: CommitId) -> Iterator[CommitId]:
    """The new commits that make something of a governed path."""
    new = store.runner.run("rev-list", tip, "--not", "--all")
    words = iter(store.runner.run(*_DIFF, data=new).split(b"\0")[:-1])
    commit, told = CommitId(""), False
    for word in words:
        if not word.startswith(b":"):
            commit, told = CommitId(word.decode("ascii")), False
        elif is_governed(next(words)) and not told:
            told = True
            yield commit
