"""Names and paths are one to one."""

from __future__ import annotations

import pytest

from reconciler.model import paths
from reconciler.model.documents import Document, Farm, Grant, Network, Node, Policy, Tenant
from reconciler.model.paths import Place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("trust/policy.yaml", Place(Policy, "policy")),
        ("farms/paris/farm.yaml", Place(Farm, "paris", "paris")),
        ("farms/paris/nodes/p1.yaml", Place(Node, "p1", "paris")),
        ("farms/paris/grants/acme.yaml", Place(Grant, "acme", "paris", "acme")),
        ("tenants/ac/acme/tenant.yaml", Place(Tenant, "acme", "", "acme")),
        ("tenants/ac/acme/networks/web.yaml", Place(Network, "web", "", "acme")),
        ("tenants/ab/ab/tenant.yaml", Place(Tenant, "ab", "", "ab")),
        ("tenants/a-/a-b/tenant.yaml", Place(Tenant, "a-b", "", "a-b")),
    ],
)
def test_every_place_has_one_path(path: str, place: Place) -> None:
    assert paths.place_of(path) == place
    assert paths.path_of(place) == path
    assert paths.kind_for_path(path) is place.kind


@pytest.mark.parametrize(
    "path",
    [
        "",
        "README.md",
        "trust/policy.yml",
        "trust/other.yaml",
        "/trust/policy.yaml",
        "trust//policy.yaml",
        "trust/policy.yaml\n",
        "./trust/policy.yaml",
        "Trust/policy.yaml",
        "farms/Paris/farm.yaml",
        "farms/paris/farm.yaml/x",
        "farms/../farms/paris/farm.yaml",
        "farms/-x/farm.yaml",
        "farms/" + "a" * 64 + "/farm.yaml",
        "farms/paris/nodes/p1.yaml.bak",
        "farms/paris/nodes/p.1.yaml",
        "farms/paris/nodes/p1/p2.yaml",
        "farms/pàris/farm.yaml",
        "tenants/xx/acme/tenant.yaml",
        "tenants/a/acme/tenant.yaml",
        "tenants/acme/tenant.yaml",
        "tenants/a/a/tenant.yaml",
        "tenants/ac/acme/web.yaml",
        "tenants/AC/acme/tenant.yaml",
    ],
)
def test_no_other_path_is_governed(path: str) -> None:
    assert paths.kind_for_path(path) is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tenants/xx/acme/tenant.yaml", "tenants/ac/acme/tenant.yaml"),
        ("tenants/xx/acme/networks/web.yaml", "tenants/ac/acme/networks/web.yaml"),
        ("tenants/xx/a/tenant.yaml", "too short"),
        ("farms/Paris/farm.yaml", "DNS labels"),
        ("farms/paris/farm.yml", ".yaml"),
        ("Farms/paris/farm.yaml", "DNS labels"),
    ],
)
def test_near_misses_are_explained(path: str, words: str) -> None:
    assert words in (paths.misplaced(path) or "")


@pytest.mark.parametrize("path", ["README.md", "farms/paris/README.md", "trust/policy.yaml"])
def test_other_files_are_nobodys_business(path: str) -> None:
    assert paths.misplaced(path) is None


def test_all_kinds_have_a_path() -> None:
    made: list[tuple[str, type[Document]]] = [
        (paths.POLICY_PATH, Policy),
        (paths.farm_path("f"), Farm),
        (paths.node_ref_path("f/n"), Node),
        (paths.grant_path("f", "tt"), Grant),
        (paths.tenant_path("tt"), Tenant),
        (paths.network_path("tt", "n"), Network),
    ]
    assert [paths.kind_for_path(path) for path, _ in made] == [kind for _, kind in made]
