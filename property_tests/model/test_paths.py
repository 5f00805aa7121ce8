"""Names and paths are one to one: each way back gives what was there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import paths
from reconciler.model.documents import Farm, Grant, Network, Node, Policy, Tenant
from reconciler.model.netid import LENGTH, netid
from reconciler.model.paths import Place

labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?", fullmatch=True)
tenants = labels.filter(lambda name: len(name) >= 2)
places = st.one_of(
    st.just(Place(Policy, "policy")),
    st.builds(lambda farm: Place(Farm, farm, farm), labels),
    st.builds(lambda farm, node: Place(Node, node, farm), labels, labels),
    st.builds(lambda farm, tenant: Place(Grant, tenant, farm, tenant), labels, tenants),
    st.builds(lambda tenant: Place(Tenant, tenant, "", tenant), tenants),
    st.builds(lambda tenant, network: Place(Network, network, "", tenant), tenants, labels),
)
pieces = st.sampled_from(
    (
        "trust",
        "policy",
        "farms",
        "tenants",
        "farm",
        "nodes",
        "grants",
        "networks",
        "tenant",
        "/",
        ".yaml",
        "ab",
        "a",
        "-",
    )
)


@given(places)
def test_a_place_has_a_path_that_leads_back(place: Place) -> None:
    assert paths.place_of(paths.path_of(place)) == place


@given(st.text(max_size=30) | st.lists(pieces, max_size=9).map("".join))
def test_a_path_is_governed_only_if_it_is_its_places_path(path: str) -> None:
    place = paths.place_of(path)
    assert place is None or paths.path_of(place) == path
    assert paths.misplaced(path) is None or place is None


@given(st.tuples(tenants, labels), st.tuples(tenants, labels))
def test_netids_tell_networks_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (netid(*one) == netid(*other)) == (one == other)
    assert len(netid(*one)) == LENGTH
    assert netid(*one).isalnum()
