"""The high-water mark: how far this node has come, kept outside the clone so that it outlives it.

It names the last transaction that was accepted and changed something. Whatever a remote shows must have it on
its first-parent chain. Written before a new state is acted on, and never moved back by the program.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.ledger.objects import CommitId
from reconciler.ledger.trouble import MarkDamaged
from reconciler.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class Mark:
    """A transaction of the ledger that begins at `anchor`."""

    anchor: CommitId
    commit: CommitId
    position: int
    state_hash: str


def read(path: Path) -> Mark | None:
    """The mark; None before the first. Raises `MarkDamaged`."""
    try:
        return Mark(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as damaged:
        raise MarkDamaged(
            f"the mark {path} can't be read: {damaged}",
            "if the remote is known to be sound, remove the file: the node then starts from its anchor",
        ) from None


def write(path: Path, mark: Mark) -> None:
    """Puts the mark there, whole or not at all, and on the disk before it returns. Raises OSError."""
    write_whole(path, json.dumps(asdict(mark)).encode("utf-8"), mode=0o644, durable=True)
