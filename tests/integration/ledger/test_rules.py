"""Rules: a document hands single paths to other signers, and never itself."""

from __future__ import annotations

import pytest

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
    WEB,
    Person,
    Ruled,
    World,
    farm,
    grant,
    network,
    node,
    policy,
    proven,
    suspension,
    tenant,
)

POLICY = "trust/policy.yaml"
PARIS, LYON = "farms/paris/farm.yaml", "farms/lyon/farm.yaml"
GRANT = "farms/paris/grants/acme.yaml"
ACME, INITECH = "tenants/ac/acme/tenant.yaml", "tenants/in/initech/tenant.yaml"
SUSPENSION = "trust/suspensions/acme.yaml"
FRED, GINA = Person("fred"), Person("gina")

pytestmark = pytest.mark.rule(8)


def acme(*rules: Ruled, people: tuple[Person, ...] = (DAVE,)) -> bytes:
    return tenant("acme", *people, rules=rules)


# --- a tenant's rules --------------------------------------------------------------------------------


def test_whom_a_rule_names_signs_in_the_owners_place(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE]))}, DAVE)
    assert_accepted(world)
    world.forge.commit({MAIL: network("mail", 5)}, CHLOE)
    verdict = assert_accepted(world)
    assert [str(signer) for signer in verdict.signers] == ["chloe (tenant acme)"]


def test_the_owners_own_signers_no_longer_sign_where_a_rule_matches(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE]))}, DAVE)
    assert_accepted(world)
    world.forge.commit({MAIL: network("mail", 5)}, DAVE)
    verdict = assert_rejected(world, Reason.NOT_AUTHORIZED)
    assert verdict.detail == (
        f"{MAIL}: dave (tenant acme) signed it, and it is for those whom a rule of {ACME} names to change"
    )


def test_whom_a_rule_names_signs_nothing_else(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE]))}, DAVE)
    assert_accepted(world)
    world.forge.commit({WEB: network("web", 5)}, CHLOE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({WEB: world.effective(WEB), ACME: tenant("acme", CHLOE)}, CHLOE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)


def test_the_first_rule_that_matches_is_the_one(world: World) -> None:
    every = "tenants/ac/acme/networks/*"
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE]), Ruled([every], [FRED]))}, DAVE)
    assert_accepted(world)
    world.forge.commit({MAIL: network("mail", 5)}, FRED)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({MAIL: None, WEB: network("web", 5)}, FRED)
    assert_accepted(world)


def test_a_rule_that_comes_with_the_commit_does_not_help_it(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE])), MAIL: network("mail", 5)}, CHLOE)
    assert_rejected(world, Reason.UNKNOWN_KEY)
    world.forge.commit({ACME: world.effective(ACME), MAIL: None}, None)
    branch = world.forge.branch({ACME: acme(Ruled([MAIL], [CHLOE]))}, DAVE, on=world.forge.tip)
    branch = world.forge.branch({MAIL: network("mail", 5)}, CHLOE, on=branch)
    world.forge.merge(branch)
    assert_rejected(world, Reason.UNKNOWN_KEY)


def test_a_rule_that_is_gone_helps_nobody(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE]))}, DAVE)
    branch = world.forge.branch({MAIL: network("mail", 5)}, CHLOE, on=world.forge.tip)
    world.forge.commit({ACME: acme()}, DAVE)
    assert_accepted(world)
    world.forge.merge(branch)
    assert_rejected(world, Reason.UNKNOWN_KEY)


def test_a_rules_threshold_is_its_own(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled([MAIL], [CHLOE, FRED], threshold=2))}, DAVE)
    assert_accepted(world)
    branch = world.forge.branch({MAIL: network("mail", 5)}, CHLOE, on=world.forge.tip)
    start = world.forge.tip
    world.forge.merge(branch, by=DAVE)
    verdict = assert_rejected(world, Reason.THRESHOLD)
    assert f"2 of those whom a rule of {ACME} names" in verdict.detail
    world.forge.commit({}, tree_of=start)
    branch = world.forge.branch({MAIL: network("mail", 5)}, CHLOE, on=world.forge.tip)
    world.forge.merge(branch, by=FRED)
    assert_accepted(world)


