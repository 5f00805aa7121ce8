"""Which free numbers are picked, and what is said when there are none."""

from __future__ import annotations

from ipaddress import IPv6Network
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.authoring import allocation, networks, resources
from reconciler.authoring.errors import AuthoringError
from reconciler.authoring.renumber import renumber
from reconciler.model.documents import Farm, Network, Resource
from reconciler.model.loader import load
from reconciler.model.model import Model
from reconciler.model.paths import farm_path, network_path
from reconciler.model.rules import newly_owned

EXAMPLE = Path(__file__).parents[3] / "example-repo"
WEB = network_path("acme", "web")
SHOP = network_path("globex", "shop")


@pytest.fixture(scope="module")
def model() -> Model:
    """The example repository: acme/web and globex/shop share paris/p1, lyon/l1 and lyon/l2."""
    files = (file for top in ("trust", "farms", "tenants") for file in (EXAMPLE / top).rglob("*.yaml"))
    names = {str(file.relative_to(EXAMPLE)): file for file in files}
    return Model.of({path: load(path, file.read_bytes()) for path, file in names.items()})


def network(model: Model, tenant: str, name: str) -> Network:
    found = model.network(tenant, name)
    assert found is not None
    return found


def with_resources(document: Network, *made: Resource) -> Network:
    return replace(document, spec=replace(document.spec, resources=made))


def with_ports(model: Model, farm: str, count: int) -> Model:
    document = model.documents[farm_path(farm)]
    assert isinstance(document, Farm)
    ports = replace(document.spec.udp_ports, count=count)
    return model.with_changes(
        {farm_path(farm): replace(document, spec=replace(document.spec, udp_ports=ports))}
    )


def test_an_index_is_above_all_in_use_until_there_is_none_and_then_the_lowest_free(model: Model) -> None:
    web = network(model, "acme", "web")
    used = sorted(resource.index for resource in web.spec.resources)
    assert allocation.next_index(web) == used[-1] + 1
    first = web.spec.resources[0]
    full = with_resources(web, replace(first, index=255), replace(first, index=1))
    assert allocation.next_index(full) == 2


def test_a_small_range_is_used_up(model: Model) -> None:
    web = network(model, "acme", "web")
    tiny = replace(web, spec=replace(web.spec, ipv4="10.10.0.0/23", resources=web.spec.resources[:1]))
    with pytest.raises(AuthoringError, match=r"every one of the 1 subnets of 10\.10\.0\.0/23 is in use"):
        allocation.next_index(tiny)


def test_a_slot_is_the_lowest_that_nobody_has_on_the_node(model: Model) -> None:
    taken = {
        resource.slot
        for _, document in model.networks_on("paris/p1")
        for resource in document.spec.resources
        if resource.node == "paris/p1"
    }
    assert allocation.next_slot(model, "paris/p1") == min(set(range(1, 10)) - taken)


def test_slots_end_with_the_farms_ports(model: Model) -> None:
    with pytest.raises(AuthoringError, match="all 2 UDP ports of the farm are in use") as error:
        allocation.next_slot(with_ports(model, "paris", 2), "paris/p1")
    assert "farmer" in error.value.advice


def test_a_vni_is_free_in_its_farm(model: Model) -> None:
    vni = allocation.next_vni(model, "paris")
    assert not model.vni_taken("paris", vni)
    assert vni > 4096


def test_a_range_keeps_clear_of_what_any_farm_reserves(model: Model) -> None:
    chosen = allocation.ipv4_range(model, "aaaa")
    farm = model.documents[farm_path("paris")]
    assert isinstance(farm, Farm)
    reserving = replace(farm, spec=replace(farm.spec, reserved=(str(chosen),)))
    other = allocation.ipv4_range(model.with_changes({farm_path("paris"): reserving}), "aaaa")
    assert not other.overlaps(chosen)
    everything = replace(farm, spec=replace(farm.spec, reserved=("10.0.0.0/8",)))
    with pytest.raises(AuthoringError, match="every /16"):
        allocation.ipv4_range(model.with_changes({farm_path("paris"): everything}), "aaaa")


def test_an_ipv6_range_is_local_and_ones_own(model: Model) -> None:
    prefixes = [allocation.ula_prefix(netid) for netid in ("aaaa", "aaab")]
    assert prefixes[0] != prefixes[1]
    assert all(prefix.prefixlen == 48 and prefix.subnet_of(IPv6Network("fd00::/8")) for prefix in prefixes)
    assert allocation.ula_prefix("aaaa") == prefixes[0]


@pytest.mark.parametrize("node", ["nice/n1", "paris/p9"])
def test_a_resource_needs_its_node(model: Model, node: str) -> None:
    with pytest.raises(AuthoringError, match=f"there is no node {node}"):
        resources.new_resource(model, "acme", network(model, "acme", "web"), node)


def test_what_is_made_breaks_no_rule(model: Model) -> None:
    change = networks.create(model, "globex", "db", ["paris/p1", "paris/p2", "lyon/l1", "lyon/l2"])
    after = model.with_changes(change.documents)
    assert newly_owned(model, after, change.documents.keys()) == ()


def test_renumbering_leaves_what_is_free_alone(model: Model) -> None:
    web, shop = network(model, "acme", "web"), network(model, "globex", "shop")
    assert renumber(model, shop, SHOP) == shop
    colliding = replace(
        shop,
        spec=replace(
            shop.spec,
            vnis=web.spec.vnis,
            resources=tuple(replace(resource, slot=1) for resource in shop.spec.resources),
        ),
    )
    mended = renumber(model, colliding, SHOP)
    after = model.with_changes({SHOP: mended})
    assert newly_owned(model, after, [SHOP]) == ()
    assert [r.public_key for r in mended.spec.resources] == [r.public_key for r in shop.spec.resources]
