"""What somebody once signed is used once, where it was meant: not again, not elsewhere, not later."""

from __future__ import annotations

import pytest

from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import AlarmKind
from tests.integration.ledger.verdicts import assert_accepted, assert_rejected
from tests.integration.ledger.world import (
    ALICE,
    CHLOE,
    DAVE,
    ERIN,
    MAIL,
    SHOP,
    WEB,
    World,
    network,
    policy,
    tenant,
)

pytestmark = pytest.mark.rule(9)

POLICY = "trust/policy.yaml"
ACME = "tenants/ac/acme/tenant.yaml"
ONE, TWO = network("web", 31), network("web", 32)


def first_content(world: World) -> bytes:
    return world.forge.trees[world.forge.tip][WEB].data


def with_parents(world: World, commit: CommitId, *parents: CommitId) -> bytes:
    """The same commit, signature and all, on other parents."""
    raw = world.forge.raw(commit)
    head, _, message = raw.partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.startswith(b"parent ")]
    lines[1:1] = [b"parent " + parent.encode() for parent in parents]
    return b"\n".join(lines) + b"\n\n" + message


def test_a_signed_commit_moved_onto_other_parents_is_not_signed(world: World) -> None:
    """A forge's rebase that keeps the signature header."""
    made = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.commit({SHOP: network("shop", 9)}, ERIN)
    assert_accepted(world)
    files = {**world.forge.trees[world.forge.tip], WEB: world.forge.trees[made][WEB]}
    raw = with_parents(world, made, world.forge.tip)
    tree = world.forge.write_tree(files)
    world.forge.add(b"tree " + tree.encode() + raw[45:], files)
    assert_rejected(world, Reason.BAD_SIGNATURE)


def test_a_cherry_pick_by_the_forge_is_not_signed(world: World) -> None:
    world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.commit({WEB: ONE}, None, subject="Change\n\n(cherry picked from commit)")
    assert_rejected(world, Reason.UNSIGNED)


def test_content_of_a_signed_commit_that_is_not_merged_counts_for_nothing(world: World) -> None:
    """The merge brings in another branch, and takes the file from one that it leaves out."""
    start = world.forge.tip
    world.forge.branch({WEB: ONE}, DAVE, on=start)
    other = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=start)
    world.forge.merge(other, changes={WEB: ONE})
    assert_rejected(world, Reason.UNSIGNED)


def test_a_rejected_commits_content_counts_for_nothing_later(world: World) -> None:
    """Dave signed it together with what isn't his; the forge wants his part of it."""
    start = world.forge.tip
    refused = world.forge.commit({WEB: ONE, SHOP: network("shop", 66)}, DAVE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.set_main(start)
    world.forge.commit({WEB: ONE}, None, parents=[start, refused])
    assert_rejected(world, Reason.INCOMPLETE_MERGE)
    world.forge.commit({}, None, tree_of=start)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, refused])
    assert_rejected(world, Reason.NO_AUTHOR)


def test_a_path_that_returned_is_not_changed_by_what_was_made_before_it_left(world: World) -> None:
    """A-B-A, with the commits themselves and with a branch that holds them."""
    start = first_content(world)
    waiting = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.commit({WEB: TWO}, DAVE)
    world.forge.commit({WEB: start}, DAVE)
    assert_accepted(world)
    world.forge.merge(waiting, changes={WEB: ONE})
    assert_rejected(world, Reason.STALE_BASE)