def test_one_person_in_two_rules_counts_once_and_has_one_name(world: World) -> None:
    alias = acme(Ruled([MAIL], [CHLOE])).replace(b"      - name: chloe", b"      - name: dave", 1)
    world.forge.commit({ACME: alias}, DAVE)
    assert_rejected(world, Reason.INVALID_DOCUMENT)  # Two keys under one name, in two places.
    world.forge.commit({ACME: world.effective(ACME)}, None)
    shared = acme(Ruled([MAIL], [CHLOE])).replace(CHLOE.key.text.encode(), DAVE.key.text.encode())
    world.forge.commit({ACME: shared}, DAVE)
    assert "this key is already `dave`'s" in assert_rejected(world, Reason.INVALID_DOCUMENT).detail


def test_a_key_of_a_tenants_rule_needs_a_proof_too(world: World) -> None:
    content = tenant("acme", DAVE, rules=[Ruled([MAIL], [CHLOE])], proofs=proven("acme", DAVE))
    world.forge.commit({ACME: content}, DAVE)
    assert_rejected(world, Reason.PROOF_MISSING)


@pytest.mark.parametrize(
    "pattern",
    [ACME, "tenants/gl/globex/networks/*", "tenants/*/*/networks/*", "farms/*/nodes/*", POLICY, "tenants/*"],
)
def test_a_tenants_rules_are_for_its_networks_alone(world: World, pattern: str) -> None:
    world.forge.commit({ACME: acme(Ruled([pattern], [CHLOE]))}, DAVE)
    assert_rejected(world, Reason.INVALID_DOCUMENT)


def test_a_rule_behind_one_that_covers_it_is_an_error(world: World) -> None:
    every = "tenants/ac/acme/networks/*"
    world.forge.commit({ACME: acme(Ruled([every], [FRED]), Ruled([MAIL], [CHLOE]))}, DAVE)
    assert_rejected(world, Reason.INVALID_DOCUMENT)


# --- a farm's rules ----------------------------------------------------------------------------------


@pytest.mark.rule(12)
def test_a_farmer_lets_others_sign_grants(world: World) -> None:
    rule = Ruled(["farms/paris/grants/*"], [GINA])
    world.forge.commit({PARIS: farm("paris", BOB, rules=[rule])}, BOB)
    world.forge.commit({GRANT: grant("acme", 3)}, GINA)
    assert_accepted(world)
    world.forge.commit({"farms/paris/nodes/p2.yaml": node("p2", 2)}, GINA)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({"farms/paris/nodes/p2.yaml": None}, None)
    world.forge.commit({"farms/paris/nodes/p2.yaml": node("p2", 2)}, BOB)
    assert_accepted(world)


def test_a_farms_rules_are_for_its_own_nodes_and_grants(world: World) -> None:
    for pattern in (PARIS, "farms/*/nodes/*", "farms/lyon/nodes/*", WEB):
        world.forge.commit({PARIS: farm("paris", BOB, rules=[Ruled([pattern], [GINA])])}, BOB)
        assert_rejected(world, Reason.INVALID_DOCUMENT)
        world.forge.commit({PARIS: world.effective(PARIS)}, None)


# --- root's rules ------------------------------------------------------------------------------------


def _root_rules(world: World, *rules: Ruled) -> None:
    world.forge.commit({POLICY: policy(ALICE, version=2, rules=rules)}, ALICE)
    assert_accepted(world)


@pytest.mark.rule(10)
def test_a_policy_that_adds_a_rule_does_not_use_it_in_the_same_transaction(world: World) -> None:
    loosened = policy(ALICE, version=2, rules=[Ruled(["farms/*/farm.yaml"], [GINA])])
    world.forge.commit({POLICY: loosened, LYON: farm("lyon", GINA)}, GINA)
    assert_rejected(world, Reason.UNKNOWN_KEY)
    world.forge.commit({POLICY: world.effective(POLICY), LYON: None}, None)
    branch = world.forge.branch({POLICY: loosened}, ALICE, on=world.forge.tip)
    branch = world.forge.branch({LYON: farm("lyon", GINA)}, GINA, on=branch)
    world.forge.merge(branch, by=ALICE)
    assert_rejected(world, Reason.UNKNOWN_KEY)


