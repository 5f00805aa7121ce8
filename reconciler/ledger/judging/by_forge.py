"""Commits that a forge has made in somebody's place: a squash, a rebase merge, an edit in the browser.

Whoever signed the original hasn't signed such a copy, so it doesn't count. How it looks decides nothing: only
the advice can then say what has happened.
"""

from __future__ import annotations

import re

from reconciler.ledger.repository.objects import CommitId, CommitMalformed, parse_commit

# What is made on github.com is committed by "GitHub <noreply@github.com>", other forges do alike. Addresses
# as `dave@users.noreply.<host>` are people's own.
_NO_REPLY = re.compile(r"<no-?reply@[^<>]*>", re.IGNORECASE)
_REQUEST = re.compile(r"\([#!][0-9]+\)\Z")
_REQUEST_LINE = re.compile(r"^(See merge request |Reviewed-on: )\S+", re.MULTILINE)


def is_by_forge(raw: bytes) -> bool:
    """Whether a commit looks as if a forge had made it."""
    try:
        commit = parse_commit(raw)
    except CommitMalformed:
        return False
    return bool(
        _NO_REPLY.search(commit.committer)
        or _REQUEST.search(commit.subject)
        or _REQUEST_LINE.search(commit.message)
    )


def advice(commit: CommitId, raw: bytes) -> str:
    """What to do about an unsigned commit that a forge has made; nothing for others."""
    if not is_by_forge(raw):
        return ""
    return (
        "the forge seems to have made it (a squash, a rebase merge, or an edit in the browser), and it can't "
        f"sign in your place: who may change these files takes it over by `tnet adopt {commit[:12]}`; from "
        "now on merge with a merge commit or a fast-forward, which keep what was signed"
    )
