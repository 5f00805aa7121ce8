"""The objects of a push that isn't accepted yet.

Git keeps them in a directory of their own, beside the repository, until the hook has agreed, and tells the
hook by three variables (git-receive-pack(1), "QUARANTINE ENVIRONMENT"). They are the only ones of its
environment that reach the git processes which judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Store

_VARIABLES = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


def receiving_store(git_dir: Path, environment: Mapping[str, str]) -> Store:
    """The repository with what a push is about to bring."""
    in_quarantine = "GIT_QUARANTINE_PATH" in environment
    kept = {name: environment[name] for name in _VARIABLES if in_quarantine and name in environment}
    return Store(Runner(git_dir, environment=kept))
