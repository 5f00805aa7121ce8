"""Merges count as far as signed commits made the change from what is in effect.

Attacked by whoever runs the forge, and by tenants with valid keys.
"""

from __future__ import annotations

import pytest

from reconciler.ledger import bounds
from reconciler.ledger.objects import CommitId
from reconciler.ledger.verdict import Reason
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    CHLOE,
    DAVE,
    ERIN,
    MAIL,
    MALLORY,
    SHOP,
    WEB,
    World,
    network,
    tenant,
)

ACME = "tenants/ac/acme/tenant.yaml"
ONE, TWO, THREE = (network("web", number) for number in (31, 32, 33))


def reason(world: World) -> Reason:
    return world.sync().verdicts[-1].reason


def branch_of(world: World, *contents: bytes, by: object = DAVE, on: CommitId | None = None) -> CommitId:
    """A branch on which these contents of WEB follow each other; its tip."""
    tip = on or world.forge.tip
    for content in contents:
        tip = world.forge.branch({WEB: content}, by, on=tip)  # type: ignore[arg-type]
    return tip


# --- what counts -------------------------------------------------------------------------------------


def test_an_unsigned_merge_of_signed_work_counts(world: World) -> None:
    world.forge.merge(branch_of(world, ONE))
    assert reason(world) is Reason.ACCEPTED
    assert [str(signer) for signer in world.sync().verdicts[-1].signers] == ["dave (tenant acme)"]
    assert world.effective(WEB) == ONE


def test_several_commits_on_a_branch_count(world: World) -> None:
    world.forge.merge(branch_of(world, ONE, TWO, THREE))
    assert reason(world) is Reason.ACCEPTED


def test_an_old_branch_counts_while_its_path_is_untouched(world: World) -> None:
    branch = branch_of(world, ONE)
    world.forge.commit({SHOP: network("shop", 9)}, ERIN)
    world.forge.merge(branch)
    assert reason(world) is Reason.ACCEPTED
    assert world.effective(SHOP) == network("shop", 9)


def test_an_octopus_of_signed_branches_counts(world: World) -> None:
    start = world.forge.tip
    dave = branch_of(world, ONE)
    erin = world.forge.branch({SHOP: network("shop", 9)}, ERIN, on=start)
    world.forge.merge(dave, erin)
    assert reason(world) is Reason.ACCEPTED


def test_a_branch_that_merged_main_meanwhile_counts(world: World) -> None:
    forge = world.forge
    branch = branch_of(world, ONE)
    forge.commit({SHOP: network("shop", 9)}, ERIN)
    both = {**forge.trees[forge.tip], WEB: forge.trees[branch][WEB]}
    caught_up = forge.commit(
        {path: blob for path, blob in both.items() if forge.trees[branch].get(path) != blob},
        None,
        parents=[branch, forge.tip],
        push=False,
    )
    forge.merge(caught_up)
    assert reason(world) is Reason.ACCEPTED


def test_a_revert_of_a_merge_counts(world: World) -> None:
    before = world.forge.trees[world.forge.tip][WEB].data
    world.forge.merge(branch_of(world, ONE))
    world.forge.commit({WEB: before}, DAVE)
    assert reason(world) is Reason.ACCEPTED
    assert world.effective(WEB) == before


def test_a_deletion_on_a_branch_counts(world: World) -> None:
    world.forge.merge(world.forge.branch({WEB: None}, DAVE, on=world.forge.tip))
    assert reason(world) is Reason.ACCEPTED
    assert world.effective(WEB) is None


def test_a_conflict_resolved_by_hand_in_a_signed_merge_counts(world: World) -> None:
    side = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=world.forge.tip)
    world.forge.merge(side, by=DAVE, changes={WEB: ONE})
    assert reason(world) is Reason.ACCEPTED


def test_two_lines_of_a_branch_joined_by_new_content_count(world: World) -> None:
    start = world.forge.tip
    one, two = branch_of(world, ONE, on=start), branch_of(world, TWO, on=start)
    joined = world.forge.commit({WEB: THREE}, DAVE, parents=[one, two], push=False)
    world.forge.merge(joined)
    assert reason(world) is Reason.ACCEPTED


# --- what doesn't ------------------------------------------------------------------------------------


