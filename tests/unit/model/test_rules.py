"""Rules between documents: each broken in a copy of the example, by the document that owns the violation."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from reconciler.model import rules
from reconciler.model.documents import Document, FastNetwork, FastPort, Network, Node, PortRange, SealedKey
from reconciler.model.model import Model
from reconciler.model.placement import parse_pointer, problem_of
from reconciler.model.problems import shown
from reconciler.model.rules import Violation, newly_owned, violations
from tests.unit.model import example
from tests.unit.model.example import (
    ACME,
    L1,
    L2,
    LYON_ACME,
    LYON_GLOBEX,
    P1,
    P2,
    PARIS,
    PARIS_ACME,
    SHOP,
    WEB,
    document,
    farm,
    grant,
    network,
    node,
    resource_changed,
)

Changes = Mapping[str, Document | None]


def brought_in(changes: Changes, before: Model | None = None) -> tuple[Violation, ...]:
    """What a transaction with these changes answers for."""
    before = before or example.model()
    return newly_owned(before, before.with_changes(changes), changes.keys())


def summary(found: tuple[Violation, ...]) -> list[tuple[str, str, str]]:
    return [(violation.owner_path, violation.code, violation.pointer) for violation in found]


def renamed(name: str, path: str) -> Document:
    found = example.documents()[path]
    return replace(found, metadata=replace(found.metadata, name=name))


def test_the_example_breaks_no_rule() -> None:
    assert violations(example.model()) == ()


def first_key(path: str) -> str:
    return document(path, Network).spec.resources[0].public_key


NEW_NET = "tenants/ac/acme/networks/new.yaml"
NEW_NODE = "farms/paris/nodes/p3.yaml"


@pytest.mark.parametrize(
    ("changes", "code", "owner", "pointer", "rival"),
    [
        ({SHOP: resource_changed(SHOP, 0, slot=1)}, "slot-taken", SHOP, "spec.resources[0].slot", WEB),
        (
            {SHOP: resource_changed(SHOP, 0, public_key=first_key(WEB))},
            "wireguard-key-taken",
            SHOP,
            "spec.resources[0].publicKey",
            WEB,
        ),
        ({SHOP: network(SHOP, vnis={"paris": 4097})}, "vni-taken", SHOP, "spec.vnis.paris", WEB),
        ({WEB: network(WEB, vnis={})}, "no-vni", WEB, "spec.vnis", PARIS),
        (
            {WEB: resource_changed(WEB, 1, node="paris/p9")},
            "unknown-node",
            WEB,
            "spec.resources[1].node",
            None,
        ),
        (
            {WEB: resource_changed(WEB, 1, node="oslo/p2")},
            "unknown-farm",
            WEB,
            "spec.resources[1].node",
            None,
        ),
        (
            {WEB: resource_changed(WEB, 1, node_id="a" * 26)},
            "other-node",
            WEB,
            "spec.resources[1].nodeId",
            P2,
        ),
        (
            {WEB: resource_changed(WEB, 1, slot=1001)},
            "slot-out-of-range",
            WEB,
            "spec.resources[1].slot",
            PARIS,
        ),
        (
            {WEB: resource_changed(WEB, 0, sealed=SealedKey(key="b" * 26, ciphertext="AAAA"))},
            "unknown-sealing-key",
            WEB,
            "spec.resources[0].sealed.key",
            P1,
        ),
        ({WEB: network(WEB, relays=("lyon/l2",))}, "hidden-relay", WEB, "spec.relays[0]", L2),
        ({NEW_NODE: renamed("p3", P1)}, "node-id-taken", NEW_NODE, "spec.id", P1),
        ({P2: node(P2, endpoints=("192.0.2.10",))}, "endpoint-taken", P2, "spec.endpoints[0]", P1),
        (
            {P2: node(P2, fast=FastPort(nic="f", address="10.99.0.1"))},
            "fast-address-taken",
            P2,
            "spec.fast.address",
            P1,
        ),
        (
            {P2: node(P2, fast=FastPort(nic="f", address="10.98.0.1"))},
            "fast-address-outside",
            P2,
            "spec.fast.address",
            PARIS,
        ),
        (
            {P2: node(P2, fast=FastPort(nic="f", address="10.99.0.255"))},
            "fast-address-outside",
            P2,
            "spec.fast.address",
            PARIS,
        ),
        (
            {P2: node(P2, fast=FastPort(nic="f", address="fd01::1"))},
            "fast-address-outside",
            P2,
            "spec.fast.address",
            PARIS,
        ),
        (
            {L1: node(L1, fast=FastPort(nic="f", address="10.99.0.9"))},
            "no-fast-network",
            L1,
            "spec.fast",
            "farms/lyon/farm.yaml",
        ),
    ],
)
def test_a_broken_rule_belongs_to_who_claims(
    changes: Changes, code: str, owner: str, pointer: str, rival: str | None
) -> None:
    found = [violation for violation in brought_in(changes) if violation.code == code]
    assert summary(tuple(found)) == [(owner, code, pointer)]
    assert found[0].rival_path == rival


def test_a_farm_that_is_not_there() -> None:
    changes = {"farms/oslo/nodes/p1.yaml": node(P1), "farms/oslo/grants/acme.yaml": grant(PARIS_ACME)}
    codes = [(v.owner_path, v.code) for v in brought_in(changes) if v.code == "unknown-farm"]
    assert codes == [(path, "unknown-farm") for path in sorted(changes)]


def test_a_tenant_that_is_not_there() -> None:
    codes = {
        violation.code for violation in brought_in({"tenants/no/nobody/networks/web.yaml": network(WEB)})
    }
    assert {"unknown-tenant", "no-grant"} <= codes


def test_a_grant_may_come_before_its_tenant_and_its_nodes() -> None:
    changes = {"farms/paris/grants/umbrella.yaml": renamed("umbrella", PARIS_ACME)}
    assert brought_in(changes) == ()
    assert brought_in({LYON_ACME: grant(LYON_ACME, nodes=("l9",))}) == ()


def test_a_grant_says_on_which_nodes() -> None:
    before = example.model().with_changes({WEB: None, LYON_ACME: grant(LYON_ACME, nodes=("l1",))})
    found = brought_in({WEB: network(WEB)}, before)
    assert summary(found) == [(WEB, "node-not-granted", "spec.resources[3].node")]


def test_without_a_grant_nothing_can_be_placed() -> None:
    before = example.model().with_changes({WEB: None, LYON_ACME: None})
    found = brought_in({WEB: network(WEB)}, before)
    assert summary(found) == [
        (WEB, "no-grant", "spec.resources[2].node"),
        (WEB, "no-grant", "spec.resources[3].node"),
    ]
    assert "tnet farm grant" in found[0].advice


def test_a_grant_bounds_the_resources_over_all_networks() -> None:
    before = example.model().with_changes({PARIS_ACME: grant(PARIS_ACME, max_resources=3)})
    two_more = Network(api_version="tnet/v1", metadata=renamed("new", WEB).metadata, spec=network(WEB).spec)
    found = [v for v in brought_in({NEW_NET: two_more}, before) if v.code == "too-many-resources"]
    assert [violation.owner_path for violation in found] == [NEW_NET]
    assert "4 NRs on `paris`, and is granted 3" in found[0].message


def test_an_ipv6_allocation_belongs_to_one_farm() -> None:
    before = example.model().with_changes({PARIS: farm(PARIS, ipv6_allocation="2001:db8:9::/48")})
    lyon = "farms/lyon/farm.yaml"
    found = brought_in({lyon: farm(lyon, ipv6_allocation="2001:db8:9::/48")}, before)
    assert summary(found) == [(lyon, "ipv6-allocation-taken", "spec.ipv6Allocation")]


def test_two_farms_may_have_nodes_with_one_endpoint() -> None:
    """Otherwise a farmer could keep another's node out by writing its address down first."""
    assert brought_in({L1: node(L1, endpoints=("192.0.2.10",))}) == ()


