"""Who may change what, attacked by people without a right to it."""

from __future__ import annotations

import pytest

from reconciler.ledger.repository.objects import CommitId, parents_of
from reconciler.ledger.signatures import proof
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
    Blob,
    Person,
    World,
    farm,
    grant,
    network,
    node,
    policy,
    suspension,
    tenant,
)

POLICY = "trust/policy.yaml"
FARM = "farms/paris/farm.yaml"
NODE = "farms/paris/nodes/p2.yaml"
GRANT = "farms/paris/grants/acme.yaml"
ACME = "tenants/ac/acme/tenant.yaml"
INITECH = "tenants/in/initech/tenant.yaml"
SUSPENSION = "trust/suspensions/acme.yaml"


def assert_rejected(world: World, reason: Reason) -> None:
    """The last transaction is rejected for this reason, and nothing in effect has changed."""
    before = world.ledger.judge_local()
    after = world.sync()
    assert after.verdicts[-1].reason is reason, after.verdicts[-1]
    assert after.verdicts[-1].advice
    assert after.model == before.model
    assert after.mark == before.mark


def assert_accepted(world: World) -> None:
    verdict = world.sync().verdicts[-1]
    assert verdict.reason is Reason.ACCEPTED, verdict


@pytest.mark.parametrize(
    ("path", "content", "rightful"),
    [
        (FARM, farm("paris", BOB, ports=50), BOB),
        ("farms/lyon/farm.yaml", farm("lyon", CHLOE), ALICE),
        (NODE, node("p2", 2), BOB),
        (GRANT, grant("acme", 3), BOB),
        (ACME, tenant("acme", DAVE, CHLOE), DAVE),
        (INITECH, tenant("initech", MALLORY), ALICE),
        (WEB, network("web", 7), DAVE),
        (MAIL, network("mail", 8), DAVE),
        (SHOP, network("shop", 9), ERIN),
        (POLICY, policy(ALICE, version=2), ALICE),
        (SUSPENSION, suspension("acme"), ALICE),
    ],
)
@pytest.mark.rule(8)
def test_each_path_has_its_owner_and_no_other(
    world: World, path: str, content: bytes, rightful: Person
) -> None:
    for person in (ALICE, BOB, CHLOE, DAVE, ERIN, MALLORY):
        if person == rightful or (path == ACME and person == ALICE):  # A recovery: test_recovery.py.
            continue
        commit = world.forge.commit({path: content}, person)
        known = person in (ALICE, BOB, DAVE, ERIN)
        assert_rejected(world, Reason.NOT_AUTHORIZED if known else Reason.UNKNOWN_KEY)
        world.forge.commit({}, tree_of=_parent(world, commit))
        assert world.codes() == ["repair"]
    world.forge.commit({path: content}, rightful)
    assert_accepted(world)


def _parent(world: World, commit: CommitId) -> CommitId:
    return parents_of(world.forge.raw(commit))[0]


@pytest.mark.rule(8)
def test_unsigned_is_rejected(world: World) -> None:
    world.forge.commit({WEB: network("web", 3)}, None)
    assert_rejected(world, Reason.UNSIGNED)


@pytest.mark.rule(8)
def test_a_farm_that_is_not_in_effect_has_no_nodes(world: World) -> None:
    world.forge.commit({"farms/lyon/nodes/l1.yaml": node("l1", 5)}, ALICE)
    assert_rejected(world, Reason.NO_RULE)


