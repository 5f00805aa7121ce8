"""A signed line in a message takes over what was squashed, unsigned or rejected: knowingly, and only that."""

from __future__ import annotations

import pytest

from reconciler.ledger import bounds
from reconciler.ledger.judging.adoption import ABSENT
from reconciler.ledger.repository.objects import CommitId, object_id
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
    Blob,
    Person,
    World,
    network,
    tenant,
)

pytestmark = pytest.mark.rule(6)

ACME = "tenants/ac/acme/tenant.yaml"
ONE, TWO, THREE = (network("web", number) for number in (31, 32, 33))


def line(path: str, new: bytes | None, expected: bytes | None) -> str:
    objects = (ABSENT if data is None else object_id("blob", data) for data in (new, expected))
    return " ".join(("Tnet-Adopt:", *objects, path))


def effective(world: World, path: str = WEB) -> bytes | None:
    world.sync()
    return world.effective(path)


def adopt(
    world: World,
    *lines: str,
    by: Person | None = DAVE,
    on: CommitId | None = None,
    changes: dict[str, bytes | Blob | None] | None = None,
) -> CommitId:
    """A commit with these lines in its message, on main or (`on`) on a branch."""
    return world.forge.commit(
        changes or {},
        by,
        parents=None if on is None else [on],
        subject="Adopt\n\n" + "\n".join(lines),
        push=on is None,
    )


@pytest.fixture
def squashed(world: World) -> World:
    """Main's last transaction has put ONE at WEB, and nobody has signed it."""
    world.forge.commit({WEB: ONE}, None, subject="Squash (#1)")
    assert_rejected(world, Reason.UNSIGNED)
    return world


def before(world: World) -> bytes:
    found = effective(world)
    assert found is not None
    return found


# --- what counts -------------------------------------------------------------------------------------


def test_who_may_change_a_path_adopts_it_without_changing_a_file(squashed: World) -> None:
    adopt(squashed, line(WEB, ONE, before(squashed)))
    verdict = assert_accepted(squashed)
    assert verdict.paths == (WEB,)
    assert effective(squashed) == ONE
    squashed.forge.commit({WEB: TWO}, DAVE)
    assert_accepted(squashed)


def test_a_refused_deletion_and_a_refused_creation_are_adopted(world: World) -> None:
    old = before(world)
    world.forge.commit({WEB: None, MAIL: network("mail", 9)}, None)
    adopt(world, line(WEB, None, old), line(MAIL, network("mail", 9), None))
    assert_accepted(world)
    assert effective(world) is None
    assert effective(world, MAIL) == network("mail", 9)


def test_an_edit_on_top_of_refused_content_is_signed_for_whole(squashed: World) -> None:
    adopt(squashed, line(WEB, TWO, before(squashed)), changes={WEB: TWO})
    assert_accepted(squashed)
    assert effective(squashed) == TWO


def test_what_is_adopted_and_what_is_changed_stand_in_one_commit(squashed: World) -> None:
    mail = {MAIL: network("mail", 9)}
    adopt(squashed, line(WEB, ONE, before(squashed)), changes=dict(mail))
    assert set(assert_accepted(squashed).paths) == {WEB, MAIL}


def test_the_adopted_change_can_be_adopted_on_a_branch_that_a_forge_merges(squashed: World) -> None:
    """The merge and its branch are as main in every file: all that counts is in a message."""
    branch = adopt(squashed, line(WEB, ONE, before(squashed)), on=squashed.forge.tip)
    squashed.forge.merge(branch)
    assert_accepted(squashed)
    assert effective(squashed) == ONE


def test_an_unsigned_proposal_on_a_branch_is_adopted_there(world: World) -> None:
    proposal = world.forge.branch({WEB: ONE}, MALLORY, on=world.forge.tip)
    world.forge.merge(adopt(world, line(WEB, ONE, before(world)), on=proposal))
    assert [str(signer) for signer in assert_accepted(world).signers] == ["dave (tenant acme)"]


def test_a_side_chosen_within_a_branch_is_adopted(world: World) -> None:
    start = world.forge.tip
    one = world.forge.branch({WEB: ONE}, DAVE, on=start)
    two = world.forge.branch({WEB: TWO}, DAVE, on=start)
    chosen = world.forge.commit(
        {}, DAVE, parents=[one, two], push=False, subject="Merge\n\n" + line(WEB, ONE, before(world))
    )
    world.forge.merge(chosen)
    assert_accepted(world)
    assert effective(world) == ONE


