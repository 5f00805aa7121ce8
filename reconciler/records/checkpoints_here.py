"""The checkpoints that lie in a clone: the remote's as last fetched, our own, and a node's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from reconciler.ledger.checkpoints import checkpoint, checkpoint_branch
from reconciler.ledger.checkpoints.checkpoint import CheckpointRefused, SignedCheckpoint
from reconciler.ledger.repository.store import Store


def checkpoints_here(store: Store, branch: str = checkpoint_branch.NAME) -> Iterator[SignedCheckpoint]:
    """Snapshots first: to believe one, only root has to be believed. Nothing about them is verified."""
    refs = (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}", checkpoint_branch.CHECKPOINTS_REF)
    commits = [commit for commit in map(store.resolve, refs) if commit is not None]
    for snapshots in (True, False):
        for commit in commits:
            with suppress(CheckpointRefused):
                files = checkpoint_branch.read(store, commit)
                data = files.snapshot() if snapshots else files.witness()
                if data is not None:
                    yield checkpoint.parse(data)
