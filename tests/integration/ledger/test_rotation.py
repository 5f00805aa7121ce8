"""Keys come and go: a tenant rotates its own, in any order; revocation is by position; nothing comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import pytest

from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason
from tests.integration.ledger.verdicts import assert_accepted, assert_rejected
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    CHLOE,
    DAVE,
    MAIL,
    WEB,
    Person,
    Ruled,
    World,
    farm,
    network,
    node,
    policy,
    tenant,
)

POLICY, PARIS = "trust/policy.yaml", "farms/paris/farm.yaml"
ACME = "tenants/ac/acme/tenant.yaml"
FRED, ALICE2 = Person("fred"), Person("alice2")

pytestmark = pytest.mark.rule(19)


# --- rotation, in every order ------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """Who the tenant is, by the reckoning of this test."""

    people: frozenset[Person]
    threshold: int = 1

    def after(self, step: str) -> Held:
        people, threshold = self.people, self.threshold
        what, _, name = step.partition(" ")
        if what == "add":
            people |= {Person(name)}
        elif what == "remove":
            people -= {Person(name)}
        else:
            threshold = int(name)
        return Held(people, threshold)

    @property
    def possible(self) -> bool:
        return 0 < self.threshold <= len(self.people)

    @property
    def document(self) -> bytes:
        people = sorted(self.people, key=lambda person: person.name)
        return tenant("acme", *people, threshold=self.threshold)


def _signed_by(world: World, change: bytes, path: str, people: Sequence[Person]) -> None:
    """One person commits; of two, the second merges."""
    if len(people) == 1:
        world.forge.commit({path: change}, people[0])
    else:
        branch = world.forge.branch({path: change}, people[0], on=world.forge.tip)
        world.forge.merge(branch, by=people[1])


def _groups() -> Iterator[tuple[Person, ...]]:
    yield from ((person,) for person in (DAVE, CHLOE, FRED))
    yield (DAVE, CHLOE)
    yield (CHLOE, FRED)


@pytest.mark.parametrize(
    "steps",
    list(permutations(("add chloe", "add fred", "remove dave", "require 2"))),
    ids=lambda steps: ", ".join(steps),
)
def test_a_tenant_changes_its_keys_in_any_order(world: World, steps: tuple[str, ...]) -> None:
    """Before each step everybody who can't make it tries; then those who can do."""
    held = Held(frozenset({DAVE}))
    for step in steps:
        wanted = held.after(step)
        for group in _groups():
            start = world.forge.tip
            _signed_by(world, wanted.document, ACME, group)
            named = [person for person in group if person in held.people]
            author_named = group[0] in held.people
            accepted = author_named and len(named) >= held.threshold and wanted.possible
            verdict = world.sync().verdicts[-1]
            assert verdict.accepted == accepted, (step, group, verdict)
            if accepted:
                held = wanted
                break
            world.forge.commit({}, tree_of=start)
    for group in _groups():
        start = world.forge.tip
        _signed_by(world, network("web", 5), WEB, group)
        named = [person for person in group if person in held.people]
        accepted = group[0] in held.people and len(named) >= held.threshold
        assert world.sync().verdicts[-1].accepted == accepted
        if accepted:
            break
        world.forge.commit({}, tree_of=start)


# --- revocation by position --------------------------------------------------------------------------


