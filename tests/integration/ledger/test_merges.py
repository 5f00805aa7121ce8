"""Merges count as far as signed commits made the change from what is in effect.

Attacked by whoever runs the forge, and by tenants with valid keys.
"""

from __future__ import annotations

import pytest

from reconciler.ledger import bounds
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason
from tests.integration.ledger.verdicts import assert_accepted, assert_rejected
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

pytestmark = pytest.mark.rule(9)

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


@pytest.mark.rule(22)
@pytest.mark.parametrize("bound", ["MAX_MERGED_COMMITS", "MAX_MERGE_WORK"])
def test_a_merge_may_bring_in_as_much_as_the_bound_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    start = world.forge.tip
    branch = branch_of(world, ONE, TWO, THREE)
    monkeypatch.setattr(bounds, bound, 2)
    world.forge.merge(branch)
    assert_rejected(world, Reason.TOO_MANY_COMMITS)
    world.forge.set_main(start)
    monkeypatch.setattr(bounds, bound, 3)
    world.forge.commit({WEB: THREE}, None, parents=[start, branch], subject="Merge again")
    assert_accepted(world)


@pytest.mark.rule(22)
def test_a_path_is_changed_on_few_lines(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = world.forge.tip
    lines = [branch_of(world, network("web", 40 + number), on=start) for number in range(3)]
    joined = world.forge.commit({}, None, parents=lines, push=False)
    branch = branch_of(world, ONE, on=joined)
    monkeypatch.setattr(bounds, "MAX_NEAREST_AUTHORS", 2)
    world.forge.merge(branch)
    assert_rejected(world, Reason.TOO_MANY_COMMITS)
    world.forge.set_main(start)
    monkeypatch.setattr(bounds, "MAX_NEAREST_AUTHORS", 3)
    world.forge.commit({WEB: ONE}, None, parents=[start, branch], subject="Merge again")
    assert_accepted(world)


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


# --- what every author found -------------------------------------------------------------------------


def test_merges_that_cross_count(world: World) -> None:
    """Main merges the branch, the branch merges main, and so on: each merge brings in what is new."""
    forge = world.forge
    start = forge.tip
    dave = branch_of(world, ONE, on=start)
    erin = forge.branch({SHOP: network("shop", 9)}, ERIN, on=start)
    crossed = [
        forge.commit(changes, None, parents=parents, push=False)
        for changes, parents in (
            ({SHOP: network("shop", 9)}, [dave, erin]),
            ({WEB: ONE}, [erin, dave]),
        )
    ]
    forge.merge(dave)
    assert_accepted(world)
    forge.commit({SHOP: network("shop", 9)}, None, parents=[forge.tip, *crossed])
    assert_accepted(world)
    again = forge.commit({}, None, parents=[crossed[1], forge.tip], push=False)
    back = forge.commit({}, None, parents=[forge.tip, again])
    assert world.codes() == ["void"]
    forge.merge(branch_of(world, TWO, on=forge.commit({}, None, parents=[again, back], push=False)))
    assert_accepted(world)
    assert world.effective(WEB) == TWO


@pytest.mark.rule(5)
def test_a_clean_merge_of_refused_content_into_a_branch_does_not_carry_it_in(world: World) -> None:
    """Dave's `git pull` has merged what was refused on main into his open branch, signed and without a
    conflict. Main is repaired, which anybody can do, and his branch is merged."""
    forge = world.forge
    good = forge.trees[forge.tip][WEB].data
    branch = branch_of(world, ONE)
    forge.commit({WEB: b"# evil\n" + good}, None)
    assert_rejected(world, Reason.UNSIGNED)
    pulled = forge.commit({WEB: b"# evil\n" + ONE}, DAVE, parents=[branch, forge.tip], push=False)
    forge.commit({WEB: good}, None)
    assert world.codes() == ["repair"]
    forge.commit({WEB: b"# evil\n" + ONE}, None, parents=[forge.tip, pulled])
    assert_rejected(world, Reason.STALE_BASE)


@pytest.mark.rule(5)
def test_a_refused_commit_made_known_by_a_void_merge_is_carried_in_by_no_pull(world: World) -> None:
    """The longer way: main drops the refused commit again, changes the path itself, and Dave pulls once
    more. Then the refused commit is merged with main's own tree, so that it isn't new when his branch is."""
    forge = world.forge
    start, good = forge.tip, forge.trees[forge.tip][WEB].data
    branch = branch_of(world, ONE)
    refused = forge.commit({WEB: b"# evil\n" + good}, None, push=False)
    pulled = forge.commit({WEB: b"# evil\n" + ONE}, DAVE, parents=[branch, refused], push=False)
    forge.commit({WEB: TWO}, DAVE, parents=[start])
    assert_accepted(world)
    again = forge.commit({WEB: b"# evil\n" + THREE}, DAVE, parents=[pulled, forge.tip], push=False)
    forge.commit({}, None, parents=[forge.tip, refused])
    assert world.codes() == ["void"]
    forge.commit({WEB: b"# evil\n" + THREE}, None, parents=[forge.tip, again])
    assert_rejected(world, Reason.STALE_BASE)


@pytest.mark.rule(5)
def test_a_signed_merge_of_refused_content_does_not_carry_it_in(world: World) -> None:
    """The same, where the ledger's own merge is the one that is signed."""
    forge = world.forge
    start, good = forge.tip, forge.trees[forge.tip][WEB].data
    refused = forge.commit({WEB: b"# evil\n" + good}, None, push=False)
    forge.commit({}, None, parents=[start, refused])
    forge.commit({WEB: ONE}, DAVE)
    assert_accepted(world)
    side = forge.branch({MAIL: network("mail", 9)}, DAVE, on=refused)
    changes = {WEB: b"# evil\n" + ONE, MAIL: network("mail", 9)}
    forge.commit(changes, DAVE, parents=[forge.tip, side])
    assert_rejected(world, Reason.STALE_BASE)


@pytest.mark.rule(5)
def test_an_edit_on_top_of_refused_content_is_refused_on_a_branch_too(world: World) -> None:
    good = world.forge.trees[world.forge.tip][WEB].data
    world.forge.commit({WEB: ONE}, None)
    edited = branch_of(world, TWO)
    refused = world.forge.tip
    world.forge.merge(edited)
    assert_rejected(world, Reason.STALE_BASE)
    world.forge.set_main(refused)
    world.forge.commit({WEB: good}, None)
    assert world.codes() == ["repair"]
    world.forge.commit({WEB: TWO}, None, parents=[world.forge.tip, edited])
    assert_rejected(world, Reason.STALE_BASE)


@pytest.mark.rule(5)
def test_refused_content_on_main_does_not_hold_up_a_branch_from_before(world: World) -> None:
    branch = branch_of(world, ONE)
    world.forge.commit({WEB: TWO}, None)
    assert_rejected(world, Reason.UNSIGNED)
    world.forge.merge(branch, changes={WEB: ONE})
    assert_accepted(world)
    assert world.effective(WEB) == ONE


@pytest.mark.rule(5)
def test_a_branch_that_repairs_and_then_changes_counts(world: World) -> None:
    good = world.forge.trees[world.forge.tip][WEB].data
    world.forge.commit({WEB: TWO}, None)
    repaired = branch_of(world, good, by=None)
    world.forge.merge(branch_of(world, ONE, on=repaired))
    assert_accepted(world)


def test_what_was_taken_back_on_a_branch_needs_no_word(world: World) -> None:
    """An unsigned detour that ends where it began leaves nothing behind."""
    good = world.forge.trees[world.forge.tip][WEB].data
    back = branch_of(world, TWO, good, by=None)
    world.forge.merge(branch_of(world, ONE, on=back))
    assert_accepted(world)


def test_a_detour_on_another_line_is_no_second_author(world: World) -> None:
    start = world.forge.tip
    good = world.forge.trees[start][WEB].data
    nothing = branch_of(world, TWO, good, on=start)
    world.forge.merge(branch_of(world, ONE, on=start), nothing, changes={WEB: ONE})
    assert_accepted(world)


def test_a_branch_that_lived_through_changes_of_main_counts_from_what_is_in_effect(world: World) -> None:
    """It was A, was B, and is A again; the branch has merged main since, and starts from that A."""
    forge = world.forge
    start, good = forge.tip, forge.trees[forge.tip][WEB].data
    branch = branch_of(world, THREE, good, on=start)
    forge.commit({WEB: TWO}, DAVE)
    forge.commit({WEB: good}, DAVE)
    caught_up = forge.commit({}, None, parents=[branch, forge.tip], push=False)
    forge.merge(branch_of(world, ONE, on=caught_up))
    assert_accepted(world)


def test_a_conflict_resolved_by_hand_after_merging_main_takes_a_rebase(world: World) -> None:
    branch = branch_of(world, ONE)
    world.forge.commit({WEB: TWO}, DAVE)
    resolved = world.forge.commit({WEB: THREE}, DAVE, parents=[branch, world.forge.tip], push=False)
    assert_accepted(world)
    main = world.forge.tip
    world.forge.merge(resolved, changes={WEB: THREE})
    assert_rejected(world, Reason.STALE_BASE)
    world.forge.set_main(main)
    world.forge.merge(branch_of(world, THREE))
    assert_accepted(world)


def test_an_old_branch_does_not_undo_a_network_that_it_does_not_know(world: World) -> None:
    old = world.forge.tip
    world.forge.commit({MAIL: network("mail", 9)}, DAVE)
    assert_accepted(world)
    branch = branch_of(world, ONE, on=old)
    world.forge.commit({}, None, parents=[world.forge.tip, branch], tree_of=branch)
    assert_rejected(world, Reason.NO_AUTHOR)
    world.sync()
    assert world.effective(MAIL) == network("mail", 9)


# --- all of a commit, or nothing ---------------------------------------------------------------------

BOTH = {WEB: ONE, MAIL: network("mail", 9)}


@pytest.mark.rule(7)
@pytest.mark.parametrize("left_out", [WEB, MAIL])
def test_a_forge_does_not_pick_from_what_was_signed_as_one(world: World, left_out: str) -> None:
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    kept = {path: content for path, content in BOTH.items() if path != left_out}
    world.forge.commit(dict(kept), None, parents=[world.forge.tip, branch])
    assert left_out in assert_rejected(world, Reason.INCOMPLETE_MERGE).detail


@pytest.mark.rule(7)
def test_not_even_by_an_unsigned_commit_that_takes_the_rest_back(world: World) -> None:
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    for by in (None, MALLORY, ERIN):
        less = world.forge.branch({MAIL: None}, by, on=branch)
        tip = world.forge.tip
        world.forge.commit({WEB: ONE}, None, parents=[tip, less])
        assert_rejected(world, Reason.INCOMPLETE_MERGE)
        world.forge.set_main(tip)


@pytest.mark.rule(7)
def test_nor_by_a_signed_merge(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    assert_accepted(world)
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    world.forge.commit({WEB: ONE}, CHLOE, parents=[world.forge.tip, branch])
    assert_rejected(world, Reason.INCOMPLETE_MERGE)


@pytest.mark.rule(7)
def test_nor_of_an_earlier_commit_of_the_branch(world: World) -> None:
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    world.forge.commit({WEB: TWO}, None, parents=[world.forge.tip, branch_of(world, TWO, on=branch)])
    assert_rejected(world, Reason.INCOMPLETE_MERGE)


@pytest.mark.rule(7)
def test_nor_by_an_octopus_that_brings_the_rest_from_elsewhere(world: World) -> None:
    start = world.forge.tip
    branch = world.forge.branch(dict(BOTH), DAVE, on=start)
    other = world.forge.branch({MAIL: network("mail", 8)}, DAVE, on=start)
    world.forge.commit({WEB: ONE}, None, parents=[start, branch, other])
    assert_rejected(world, Reason.INCOMPLETE_MERGE)


@pytest.mark.rule(7)
def test_who_signed_it_takes_part_of_it_back(world: World) -> None:
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    world.forge.merge(world.forge.branch({MAIL: None}, DAVE, on=branch))
    assert assert_accepted(world).paths == (WEB,)


@pytest.mark.rule(7)
def test_a_colleague_who_may_takes_part_of_it_back(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    world.forge.merge(world.forge.branch({MAIL: None}, CHLOE, on=branch))
    assert assert_accepted(world).paths == (WEB,)


@pytest.mark.rule(7)
def test_what_is_in_effect_already_is_not_left_out(world: World) -> None:
    """Mail came in by another commit meanwhile, with the same content."""
    branch = world.forge.branch(dict(BOTH), DAVE, on=world.forge.tip)
    world.forge.commit({MAIL: network("mail", 9)}, DAVE)
    world.forge.merge(branch)
    assert assert_accepted(world).paths == (WEB,)


@pytest.mark.rule(7)
def test_a_path_that_nobody_governs_may_be_left_out(world: World) -> None:
    branch = world.forge.branch({WEB: ONE, "README": b"hello"}, DAVE, on=world.forge.tip)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, branch])
    assert_accepted(world)


@pytest.mark.rule(7)
def test_the_commits_on_top_may_be_left_out(world: World) -> None:
    branch = branch_of(world, ONE)
    later = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=branch)
    world.forge.merge(branch)
    assert_accepted(world)
    world.forge.merge(later)
    assert_accepted(world)


