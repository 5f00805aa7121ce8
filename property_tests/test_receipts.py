"""Receipts of everything that random histories bought: each proves its purchase, and nothing else."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from property_tests.ledger_histories import Move, histories, repository, written
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.replay import Replay, replay
from reconciler.ledger.repository.objects import CommitId
from reconciler.records.receipt import Receipt, ReceiptRefused, encode, parse
from reconciler.records.receipt_check import check
from reconciler.records.receipt_writing import NothingToReceipt, ReceiptWriter, Wanted
from tests.integration.ledger.checkpoints import signed, snapshot
from tests.integration.ledger.world import ALICE, Forge

few = settings(max_examples=max(10, settings().max_examples // 4))
"""An example writes a repository and takes a tenth of a second."""


def receipts(forge: Forge, anchor: Anchor) -> list[tuple[Receipt, dict[str, bytes | None]]]:
    """Of every transaction that bought or granted something, with what its documents say by the ledger."""
    with ExitStack() as stack:

        def before(commit: CommitId) -> Replay:
            return opened(f"{commit}^1")

        def opened(tip: str) -> Replay:
            judged = replay(forge.path, anchor, tip)
            stack.callback(judged.close)
            return judged

        judged = opened("main")
        file = checkpoint.parse(signed(snapshot(judged.books, state=b""), ALICE))
        writer = ReceiptWriter(judged, anchor.commit, before)
        found = []
        for verdict in judged.verdicts:
            try:
                receipt = writer.write(Wanted(verdict, None), [file])
            except NothingToReceipt:
                continue
            event(verdict.code)
            after = opened(verdict.commit)
            found.append((receipt, {each.path: after.blob(each.path) for each in receipt.documents}))
        return found


@few
@given(histories(max_size=8))
def test_every_purchase_has_a_receipt_that_proves_it(moves: list[Move]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        forge, anchor = _forge(moves, Path(directory))
        for receipt, documents in receipts(forge, anchor):
            found = check(parse(encode(receipt)), anchor.commit, anchor.root_fingerprints)
            assert {each.path: each.data for each in found.documents} == documents
            assert all(each.signers for each in found.documents)


@few
@given(histories(max_size=6), st.data())
def test_no_changed_receipt_proves_anything(moves: list[Move], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        forge, anchor = _forge(moves, Path(directory))
        made = receipts(forge, anchor)
        if not made:
            return
        plain = json.loads(encode(data.draw(st.sampled_from([receipt for receipt, _ in made]))))
        for _ in range(20):
            bent = json.dumps(_bent(plain, data), indent=1).encode() + b"\n"
            with pytest.raises(ReceiptRefused):
                check(parse(bent), anchor.commit, anchor.root_fingerprints)


def _forge(moves: list[Move], directory: Path) -> tuple[Forge, Anchor]:
    forge = Forge(directory / "forge.git")
    chain = written(repository(moves), forge).chain
    return forge, Anchor(chain[0], frozenset({ALICE.key.fingerprint}))


def _bent(node: Any, data: st.DataObject) -> Any:
    """A copy in which a value has one character more, less, or another; or a list an item less."""
    if isinstance(node, dict | list) and node:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if isinstance(node, list) and data.draw(st.integers(0, 9)) == 0:
            return node[:-1]
        chosen = data.draw(st.sampled_from(keys))
        copy = node.copy()
        copy[chosen] = _bent(node[chosen], data)
        return copy
    if isinstance(node, str) and node:
        at = data.draw(st.integers(0, len(node) - 1))
        other = data.draw(st.sampled_from("aZ0 \n{=").filter(lambda letter: letter != node[at]))
        return node[:at] + data.draw(st.sampled_from((other, "", other + node[at]))) + node[at + 1 :]
    return 1 if not isinstance(node, int) else node + 1
