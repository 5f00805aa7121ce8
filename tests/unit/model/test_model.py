"""The model answers by name, and a changed model is the model of the changed documents."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from reconciler.model import claims
from reconciler.model.model import EMPTY, Model
from reconciler.model.netid import netid
from tests.unit.model import example
from tests.unit.model.example import L1, P1, P2, PARIS, SHOP, WEB


def test_documents_by_name() -> None:
    model, documents = example.model(), example.documents()
    assert model.policy is documents[example.POLICY]
    assert model.farm("paris") is documents[PARIS]
    assert model.node("paris/p1") is documents[P1]
    assert model.grant("paris", "acme") is documents[example.PARIS_ACME]
    assert model.tenant("acme") is documents[example.ACME]
    assert model.network("acme", "web") is documents[WEB]


def test_what_is_not_there_is_none() -> None:
    model = example.model()
    assert model.farm("oslo") is None
    assert model.node("paris/p9") is None
    assert model.node("nonsense") is None
    assert model.grant("oslo", "acme") is None
    assert model.tenant("nobody") is None
    assert model.network("acme", "shop") is None
    assert EMPTY.policy is None


def test_documents_by_what_they_have_to_do_with() -> None:
    model = example.model()
    assert [(tenant, net.metadata.name) for tenant, net in model.networks()] == [
        ("acme", "web"),
        ("globex", "shop"),
    ]
    assert [tenant for tenant, _ in model.networks_on("paris/p2")] == ["acme"]
    assert [tenant for tenant, _ in model.networks_on("paris/p1")] == ["acme", "globex"]
    assert [net.metadata.name for net in model.networks_of("globex")] == ["shop"]
    assert [name for name, _ in model.nodes_in("paris")] == ["p1", "p2"]
    assert [name for name, _ in model.farms()] == ["lyon", "paris"]


def test_what_is_taken() -> None:
    model = example.model()
    node_id = example.node(P1).spec.id
    assert model.slot_taken("paris/p1", node_id, 1)
    assert not model.slot_taken("paris/p1", node_id, 3)
    assert not model.slot_taken("paris/p1", "a" * 26, 1), "another machine has all its slots free"
    assert model.vni_taken("paris", 4097)
    assert not model.vni_taken("lyon", 4097)
    assert model.resource_count("paris", "acme") == 2
    assert model.resource_count("oslo", "acme") == 0
    assert model.claimants(claims.Claim("netid", "", netid("acme", "web"))) == (WEB,)


def test_the_fast_address_counts_only_inside_the_fast_network() -> None:
    model = example.model()
    assert model.fast_address("paris/p1") == ip_address("10.99.0.1")
    assert model.fast_address("lyon/l1") is None
    assert model.fast_address("paris/p9") is None
    moved = model.with_changes({PARIS: example.farm(PARIS, fast_network=None)})
    assert moved.fast_address("paris/p1") is None
    fast = example.farm(PARIS).spec.fast_network
    assert fast is not None
    elsewhere = type(fast)(prefix="10.98.0.0/24")
    assert (
        model.with_changes({PARIS: example.farm(PARIS, fast_network=elsewhere)}).fast_address("paris/p1")
        is None
    )


def test_a_change_gives_the_model_of_the_changed_documents() -> None:
    documents = dict(example.documents())
    shop = example.resource_changed(SHOP, 0, slot=7)
    changed = example.model().with_changes({WEB: None, SHOP: shop, L1: None})
    del documents[WEB], documents[L1]
    assert changed == Model.of(documents | {SHOP: shop})
    assert changed != example.model()
    assert changed.with_changes(example.documents()) == example.model()


def test_a_change_leaves_the_old_model_alone() -> None:
    model = Model.of(example.documents())
    model.with_changes(dict.fromkeys(example.documents()))
    assert model == example.model()


def test_taking_everything_away_leaves_the_empty_model() -> None:
    assert example.model().with_changes(dict.fromkeys(example.documents())) == EMPTY


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert EMPTY.with_changes({P2: None}) == EMPTY


def test_only_governed_paths_have_documents() -> None:
    with pytest.raises(ValueError, match=r"README\.md"):
        Model.of({"README.md": example.documents()[P1]})


def test_two_documents_may_make_one_claim_and_lose_it_one_by_one() -> None:
    twice = example.model().with_changes({SHOP: example.resource_changed(SHOP, 0, slot=1)})
    node_id = example.node(P1).spec.id
    assert twice.claimants(claims.slot_claim("paris/p1", node_id, 1)) == (WEB, SHOP)
    assert twice.with_changes({WEB: None}).claimants(claims.slot_claim("paris/p1", node_id, 1)) == (SHOP,)


@pytest.mark.parametrize(
    ("tenant", "network", "expected"),
    [("acme", "web", "q3zhttu4fhyqm"), ("globex", "shop", "wkaxd4m35krvo")],
)
def test_netids_are_stable(tenant: str, network: str, expected: str) -> None:
    """Every name in every kernel hangs on them: a change here renames everything."""
    assert netid(tenant, network) == expected
