"""Nobody takes more than was granted, and nobody is held by what others have: the ledger's rules 12 and 13.

Each attack is one with a valid key: a tenant wants a whole node, or keeps a farmer from ruling his farm; a
farmer wants what is another's. What they gain is looked at on the node, not in one function.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.ledger.verdict import Reason, Verdict
from reconciler.model.claims import slot_claim
from reconciler.model.rules import suspensions
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
    Person,
    World,
    farm,
    grant,
    network,
    node,
    node_id,
    suspension,
    tenant,
)

FARM, NODE = "farms/paris/farm.yaml", "farms/paris/nodes/p1.yaml"
GRANT = "farms/paris/grants/acme.yaml"
STOP = "trust/suspensions/acme.yaml"
P1 = "paris/p1"


def acme(name: str) -> str:
    return f"tenants/ac/acme/networks/{name}.yaml"


def on_p1(slot: int, *, number: int = 1, name: str = "web") -> bytes:
    """A network with one NR, on p1; other numbers give other keys."""
    return network(name, number, [(P1, 1, slot)])


def rejected_for(world: World, code_words: str) -> Verdict:
    """The last transaction is rejected for a violation whose message has these words."""
    verdict = assert_rejected(world, Reason.VIOLATION)
    assert code_words in verdict.detail, verdict.detail
    return verdict


def idle(world: World, tenant_name: str = "acme", name: str = "web") -> dict[str, str]:
    model = world.sync().model
    return {where: why.reason for where, why in suspensions(model, tenant_name, name).items()}


def accepted(world: World, changes: Mapping[str, bytes | None], by: Person) -> None:
    world.forge.commit(changes, by)
    assert_accepted(world)


def with_spec(document: bytes, *lines: str) -> bytes:
    """The document with more lines at the end of its spec."""
    return document + "".join(f"  {line}\n" for line in lines).encode()


def open_farm(each: int, together: int, *, ports: int = 100) -> bytes:
    bounds = f"openGrant: {{maxResourcesPerTenant: {each}, maxResources: {together}}}"
    return with_spec(farm("paris", BOB, ports=ports), bounds)


# --- Rule 12: nothing without the farmer's word -----------------------------------------------------------


@pytest.mark.rule(12)
def test_a_tenant_that_wants_every_slot_of_a_node_gets_what_it_was_granted(world: World) -> None:
    """acme, with one NR of ten granted, asks for slots 3 to 12 with a network for each."""
    wanted = {acme(f"n{slot}"): on_p1(slot, number=slot, name=f"n{slot}") for slot in range(3, 13)}
    world.forge.commit(wanted, DAVE)
    rejected_for(world, "`acme` would have 11 NRs on `paris`, and is granted 10")
    assert world.sync().model.resource_count("paris", "acme") == 1


@pytest.mark.rule(12)
def test_a_tenant_that_takes_slot_after_slot_is_stopped_at_its_grant(world: World) -> None:
    for slot in range(3, 13):
        world.forge.commit({acme(f"n{slot}"): on_p1(slot, number=slot, name=f"n{slot}")}, DAVE)
    assert [verdict.reason for verdict in world.sync().verdicts[-10:]] == [Reason.ACCEPTED] * 9 + [
        Reason.VIOLATION
    ]
    accepted(world, {"tenants/gl/globex/networks/more.yaml": on_p1(99, number=99, name="more")}, ERIN)


@pytest.mark.rule(12)
def test_a_tenant_that_wants_one_node_whole_meets_the_bound_for_one_node(world: World) -> None:
    accepted(world, {GRANT: with_spec(grant("acme", 50), "maxResourcesPerNode: 2")}, BOB)
    accepted(world, {MAIL: on_p1(3, number=3, name="mail")}, DAVE)
    world.forge.commit({acme("third"): on_p1(4, number=4, name="third")}, DAVE)
    rejected_for(world, "`acme` would have 3 NRs on `paris/p1`, and is granted 2 on one node")


@pytest.mark.rule(12)
def test_a_tenant_cannot_take_a_slot_that_has_no_port(world: World) -> None:
    world.forge.commit({MAIL: on_p1(101, number=3, name="mail")}, DAVE)
    rejected_for(world, "slot 101 has no UDP port: the farm `paris` gives each node 100")


@pytest.mark.rule(12)
def test_a_tenant_cannot_reserve_slots_on_a_node_that_is_not_there_yet(world: World) -> None:
    world.forge.commit({MAIL: network("mail", 3, [("paris/p2", 2, 1)])}, DAVE)
    rejected_for(world, "there is no node `paris/p2`")


@pytest.mark.rule(12)
def test_a_tenant_without_a_grant_places_nothing(world: World) -> None:
    initech = "tenants/in/initech/tenant.yaml"
    accepted(world, {initech: tenant("initech", MALLORY)}, ALICE)
    world.forge.commit({"tenants/in/initech/networks/lab.yaml": on_p1(50, number=50, name="lab")}, MALLORY)
    rejected_for(world, "the farm `paris` grants `initech` nothing")


@pytest.mark.rule(12)
def test_a_tenant_does_not_raise_its_own_grant(world: World) -> None:
    world.forge.commit({GRANT: grant("acme", 1000)}, DAVE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)
    world.forge.commit({GRANT: grant("acme", 10)}, DAVE)  # the file as it was: a repair
    world.forge.commit({GRANT: grant("acme", 1000), MAIL: on_p1(3, number=3, name="mail")}, DAVE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)


@pytest.mark.rule(12)
def test_a_farmer_grants_nothing_on_anothers_farm(world: World) -> None:
    accepted(world, {"farms/lyon/farm.yaml": farm("lyon", CHLOE)}, ALICE)
    world.forge.commit({GRANT: grant("acme", 1000)}, CHLOE)
    assert_rejected(world, Reason.NOT_AUTHORIZED)


@pytest.mark.rule(12)
def test_a_purchase_signed_before_the_grant_was_lowered_comes_too_late(world: World) -> None:
    """The farmer's word counts as it is when the purchase is merged, whatever it was when it was signed."""
    request = world.forge.branch({MAIL: on_p1(3, number=3, name="mail")}, DAVE, world.forge.tip)
    accepted(world, {GRANT: grant("acme", 1)}, BOB)
    world.forge.merge(request)
    rejected_for(world, "`acme` would have 2 NRs on `paris`, and is granted 1")


