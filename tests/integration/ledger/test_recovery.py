"""Root and the tenants: new keys for one that is locked out, and nothing else; names that never come back."""

from __future__ import annotations

from itertools import permutations

import pytest

from reconciler.ledger.verdict import Reason
from tests.integration.ledger.verdicts import assert_accepted, assert_rejected
from tests.integration.ledger.world import (
    ALICE,
    CHLOE,
    DAVE,
    ERIN,
    MAIL,
    MALLORY,
    SHOP,
    WEB,
    Blob,
    Person,
    Ruled,
    World,
    network,
    policy,
    proven,
    suspension,
    tenant,
)

POLICY = "trust/policy.yaml"
ACME, GLOBEX = "tenants/ac/acme/tenant.yaml", "tenants/gl/globex/tenant.yaml"
ALICE2 = Person("alice2")

pytestmark = pytest.mark.rule(11)


# --- recovery ----------------------------------------------------------------------------------------


def test_root_gives_a_locked_out_tenant_new_keys_and_it_is_marked(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", CHLOE)}, ALICE)
    verdict = assert_accepted(world, Reason.RECOVERY)
    assert [str(signer) for signer in verdict.signers] == ["alice (root)"]
    world.forge.commit({WEB: network("web", 5)}, DAVE)
    assert_rejected(world, Reason.UNKNOWN_KEY)
    world.forge.commit({WEB: world.effective(WEB)}, None)
    world.forge.commit({WEB: network("web", 5)}, CHLOE)
    assert_accepted(world)


def test_a_recovery_is_in_the_hash_as_what_it_is(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", CHLOE)}, ALICE)
    first = world.sync()
    again = world.new_ledger("other")
    assert again.sync().state_hash == first.state_hash
    assert [verdict.code for verdict in again.judge_local().verdicts].count("recovery") == 1
    again.close()


def test_a_recovery_may_lower_the_threshold_and_the_tenant_goes_on_from_there(world: World) -> None:
    branch = world.forge.branch({ACME: tenant("acme", DAVE, ERIN, threshold=2)}, DAVE, on=world.forge.tip)
    world.forge.merge(branch)
    assert_accepted(world)
    world.forge.commit({ACME: tenant("acme", DAVE)}, ALICE)
    assert_accepted(world, Reason.RECOVERY)
    world.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE)
    assert_accepted(world)


@pytest.mark.rule(10)
def test_it_takes_roots_threshold(world: World) -> None:
    branch = world.forge.branch(
        {POLICY: policy(ALICE, ALICE2, version=2, threshold=2)}, ALICE, on=world.forge.tip
    )
    world.forge.merge(branch, by=ALICE2)
    assert_accepted(world)
    recovered = {ACME: tenant("acme", CHLOE)}
    world.forge.commit(recovered, ALICE)
    assert "2 of root have to approve" in assert_rejected(world, Reason.THRESHOLD).detail
    world.forge.commit({ACME: world.effective(ACME)}, None)
    start = world.forge.tip
    branch = world.forge.branch(recovered, ALICE, on=start)
    world.forge.merge(branch, by=DAVE)
    assert_rejected(world, Reason.THRESHOLD)
    world.forge.commit({}, tree_of=start)
    branch = world.forge.branch(recovered, ALICE, on=world.forge.tip)
    world.forge.merge(branch, by=ALICE2)
    assert_accepted(world, Reason.RECOVERY)


def test_a_forges_merge_of_roots_signed_commit_recovers(world: World) -> None:
    branch = world.forge.branch({ACME: tenant("acme", CHLOE)}, ALICE, on=world.forge.tip)
    world.forge.merge(branch)
    assert_accepted(world, Reason.RECOVERY)


def test_a_recovery_signed_before_the_tenant_changed_its_keys_is_stale(world: World) -> None:
    branch = world.forge.branch({ACME: tenant("acme", CHLOE)}, ALICE, on=world.forge.tip)
    world.forge.commit({ACME: tenant("acme", DAVE, ERIN)}, DAVE)
    assert_accepted(world)
    world.forge.commit({ACME: tenant("acme", CHLOE)}, parents=[world.forge.tip, branch])
    assert_rejected(world, Reason.STALE_BASE)


def test_what_the_tenant_approves_is_no_recovery_whoever_merges(world: World) -> None:
    branch = world.forge.branch({ACME: tenant("acme", CHLOE)}, DAVE, on=world.forge.tip)
    world.forge.merge(branch, by=ALICE)
    assert_accepted(world)


def test_the_tenants_signature_under_roots_commit_makes_it_no_other_thing(world: World) -> None:
    branch = world.forge.branch({ACME: tenant("acme", CHLOE)}, ALICE, on=world.forge.tip)
    world.forge.merge(branch, by=DAVE)
    assert_accepted(world, Reason.RECOVERY)


def test_new_keys_are_proven_in_a_recovery_as_ever(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", CHLOE, proofs=())}, ALICE)
    assert_rejected(world, Reason.PROOF_MISSING)
    world.forge.commit({ACME: world.effective(ACME)}, None)
    world.forge.commit({ACME: tenant("acme", CHLOE, proofs=[(CHLOE, proven("globex", CHLOE)[0][1])])}, ALICE)
    assert_rejected(world, Reason.PROOF_INVALID)


@pytest.mark.parametrize(
    "content",
    [
        tenant("acme", CHLOE, description="ours now"),
        tenant("acme", CHLOE, rules=[Ruled(["tenants/ac/acme/networks/*"], [CHLOE])]),
        tenant("acme", DAVE, rules=[Ruled([WEB], [ALICE])]),
        tenant("acme", CHLOE, withdrawn=["0" * 40]),
        tenant("acme", DAVE, withdrawn=["0" * 40]),
    ],
    ids=["description", "rules-and-keys", "rules", "withdrawn-and-keys", "withdrawn"],
)
def test_root_changes_nothing_but_keys_and_threshold(world: World, content: bytes) -> None:
    world.forge.commit({ACME: content}, ALICE)
    assert_rejected(world, Reason.RECOVERY_EXCEEDED)


def test_the_rules_and_withdrawn_consents_of_a_tenant_survive_its_recovery(world: World) -> None:
    kept = {"rules": [Ruled([MAIL], [ERIN])], "withdrawn": ["1" * 40]}
    world.forge.commit({ACME: tenant("acme", DAVE, **kept)}, DAVE)  # type: ignore[arg-type]
    assert_accepted(world)
    world.forge.commit({ACME: tenant("acme", CHLOE, rules=kept["rules"])}, ALICE)  # type: ignore[arg-type]
    assert_rejected(world, Reason.RECOVERY_EXCEEDED)
    world.forge.commit({ACME: world.effective(ACME)}, None)
    world.forge.commit({ACME: tenant("acme", CHLOE, **kept)}, ALICE)  # type: ignore[arg-type]
    assert_accepted(world, Reason.RECOVERY)


@pytest.mark.parametrize(
    "beside",
    [
        {"trust/suspensions/acme.yaml": suspension("acme")},
        {"tenants/in/initech/tenant.yaml": tenant("initech", MALLORY)},
        {GLOBEX: tenant("globex", CHLOE)},
        {POLICY: policy(ALICE, ALICE2, version=2)},
    ],
    ids=["suspension", "another-tenant", "a-second-recovery", "policy"],
)
def test_a_recovery_stands_alone_in_its_transaction(world: World, beside: dict[str, bytes]) -> None:
    world.forge.commit({ACME: tenant("acme", CHLOE), **beside}, ALICE)
    assert_rejected(world, Reason.RECOVERY_EXCEEDED)


def test_a_repair_may_come_with_a_recovery(world: World) -> None:
    good = world.effective(SHOP)
    world.forge.commit({SHOP: network("shop", 9)}, MALLORY)
    world.forge.commit({SHOP: good, ACME: tenant("acme", CHLOE)}, ALICE)
    assert_accepted(world, Reason.RECOVERY)


def test_root_never_removes_a_tenant(world: World) -> None:
    world.forge.commit({ACME: None, WEB: None}, ALICE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({ACME: world.effective(ACME), WEB: world.effective(WEB)}, None)
    world.forge.commit({WEB: None}, DAVE)
    assert_accepted(world)
    world.forge.commit({ACME: None}, ALICE)
    verdict = assert_rejected(world, Reason.RECOVERY_EXCEEDED)
    assert "only the tenant itself can remove it" in verdict.detail
    assert "tnet tenant suspend" in verdict.advice


# --- root never edits a tenant's networks ------------------------------------------------------------

_MINE: dict[str, bytes | Blob | None] = {WEB: network("web", 9, comment="by root")}


def _straight(world: World) -> None:
    world.forge.commit(_MINE, ALICE)


def _removed(world: World) -> None:
    world.forge.commit({WEB: None}, ALICE)


def _with_the_keys_in_one_commit(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", ALICE), **_MINE}, ALICE)


def _with_the_keys_in_one_merge(world: World) -> None:
    keys = world.forge.branch({ACME: tenant("acme", ALICE)}, ALICE, on=world.forge.tip)
    world.forge.merge(world.forge.branch(_MINE, ALICE, on=keys), by=ALICE)


def _as_octopus(world: World) -> None:
    tip = world.forge.tip
    keys = world.forge.branch({ACME: tenant("acme", ALICE)}, ALICE, on=tip)
    world.forge.merge(keys, world.forge.branch(_MINE, ALICE, on=tip), by=ALICE)


def _smuggled_into_a_merge(world: World) -> None:
    farm = world.forge.branch({"README": b"x"}, ALICE, on=world.forge.tip)
    world.forge.merge(farm, by=ALICE, changes=_MINE)


def _on_top_of_the_tenants_commit(world: World) -> None:
    theirs = world.forge.branch({WEB: network("web", 5)}, DAVE, on=world.forge.tip)
    world.forge.merge(world.forge.branch(_MINE, ALICE, on=theirs), by=ALICE)


def _under_the_tenants_commit(world: World) -> None:
    ours = world.forge.branch(_MINE, ALICE, on=world.forge.tip)
    world.forge.merge(world.forge.branch({WEB: network("web", 5)}, DAVE, on=ours), by=ALICE)


def _by_a_rule_of_the_policy(world: World) -> None:
    rules = [Ruled([WEB], [ALICE])]
    world.forge.commit({POLICY: policy(ALICE, version=2, rules=rules)}, ALICE)
    world.forge.commit(_MINE, ALICE)


def _by_a_rule_of_the_tenant(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, rules=[Ruled([WEB], [ALICE])])}, ALICE)
    world.forge.commit(_MINE, ALICE)


def _by_removing_the_tenant(world: World) -> None:
    world.forge.commit({ACME: None}, ALICE)
    world.forge.commit({ACME: tenant("acme", ALICE)}, ALICE)
    world.forge.commit(_MINE, ALICE)


def _by_removing_all_and_beginning_anew(world: World) -> None:
    world.forge.commit({ACME: None, WEB: None}, ALICE)
    world.forge.commit({ACME: tenant("acme", ALICE), **_MINE}, ALICE)


def _by_suspending(world: World) -> None:
    world.forge.commit({"trust/suspensions/acme.yaml": suspension("acme")}, ALICE)
    world.forge.commit(_MINE, ALICE)


def _by_replaying_the_tenants_past(world: World) -> None:
    past = world.forge.tip
    world.forge.commit({WEB: network("web", 5)}, DAVE)
    old = world.forge.branch({WEB: network("web", 6)}, DAVE, on=past)
    world.forge.commit({WEB: network("web", 6)}, ALICE, parents=[world.forge.tip, old])


_WAYS = [
    _straight,
    _removed,
    _with_the_keys_in_one_commit,
    _with_the_keys_in_one_merge,
    _as_octopus,
    _smuggled_into_a_merge,
    _on_top_of_the_tenants_commit,
    _under_the_tenants_commit,
    _by_a_rule_of_the_policy,
    _by_a_rule_of_the_tenant,
    _by_removing_the_tenant,
    _by_removing_all_and_beginning_anew,
    _by_suspending,
    _by_replaying_the_tenants_past,
]


@pytest.mark.parametrize("way", _WAYS, ids=lambda way: way.__name__.strip("_"))
def test_root_edits_no_network_of_a_tenant(world: World, way: object) -> None:
    before = world.effective(WEB)
    assert callable(way)
    way(world)
    view = world.sync()
    changed = [verdict.reason for verdict in view.verdicts if WEB in verdict.paths and verdict.changes_state]
    mine = world.effective(WEB)
    assert mine in (before, network("web", 5)), view.verdicts[-1]
    assert Reason.RECOVERY not in changed
    assert Reason.RECOVERY not in [verdict.reason for verdict in view.verdicts]


def test_once_it_is_recovered_the_log_says_so_before_anything_of_the_tenants_changes(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", ALICE)}, ALICE)
    world.forge.commit(_MINE, ALICE)
    assert world.codes(2) == ["recovery", "accepted"]


# --- names -------------------------------------------------------------------------------------------


def _without_acme(world: World) -> None:
    world.forge.commit({ACME: None, WEB: None}, DAVE)
    assert_accepted(world)


@pytest.mark.parametrize("people", [(DAVE,), (CHLOE,)], ids=["the-same-keys", "other-keys"])
def test_a_removed_tenants_name_is_never_used_again(world: World, people: tuple[Person, ...]) -> None:
    _without_acme(world)
    world.forge.commit({ACME: tenant("acme", *people)}, ALICE)
    assert_rejected(world, Reason.NAME_RETIRED)


def test_nor_by_a_merge_of_a_branch_from_before(world: World) -> None:
    start = world.forge.tip
    _without_acme(world)
    branch = world.forge.branch({ACME: tenant("acme", DAVE)}, ALICE, on=world.forge.tip)
    world.forge.merge(branch)
    assert_rejected(world, Reason.NAME_RETIRED)
    world.forge.commit({}, tree_of=start)
    assert_rejected(world, Reason.UNSIGNED)


def test_another_name_is_free(world: World) -> None:
    _without_acme(world)
    world.forge.commit({"tenants/ac/acme2/tenant.yaml": tenant("acme2", DAVE)}, ALICE)
    assert_accepted(world)


def test_a_name_that_was_only_ever_refused_is_free(world: World) -> None:
    initech = "tenants/in/initech/tenant.yaml"
    world.forge.commit({initech: tenant("initech", MALLORY)}, MALLORY)
    world.forge.commit({initech: None}, MALLORY)
    assert world.codes(2) == ["unknown-key", "repair"]
    world.forge.commit({initech: tenant("initech", MALLORY)}, ALICE)
    assert_accepted(world)


@pytest.mark.rule(1)
def test_retired_names_are_known_after_a_restart_and_on_every_node(world: World) -> None:
    _without_acme(world)
    restarted = world.new_ledger("node")
    restarted.judge_local()
    world.forge.commit({ACME: tenant("acme", DAVE)}, ALICE)
    other = world.new_ledger("other")
    seen = [each.sync().verdicts[-1].reason for each in (restarted, world.ledger, other)]
    assert seen == [Reason.NAME_RETIRED] * 3
    restarted.close()
    other.close()


# --- suspension --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(("recover", "suspend", "resume"))))
def test_suspension_and_recovery_do_not_get_in_each_others_way(world: World, order: tuple[str, ...]) -> None:
    steps: dict[str, tuple[str, bytes | None]] = {
        "recover": (ACME, tenant("acme", CHLOE)),
        "suspend": ("trust/suspensions/acme.yaml", suspension("acme")),
        "resume": ("trust/suspensions/acme.yaml", None),
    }
    for step in order:
        path, content = steps[step]
        if content is None and path not in world.forge.trees[world.forge.tip]:
            continue
        world.forge.commit({path: content}, ALICE)
        assert_accepted(world, Reason.RECOVERY if step == "recover" else Reason.ACCEPTED)


def test_a_suspended_tenant_still_governs_its_own_files(world: World) -> None:
    world.forge.commit({"trust/suspensions/acme.yaml": suspension("acme")}, ALICE)
    world.forge.commit({ACME: tenant("acme", CHLOE)}, DAVE)
    assert_accepted(world)
    world.forge.commit({WEB: None}, CHLOE)
    assert_accepted(world)