def test_a_conflict_with_main_resolved_by_hand_is_adopted(world: World) -> None:
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.commit({WEB: TWO}, DAVE)
    resolved = world.forge.commit(
        {WEB: THREE},
        DAVE,
        parents=[branch, world.forge.tip],
        push=False,
        subject="Merge main\n\n" + line(WEB, THREE, TWO),
    )
    world.forge.merge(resolved, changes={WEB: THREE})
    assert_accepted(world)
    assert effective(world) == THREE


def test_a_signed_merge_adopts_by_itself(squashed: World) -> None:
    side = squashed.forge.branch({MAIL: network("mail", 9)}, DAVE, on=squashed.forge.tip)
    squashed.forge.commit(
        {MAIL: network("mail", 9)},
        DAVE,
        parents=[squashed.forge.tip, side],
        subject="Merge\n\n" + line(WEB, ONE, before(squashed)),
    )
    assert_accepted(squashed)
    assert effective(squashed) == ONE


def test_a_second_person_approves_on_the_branch_what_the_first_one_signed(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    first = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.merge(adopt(world, line(WEB, ONE, before(world)), by=CHLOE, on=first))
    assert {signer.principal for signer in assert_accepted(world).signers} == {"dave", "chloe"}


def test_three_approve_by_a_chain_of_adoptions(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, ERIN, threshold=3)}, DAVE)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    for person in (CHLOE, ERIN):
        branch = adopt(world, line(WEB, ONE, before(world)), by=person, on=branch)
    world.forge.merge(branch)
    assert len(assert_accepted(world).signers) == 3


def test_an_octopus_brings_an_adoption_and_another_tenants_change(squashed: World) -> None:
    start = squashed.forge.tip
    adopted = adopt(squashed, line(WEB, ONE, before(squashed)), on=start)
    other = squashed.forge.branch({SHOP: network("shop", 9)}, ERIN, on=start)
    squashed.forge.merge(adopted, other)
    assert set(assert_accepted(squashed).paths) == {WEB, SHOP}


def test_two_adopt_one_path_on_two_lines_and_neither_is_last(squashed: World) -> None:
    start = squashed.forge.tip
    text = line(WEB, ONE, before(squashed))
    one = adopt(squashed, text, on=start)
    two = adopt(squashed, text, on=squashed.forge.branch({"README": b"x"}, None, on=start))
    squashed.forge.merge(one, two)
    assert_rejected(squashed, Reason.SEVERAL_AUTHORS)


@pytest.mark.parametrize("by", [None, MALLORY])
def test_an_adoption_quoted_by_a_forges_merge_hinders_nothing(world: World, by: Person | None) -> None:
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    quoted = "Merge\n\n" + line(MAIL, network("mail", 9), None)
    world.forge.commit({WEB: ONE}, by, parents=[world.forge.tip, branch], subject=quoted)
    assert assert_accepted(world).paths == (WEB,)


# --- what doesn't ------------------------------------------------------------------------------------


def test_an_unsigned_commit_adopts_nothing(squashed: World) -> None:
    adopt(squashed, line(WEB, ONE, before(squashed)), by=None)
    assert_rejected(squashed, Reason.UNSIGNED)


def test_nobody_adopts_what_is_anothers(squashed: World) -> None:
    adopt(squashed, line(WEB, ONE, before(squashed)), by=ERIN)
    assert_rejected(squashed, Reason.NOT_AUTHORIZED)
    adopt(squashed, line(WEB, ONE, before(squashed)), by=MALLORY)
    assert_rejected(squashed, Reason.UNKNOWN_KEY)