@pytest.mark.rule(12)
def test_many_tenants_together_do_not_exceed_an_open_grant(world: World) -> None:
    """Names are cheap: whoever had many of them registered still shares one bound with everybody else."""
    names = [f"sock{number}" for number in range(4)]
    people = [Person(name) for name in names]
    accepted(world, {FARM: open_farm(2, 3)}, BOB)
    files = {
        f"tenants/so/{name}/tenant.yaml": tenant(name, person)
        for name, person in zip(names, people, strict=True)
    }
    accepted(world, files, ALICE)
    for slot, (name, person) in enumerate(zip(names, people, strict=True), 10):
        path = f"tenants/so/{name}/networks/net.yaml"
        world.forge.commit({path: on_p1(slot, number=slot, name="net")}, person)
    reasons = [verdict.reason for verdict in world.sync().verdicts[-4:]]
    assert reasons == [Reason.ACCEPTED] * 3 + [Reason.VIOLATION]
    assert "it has 3 for all of them" in world.sync().verdicts[-1].detail
    assert world.sync().model.open_resource_count("paris") == 3


@pytest.mark.rule(12)
def test_the_first_of_two_that_want_one_slot_keeps_it(world: World) -> None:
    tip = world.forge.tip
    one = world.forge.branch({MAIL: on_p1(7, number=3, name="mail")}, DAVE, tip)
    more = on_p1(7, number=4, name="more")
    two = world.forge.branch({"tenants/gl/globex/networks/more.yaml": more}, ERIN, tip)
    world.forge.merge(one)
    assert_accepted(world)
    world.forge.merge(two)
    rejected_for(world, f"slot 7 on paris/p1 is taken by {MAIL}")


# --- Rule 13: whoever owns it, rules it -------------------------------------------------------------------


REMOVALS: list[tuple[Mapping[str, bytes | None], Person, str]] = [
    ({NODE: None}, BOB, "NodeGone"),
    ({NODE: node("p1", 2)}, BOB, "NodeReplaced"),
    ({GRANT: None}, BOB, "NotGranted"),
    ({GRANT: grant("acme", 0)}, BOB, "GrantExceeded"),
    ({GRANT: with_spec(grant("acme"), "nodes: [p2]")}, BOB, "NotGranted"),
    ({FARM: None}, ALICE, "NodeGone"),
    ({STOP: suspension("acme")}, ALICE, "TenantSuspended"),
]