def test_a_forges_own_signature_approves_nothing_and_hinders_nothing(world: World) -> None:
    world.forge.merge(branch_of(world, ONE), by=MALLORY)
    assert reason(world) is Reason.ACCEPTED


def test_a_merge_that_smuggles_a_path_is_rejected(world: World) -> None:
    world.forge.merge(branch_of(world, ONE), changes={SHOP: network("shop", 66)})
    assert reason(world) is Reason.UNSIGNED
    assert world.effective(WEB) != ONE


def test_an_octopus_that_smuggles_a_path_is_rejected(world: World) -> None:
    start = world.forge.tip
    other = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=start)
    world.forge.merge(branch_of(world, ONE), other, changes={SHOP: network("shop", 66)})
    assert reason(world) is Reason.UNSIGNED


def test_a_merge_with_content_that_nobody_signed_is_rejected(world: World) -> None:
    world.forge.merge(branch_of(world, ONE), changes={WEB: TWO})
    assert reason(world) is Reason.UNSIGNED


def test_a_merge_that_takes_an_earlier_state_of_the_branch_is_rejected(world: World) -> None:
    world.forge.merge(branch_of(world, ONE, TWO), changes={WEB: ONE})
    assert reason(world) is Reason.UNSIGNED


def test_a_merge_that_drops_a_change_of_main_is_rejected(world: World) -> None:
    old = world.forge.tip
    world.forge.commit({WEB: ONE}, DAVE)
    side = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=old)
    world.forge.merge(side, tree_of=side)
    assert reason(world) is Reason.NO_AUTHOR
    assert world.effective(WEB) == ONE


def test_even_a_signed_merge_may_not_drop_a_change_by_taking_a_side(world: World) -> None:
    old = world.forge.tip
    world.forge.commit({WEB: ONE}, DAVE)
    side = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=old)
    world.forge.merge(side, tree_of=side, by=DAVE)
    assert reason(world) is Reason.NO_AUTHOR


def test_a_merge_that_keeps_main_as_it_is_is_void(world: World) -> None:
    world.forge.merge(branch_of(world, ONE), tree_of=world.forge.tip)
    assert reason(world) is Reason.VOID


def test_an_unsigned_commit_behind_a_merge_is_rejected(world: World) -> None:
    world.forge.merge(branch_of(world, ONE, by=None))
    assert reason(world) is Reason.UNSIGNED


def test_an_unsigned_step_on_the_way_is_rejected_though_the_last_is_signed(world: World) -> None:
    world.forge.merge(branch_of(world, TWO, on=branch_of(world, ONE, by=None)))
    assert reason(world) is Reason.UNSIGNED


def test_another_tenants_commit_behind_a_merge_is_rejected(world: World) -> None:
    world.forge.merge(branch_of(world, ONE, by=ERIN))
    assert reason(world) is Reason.NOT_AUTHORIZED


def test_a_branch_made_before_the_path_changed_is_stale(world: World) -> None:
    branch = branch_of(world, ONE)
    world.forge.commit({WEB: TWO}, DAVE)
    world.forge.merge(branch, changes={WEB: ONE})
    assert reason(world) is Reason.STALE_BASE


def test_content_once_left_is_not_brought_back_by_an_old_branch(world: World) -> None:
    """A-B-A: the path looks as when the branch was made, but has been elsewhere since."""
    first = world.forge.trees[world.forge.tip][WEB].data
    branch = branch_of(world, ONE)
    world.forge.commit({WEB: TWO}, DAVE)
    world.forge.commit({WEB: first}, DAVE)
    world.forge.merge(branch)
    assert reason(world) is Reason.STALE_BASE


def test_consent_is_consumed_when_it_was_merged_once(world: World) -> None:
    first = world.forge.trees[world.forge.tip][WEB].data
    branch = branch_of(world, ONE)
    world.forge.merge(branch)
    world.forge.commit({WEB: first}, DAVE)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, branch])
    assert reason(world) is Reason.NO_AUTHOR


def test_a_merge_that_was_rejected_does_not_count_later(world: World) -> None:
    branch = branch_of(world, ONE)
    old = world.forge.tip
    world.forge.merge(branch, changes={SHOP: network("shop", 66)})
    world.forge.commit({}, None, tree_of=old)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, branch])
    assert world.codes(3) == ["unsigned", "repair", "no-author"]