@pytest.mark.rule(8)
def test_a_key_added_by_the_commit_itself_does_not_count(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", DAVE, MALLORY), WEB: network("web", 3)}, MALLORY)
    assert_rejected(world, Reason.UNKNOWN_KEY)


@pytest.mark.rule(8)
def test_a_farm_and_its_nodes_in_one_commit_do_not_count(world: World) -> None:
    world.forge.commit(
        {"farms/lyon/farm.yaml": farm("lyon", ALICE), "farms/lyon/nodes/l1.yaml": node("l1", 5)}, ALICE
    )
    assert_rejected(world, Reason.NO_RULE)


@pytest.mark.rule(8)
def test_policy_loosened_and_used_in_one_commit(world: World) -> None:
    world.forge.commit({POLICY: policy(ALICE, DAVE, version=2), FARM: farm("paris", DAVE)}, DAVE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)


@pytest.mark.rule(19)
def test_a_key_removed_one_commit_before_no_longer_counts(world: World) -> None:
    world.forge.commit({ACME: tenant("acme", CHLOE)}, DAVE)
    assert_accepted(world)
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert_rejected(world, Reason.UNKNOWN_KEY)


@pytest.mark.rule(7)
def test_a_transaction_counts_as_a_whole_or_not_at_all(world: World) -> None:
    world.forge.commit({WEB: network("web", 3), SHOP: network("shop", 4)}, DAVE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    assert world.effective(WEB) == world.forge.trees[world.sync().mark][WEB].data


@pytest.mark.rule(7)
def test_a_rejected_commit_holds_nobody_else_up(world: World) -> None:
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    world.forge.commit({SHOP: network("shop", 4)}, ERIN)
    assert world.codes(2) == ["unknown-key", "accepted"]


@pytest.mark.rule(5)
def test_an_edit_signed_on_top_of_refused_content_is_refused(world: World) -> None:
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    world.forge.commit({WEB: network("web", 3, comment="mine")}, DAVE)
    assert_rejected(world, Reason.BASED_ON_REJECTED)


@pytest.mark.rule(5)
def test_a_repair_needs_no_signature_and_clears_the_way(world: World) -> None:
    good = world.forge.trees[world.forge.tip][WEB].data
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    world.forge.commit({WEB: good}, None)
    world.forge.commit({WEB: network("web", 4)}, DAVE)
    assert world.codes(3) == ["unknown-key", "repair", "accepted"]
    assert world.effective(WEB) == network("web", 4)


def test_a_revert_is_an_ordinary_transaction(world: World) -> None:
    before = world.sync().model
    good = world.forge.trees[world.forge.tip][WEB].data
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    world.forge.commit({WEB: good}, DAVE)
    assert world.codes(2) == ["accepted", "accepted"]
    assert world.sync().model == before


@pytest.mark.rule(9)
def test_a_replayed_signature_under_another_parent_does_not_verify(world: World) -> None:
    forge = world.forge
    old = forge.commit({WEB: network("web", 3)}, DAVE)
    forge.commit({WEB: network("web", 4)}, DAVE)
    world.sync()
    raw = forge.raw(old)
    parent = _parent(world, old)
    forge.add(raw.replace(parent.encode(), forge.tip.encode()), forge.trees[old])
    assert_rejected(world, Reason.BAD_SIGNATURE)


@pytest.mark.rule(4)
def test_what_is_not_governed_needs_no_signature(world: World) -> None:
    world.forge.commit({"README.md": b"hello", ".gitattributes": b"* text=auto"}, None)
    assert world.codes() == ["void"]
    assert world.sync().mark != world.sync().tip


# --- content -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"a: &x [1]\nb: *x\n",
        network("web", 3).replace(b"10.3.0.0/16", b"10.3.0.1/16"),
        network("web", 3) + b"\nunknown: 1\n",
        network("other", 3),
        b"#" * 300_000,
    ],
    ids=["empty", "not-utf8", "alias", "host-bits", "unknown-field", "other-name", "too-big"],
)
def test_a_document_that_is_none_is_rejected(world: World, content: bytes) -> None:
    world.forge.commit({WEB: content}, DAVE)
    assert_rejected(world, Reason.INVALID_DOCUMENT)


@pytest.mark.rule(13)
def test_a_slot_that_is_taken_is_rejected(world: World) -> None:
    world.forge.commit({MAIL: network("mail", 5, [("paris/p1", 1, 2)])}, DAVE)
    assert_rejected(world, Reason.VIOLATION)
    assert f"{MAIL}:12:13: " in world.sync().verdicts[-1].detail


@pytest.mark.rule(13)
def test_a_farmer_may_remove_a_node_whatever_hangs_on_it(world: World) -> None:
    world.forge.commit({"farms/paris/nodes/p1.yaml": None}, BOB)
    assert_accepted(world)
    world.forge.commit({WEB: network("web", 1, [("paris/p1", 1, 1)], comment="still there")}, DAVE)
    assert_accepted(world)


