"""The example repository is complete, valid, and what its README and the lab say of it."""

from __future__ import annotations

from ipaddress import ip_network

from reconciler.ledger.signatures import proof
from reconciler.model.documents import KINDS, Farm, OpenGrant, Policy, Suspension, Tenant
from reconciler.model.loader import load
from reconciler.model.paths import kind_for_path
from reconciler.model.rules import suspensions, violations
from tests.unit.model import example


def test_it_has_no_problem_and_breaks_no_rule() -> None:
    assert violations(example.model()) == ()
    for tenant, network in example.model().networks():
        assert suspensions(example.model(), tenant, network.metadata.name) == {}


def test_it_has_every_kind_and_nothing_that_is_ignored() -> None:
    assert {kind_for_path(path) for path in example.texts()} == set(KINDS) - {Suspension}


def test_two_tenants_have_the_same_ipv4_range_and_ipv6_ranges_of_their_own() -> None:
    (_, web), (_, shop) = example.model().networks()
    assert web.spec.ipv4 == shop.spec.ipv4
    assert not ip_network(web.spec.ipv6).overlaps(ip_network(shop.spec.ipv6))


def test_the_tenants_hold_their_keys() -> None:
    tenants = [document for document in example.documents().values() if isinstance(document, Tenant)]
    assert len(tenants) == 2
    for tenant in tenants:
        (entry,) = tenant.spec.proofs
        assert proof.verify(tenant.metadata.name, entry.signature).text == entry.key


def test_what_its_comments_offer_is_right_as_well() -> None:
    """Lyon's open grant and rule stand in comments; a reader takes the number signs away and has them."""
    text = example.texts()[example.LYON]
    open_grant = text[text.index("  # openGrant:") : text.index("  #\n  # Somebody")]
    rules = text[text.index("  # rules:") :].replace("AAAA...", example_key())
    offered = (open_grant + rules).replace("  # ", "  ")
    found = load(example.LYON, (text + offered).encode())
    assert isinstance(found, Farm)
    assert found.spec.open_grant == OpenGrant(2, 40, 1)
    assert [rule.paths for rule in found.spec.rules] == [("farms/lyon/grants/*",)]


def example_key() -> str:
    """The base64 of a key that is whole."""
    return example.document(example.POLICY, Policy).spec.root.principals[0].keys[0].split()[1]