# --- Who answers --------------------------------------------------------------------------------------


def test_of_two_that_come_together_the_later_path_answers() -> None:
    before = example.model().with_changes({WEB: None, SHOP: None})
    changes = {WEB: network(WEB), SHOP: network(SHOP, vnis={"paris": 4097})}
    assert summary(brought_in(changes, before)) == [(SHOP, "vni-taken", "spec.vnis.paris")]


def test_what_was_wrong_before_a_transaction_is_not_its_fault() -> None:
    clash = example.model().with_changes({SHOP: network(SHOP, vnis={"paris": 4097})})
    assert summary(violations(clash)) == [(SHOP, "vni-taken", "spec.vnis.paris")]
    assert newly_owned(clash, clash, [WEB, SHOP]) == ()


def test_no_farmer_keeps_anothers_node_away_by_its_unique_id() -> None:
    squatter = "farms/paris/nodes/l1.yaml"
    away = example.model().with_changes({L1: None, squatter: example.documents()[L1]})
    assert brought_in({L1: example.documents()[L1]}, away) == ()


def test_a_search_for_a_few_violations_ends_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nearest_node(_model: Model, ref: str) -> str:
        asked.append(ref)
        return ""

    monkeypatch.setattr(rules, "_nearest_node", nearest_node)
    lost = {path: resource_changed(path, 0, node="paris/nowhere") for path in (WEB, SHOP)}
    before = example.model()
    found = newly_owned(before, before.with_changes(lost), lost.keys(), 1)
    assert len(found) == 1
    assert asked == ["paris/nowhere"]
    assert len(newly_owned(before, before.with_changes(lost), lost.keys())) > 1