@pytest.mark.rule(11)
def test_a_tenant_without_a_proof_for_each_key_is_rejected(world: World) -> None:
    world.forge.commit({INITECH: tenant("initech", MALLORY, proofs=())}, ALICE)
    assert_rejected(world, Reason.PROOF_MISSING)


@pytest.mark.parametrize(
    "made",
    [
        (MALLORY, MALLORY.sign(proof.message("globex"), proof.NAMESPACE)),
        (MALLORY, MALLORY.sign(proof.message("initech"), "git")),
        (MALLORY, CHLOE.sign(proof.message("initech"), proof.NAMESPACE)),
        (MALLORY, b"SSHSIG"),
    ],
    ids=["other-tenant", "other-namespace", "other-key", "malformed"],
)
@pytest.mark.rule(11)
def test_a_tenant_with_a_wrong_proof_is_rejected(world: World, made: tuple[Person, bytes]) -> None:
    world.forge.commit({INITECH: tenant("initech", MALLORY, proofs=[made])}, ALICE)
    assert_rejected(world, Reason.PROOF_INVALID)


@pytest.mark.rule(11)
def test_a_tenant_may_not_take_another_key_without_its_proof(world: World) -> None:
    world.forge.commit(
        {
            ACME: tenant(
                "acme", DAVE, CHLOE, proofs=[(DAVE, DAVE.sign(proof.message("acme"), proof.NAMESPACE))]
            )
        },
        DAVE,
    )
    assert_rejected(world, Reason.PROOF_MISSING)


def test_a_tenant_leaves_no_networks_behind(world: World) -> None:
    world.forge.commit({ACME: None}, DAVE)
    assert_rejected(world, Reason.TENANT_HAS_NETWORKS)
    world.forge.commit({ACME: tenant("acme", DAVE)}, None)
    world.forge.commit({ACME: None, WEB: None}, DAVE)
    assert_accepted(world)
    assert world.sync().model.tenant("acme") is None


def test_a_tenant_may_not_leave_a_network_that_comes_with_its_going(world: World) -> None:
    world.forge.commit({ACME: None, WEB: None, MAIL: network("mail", 5)}, DAVE)
    assert_rejected(world, Reason.TENANT_HAS_NETWORKS)


# --- policy ------------------------------------------------------------------------------------------


@pytest.mark.rule(10)
def test_the_policy_is_never_removed(world: World) -> None:
    world.forge.commit({POLICY: None}, ALICE)
    assert_rejected(world, Reason.POLICY_REMOVED)


@pytest.mark.parametrize("version", [1, 3])
@pytest.mark.rule(10)
def test_the_policys_version_goes_up_by_one(world: World, version: int) -> None:
    world.forge.commit({POLICY: policy(ALICE, ALICE2, version=version)}, ALICE)
    assert_rejected(world, Reason.POLICY_VERSION)


@pytest.mark.rule(10)
def test_new_root_keys_have_to_approve_as_well(world: World) -> None:
    world.forge.commit({POLICY: policy(ALICE2, version=2)}, ALICE)
    assert_rejected(world, Reason.THRESHOLD)


@pytest.mark.rule(10)
def test_root_is_handed_over_by_a_merge_that_the_new_root_signs(world: World) -> None:
    handed = world.forge.branch({POLICY: policy(ALICE2, version=2)}, ALICE, on=world.forge.tip)
    world.forge.merge(handed, by=ALICE2)
    assert_accepted(world)
    world.forge.commit({FARM: None}, ALICE)
    assert_rejected(world, Reason.UNKNOWN_KEY)


@pytest.mark.rule(8)
def test_one_principal_with_two_keys_counts_once(world: World) -> None:
    root = policy(ALICE, BOB, version=2, threshold=2).replace(
        f"      - {ALICE.key.text}".encode(),
        f"      - {ALICE.key.text}\n          - {ALICE2.key.text}".encode(),
    )
    branch = world.forge.branch({POLICY: root}, ALICE, on=world.forge.tip)
    world.forge.merge(branch, by=BOB)
    assert_accepted(world)
    branch = world.forge.branch({FARM: None}, ALICE, on=world.forge.tip)
    world.forge.merge(branch, by=ALICE2)
    assert_rejected(world, Reason.THRESHOLD)


