"""A new ledger: a repository whose first commit is the anchor."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from git import GitCommandError, Repo

from reconciler.authoring.commit import Changes, advance, write_commit
from reconciler.authoring.document_text import new_text, schema_path
from reconciler.authoring.errors import WorkTreeError
from reconciler.authoring.signing_key import SigningKey
from reconciler.authoring.worktree import WorkTree
from reconciler.ledger.anchor import Anchor, write_anchor
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures.keys import from_text
from reconciler.model.documents import KINDS, Metadata, Policy, PolicySpec, Principal, Signers
from reconciler.model.paths import POLICY_NAME, POLICY_PATH
from reconciler.model.schema import schema_text

PROTOCOL: Literal[1] = 1


def first_policy(principals: Sequence[Principal], threshold: int) -> Policy:
    """Version 1 of the policy: who is root."""
    return Policy(
        api_version="tnet/v1",
        metadata=Metadata(name=POLICY_NAME),
        spec=PolicySpec(
            protocol=PROTOCOL, version=1, root=Signers(principals=tuple(principals), threshold=threshold)
        ),
    )


def start_ledger(directory: Path, policy: Policy, key: SigningKey, branch: str = "main") -> Anchor:
    """Make a repository in `directory`, commit the policy in it, pin it; return what nodes must be told.

    `directory` may exist if it is empty. Raises WorkTreeError; then the directory is as it was before.
    """
    existed = directory.exists()
    if existed and any(directory.iterdir()):
        raise WorkTreeError(f"{directory}: is not empty", "name a directory that doesn't exist yet")
    changes = {POLICY_PATH: new_text(POLICY_PATH, policy, with_schema=True), **_schemas()}
    try:
        return _filled(_initialised(directory, branch), changes, policy, key)
    except BaseException:
        _clear(directory, existed)
        raise


def _initialised(directory: Path, branch: str) -> WorkTree:
    try:
        return WorkTree(Repo.init(directory, mkdir=True, initial_branch=branch))
    except GitCommandError as error:
        raise WorkTreeError(f"{directory}: git can't make a repository: {error.stderr}") from error


def _schemas() -> dict[str, bytes]:
    """For editors only: nodes ignore them."""
    return {schema_path(kind): schema_text(kind).encode("utf-8") for kind in KINDS}


def _filled(tree: WorkTree, changes: Changes, policy: Policy, key: SigningKey) -> Anchor:
    commit = write_commit(tree, changes, "Start the ledger", key)
    advance(tree, commit, changes)
    fingerprints = frozenset(
        from_text(text).fingerprint for principal in policy.spec.root.principals for text in principal.keys
    )
    anchor = Anchor(CommitId(commit), fingerprints)
    write_anchor(tree.root, anchor)
    return anchor


def _clear(directory: Path, existed: bool) -> None:
    """Take away what a failed start has left; the directory itself too unless it was there before."""
    if not existed:
        shutil.rmtree(directory, ignore_errors=True)
    elif directory.is_dir():
        for entry in directory.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
