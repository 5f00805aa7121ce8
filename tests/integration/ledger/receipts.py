"""Receipts from a test's forge, written as `tnet receipt` writes them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.replay import Replay, replay
from reconciler.ledger.repository.objects import CommitId
from reconciler.records.receipt import Receipt
from reconciler.records.receipt_writing import ReceiptWriter, Wanted


def write_receipt(
    forge: Path, anchor: Anchor, commit: str, signed: bytes | None, paths: Collection[str] | None = None
) -> Receipt:
    """The receipt of a transaction of main, which leans on this checkpoint."""
    with ExitStack() as stack:

        def opened(tip: str) -> Replay:
            judged = replay(forge, anchor, tip)
            stack.callback(judged.close)
            return judged

        def before(each: CommitId) -> Replay:
            return opened(f"{each}^1")

        judged = opened("main")
        verdict = next(each for each in judged.verdicts if each.commit == commit)
        found = [] if signed is None else [checkpoint.parse(signed)]
        return ReceiptWriter(judged, anchor.commit, before).write(Wanted(verdict, paths), found)