@pytest.mark.rule(8)
def test_a_threshold_of_two_takes_an_author_and_a_signed_merge(world: World) -> None:
    branch = world.forge.branch(
        {POLICY: policy(ALICE, ALICE2, version=2, threshold=2)}, ALICE, on=world.forge.tip
    )
    world.forge.merge(branch, by=ALICE2)
    assert_accepted(world)
    world.forge.commit({"farms/lyon/farm.yaml": farm("lyon", CHLOE)}, ALICE)
    assert_rejected(world, Reason.THRESHOLD)
    world.forge.commit({"farms/lyon/farm.yaml": None}, None)
    branch = world.forge.branch({"farms/lyon/farm.yaml": farm("lyon", CHLOE)}, ALICE, on=world.forge.tip)
    world.forge.merge(branch, by=ALICE2)
    assert_accepted(world)


@pytest.mark.rule(3, 14)
def test_a_later_protocol_stops_the_node_and_rejects_nothing(world: World) -> None:
    before = world.sync()
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    last_known = world.forge.tip
    world.forge.commit({POLICY: policy(ALICE, version=2, protocol=2)}, ALICE)
    world.forge.commit({SHOP: network("shop", 3)}, ERIN)
    view = world.sync()
    assert view.alarm is not None and view.alarm.kind.value == "unknown-protocol"
    assert view.tip == last_known != before.tip
    assert view.verdicts[-1].reason is Reason.ACCEPTED
    again = world.new_ledger("node").judge_local()
    assert (again.tip, again.alarm) == (view.tip, view.alarm)


@pytest.mark.rule(14)
def test_a_stranger_cannot_stop_nodes_by_asking_for_a_later_protocol(world: World) -> None:
    world.forge.commit({POLICY: policy(ALICE, version=2, protocol=2)}, MALLORY)
    assert_rejected(world, Reason.UNKNOWN_KEY)


# --- paths and modes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "trust/other.yaml",
        "trust/suspensions/a.yaml",
        "farms/paris/nodes/P1.yaml",
        "farms/paris/nodes/p1.yml",
        "farms/paris/nodes/p 1.yaml",
        "farms/paris/.gitattributes",
        "Farms/paris/farm.yaml",
        "TRUST/policy.yaml",
        "trust./policy.yaml",
        "tru\u017ft/policy.yaml",
        "tenants/gl/acme/tenant.yaml",
        "tenants/a/a/tenant.yaml",
        "tenants/ac/acme/networks/web.yaml/more",
        "tenants/ac/acme/networks/w\u00e9b.yaml",
        "tenants/ac/acme/networks/w\neb.yaml",
        "tenants/ac/acme/networks/\x1b[31m.yaml",
        "farms/../trust/policy.yaml",
        "farms/.git/config",
        "farms",
    ],
)
@pytest.mark.rule(4, 11)
def test_under_our_directories_lies_nothing_but_documents(world: World, path: str) -> None:
    below = [
        each for each in world.forge.trees[world.forge.tip] if path.startswith(each) or each.startswith(path)
    ]
    changes: dict[str, bytes | Blob | None] = {path: b"x", **dict.fromkeys(below)}
    world.forge.commit(changes, ALICE)
    assert_rejected(world, Reason.UNGOVERNABLE_PATH)
    assert all(character.isprintable() for each in world.sync().verdicts[-1].paths for character in each)


@pytest.mark.parametrize(
    "blob",
    [
        Blob(b"/etc/passwd", "120000"),
        Blob(network("web", 3), "100755"),
        Blob(b"1234567890123456789012345678901234567890", "160000"),
    ],
    ids=["symlink", "executable", "submodule"],
)
@pytest.mark.rule(4)
def test_a_document_is_a_plain_file(world: World, blob: Blob) -> None:
    world.forge.commit({WEB: blob}, DAVE)
    assert_rejected(world, Reason.WRONG_MODE)


@pytest.mark.rule(4)
def test_a_directory_that_is_a_link_is_refused(world: World) -> None:
    below = dict.fromkeys(path for path in world.forge.trees[world.forge.tip] if path.startswith("farms/"))
    world.forge.commit({"farms": Blob(b"tenants", "120000"), **below}, ALICE)
    assert_rejected(world, Reason.UNGOVERNABLE_PATH)


ALICE2 = Person("alice2")