def test_a_revert_of_a_merge_and_the_revert_of_that_count_if_they_are_signed(world: World) -> None:
    start = first_content(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.merge(branch)
    world.forge.commit({WEB: start}, DAVE, subject="Revert")
    assert_accepted(world)
    world.forge.commit({WEB: ONE}, DAVE, subject="Reapply")
    assert_accepted(world)
    assert world.effective(WEB) == ONE


def test_the_forges_revert_buttons_change_nothing(world: World) -> None:
    start = first_content(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.merge(branch)
    merged = world.forge.tip
    assert_accepted(world)
    world.forge.commit({WEB: start}, None, subject="Revert")
    assert_rejected(world, Reason.UNSIGNED)
    world.forge.commit({WEB: ONE}, None, subject="Reapply")
    assert world.codes() == ["repair"]
    world.forge.set_main(merged)
    world.forge.merge(world.forge.branch({WEB: start}, None, on=merged))
    assert_rejected(world, Reason.UNSIGNED)


def test_after_a_revert_the_branch_is_not_merged_again(world: World) -> None:
    start = first_content(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.merge(branch)
    world.forge.commit({WEB: start}, DAVE, subject="Revert")
    assert_accepted(world)
    reverted = world.forge.tip
    world.forge.commit({WEB: ONE}, None, parents=[reverted, branch])
    assert_rejected(world, Reason.NO_AUTHOR)
    world.forge.set_main(reverted)
    on_top = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=branch)
    world.forge.commit({WEB: ONE, MAIL: network("mail", 9)}, None, parents=[reverted, on_top])
    assert_rejected(world, Reason.NO_AUTHOR)


def test_a_revert_of_the_revert_on_the_old_branch_is_stale(world: World) -> None:
    """Signed, but by somebody who didn't know of the revert."""
    start = first_content(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    back = world.forge.branch({WEB: start}, DAVE, on=branch)
    again = world.forge.branch({WEB: ONE}, DAVE, on=back)
    world.forge.merge(branch)
    world.forge.commit({WEB: start}, DAVE, subject="Revert")
    assert_accepted(world)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, again])
    assert_rejected(world, Reason.STALE_BASE)


def test_one_consent_is_not_used_for_two_merges_at_once(world: World) -> None:
    """An octopus of two merges of one branch."""
    start = world.forge.tip
    branch = world.forge.branch({WEB: ONE}, DAVE, on=start)
    one, two = (world.forge.commit({WEB: ONE}, None, parents=[start, branch], push=False) for _ in range(2))
    world.forge.commit({WEB: ONE}, None, parents=[start, one, two])
    assert_accepted(world)
    world.forge.commit({WEB: first_content(world)}, DAVE)
    world.forge.commit({}, None, parents=[world.forge.tip, one, two])
    assert world.codes() == ["void"]


def test_a_second_signature_from_an_earlier_merge_is_no_approval_of_the_next_one(world: World) -> None:
    """Chloe's approving merge was rejected; its content is brought in again without her."""
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    assert_accepted(world)
    start = world.forge.tip
    branch = world.forge.branch({WEB: ONE}, DAVE, on=start)
    hers = world.forge.commit({WEB: ONE, SHOP: network("shop", 66)}, CHLOE, parents=[start, branch])
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.set_main(start)
    world.forge.commit({WEB: ONE}, None, parents=[start, hers])
    assert_rejected(world, Reason.THRESHOLD)


def test_an_older_policy_signed_by_root_is_no_next_one(world: World) -> None:
    world.forge.commit({POLICY: policy(ALICE, version=2)}, ALICE)
    world.forge.commit({POLICY: policy(ALICE, CHLOE, version=3)}, ALICE)
    assert_accepted(world)
    world.forge.commit({POLICY: policy(ALICE, version=2)}, ALICE)
    assert_rejected(world, Reason.POLICY_VERSION)


def test_a_request_that_waited_for_a_policy_of_the_next_number_is_not_used_for_another(world: World) -> None:
    """Two requests for version 2: the first is merged, the second began before it."""
    start = world.forge.tip
    loose = world.forge.branch({POLICY: policy(ALICE, CHLOE, version=2)}, ALICE, on=start)
    world.forge.commit({POLICY: policy(ALICE, version=2)}, ALICE)
    assert_accepted(world)
    world.forge.merge(loose, changes={POLICY: policy(ALICE, CHLOE, version=2)})
    assert_rejected(world, Reason.STALE_BASE)


def test_a_key_that_was_removed_meanwhile_approves_nothing_that_it_signed_before(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    waiting = world.forge.branch({WEB: ONE}, CHLOE, on=world.forge.tip)
    world.forge.commit({ACME: tenant("acme", DAVE)}, DAVE)
    assert_accepted(world)
    world.forge.merge(waiting)
    assert_rejected(world, Reason.UNKNOWN_KEY)


@pytest.mark.rule(15)
def test_a_merge_whose_first_parent_is_not_the_ledgers_tip_stops_the_node(world: World) -> None:
    """A foxtrot: the branch in front, main's history behind."""
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.commit({SHOP: network("shop", 9)}, ERIN)
    assert_accepted(world)
    good = world.sync()
    swapped = {WEB: ONE, SHOP: network("shop", 9)}
    world.forge.commit(dict(swapped), None, parents=[branch, world.forge.tip])
    view = world.sync()
    assert view.alarm is not None and view.alarm.kind is AlarmKind.FOXTROT
    assert view.model == good.model
    assert world.effective(WEB) != ONE


@pytest.mark.rule(15)
def test_a_merge_into_an_older_transaction_stops_the_node(world: World) -> None:
    old = world.forge.tip
    world.forge.commit({SHOP: network("shop", 9)}, ERIN)
    assert_accepted(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=old)
    world.forge.commit({WEB: ONE}, None, parents=[old, branch])
    view = world.sync()
    assert view.alarm is not None and view.alarm.kind is AlarmKind.REWRITTEN
