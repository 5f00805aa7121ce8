"""From whatever snapshot a node begins, it comes to what a node comes to that judges everything."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from property_tests.ledger_histories import Move, histories, repository, written
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.checkpoints import state_file
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, Content, Kind, Place
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.judging.books import Books, leaf_data
from reconciler.ledger.judging.merkle import inclusion_proof, leaf_hash, root_from_proof
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.replay import replay
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import CheckpointView, LedgerView
from tests.integration.ledger.checkpoints import BRANCH, put, signed
from tests.integration.ledger.world import ALICE, Forge

few = settings(max_examples=max(5, settings().max_examples // 8))
"""An example starts some dozens of git processes."""


def node(forge: Forge, anchor: Anchor, name: str, checkpoints: str | None = BRANCH) -> Ledger:
    return Ledger(
        LedgerConfig(
            remote=str(forge.path),
            branch="main",
            anchor=anchor.commit,
            root_fingerprints=anchor.root_fingerprints,
            directory=forge.path.parent / name,
            checkpoints=checkpoints,
        )
    )


def books_at(forge: Forge, anchor: Anchor, commit: str) -> Books:
    judged = replay(forge.path, anchor, commit)
    judged.close()
    return judged.books


def put_snapshot(forge: Forge, books: Books) -> None:
    state = state_file.encode(books)
    content = Content(hashlib.sha256(state).hexdigest(), len(state))
    made = Checkpoint(
        Kind.SNAPSHOT, books.anchor, 1, Place.of(books), datetime(2026, 1, 1, tzinfo=UTC), content=content
    )
    put(forge, {"snapshot": signed(made, ALICE), "state": state})


def after(view: LedgerView, position: int) -> LedgerView:
    """What views have in common that begin at or before this position."""
    verdicts = tuple(verdict for verdict in view.verdicts if verdict.position > position)
    return dataclasses.replace(view, verdicts=verdicts, checkpoints=CheckpointView())


@pytest.mark.rule(1)
@pytest.mark.rule(2)
@pytest.mark.rule(18)
@few
@given(histories(max_size=8), st.data())
def test_a_snapshot_at_any_position_gives_the_same(moves: list[Move], data: st.DataObject) -> None:
    """In one go from the snapshot; a few commits at a time, with restarts between."""
    with tempfile.TemporaryDirectory(prefix="tnet-test-") as directory:
        forge = Forge(Path(directory) / "forge.git")
        made = written(repository(moves), forge)
        anchor = Anchor(made.chain[0], frozenset({ALICE.key.fingerprint}))
        whole = node(forge, anchor, "whole", None)
        full = whole.sync()
        whole.close()
        possible = [verdict for verdict in full.verdicts if verdict.reason.changes_state]
        assume(possible)
        at = data.draw(st.sampled_from(possible), label="snapshot")
        books = books_at(forge, anchor, at.commit)
        assert state_file.decode(state_file.encode(books)) == books
        put_snapshot(forge, books)

        cold = node(forge, anchor, "cold")
        begun = cold.sync()
        cold.close()
        assert begun.verdicts[0].reason is Reason.SNAPSHOT
        assert after(begun, at.position) == after(full, at.position)
        again = node(forge, anchor, "cold")
        assert again.judge_local() == begun
        again.close()

        shown = data.draw(st.sets(st.integers(at.position, len(full.verdicts) - 1)), label="shown")
        steps = node(forge, anchor, "steps")
        for verdict in full.verdicts[at.position :]:
            if verdict.position in shown or verdict == full.verdicts[-1]:
                forge.set_main(verdict.commit)
                last = steps.sync()
                steps.close()
                steps = node(forge, anchor, "steps")
        steps.close()
        assert after(last, at.position) == after(full, at.position)


@pytest.mark.rule(1)
@few
@given(histories(max_size=8))
def test_each_transaction_is_in_the_log_at_its_position(moves: list[Move]) -> None:
    """The root that a checkpoint names is reached from every leaf, and by no leaf of another history."""
    with tempfile.TemporaryDirectory(prefix="tnet-test-") as directory:
        forge = Forge(Path(directory) / "forge.git")
        made = written(repository(moves), forge)
        anchor = Anchor(made.chain[0], frozenset({ALICE.key.fingerprint}))
        judged = replay(forge.path, anchor, "main")
        records = list(judged.records())
        judged.close()
        leaves, books = judged.leaves, judged.books
        for record in records[1:]:
            said = record.verdict
            data = leaf_data(said.position, said.commit, said.reason, record.touched)
            assert leaf_hash(data) == leaves[said.position]
        assert books.log.size == len(leaves) == len(judged.verdicts)
        for position, leaf in enumerate(leaves):
            proof = inclusion_proof(leaves, position)
            assert root_from_proof(leaf, position, len(leaves), proof) == books.log.root