def test_swapping_two_slots_in_one_transaction_is_no_collision() -> None:
    swapped = {
        WEB: resource_changed(WEB, 0, slot=2),
        SHOP: resource_changed(SHOP, 0, slot=1),
    }
    assert brought_in(swapped) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {P1: None},
        {PARIS_ACME: None},
        {LYON_ACME: grant(LYON_ACME, max_resources=0)},
        {LYON_GLOBEX: grant(LYON_GLOBEX, nodes=("l1",))},
        {"farms/lyon/farm.yaml": None, L1: None, L2: None, LYON_ACME: None, LYON_GLOBEX: None},
        {P1: node(P1, id="z" * 26)},
        {PARIS: farm(PARIS, udp_ports=PortRange(first=51000, count=1))},
        {PARIS: farm(PARIS, fast_network=FastNetwork(prefix="10.98.0.0/24"))},
        {L1: node(L1, reachability="hidden", endpoints=())},
        {ACME: None},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_no_hostages(changes: Changes) -> None:
    """What hangs on a node, a grant, a farm or a tenant never keeps its owner from changing it."""
    assert brought_in(changes) == ()


def test_a_network_that_lost_a_node_can_still_change_elsewhere() -> None:
    before = example.model().with_changes({P2: None})
    assert [v.code for v in violations(before, [WEB])] == ["unknown-node"]
    assert brought_in({WEB: network(WEB, relays=())}, before) == ()
    more = brought_in({WEB: resource_changed(WEB, 0, node="paris/p8")}, before)
    assert [(v.code, v.subject.split()[0]) for v in more] == [("unknown-node", "paris/p8")]


def test_a_tenant_over_its_grant_may_shrink_and_not_grow() -> None:
    before = example.model().with_changes({LYON_ACME: grant(LYON_ACME, max_resources=0)})
    resources = network(WEB).spec.resources
    assert brought_in({WEB: network(WEB, resources=resources[:3])}, before) == ()
    smaller = before.with_changes({WEB: network(WEB, resources=resources[:3])})
    grown = brought_in({WEB: network(WEB)}, smaller)
    assert [violation.code for violation in grown] == ["too-many-resources"]


def test_only_the_documents_asked_for_are_judged() -> None:
    broken = example.model().with_changes(
        {WEB: network(WEB, vnis={}), SHOP: network(SHOP, relays=("lyon/l2",))}
    )
    assert [v.owner_path for v in violations(broken, [WEB])] == [WEB]
    assert [v.owner_path for v in violations(broken)] == [WEB, SHOP]
    assert violations(broken, ["README.md", "tenants/zz/zz/tenant.yaml"]) == ()


# --- Where it is ----------------------------------------------------------------------------------------


def test_a_violation_is_shown_at_its_line_and_column() -> None:
    (found,) = brought_in({SHOP: network(SHOP, vnis={"paris": 4097})})
    problem = problem_of(found, example.texts()[SHOP].encode())
    line = example.texts()[SHOP].splitlines()[problem.line - 1]
    assert line[problem.column - 1 :] == "4098"
    assert str(problem).startswith(
        f"{SHOP}:{problem.line}:{problem.column}: VNI 4097 in the farm paris is taken"
    )


@pytest.mark.parametrize(
    "pointer", [(), ("spec",), ("spec", "resources", 12, "slot"), ("spec", "vnis", "a-b")]
)
def test_pointers_read_as_they_are_shown(pointer: tuple[str | int, ...]) -> None:
    assert parse_pointer(shown(pointer)) == pointer


def test_a_farm_has_only_so_many_nodes() -> None:
    p1 = document(P1, Node)
    spec = replace(p1.spec, endpoints=(), fast=None)
    names = [f"n{number}" for number in range(rules.MAX_NODES - 2)]
    nodes = {
        f"farms/paris/nodes/{name}.yaml": replace(p1, metadata=replace(p1.metadata, name=name), spec=spec)
        for name in names
    }
    full = example.model().with_changes(nodes)
    assert violations(full, ["farms/paris/nodes/n0.yaml"])[0].code == "node-id-taken"
    more = brought_in({NEW_NODE: nodes["farms/paris/nodes/n0.yaml"]}, full)
    assert ("too-many-nodes", "metadata.name") in [(found.code, found.pointer) for found in more]
    assert "too-many-nodes" not in {found.code for found in brought_in({NEW_NODE: p1, P2: None}, full)}
