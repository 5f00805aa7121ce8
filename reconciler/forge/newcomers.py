"""The commits that a push brings to a branch, and whether they are signed by people whom the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.ledger.judging.keyring import Keyring
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.repository.objects import CommitId, parents_of
from reconciler.ledger.repository.store import Edge, Store

MAX_NEW = 10_000
"""Commits that one push may bring to a branch where they are looked at."""


def unsigned_newcomer(store: Store, tip: CommitId, keyring: Keyring) -> str | None:
    """Why one of the commits behind `tip` that no ref has yet may not come; None if all may.

    Only commits that make something of a governed path have to be signed.
    """
    limit = f"--max-count={MAX_NEW + 1}"
    new = [CommitId(line) for line in store.runner.text("rev-list", limit, tip, "--not", "--all").split()]
    if len(new) > MAX_NEW:
        return f"it brings more than {MAX_NEW} new commits"
    return next(_complaints(store, new, keyring), None)


def _complaints(store: Store, new: Sequence[CommitId], keyring: Keyring) -> Iterator[str]:
    for commit, raw in zip(new, store.commits(new), strict=True):
        listings = store.each_listing([Edge(parent, commit) for parent in parents_of(raw) or (None,)])
        paths = [None if each is None else {change.path for change in each} for each in listings]
        known = [each for each in paths if each is not None]
        if len(known) < len(paths):
            yield f"{commit[:12]} changes more than can be looked at"
        elif set.intersection(*known):  # Differing from each parent: of a merge, what it made itself.
            yield from _complaint(commit, raw, keyring)


def _complaint(commit: CommitId, raw: bytes, keyring: Keyring) -> Iterator[str]:
    try:
        key = key_that_signed(raw)
    except Rejected as rejected:
        yield f"{commit[:12]} changes what the ledger rules: {rejected.reason.value}: {rejected.detail}"
        return
    if not keyring.roles(key):
        yield f"{commit[:12]} changes what the ledger rules: nobody there has the key {key.fingerprint}"