def test_a_key_removed_one_commit_before_does_not_count(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    world.forge.commit({ACME: tenant("acme", CHLOE)}, DAVE)  # Its last act.
    assert_accepted(world)
    world.forge.commit({WEB: network("web", 5)}, DAVE)
    assert_rejected(world, Reason.UNKNOWN_KEY)


def test_what_was_signed_before_the_removal_and_merged_after_it_does_not_count(world: World) -> None:
    branch = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    world.forge.commit({ACME: tenant("acme", CHLOE)}, DAVE)
    assert_accepted(world)
    world.forge.merge(branch)
    assert_rejected(world, Reason.UNKNOWN_KEY)


def test_what_was_accepted_before_the_removal_stands(world: World) -> None:
    world.forge.commit({WEB: network("web", 5)}, DAVE)
    before = [verdict.code for verdict in world.sync().verdicts]
    world.forge.commit({ACME: tenant("acme", CHLOE)}, DAVE)
    fresh = world.new_ledger("fresh")
    assert [verdict.code for verdict in fresh.sync().verdicts] == [*before, "accepted"]
    assert world.effective(WEB) == network("web", 5)
    fresh.close()


def test_a_date_makes_no_key_good(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", CHLOE)}, DAVE)
    assert_accepted(world)
    world.forge.clock = 1_000_000_000  # Long before the removal.
    world.forge.commit({WEB: network("web", 5)}, DAVE)
    assert_rejected(world, Reason.UNKNOWN_KEY)


def test_a_key_that_the_commit_adds_does_not_help_it(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, CHLOE)
    assert_rejected(world, Reason.UNKNOWN_KEY)
    world.forge.commit({ACME: world.effective(ACME)}, None)
    branch = world.forge.branch({ACME: tenant("acme", DAVE, CHLOE)}, DAVE, on=world.forge.tip)
    branch = world.forge.branch({WEB: network("web", 5)}, CHLOE, on=branch)
    world.forge.merge(branch)
    assert_rejected(world, Reason.UNKNOWN_KEY)


def test_a_threshold_lowered_and_used_in_one_transaction(world: World) -> None:
    both = world.forge.branch({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE, on=world.forge.tip)
    world.forge.merge(both)
    assert_accepted(world)
    world.forge.commit({ACME: tenant("acme", DAVE), WEB: network("web", 5)}, DAVE)
    assert_rejected(world, Reason.THRESHOLD)


def test_a_revocation_is_not_reverted_by_whom_it_shut_out(world: World) -> None:
    two = tenant("acme", DAVE, CHLOE)
    world.forge.commit({ACME: two}, DAVE)
    world.forge.commit({ACME: tenant("acme", CHLOE)}, CHLOE)
    assert_accepted(world)
    world.forge.commit({ACME: two}, DAVE, subject='Revert "tenant acme"')
    assert_rejected(world, Reason.UNKNOWN_KEY)
    world.forge.commit({ACME: world.effective(ACME)}, None)
    world.forge.commit({ACME: two}, None, subject='Revert "tenant acme"')
    assert_rejected(world, Reason.UNSIGNED)
    world.forge.commit({ACME: world.effective(ACME)}, None)
    world.forge.commit({ACME: two}, CHLOE, subject='Revert "tenant acme"')
    assert_accepted(world)


@pytest.mark.rule(9)
def test_the_commit_that_added_a_key_does_not_bring_it_back(world: World) -> None:
    adding = world.forge.branch({ACME: tenant("acme", DAVE, CHLOE)}, DAVE, on=world.forge.tip)
    world.forge.merge(adding)
    assert_accepted(world)
    world.forge.commit({ACME: tenant("acme", DAVE)}, DAVE)
    assert_accepted(world)
    with_chloe = {ACME: tenant("acme", DAVE, CHLOE)}
    world.forge.commit(with_chloe, parents=[world.forge.tip, adding])
    assert_rejected(world, Reason.NO_AUTHOR)
    world.forge.commit({ACME: world.effective(ACME)}, None)
    late = world.forge.branch(with_chloe, DAVE, on=adding)  # The same content: it authors nothing.
    world.forge.commit(with_chloe, parents=[world.forge.tip, late])
    assert_rejected(world, Reason.NO_AUTHOR)


def test_a_replayed_removal_takes_nobody_out_again(world: World) -> None:
    """A-B-A: chloe goes, comes back, and the old commit that removed her is merged once more."""
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    removing = world.forge.branch({ACME: tenant("acme", DAVE)}, DAVE, on=world.forge.tip)
    world.forge.merge(removing)
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    assert_accepted(world)
    again = world.forge.commit({"README": b"x"}, None, parents=[removing], push=False)
    world.forge.commit({ACME: tenant("acme", DAVE)}, parents=[world.forge.tip, again])
    assert_rejected(world, Reason.NO_AUTHOR)


def test_a_farmer_changes_his_own_keys(world: World) -> None:
    world.forge.commit({PARIS: farm("paris", CHLOE)}, BOB)
    assert_accepted(world)
    world.forge.commit({"farms/paris/nodes/p2.yaml": node("p2", 2)}, BOB)
    assert_rejected(world, Reason.UNKNOWN_KEY)
    world.forge.commit({"farms/paris/nodes/p2.yaml": None}, None)
    world.forge.commit({PARIS: farm("paris", BOB)}, ALICE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({PARIS: world.effective(PARIS)}, None)
    world.forge.commit({"farms/paris/nodes/p2.yaml": node("p2", 2)}, CHLOE)
    assert_accepted(world)


# --- root --------------------------------------------------------------------------------------------


@pytest.mark.rule(10)
def test_an_earlier_policy_does_not_come_back_by_git_revert(world: World) -> None:
    old = world.effective(POLICY)
    world.forge.commit({POLICY: policy(ALICE, BOB, version=2)}, ALICE)
    assert_accepted(world)
    world.forge.commit({POLICY: old}, ALICE, subject='Revert "trust"')
    verdict = assert_rejected(world, Reason.POLICY_VERSION)
    assert "tnet rollback COMMIT" in verdict.advice
    world.forge.commit({POLICY: world.effective(POLICY)}, None)
    world.forge.commit({POLICY: policy(ALICE, version=3)}, ALICE)
    assert_accepted(world)


@pytest.mark.rule(10)
@pytest.mark.parametrize(
    ("people", "approved"),
    [((ALICE, BOB), False), ((BOB, CHLOE), True), ((ALICE, CHLOE), True), ((CHLOE, ALICE), False)],
    ids=["old-alone", "the-other-of-the-old", "one-of-each", "the-author-is-not-yet-root"],
)
def test_root_is_handed_on_by_the_old_and_the_new_threshold(
    world: World, people: tuple[Person, Person], approved: bool
) -> None:
    """From {alice, bob}, one of them, to {chloe, fred}, one of them."""
    world.forge.commit({POLICY: policy(ALICE, BOB, version=2)}, ALICE)
    assert_accepted(world)
    _signed_by(world, policy(CHLOE, FRED, version=3), POLICY, people)
    assert world.sync().verdicts[-1].accepted == approved


@pytest.mark.rule(10)
def test_a_rule_in_the_new_policy_is_no_approval_by_new_root(world: World) -> None:
    rules = [Ruled(["trust/suspensions/*"], [CHLOE])]
    branch = world.forge.branch({POLICY: policy(FRED, version=2, rules=rules)}, ALICE, on=world.forge.tip)
    world.forge.merge(branch, by=CHLOE)
    assert_rejected(world, Reason.THRESHOLD)


# --- consent that is taken back ----------------------------------------------------------------------


def _withdrawn(world: World, *commits: str) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, withdrawn=commits)}, DAVE)
    assert_accepted(world)


def test_a_withdrawn_commit_approves_nothing(world: World) -> None:
    branch = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    _withdrawn(world, branch)
    world.forge.merge(branch)
    verdict = assert_rejected(world, Reason.WITHDRAWN)
    assert branch[:12] in verdict.detail
    world.forge.commit({WEB: world.effective(WEB)}, None)
    again = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    world.forge.merge(again)
    assert_accepted(world)


def test_without_the_withdrawal_it_would_have_counted(world: World) -> None:
    branch = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    _withdrawn(world, "0" * 40)
    world.forge.merge(branch)
    assert_accepted(world)


def _unsigned_id(world: World, commit: CommitId) -> str:
    """The id of the commit without its signature, by git's own reckoning."""
    kept, inside = [], False
    head, _, message = world.forge.raw(commit).partition(b"\n\n")
    for line in head.split(b"\n"):
        inside = line.startswith(b"gpgsig ") or (inside and line.startswith(b" "))
        if not inside:
            kept.append(line)
    return world.forge.write("commit", b"\n".join(kept) + b"\n\n" + message)


def _laid_out_anew(raw: bytes) -> bytes:
    """The same signature in lines of another length."""
    head, _, rest = raw.partition(b"gpgsig -----BEGIN SSH SIGNATURE-----\n ")
    body, _, tail = rest.partition(b"\n -----END")
    joined = body.replace(b"\n ", b"")
    lines = [joined[at : at + 50] for at in range(0, len(joined), 50)]
    armor = b"\n ".join((b"gpgsig -----BEGIN SSH SIGNATURE-----", *lines, b"-----END"))
    return head + armor + tail


def _with_a_second_signature(raw: bytes) -> bytes:
    """With a header that no signature covers."""
    head, _, message = raw.partition(b"\n\n")
    return head + b"\ngpgsig-sha256 anything\n\n" + message


@pytest.mark.parametrize("disguise", [_laid_out_anew, _with_a_second_signature])
def test_another_id_does_not_bring_a_withdrawn_commit_back(world: World, disguise: object) -> None:
    branch = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    raw = world.forge.raw(branch)
    assert callable(disguise)
    start = world.forge.tip
    other = world.forge.add(disguise(raw), world.forge.trees[branch], push=False)
    assert other != branch
    _withdrawn(world, _unsigned_id(world, branch))
    world.forge.commit({WEB: network("web", 5)}, parents=[world.forge.tip, other])
    assert_rejected(world, Reason.WITHDRAWN)
    world.forge.commit({WEB: world.effective(WEB), ACME: world.effective(ACME)}, None)
    twin = world.forge.branch({WEB: network("web", 5)}, DAVE, on=start)
    world.forge.commit({WEB: network("web", 5)}, parents=[world.forge.tip, twin])
    assert_accepted(world)  # The disguise alone is no fault, and another commit wasn't withdrawn.


def test_the_disguised_commit_counts_where_nothing_is_withdrawn(world: World) -> None:
    branch = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    other = world.forge.add(_laid_out_anew(world.forge.raw(branch)), world.forge.trees[branch], push=False)
    world.forge.merge(other)
    assert_accepted(world)


def test_only_the_owner_takes_consent_back(world: World) -> None:
    branch = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    world.forge.commit({PARIS: farm("paris", BOB, withdrawn=[branch])}, BOB)
    world.forge.commit({POLICY: policy(ALICE, version=2, withdrawn=[branch])}, ALICE)
    assert_accepted(world)
    world.forge.merge(branch)
    assert_accepted(world)


def test_an_owner_takes_back_what_a_rules_signer_approved(world: World) -> None:
    rules = [Ruled([MAIL], [CHLOE])]
    world.forge.commit({ACME: tenant("acme", DAVE, rules=rules)}, DAVE)
    branch = world.forge.branch({MAIL: network("mail", 5)}, CHLOE, on=world.forge.tip)
    world.forge.commit({ACME: tenant("acme", DAVE, rules=rules, withdrawn=[branch])}, DAVE)
    assert_accepted(world)
    world.forge.merge(branch)
    assert_rejected(world, Reason.WITHDRAWN)


def test_farmers_and_root_take_theirs_back(world: World) -> None:
    of_bob = world.forge.branch({"farms/paris/nodes/p2.yaml": node("p2", 2)}, BOB, on=world.forge.tip)
    of_alice = world.forge.branch({"farms/lyon/farm.yaml": farm("lyon", CHLOE)}, ALICE, on=world.forge.tip)
    of_old_root = world.forge.branch({ACME: tenant("acme", CHLOE)}, ALICE, on=world.forge.tip)
    world.forge.commit({PARIS: farm("paris", BOB, withdrawn=[of_bob])}, BOB)
    listed = [of_alice, of_old_root]
    world.forge.commit({POLICY: policy(ALICE, version=2, withdrawn=listed)}, ALICE)
    assert_accepted(world)
    start = world.forge.tip
    for branch in (of_bob, *listed):
        world.forge.merge(branch)
        assert_rejected(world, Reason.WITHDRAWN)
        world.forge.commit({}, tree_of=start)


def test_an_earlier_author_that_was_withdrawn_takes_the_later_ones_with_it(world: World) -> None:
    first = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    second = world.forge.branch({WEB: network("web", 6)}, DAVE, on=first)
    _withdrawn(world, first)
    world.forge.merge(second)
    assert_rejected(world, Reason.WITHDRAWN)
