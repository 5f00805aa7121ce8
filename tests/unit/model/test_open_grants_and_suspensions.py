"""Farms open to everybody, and tenants that root has stopped: what may be taken, and what runs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from reconciler.model import rules
from reconciler.model.affected import affected
from reconciler.model.documents import (
    Document,
    Metadata,
    Network,
    OpenGrant,
    Suspension,
    SuspensionSpec,
)
from reconciler.model.model import Model
from reconciler.model.paths import network_path, suspension_path
from reconciler.model.rules import Violation, newly_owned, suspensions
from tests.unit.model import example
from tests.unit.model.example import ACME, L2, LYON_ACME, LYON_GLOBEX, PARIS, PARIS_ACME, SHOP, WEB

LYON = example.LYON
STOP = suspension_path("acme")
NEW_NET = network_path("acme", "new")

Changes = Mapping[str, Document | None]


def suspension(tenant: str = "acme", reason: str = "Sends spam.") -> Suspension:
    return Suspension("tnet/v1", Metadata(tenant), SuspensionSpec(reason))


def open_lyon(each: int, together: int, *nodes: str) -> Document:
    return example.farm(LYON, open_grant=OpenGrant(each, together, nodes=nodes))


def after(*changes: Changes) -> Model:
    model = example.model()
    for change in changes:
        model = model.with_changes(change)
    return model


def brought_in(before: Model, changes: Changes) -> list[Violation]:
    return list(newly_owned(before, before.with_changes(changes), changes.keys()))


def codes(before: Model, changes: Changes) -> list[tuple[str, str]]:
    return [(found.code, found.pointer) for found in brought_in(before, changes)]


def idle(model: Model, tenant: str, name: str) -> dict[str, str]:
    return {node: why.reason for node, why in suspensions(model, tenant, name).items()}


def without(path: str, *numbers: int) -> Network:
    """The network without some of its NRs."""
    resources = example.network(path).spec.resources
    left = tuple(nr for number, nr in enumerate(resources) if number not in numbers)
    farms = {resource.node.partition("/")[0] for resource in left}
    vnis = {farm: vni for farm, vni in example.network(path).spec.vnis.items() if farm in farms}
    return example.network(path, resources=left, relays=(), vnis=vnis)


# --- Open grants ---------------------------------------------------------------------------------------


def test_an_open_grant_takes_the_place_of_a_missing_grant() -> None:
    closed = after({LYON_ACME: None})
    assert set(idle(closed, "acme", "web").values()) == {"NotGranted"}
    assert idle(closed.with_changes({LYON: open_lyon(2, 2)}), "acme", "web") == {}


def test_a_grant_of_its_own_counts_alone() -> None:
    shut_out = after({LYON: open_lyon(5, 5), LYON_ACME: example.grant(LYON_ACME, max_resources=0)})
    assert set(idle(shut_out, "acme", "web").values()) == {"GrantExceeded"}
    assert shut_out.open_resource_count("lyon") == 0


@pytest.mark.rule(12)
@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        ((2, 2, ()), []),
        ((1, 9, ()), [("too-many-resources", "spec.resources[2]")]),
        ((9, 1, ()), [("open-grant-full", "spec.resources[2]")]),
        ((0, 0, ()), [("too-many-resources", "spec.resources[2]"), ("open-grant-full", "spec.resources[2]")]),
        ((9, 9, ("l1",)), [("node-not-granted", "spec.resources[3].node")]),
    ],
)
def test_what_an_open_grant_refuses_to_a_new_tenant(
    grant: tuple[int, int, tuple[str, ...]], expected: list[tuple[str, str]]
) -> None:
    each, together, nodes = grant
    ground = after({WEB: None, LYON_ACME: None, LYON: open_lyon(each, together, *nodes)})
    found = brought_in(ground, {WEB: example.network(WEB)})
    assert [(one.code, one.pointer) for one in found] == expected
    assert {one.rival_path for one in found} <= {LYON}


def test_all_tenants_on_an_open_grant_count_together() -> None:
    """globex holds two NRs in lyon; with three for all, acme gets one of its two."""
    both = {LYON_ACME: None, LYON_GLOBEX: None, LYON: open_lyon(2, 3)}
    assert codes(after({WEB: None}, both), {WEB: example.network(WEB)}) == [
        ("open-grant-full", "spec.resources[2]")
    ]
    assert codes(after({WEB: None}, both), {WEB: without(WEB, 3)}) == []


@pytest.mark.rule(13)
def test_lowering_an_open_grant_is_accepted_and_stops_some() -> None:
    held = after({LYON_ACME: None, LYON_GLOBEX: None, LYON: open_lyon(2, 4)})
    assert brought_in(held, {LYON: open_lyon(2, 3)}) == []
    lowered = held.with_changes({LYON: open_lyon(2, 3)})
    assert idle(lowered, "acme", "web") == {}
    assert idle(lowered, "globex", "shop") == {"lyon/l2": "OpenGrantExceeded"}
    assert idle(lowered.with_changes({LYON: open_lyon(1, 2)}), "acme", "web") == {"lyon/l2": "GrantExceeded"}


@pytest.mark.rule(13)
def test_under_a_lowered_open_grant_networks_change_as_long_as_they_take_no_more() -> None:
    lowered = after({LYON_ACME: None, LYON_GLOBEX: None, LYON: open_lyon(1, 1)})
    moved = example.resource_changed(WEB, 0, index=9)
    assert brought_in(lowered, {WEB: moved}) == []
    assert brought_in(lowered, {WEB: without(WEB, 3)}) == []
    gone = lowered.with_changes({WEB: without(WEB, 3)})
    assert {code for code, _ in codes(gone, {WEB: example.network(WEB)})} == {
        "too-many-resources",
        "open-grant-full",
    }


@pytest.mark.rule(13)
def test_taking_away_a_tenants_own_grant_never_stops_one_who_holds_less() -> None:
    """acme, with two NRs, falls back on an open grant that globex' one NR fills."""
    ground = {LYON_GLOBEX: None, LYON: open_lyon(5, 2), SHOP: without(SHOP, 2)}
    fallen = after(ground, {LYON_ACME: None})
    assert idle(fallen, "globex", "shop") == {}
    assert idle(fallen, "acme", "web") == {"lyon/l2": "OpenGrantExceeded"}