@pytest.mark.rule(13)
@pytest.mark.parametrize(("removal", "by", "reason"), REMOVALS)
def test_a_farmer_and_root_take_away_what_they_like_whatever_hangs_on_it(
    world: World, removal: Mapping[str, bytes | None], by: Person, reason: str
) -> None:
    accepted(world, removal, by)
    assert idle(world) == {P1: reason}


@pytest.mark.rule(13)
@pytest.mark.parametrize(("removal", "by", "reason"), REMOVALS)
def test_what_was_taken_away_and_comes_back_runs_again(
    world: World, removal: Mapping[str, bytes | None], by: Person, reason: str
) -> None:
    files = world.forge.trees[world.forge.tip]
    before = {path: files[path].data if path in files else None for path in removal}
    accepted(world, removal, by)
    accepted(world, before, by)
    assert idle(world) == {}


@pytest.mark.rule(13)
@pytest.mark.parametrize(("removal", "by", "reason"), REMOVALS)
def test_a_tenant_whose_ground_has_gone_can_still_put_its_file_in_order(
    world: World, removal: Mapping[str, bytes | None], by: Person, reason: str
) -> None:
    accepted(world, removal, by)
    accepted(world, {WEB: network("web", 1, [(P1, 1, 1)], comment="as it was")}, DAVE)
    accepted(world, {WEB: network("web", 1)}, DAVE)
    accepted(world, {WEB: None}, DAVE)


@pytest.mark.rule(13)
@pytest.mark.parametrize(
    ("removal", "by"), [(removal, by) for removal, by, reason in REMOVALS if reason != "NodeReplaced"]
)
def test_the_slot_of_a_suspended_resource_is_not_taken_by_others(
    world: World, removal: Mapping[str, bytes | None], by: Person
) -> None:
    accepted(world, removal, by)
    world.forge.commit({SHOP: on_p1(1, number=2, name="shop")}, ERIN)
    rejected_for(world, f"slot 1 on paris/p1 is taken by {WEB}")


@pytest.mark.rule(13)
def test_a_new_machine_under_an_old_name_has_all_its_slots_free(world: World) -> None:
    accepted(world, {NODE: node("p1", 2)}, BOB)
    accepted(world, {SHOP: network("shop", 2, [(P1, 2, 1)])}, ERIN)
    assert idle(world, "globex", "shop") == {}
    assert idle(world) == {P1: "NodeReplaced"}


@pytest.mark.rule(13)
def test_a_former_customer_that_keeps_every_slot_does_not_keep_the_farmer_from_selling(world: World) -> None:
    """Claims outlast the grant. A port number is all that they hold, and a farmer has more of those."""
    accepted(world, {FARM: farm("paris", BOB, ports=2)}, BOB)
    accepted(world, {GRANT: None, "farms/paris/grants/globex.yaml": None}, BOB)
    initech = "tenants/in/initech/tenant.yaml"
    accepted(world, {initech: tenant("initech", MALLORY)}, ALICE)
    accepted(world, {"farms/paris/grants/initech.yaml": grant("initech")}, BOB)
    lab = "tenants/in/initech/networks/lab.yaml"
    world.forge.commit({lab: on_p1(1, number=3, name="lab")}, MALLORY)
    rejected_for(world, "slot 1 on paris/p1 is taken")
    world.forge.commit({lab: None}, MALLORY)
    accepted(world, {FARM: farm("paris", BOB, ports=3)}, BOB)
    accepted(world, {lab: on_p1(3, number=3, name="lab")}, MALLORY)


@pytest.mark.rule(13)
def test_a_former_customer_does_not_move_its_claim_to_a_slot_that_is_for_sale(world: World) -> None:
    accepted(world, {GRANT: None}, BOB)
    world.forge.commit({WEB: on_p1(3)}, DAVE)
    rejected_for(world, "the farm `paris` grants `acme` nothing")


@pytest.mark.rule(13)
def test_fewer_ports_are_a_farmers_choice_whoever_has_the_higher_ones(world: World) -> None:
    accepted(world, {FARM: farm("paris", BOB, ports=1)}, BOB)
    assert idle(world, "globex", "shop") == {P1: "SlotOutOfRange"}
    assert idle(world) == {}
    accepted(world, {FARM: farm("paris", BOB, ports=2)}, BOB)
    assert idle(world, "globex", "shop") == {}