@pytest.mark.rule(7)
def test_what_is_left_out_is_looked_for_within_bounds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"tenants/ac/acme/networks/net-{number}.yaml" for number in range(9)]
    changes = {path: network(path[25:30], 100 + number) for number, path in enumerate(paths)}
    branch = world.forge.branch({WEB: ONE, **changes}, DAVE, on=world.forge.tip)
    monkeypatch.setattr(bounds, "MAX_MERGE_WORK", 8)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, branch])
    assert_rejected(world, Reason.TOO_MANY_COMMITS)


# --- odd merges --------------------------------------------------------------------------------------


def test_a_merge_of_63_branches_counts_and_one_of_more_is_malformed(world: World) -> None:
    start = world.forge.tip
    paths = [f"tenants/ac/acme/networks/net-{number}.yaml" for number in range(64)]
    branches = [
        world.forge.branch({path: network(f"net-{number}", 100 + number)}, DAVE, on=start)
        for number, path in enumerate(paths)
    ]
    contents = {
        path: world.forge.trees[branch][path].data for path, branch in zip(paths, branches, strict=True)
    }
    world.forge.commit(dict(contents), None, parents=[start, *branches])
    assert_rejected(world, Reason.MALFORMED_COMMIT)
    world.forge.set_main(start)
    del contents[paths[63]]
    world.forge.commit(dict(contents), None, parents=[start, *branches[:63]])
    assert len(assert_accepted(world).paths) == 63


