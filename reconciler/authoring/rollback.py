"""Taking a transaction back: what `git revert` would do, but against what is in effect."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from reconciler.authoring import standing
from reconciler.authoring.author import Author
from reconciler.authoring.commit import Changes
from reconciler.authoring.document_text import changed_text
from reconciler.authoring.errors import AuthoringError, NothingToDo, WorkTreeError
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.verdict import Reason, Verdict
from reconciler.model.documents import Network, Policy, Tenant
from reconciler.model.loader import load
from reconciler.model.paths import POLICY_PATH, place_of


def find_transaction(author: Author, commit: str) -> Verdict:
    """The transaction's verdict; raises AuthoringError if `commit` isn't one of this branch's."""
    for verdict in author.replay.view.verdicts:
        if verdict.commit == commit:
            return verdict
    raise AuthoringError(
        f"{commit[:12]} is not a transaction: it isn't on this branch's first-parent chain since the anchor",
        "name one that `tnet log` lists; of a merged branch that is the merge",
    )


def undo(author: Author, verdict: Verdict) -> Changes:
    """The file contents that take the transaction back. Raises AuthoringError on a conflict.

    Of a rejected transaction nothing is in effect; undoing it gives its files their effective contents
    again, so that they can be edited.
    """
    if verdict.reason is Reason.ANCHOR:
        raise AuthoringError("the anchor can't be rolled back: the ledger begins there")
    if verdict.reason is Reason.RECOVERY:
        raise AuthoringError(
            f"{verdict.commit[:12]} is a recovery: the keys before it were lost, and it isn't taken back",
            "root can recover the tenant anew: tnet tenant recover\n"
            "the tenant can change its keys itself: tnet tenant rotate",
        )
    if verdict.accepted:
        contents = {claim.name: _reverted(author, claim) for claim in _claims(author, verdict)}
    else:
        contents = {path: author.replay.blob(path) for path in verdict.paths}
    changes = {path: content for path, content in contents.items() if content != author.at_head(path)}
    if not changes:
        raise NothingToDo(f"nothing of {verdict.commit[:12]} is left to take back")
    return changes


def _claims(author: Author, verdict: Verdict) -> Iterator[Touched]:
    """What the transaction changed in effect. Its commit may have changed other things in the tree: it may
    have adopted what was there, or have been merged over what was refused."""
    records = (each for each in author.replay.records() if each.verdict.commit == verdict.commit)
    return (item for item in next(records).touched if not item.is_repair)


def _reverted(author: Author, claim: Touched) -> bytes | None:
    """What the path says in effect, less what the transaction did to it."""
    path = claim.name
    before = standing.content(author.replay, claim.effective)
    after = standing.content(author.replay, claim.result)
    now = author.replay.blob(path)
    if path == POLICY_PATH:
        return _next_policy(before, after, now)
    _require_name_in_use(author, path, before, now)
    if now == after:
        return before
    if now is None or before is None or after is None:
        raise _conflict(path)
    return _merged(author, path, now, after, before)


def _require_name_in_use(author: Author, path: str, before: bytes | None, now: bytes | None) -> None:
    """A tenant that was removed doesn't come back, so neither does anything that went with it."""
    place = place_of(path)
    if place is None or place.kind not in (Tenant, Network) or before is None or now is not None:
        return
    if place.tenant in author.replay.books.retired:
        raise AuthoringError(
            f"{path}: the tenant {place.tenant} was removed, and names of tenants are never used again",
            "root can write the same people down under another name: tnet tenant add",
        )


def _next_policy(before: bytes | None, after: bytes | None, now: bytes | None) -> bytes:
    """The earlier policy under the next version: versions only go up, so the old bytes would be refused."""
    if now != after or before is None or now is None:
        raise _conflict(POLICY_PATH)
    earlier, current = load(POLICY_PATH, before), load(POLICY_PATH, now)
    assert isinstance(earlier, Policy)
    assert isinstance(current, Policy)
    spec = replace(earlier.spec, version=current.spec.version + 1)
    return changed_text(POLICY_PATH, before, replace(earlier, spec=spec))


def _merged(author: Author, path: str, now: bytes, base: bytes, other: bytes) -> bytes:
    """Three-way merge of lines; later changes of other lines stay."""
    with tempfile.TemporaryDirectory(prefix="tnet-rollback-") as scratch:
        files = [Path(scratch) / name for name in ("now", "base", "other")]
        for file, content in zip(files, (now, base, other), strict=True):
            file.write_bytes(content)
        try:
            author.tree.git("merge-file", "-q", *map(str, files))
        except WorkTreeError:  # the exit code counts conflicts
            raise _conflict(path) from None
        return files[0].read_bytes()


def _conflict(path: str) -> AuthoringError:
    return AuthoringError(
        f"{path}: has changed since in the same place, so the transaction can't be taken back by itself",
        "roll the later transactions back first (`tnet log` lists them), or make the change by hand",
    )
