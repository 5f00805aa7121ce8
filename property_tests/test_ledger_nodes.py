"""Every node comes to the same verdicts, however it learns of a history; with real git and signatures."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from property_tests.ledger_histories import Move, histories, judged, repository, written
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.replay import replay
from tests.integration.ledger.world import ALICE, Forge

few = settings(max_examples=max(5, settings().max_examples // 8))
"""An example starts some dozens of git processes."""


def node(forge: Forge, anchor: Anchor, name: str) -> Ledger:
    return Ledger(
        LedgerConfig(
            remote=str(forge.path),
            branch="main",
            anchor=anchor.commit,
            root_fingerprints=anchor.root_fingerprints,
            directory=forge.path.parent / name,
        )
    )


@few
@given(histories(max_size=8), st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_all_ways_to_learn_of_a_history_agree(
    moves: list[Move], shown: set[int], restarted: set[int]
) -> None:
    """In one go; a few commits at a time, with restarts between; in a clone of one's own; and in memory."""
    with tempfile.TemporaryDirectory(prefix="tnet-test-") as directory:
        forge = Forge(Path(directory) / "forge.git")
        made = written(repository(moves), forge)
        expected = [verdict.reason for *_, verdict in judged(made)]
        chain = made.chain
        anchor = Anchor(chain[0], frozenset({ALICE.key.fingerprint}))
        at_once = node(forge, anchor, "at-once")
        view = at_once.sync()
        at_once.close()
        assert [verdict.reason for verdict in view.verdicts[1:]] == expected

        step_by_step = node(forge, anchor, "step-by-step")
        for number, commit in enumerate(chain):
            if number in shown or commit == chain[-1]:
                forge.set_main(commit)
                last = step_by_step.sync()
            if number in restarted:
                step_by_step.close()
                step_by_step = node(forge, anchor, "step-by-step")
        step_by_step.close()
        assert last == view

        own = replay(forge.path, anchor, "main")
        assert own.view == view
        for path in ("trust/policy.yaml", "tenants/ac/acme/networks/web.yaml"):
            assert (own.blob(path) is not None) == (path in view.model.documents)
        own.close()