def test_one_adoption_is_not_two_approvals(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    old = before(world)
    world.forge.commit({WEB: ONE}, DAVE)
    assert_rejected(world, Reason.THRESHOLD)
    adopt(world, line(WEB, ONE, old), by=CHLOE)
    assert_rejected(world, Reason.THRESHOLD)


def test_no_approval_is_passed_on_by_somebody_who_may_not_approve(world: World) -> None:
    """Dave made it, Erin of another tenant adopted it, Chloe adopted hers: Chloe's word is about Erin's."""
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    assert_accepted(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    for person in (ERIN, CHLOE):
        branch = adopt(world, line(WEB, ONE, before(world)), by=person, on=branch)
    world.forge.merge(branch)
    assert_rejected(world, Reason.THRESHOLD)


def test_what_the_first_person_took_back_is_not_approved_by_restoring_it(world: World) -> None:
    """Dave made it ONE, thought better of it, and Chloe alone wants ONE."""
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    tip, old = world.forge.tip, before(world)
    for content, person in ((ONE, DAVE), (TWO, DAVE), (ONE, CHLOE)):
        tip = world.forge.branch({WEB: content}, person, on=tip)
    again = adopt(world, line(WEB, ONE, old), by=CHLOE, on=tip)
    world.forge.merge(again)
    assert_rejected(world, Reason.THRESHOLD)


def test_an_old_approval_is_not_revived_by_adopting_on_top_of_it(world: World) -> None:
    """What Dave signed began from what is no longer in effect: Chloe may want it, but Dave's word is gone."""
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    abandoned = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    other = world.forge.branch({WEB: TWO}, DAVE, on=world.forge.tip)
    world.forge.merge(other, by=CHLOE)
    assert_accepted(world)
    main = world.forge.commit({}, None, parents=[abandoned, world.forge.tip], push=False)
    world.forge.merge(adopt(world, line(WEB, ONE, TWO), by=CHLOE, on=main), changes={WEB: ONE})
    assert_rejected(world, Reason.THRESHOLD)


def test_an_adoption_says_what_is_in_effect(squashed: World) -> None:
    adopt(squashed, line(WEB, ONE, TWO))
    assert_rejected(squashed, Reason.ADOPT_MISMATCH)
    adopt(squashed, line(WEB, ONE, None))
    assert_rejected(squashed, Reason.ADOPT_MISMATCH)


def test_an_adoption_says_what_the_commit_holds(squashed: World) -> None:
    old = before(squashed)
    adopt(squashed, line(WEB, TWO, old))
    assert_rejected(squashed, Reason.ADOPT_MISMATCH)
    adopt(squashed, line(WEB, None, old))
    assert_rejected(squashed, Reason.ADOPT_MISMATCH)
    adopt(squashed, line(WEB, ONE, old), changes={WEB: TWO})
    assert_rejected(squashed, Reason.ADOPT_MISMATCH)


def test_what_is_repaired_is_not_adopted_in_the_same_breath(squashed: World) -> None:
    old = before(squashed)
    adopt(squashed, line(WEB, ONE, old), changes={WEB: old})
    assert_rejected(squashed, Reason.ADOPT_MISMATCH)


def test_a_link_in_the_documents_place_is_not_what_is_adopted(world: World) -> None:
    old = before(world)
    world.forge.commit({WEB: Blob(ONE, "120000")}, None)
    adopt(world, line(WEB, ONE, old))
    assert_rejected(world, Reason.ADOPT_MISMATCH)


def test_an_adoption_is_used_once(squashed: World) -> None:
    """The same lines again, after the path has been elsewhere: what they replace isn't in effect."""
    old = before(squashed)
    lines = line(WEB, ONE, old)
    branch = adopt(squashed, lines, on=squashed.forge.tip)
    squashed.forge.merge(branch)
    assert_accepted(squashed)
    squashed.forge.commit({WEB: old}, DAVE)
    assert_accepted(squashed)
    squashed.forge.commit({WEB: ONE}, None, parents=[squashed.forge.tip, branch])
    assert_rejected(squashed, Reason.NO_AUTHOR)


def test_an_adoption_that_waited_is_stale_once_the_path_has_moved_and_come_back(world: World) -> None:
    """A-B-A, by an adoption: it knows the right object, but not the transaction that made it so."""
    old = before(world)
    waiting = adopt(world, line(WEB, ONE, old), on=world.forge.tip, changes={WEB: ONE})
    world.forge.commit({WEB: TWO}, DAVE)
    world.forge.commit({WEB: old}, DAVE)
    assert_accepted(world)
    world.forge.merge(waiting, changes={WEB: ONE})
    assert_rejected(world, Reason.STALE_BASE)


def test_an_adoption_on_a_branch_must_be_of_what_its_commit_holds(world: World) -> None:
    branch = adopt(world, line(WEB, ONE, before(world)), on=world.forge.tip)
    world.forge.commit({WEB: ONE}, None)
    assert_rejected(world, Reason.UNSIGNED)
    world.forge.commit({}, None, parents=[world.forge.tip, branch])
    assert_rejected(world, Reason.ADOPT_MISMATCH)


def test_a_merge_holds_what_was_adopted_behind_it(squashed: World) -> None:
    branch = adopt(squashed, line(WEB, ONE, before(squashed)), on=squashed.forge.tip)
    squashed.forge.merge(branch, changes={WEB: TWO})
    assert_rejected(squashed, Reason.BASED_ON_REJECTED)


def test_a_later_unsigned_change_is_not_covered_by_an_adoption(world: World) -> None:
    adopted = adopt(world, line(WEB, ONE, before(world)), on=world.forge.tip, changes={WEB: ONE})
    world.forge.merge(world.forge.branch({WEB: TWO}, None, on=adopted))
    assert_rejected(world, Reason.UNSIGNED)


def test_an_adoption_brings_nothing_else_along(squashed: World) -> None:
    squashed.forge.commit({SHOP: network("shop", 66)}, None)
    adopt(squashed, line(WEB, ONE, before(squashed)))
    assert_accepted(squashed)
    assert effective(squashed, SHOP) != network("shop", 66)


def test_what_is_adopted_is_judged_as_any_document(world: World) -> None:
    old = before(world)
    world.forge.commit({WEB: b"no document"}, None)
    adopt(world, line(WEB, b"no document", old))
    assert_rejected(world, Reason.INVALID_DOCUMENT)


def test_a_policy_is_adopted_under_its_own_rules_only(world: World) -> None:
    path = "trust/policy.yaml"
    old = effective(world, path)
    assert old is not None
    refused = old.replace(b"version: 1", b"version: 3")
    world.forge.commit({path: refused}, ALICE)
    adopt(world, line(path, refused, old), by=ALICE)
    assert_rejected(world, Reason.POLICY_VERSION)
    adopt(world, line(path, refused, old), by=BOB)
    assert_rejected(world, Reason.NOT_AUTHORIZED)


def test_a_void_merge_of_a_strangers_adoption_changes_nothing(squashed: World) -> None:
    """Its signer is nobody here: the line is no claim, so the merge touches nothing."""
    branch = adopt(squashed, line(WEB, ONE, before(squashed)), by=MALLORY, on=squashed.forge.tip)
    squashed.forge.merge(branch)
    assert squashed.codes() == ["void"]
    assert effective(squashed) != ONE


def test_a_known_persons_adoption_of_anothers_file_sinks_the_merge(squashed: World) -> None:
    branch = adopt(squashed, line(WEB, ONE, before(squashed)), by=ERIN, on=squashed.forge.tip)
    squashed.forge.merge(branch)
    assert_rejected(squashed, Reason.NOT_AUTHORIZED)


def test_an_adoption_behind_too_much_history_is_not_looked_for(
    squashed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_MERGED_COMMITS", 5)
    branch = squashed.forge.tip
    for number in range(6):
        branch = squashed.forge.branch({"README": b"%d" % number}, None, on=branch)
    branch = adopt(squashed, line(WEB, ONE, before(squashed)), on=branch)
    squashed.forge.merge(branch)
    assert squashed.codes() == ["void"]


def test_lines_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a tenant's branch of very many lines, each of which may name a file, fills every node's memory."""
    start, old = world.forge.tip, before(world)
    branch = world.forge.branch({WEB: ONE}, DAVE, on=start)
    for _ in range(3):
        branch = adopt(world, line(WEB, ONE, old), on=branch)
    monkeypatch.setattr(bounds, "MAX_PATHS", 2)
    world.forge.merge(branch)
    assert_rejected(world, Reason.TOO_MANY_PATHS)
    world.forge.set_main(start)
    monkeypatch.setattr(bounds, "MAX_PATHS", 3)
    world.forge.commit({WEB: ONE}, None, parents=[start, branch], subject="Merge again")
    assert_accepted(world)


def test_part_of_what_was_adopted_as_one_is_not_merged(world: World) -> None:
    """Both were refused on main; one was taken out again before the adopting branch is merged."""
    old = before(world)
    mail = network("mail", 9)
    world.forge.commit({WEB: ONE, MAIL: mail}, None)
    branch = adopt(world, line(WEB, ONE, old), line(MAIL, mail, None), on=world.forge.tip)
    world.forge.commit({MAIL: None}, None)
    assert world.codes() == ["repair"]
    world.forge.commit({}, None, parents=[world.forge.tip, branch])
    assert_rejected(world, Reason.INCOMPLETE_MERGE)


# --- the line's form ---------------------------------------------------------------------------------

WELL = line(WEB, ONE, TWO)


@pytest.mark.parametrize(
    "message",
    [
        WELL.replace("Tnet-Adopt", "tnet-adopt"),
        WELL.replace("Tnet-Adopt:", "Tnet-Adopt :"),
        WELL.replace(": ", ":"),
        WELL.replace(": ", ":  "),
        WELL + " ",
        WELL + "\r",
        WELL + " and more",
        WELL.upper(),
        WELL.replace(WEB, "README"),
        WELL.replace(WEB, "tenants/ac/acme/../acme/tenant.yaml"),
        WELL.replace(WEB, "tenants/ac/acme/networks/Web.yaml"),
        WELL.replace(WEB, f'"{WEB}"'),
        WELL.replace(WEB, "tenants/ac/acme/networks/wéb.yaml"),
        line(WEB, ONE, ONE),
        f"Tnet-Adopt: {ABSENT} {ABSENT} {WEB}",
        f"Tnet-Adopt: {object_id('blob', ONE)[:12]} {ABSENT} {WEB}",
        f"Tnet-Adopt: {object_id('blob', ONE)} {WEB}",
        "Tnet-Adopt:",
        f"{WELL}\n{WELL}",
        f"{WELL}\n{line(WEB, TWO, ONE)}",
        f"{WELL}\n\nSigned-off-by: Dave <dave@example.net>",
        f"{WELL}\n \t\nmore",
    ],
)
def test_a_line_of_another_form_is_refused_by_name(world: World, message: str) -> None:
    adopt(world, message)
    assert_rejected(world, Reason.MALFORMED_ADOPT)


@pytest.mark.parametrize(
    "message",
    [
        "  " + WELL,
        "> " + WELL,
        "see Tnet-Adopt: there",
        "Tnet-Adopted: x",
        "tnet adopt does it",
    ],
)
def test_what_only_speaks_of_it_is_no_such_line(world: World, message: str) -> None:
    adopt(world, message)
    assert world.codes() == ["void"]


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "Adopt\n\n{}\n\n \n\t\n",
        "Adopt\n\nwords\n\n{}\nSigned-off-by: Dave <dave@example.net>",
        "Adopt\n\nReviewed-by: Chloe <chloe@example.net>\n{}",
    ],
)
def test_the_last_paragraph_may_hold_other_lines(squashed: World, form: str) -> None:
    text = form.format(line(WEB, ONE, before(squashed)))
    squashed.forge.commit({}, DAVE, subject=text)
    assert_accepted(squashed)


def test_a_malformed_line_on_a_branch_adopts_nothing(squashed: World) -> None:
    branch = adopt(squashed, line(WEB, ONE, before(squashed)) + " ", on=squashed.forge.tip)
    squashed.forge.merge(branch)
    assert squashed.codes() == ["void"]


def test_a_malformed_line_in_a_signed_merge_is_refused(world: World) -> None:
    branch = world.forge.branch({WEB: ONE}, DAVE, on=world.forge.tip)
    world.forge.commit({WEB: ONE}, DAVE, parents=[world.forge.tip, branch], subject="Merge\n\nTnet-Adopt: x")
    assert_rejected(world, Reason.MALFORMED_ADOPT)


# --- told to all alike -------------------------------------------------------------------------------


def test_a_restarted_node_and_a_new_one_agree_with_the_old(squashed: World) -> None:
    """The chronicle keeps what was touched though no file differed."""
    adopt(squashed, line(WEB, ONE, before(squashed)))
    view = squashed.sync()
    squashed.ledger.close()
    squashed.ledger = squashed.new_ledger("node")
    assert squashed.sync() == view
    fresh = squashed.new_ledger("fresh")
    assert fresh.sync() == view
    fresh.close()