def test_a_root_commit_of_another_repository_does_not_count(world: World) -> None:
    """The tenant's signed file of another ledger, grafted on by a merge."""
    elsewhere = world.forge.commit({MAIL: network("mail", 9)}, DAVE, parents=[], push=False)
    world.forge.commit({MAIL: network("mail", 9)}, None, parents=[world.forge.tip, elsewhere])
    assert reason(world) is Reason.STALE_BASE


def test_two_lines_with_one_content_are_no_single_word(world: World) -> None:
    start = world.forge.tip
    one, two = branch_of(world, ONE, on=start), branch_of(world, ONE, on=start)
    world.forge.merge(one, two)
    assert reason(world) is Reason.SEVERAL_AUTHORS


def test_a_side_chosen_within_the_branch_is_no_resolution(world: World) -> None:
    start = world.forge.tip
    one, two = branch_of(world, ONE, on=start), branch_of(world, TWO, on=start)
    chosen = world.forge.commit({}, DAVE, parents=[one, two], push=False)
    world.forge.merge(chosen)
    assert reason(world) is Reason.SEVERAL_AUTHORS


def test_a_key_that_the_branch_itself_adds_does_not_count(world: World) -> None:
    added = world.forge.branch({ACME: tenant("acme", DAVE, MALLORY)}, DAVE, on=world.forge.tip)
    used = branch_of(world, ONE, by=MALLORY, on=added)
    world.forge.merge(used)
    assert reason(world) is Reason.UNKNOWN_KEY


def test_an_earlier_author_approves_nothing_of_what_came_after(world: World) -> None:
    """Two must sign. One signed a proposal, another put other content on top: one signature, not two."""
    two = tenant("acme", DAVE, CHLOE, threshold=2)
    world.forge.commit({ACME: two}, DAVE)
    assert reason(world) is Reason.ACCEPTED
    proposal = branch_of(world, ONE, by=DAVE)
    world.forge.merge(branch_of(world, TWO, by=CHLOE, on=proposal))
    assert reason(world) is Reason.THRESHOLD


def test_a_second_persons_signed_merge_approves(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    world.forge.merge(branch_of(world, ONE, by=DAVE), by=CHLOE)
    assert reason(world) is Reason.ACCEPTED
    assert len(world.sync().verdicts[-1].signers) == 2


def test_the_same_persons_signed_merge_does_not_count_twice(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    world.forge.merge(branch_of(world, ONE, by=DAVE), by=DAVE)
    assert reason(world) is Reason.THRESHOLD


def test_a_signed_merge_of_main_into_a_branch_approves_nothing(world: World) -> None:
    forge = world.forge
    forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    branch = branch_of(world, ONE, by=DAVE)
    forge.commit({SHOP: network("shop", 9)}, ERIN)
    shop = {SHOP: network("shop", 9)}
    caught_up = forge.commit(shop, CHLOE, parents=[branch, forge.tip], push=False)
    forge.merge(caught_up)
    assert reason(world) is Reason.THRESHOLD


def test_a_merge_of_too_much_history_is_rejected(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_MERGED_COMMITS", 5)
    branch = world.forge.tip
    for number in range(6):
        branch = world.forge.branch({"README": b"%d" % number}, None, on=branch)
    world.forge.merge(branch_of(world, ONE, on=branch))
    assert reason(world) is Reason.TOO_MANY_COMMITS


def test_dates_decide_nothing(world: World) -> None:
    """A merged branch whose commits claim to be older than the ledger itself."""
    world.forge.clock = 1000
    old = world.forge.tip
    branch = branch_of(world, ONE, TWO)
    world.forge.merge(branch)
    world.forge.clock = 4_000_000_000
    replayed = world.forge.trees[old][WEB].data
    world.forge.commit({WEB: replayed}, DAVE)
    world.forge.clock = 5
    world.forge.commit({WEB: TWO}, None, parents=[world.forge.tip, branch])
    assert world.codes(3) == ["accepted", "accepted", "no-author"]


def test_an_unsigned_merge_does_not_stand_in_for_a_farmers_signature(world: World) -> None:
    change = world.forge.branch({"farms/paris/grants/acme.yaml": None}, ALICE, on=world.forge.tip)
    world.forge.merge(change)
    assert reason(world) is Reason.NOT_AUTHORIZED
    assert BOB.name not in {signer.principal for signer in world.sync().verdicts[-1].signers}