def test_the_message_says_whose_bound_it_is() -> None:
    lowered = after({LYON_ACME: None, LYON_GLOBEX: None, LYON: open_lyon(2, 3)})
    assert str(suspensions(lowered, "globex", "shop")["lyon/l2"]) == (
        "the farm lyon has 3 NRs for all tenants without a grant, and more are held"
    )


@pytest.mark.rule(12)
def test_a_bound_for_one_node_keeps_a_tenant_from_taking_all_of_it() -> None:
    bounded = {PARIS_ACME: example.grant(PARIS_ACME, max_resources=10, max_resources_per_node=1)}
    second = replace(without(WEB, 1, 2, 3), metadata=Metadata("new"))
    found = brought_in(after(bounded), {NEW_NET: second})
    assert ("too-many-on-node", "spec.resources[0].node") in [(one.code, one.pointer) for one in found]
    assert {one.rival_path for one in found if one.code == "too-many-on-node"} == {PARIS_ACME}
    open_to_all = example.farm(PARIS, open_grant=OpenGrant(10, 10, max_resources_per_node=1))
    openly = brought_in(after({PARIS_ACME: None, PARIS: open_to_all}), {NEW_NET: second})
    assert "too-many-on-node" in {one.code for one in openly}


@pytest.mark.rule(13)
def test_lowering_the_bound_for_one_node_stops_the_later_networks_there_alone() -> None:
    second = replace(without(WEB, 1, 2, 3), metadata=Metadata("new"))
    lowered = {PARIS_ACME: example.grant(PARIS_ACME, max_resources_per_node=1)}
    assert brought_in(after({NEW_NET: second}), lowered) == []
    held = after({NEW_NET: second}, lowered)
    assert idle(held, "acme", "new") == {}
    assert idle(held, "acme", "web") == {"paris/p1": "GrantExceeded"}
    assert "granted to acme for 1 NRs" in str(suspensions(held, "acme", "web")["paris/p1"])
    assert [code for code, _ in codes(held, {WEB: example.resource_changed(WEB, 0, index=9)})] == []


@pytest.mark.rule(12)
def test_a_tenant_cannot_fill_every_node_with_networks_that_nobody_granted() -> None:
    """A network without NRs takes no farm's grant; its number is bounded all the same."""
    empty = without(WEB, 0, 1, 2, 3)
    names = [f"n{number}" for number in range(rules.MAX_NETWORKS)]
    many = {network_path("acme", name): replace(empty, metadata=Metadata(name)) for name in names}
    full = example.model().with_changes({WEB: None, **many})
    assert newly_owned(example.model(), full, many.keys()) == ()
    assert codes(full, {WEB: empty}) == [("too-many-networks", "metadata.name")]
    assert codes(full, {WEB: empty, network_path("acme", "n0"): None}) == []


