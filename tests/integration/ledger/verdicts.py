"""What tests say of the last transaction."""

from __future__ import annotations

from reconciler.ledger.verdict import Reason, Verdict
from tests.integration.ledger.world import World


def assert_rejected(world: World, reason: Reason) -> Verdict:
    """The last transaction is rejected for this reason, with advice, and nothing in effect has changed."""
    before = world.ledger.judge_local()
    after = world.sync()
    verdict = after.verdicts[-1]
    assert verdict.reason is reason, verdict
    assert not verdict.accepted and verdict.advice
    assert after.model == before.model
    assert after.mark == before.mark
    return verdict


def assert_accepted(world: World, reason: Reason = Reason.ACCEPTED) -> Verdict:
    """The last transaction is accepted, and the mark is on it."""
    view = world.sync()
    assert view.verdicts[-1].reason is reason, view.verdicts[-1]
    assert view.mark == world.forge.tip
    return view.verdicts[-1]