@pytest.mark.rule(11)
def test_root_or_a_rule_of_the_policy_suspends_and_resumes(world: World) -> None:
    world.forge.commit({SUSPENSION: suspension("acme")}, ALICE)
    assert_accepted(world)
    world.forge.commit({SUSPENSION: None}, ALICE)
    assert_accepted(world)
    _root_rules(world, Ruled(["trust/suspensions/*"], [GINA]))
    world.forge.commit({SUSPENSION: suspension("acme")}, GINA)
    assert [str(signer) for signer in assert_accepted(world).signers] == ["gina (policy)"]
    for person in (DAVE, BOB, ALICE):
        world.forge.commit({SUSPENSION: None}, person)
        assert_rejected(world, Reason.NOT_AUTHORIZED)
        world.forge.commit({SUSPENSION: suspension("acme")}, None)
    world.forge.commit({SUSPENSION: None}, GINA)
    assert_accepted(world)


def test_a_registrar_of_farms_creates_and_removes_them_and_changes_none(world: World) -> None:
    _root_rules(world, Ruled(["farms/*/farm.yaml"], [GINA]))
    world.forge.commit({LYON: farm("lyon", CHLOE)}, GINA)
    assert_accepted(world)
    world.forge.commit({LYON: farm("lyon", GINA)}, GINA)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({LYON: world.effective(LYON)}, None)
    world.forge.commit({LYON: None}, GINA)
    assert_accepted(world)


@pytest.mark.rule(11)
def test_a_registrar_of_tenants_creates_them_and_recovers_none(world: World) -> None:
    _root_rules(world, Ruled(["tenants/*/*/tenant.yaml"], [GINA]))
    world.forge.commit({INITECH: tenant("initech", MALLORY)}, GINA)
    assert_accepted(world)
    world.forge.commit({ACME: tenant("acme", GINA)}, GINA)
    verdict = assert_rejected(world, Reason.NOT_AUTHORIZED)
    assert "it is for tenant acme to change" in verdict.detail
    world.forge.commit({ACME: tenant("acme", DAVE)}, None)
    world.forge.commit({ACME: tenant("acme", CHLOE)}, ALICE)
    assert_accepted(world, Reason.RECOVERY)


@pytest.mark.rule(11)
@pytest.mark.parametrize(
    "pattern",
    [
        POLICY,
        "trust/*",
        WEB,
        "tenants/*/*/networks/*",
        "tenants/ac/acme/networks/web.yaml",
        "farms/paris/nodes/*",
        GRANT,
        "README",
    ],
)
def test_roots_rules_reach_no_further_than_root(world: World, pattern: str) -> None:
    world.forge.commit({POLICY: policy(ALICE, version=2, rules=[Ruled([pattern], [GINA])])}, ALICE)
    assert_rejected(world, Reason.INVALID_DOCUMENT)


def test_whom_only_a_rule_names_is_not_root(world: World) -> None:
    _root_rules(world, Ruled(["trust/suspensions/*"], [GINA]))
    world.forge.commit({POLICY: policy(GINA, version=3)}, GINA)
    verdict = assert_rejected(world, Reason.NOT_AUTHORIZED)
    assert "gina (policy) signed it, and it is for root to change" in verdict.detail


def test_erin_the_other_tenant_is_not_touched_by_acmes_rules(world: World) -> None:
    world.forge.commit({ACME: acme(Ruled(["tenants/ac/acme/networks/*"], [ERIN]))}, DAVE)
    world.forge.commit({WEB: network("web", 5)}, ERIN)
    assert_accepted(world)
    world.forge.commit({"tenants/gl/globex/networks/shop.yaml": network("shop", 6)}, ERIN)
    assert_accepted(world)