# --- Suspensions ---------------------------------------------------------------------------------------


def test_a_suspended_tenant_runs_nowhere_and_the_reason_is_shown() -> None:
    stopped = after({STOP: suspension(reason="Invoice 7 is open.")})
    found = suspensions(stopped, "acme", "web")
    assert {node: why.reason for node, why in found.items()} == dict.fromkeys(
        ("paris/p1", "paris/p2", "lyon/l1", "lyon/l2"), "TenantSuspended"
    )
    assert str(found["paris/p1"]) == "root has suspended acme: Invoice 7 is open."
    assert idle(stopped, "globex", "shop") == {}


def test_it_keeps_what_it_claims_and_runs_again_when_the_suspension_has_gone() -> None:
    stopped = after({STOP: suspension()})
    grabbed = example.resource_changed(SHOP, 0, slot=1)
    assert codes(stopped, {SHOP: grabbed}) == [("slot-taken", "spec.resources[0].slot")]
    assert idle(stopped.with_changes({STOP: None}), "acme", "web") == {}


@pytest.mark.rule(13)
def test_root_suspends_a_tenant_whatever_it_has() -> None:
    assert brought_in(example.model(), {STOP: suspension()}) == []


def test_a_suspension_of_nobody_is_a_slip() -> None:
    path = suspension_path("acmee")
    assert codes(example.model(), {path: suspension("acmee")}) == [("unknown-tenant", "metadata.name")]


def test_a_suspension_holds_no_tenant_hostage() -> None:
    stopped = after({STOP: suspension(), WEB: None})
    assert brought_in(stopped, {ACME: None}) == []
    assert rules.violations(stopped.with_changes({ACME: None}), [STOP])[0].code == "unknown-tenant"


@pytest.mark.rule(11)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({WEB: example.resource_changed(WEB, 0, slot=7)}, [("tenant-suspended", "spec.resources[0].slot")]),
        ({WEB: example.network(WEB, vnis={"paris": 5})}, [("tenant-suspended", "spec.vnis.paris")]),
        (
            {
                NEW_NET: replace(
                    example.network(WEB, resources=(), relays=(), vnis={}), metadata=Metadata("new")
                )
            },
            [("tenant-suspended", "metadata.name")],
        ),
    ],
)
def test_a_suspended_tenant_takes_nothing_new(changes: Changes, expected: list[tuple[str, str]]) -> None:
    assert codes(after({STOP: suspension()}), changes) == expected


@pytest.mark.parametrize(
    "changed",
    [
        example.resource_changed(WEB, 0, public_key="A" * 42 + "E="),
        example.resource_changed(WEB, 0, index=40),
        without(WEB, 0),
        example.network(WEB, relays=()),
        None,
    ],
)
def test_a_suspended_tenant_may_make_new_keys_and_give_things_up(changed: Network | None) -> None:
    assert codes(after({STOP: suspension()}), {WEB: changed}) == []


def test_what_it_gave_up_meanwhile_it_has_to_take_anew_later() -> None:
    smaller = after({STOP: suspension()}, {WEB: without(WEB, 3)})
    assert codes(smaller, {WEB: example.network(WEB)}) == [("tenant-suspended", "spec.resources[3].slot")]
    assert codes(smaller.with_changes({STOP: None}), {WEB: example.network(WEB)}) == []


# --- Whose networks are concerned ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "changed", "expected"),
    [
        (STOP, suspension(), {("acme", "web")}),
        (ACME, None, {("acme", "web")}),
        (PARIS_ACME, None, {("acme", "web")}),
        (L2, None, {("acme", "web"), ("globex", "shop")}),
        (PARIS, None, {("acme", "web"), ("globex", "shop")}),
        (SHOP, None, {("globex", "shop")}),
        ("trust/policy.yaml", None, set()),
    ],
)
def test_whose_networks_a_change_may_stop(
    path: str, changed: Document | None, expected: set[tuple[str, str]]
) -> None:
    before = example.model()
    assert affected(before, before.with_changes({path: changed}), [path]) == expected


def test_where_an_open_grant_is_exceeded_everybody_on_the_farm_is_concerned() -> None:
    before = after({LYON_ACME: None, LYON_GLOBEX: None, LYON: open_lyon(2, 3)})
    smaller = before.with_changes({WEB: without(WEB, 3)})
    assert affected(before, smaller, [WEB]) == {("acme", "web"), ("globex", "shop")}
    assert idle(smaller, "globex", "shop") == {}