def test_a_merge_with_one_parent_twice_is_malformed(world: World) -> None:
    branch = branch_of(world, ONE)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, branch, branch])
    assert_rejected(world, Reason.MALFORMED_COMMIT)


def test_a_merge_with_an_old_state_of_the_ledger_is_no_way_to_change_a_path(world: World) -> None:
    """Its other parent has something else there than what is in effect, and nobody made it now."""
    for by in (None, DAVE):
        tip = world.forge.tip
        world.forge.commit({WEB: ONE}, by, parents=[tip, world.anchor.commit])
        assert_rejected(world, Reason.STALE_BASE)
        world.forge.set_main(tip)


def test_two_merges_of_one_branch_at_different_depths_use_each_consent_once(world: World) -> None:
    start = world.forge.tip
    first = branch_of(world, ONE)
    second = world.forge.branch({MAIL: network("mail", 9)}, DAVE, on=first)
    third = branch_of(world, TWO, on=second)
    world.forge.merge(first)
    world.forge.merge(second)
    assert world.codes(2) == ["accepted", "accepted"]
    tip = world.forge.tip
    world.forge.commit({WEB: TWO}, None, parents=[tip, third])
    assert_rejected(world, Reason.STALE_BASE)
    world.forge.set_main(tip)
    world.forge.commit({WEB: world.forge.trees[start][WEB]}, DAVE)
    assert_accepted(world)
    world.forge.commit({WEB: ONE}, None, parents=[world.forge.tip, first])
    assert_rejected(world, Reason.NO_AUTHOR)
    deeper = world.forge.commit({}, None, parents=[start, first], push=False)
    world.forge.commit({WEB: ONE}, None, parents=[tip, deeper])
    assert world.sync().alarm is not None


def test_a_second_persons_merge_beside_the_ledger_approves_nothing(world: World) -> None:
    """Chloe merged Dave's request into main as she saw it; main had moved on, and her merge was merged."""
    forge = world.forge
    forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    start = forge.tip
    branch = branch_of(world, ONE)
    world.sync()
    hers = forge.commit({WEB: ONE}, CHLOE, parents=[start, branch], push=False)
    forge.commit({SHOP: network("shop", 9)}, ERIN)
    assert_accepted(world)
    forge.merge(hers)
    assert_rejected(world, Reason.THRESHOLD)
