"""NRs whose ground has gone don't run, keep their claims, and resume."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.model.documents import Document, PortRange
from reconciler.model.rules import suspensions
from tests.unit.model import example
from tests.unit.model.example import (
    ACME,
    LYON_ACME,
    P1,
    P2,
    PARIS,
    PARIS_ACME,
    SHOP,
    WEB,
    farm,
    grant,
    node,
    resource_changed,
)


def suspended(changes: Mapping[str, Document | None], network: str = "acme/web") -> dict[str, str]:
    tenant, name = network.split("/")
    found = suspensions(example.model().with_changes(changes), tenant, name)
    return {where: suspension.reason for where, suspension in found.items()}


def test_nothing_is_suspended_in_the_example() -> None:
    assert suspended({}) == {}
    assert suspended({}, "globex/shop") == {}
    assert suspended({}, "nobody/nothing") == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({P2: None}, {"paris/p2": "NodeGone"}),
        ({PARIS: None}, {"paris/p1": "NodeGone", "paris/p2": "NodeGone"}),
        ({P1: node(P1, id="z" * 26)}, {"paris/p1": "NodeReplaced"}),
        ({PARIS_ACME: None}, {"paris/p1": "NotGranted", "paris/p2": "NotGranted"}),
        ({PARIS_ACME: grant(PARIS_ACME, nodes=("p2",))}, {"paris/p1": "NotGranted"}),
        ({PARIS_ACME: grant(PARIS_ACME, max_resources=1)}, {"paris/p2": "GrantExceeded"}),
        (
            {LYON_ACME: grant(LYON_ACME, max_resources=0)},
            {"lyon/l1": "GrantExceeded", "lyon/l2": "GrantExceeded"},
        ),
        (
            {ACME: None},
            dict.fromkeys(("paris/p1", "paris/p2", "lyon/l1", "lyon/l2"), "TenantGone"),
        ),
    ],
)
def test_why_resources_are_suspended(
    changes: Mapping[str, Document | None], expected: dict[str, str]
) -> None:
    assert suspended(changes) == expected
    others = suspended(changes, "globex/shop")
    assert set(others.values()) <= {"NodeGone", "NodeReplaced"}


def test_a_slot_without_a_port() -> None:
    fewer = {PARIS: farm(PARIS, udp_ports=PortRange(first=51000, count=1))}
    assert suspended(fewer) == {}
    assert suspended(fewer, "globex/shop") == {"paris/p1": "SlotOutOfRange"}


def test_a_suspended_resource_keeps_its_slot() -> None:
    without = example.model().with_changes({PARIS_ACME: None})
    assert without.slot_taken("paris/p1", node(P1).spec.id, 1)


def test_it_resumes_when_the_ground_is_back() -> None:
    without = example.model().with_changes({P1: None, PARIS_ACME: None})
    back = without.with_changes({P1: node(P1), PARIS_ACME: grant(PARIS_ACME)})
    assert suspensions(back, "acme", "web") == {}


def test_the_message_is_for_people() -> None:
    found = suspensions(example.model().with_changes({P2: None}), "acme", "web")
    assert str(found["paris/p2"]) == "the node paris/p2 is no longer in the repository"


def test_which_ones_exceed_a_grant_does_not_depend_on_the_order_in_the_file() -> None:
    backwards = example.network(WEB, resources=tuple(reversed(example.network(WEB).spec.resources)))
    less = {PARIS_ACME: grant(PARIS_ACME, max_resources=1)}
    assert suspended({**less, WEB: backwards}) == suspended(less)


def test_an_unrelated_change_suspends_nothing() -> None:
    assert suspended({SHOP: resource_changed(SHOP, 0, slot=9)}) == {}