@pytest.mark.rule(13)
def test_a_farmer_gets_a_fast_network_although_tenants_have_no_vni_for_it(world: World) -> None:
    """It is their networks that lack something from then on, and their next purchase that answers for it."""
    fast = "fastNetwork: {prefix: 10.99.0.0/24}"
    accepted(world, {"farms/paris/nodes/p2.yaml": node("p2", 2)}, BOB)
    accepted(world, {WEB: network("web", 1, [(P1, 1, 1), ("paris/p2", 2, 1)])}, DAVE)
    accepted(
        world,
        {
            FARM: with_spec(farm("paris", BOB), fast),
            NODE: with_spec(node("p1"), "fast: {nic: fast0, address: 10.99.0.1}"),
            "farms/paris/nodes/p2.yaml": with_spec(node("p2", 2), "fast: {nic: fast0, address: 10.99.0.2}"),
        },
        BOB,
    )
    accepted(world, {WEB: network("web", 1, [(P1, 1, 1), ("paris/p2", 2, 1)], comment="same")}, DAVE)
    both = network("mail", 3, [(P1, 1, 3), ("paris/p2", 2, 3)])
    world.forge.commit({MAIL: both}, DAVE)
    rejected_for(world, "share a fast network, and the network has no VNI in `paris`")


@pytest.mark.rule(13)
def test_a_relay_that_becomes_hidden_keeps_nobody_from_anything(world: World) -> None:
    relayed = with_spec(on_p1(1), "relays: [paris/p1]")
    accepted(world, {WEB: relayed}, DAVE)
    hidden = node("p1").replace(b"reachability: public", b"reachability: hidden")
    hidden = hidden.replace(b"  endpoints:\n    - 192.0.2.1\n", b"")
    accepted(world, {NODE: hidden}, BOB)
    accepted(world, {WEB: b"# still relayed\n" + relayed}, DAVE)


@pytest.mark.rule(13)
def test_a_farmer_cannot_squat_what_another_farmers_node_is_known_by(world: World) -> None:
    """Chloe writes down Bob's machine, its id and its endpoint, before Bob brings it back."""
    accepted(world, {NODE: None}, BOB)
    accepted(world, {"farms/lyon/farm.yaml": farm("lyon", CHLOE)}, ALICE)
    accepted(world, {"farms/lyon/nodes/p1.yaml": node("p1")}, CHLOE)
    accepted(world, {NODE: node("p1")}, BOB)
    assert idle(world) == {}
    assert world.sync().model.claimants(slot_claim(P1, node_id(1), 1)) == (WEB,)


@pytest.mark.rule(13)
def test_one_transaction_is_not_rejected_for_anothers_standing_fault(world: World) -> None:
    """acme's file is at fault for want of a node; globex and the farmer go on as if nothing were."""
    accepted(world, {NODE: node("p1", 2)}, BOB)
    accepted(world, {"farms/paris/nodes/p2.yaml": node("p2", 3)}, BOB)
    accepted(world, {SHOP: network("shop", 2, [("paris/p2", 3, 1)])}, ERIN)
    accepted(world, {GRANT: grant("acme", 5)}, BOB)


# --- Root's suspension ------------------------------------------------------------------------------------


@pytest.mark.rule(11)
def test_a_thief_with_a_suspended_tenants_key_takes_nothing_new(world: World) -> None:
    accepted(world, {STOP: suspension("acme", "Its key was stolen.")}, ALICE)
    for changes in ({MAIL: on_p1(3, number=3, name="mail")}, {WEB: on_p1(5)}):
        world.forge.commit(changes, DAVE)
        rejected_for(world, "`acme` is suspended")
        world.forge.commit({MAIL: None} if MAIL in changes else {WEB: on_p1(1)}, DAVE)
    assert idle(world) == {P1: "TenantSuspended"}


@pytest.mark.rule(11)
@pytest.mark.parametrize("by", [DAVE, BOB, ERIN, MALLORY])
def test_nobody_but_root_suspends_or_lifts_a_suspension(world: World, by: Person) -> None:
    world.forge.commit({STOP: suspension("acme")}, by)
    assert not world.sync().verdicts[-1].accepted
    world.forge.commit({STOP: None}, by)
    accepted(world, {STOP: suspension("acme")}, ALICE)
    world.forge.commit({STOP: None}, by)
    assert not world.sync().verdicts[-1].accepted
    assert idle(world) == {P1: "TenantSuspended"}


@pytest.mark.rule(11)
def test_a_suspended_tenant_may_still_change_its_keys(world: World) -> None:
    accepted(world, {STOP: suspension("acme")}, ALICE)
    accepted(world, {"tenants/ac/acme/tenant.yaml": tenant("acme", ERIN)}, DAVE)
    accepted(world, {WEB: network("web", 1)}, ERIN)
