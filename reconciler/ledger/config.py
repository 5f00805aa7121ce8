"""What a node is provisioned with about its ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.ledger.repository.objects import CommitId


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """Where the ledger is, where it begins, and where this node keeps its clone.

    `anchor` is the pinned commit, `root_fingerprints` are those (`SHA256:...`) of all root keys in the policy
    of that commit. `directory` gets `ledger.git/`, `mark.json`, `witness` and `reanchor`. `checkpoints` is
    the branch on which checkpoints travel; without, none are looked for.
    """

    remote: str
    branch: str
    anchor: CommitId
    root_fingerprints: frozenset[str]
    directory: Path
    fetch_timeout_s: float = 120.0
    ssh_command: str | None = None
    https_ca_file: Path | None = None
    checkpoints: str | None = None
