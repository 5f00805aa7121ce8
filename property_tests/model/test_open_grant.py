"""Laws of open grants: counted right whatever comes and goes, never exceeded, shared out fairly.

A `Site` is one farm, its open grant, the grants of three tenants, and how many NRs each of their networks has
there, one on each of the first so many nodes.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from property_tests import farms
from reconciler.model.affected import affected
from reconciler.model.documents import Document, Farm, Grant, GrantSpec, Metadata, OpenGrant
from reconciler.model.model import EMPTY, Model
from reconciler.model.paths import farm_path, grant_path
from reconciler.model.rules import newly_owned, suspensions
from reconciler.model.sharing import shares

FARM = "paris"
NODES = tuple(farms.NodeSketch(FARM, name, public=True) for name in farms.NODE_NAMES)
KEYS = tuple((tenant, name) for tenant in farms.TENANT_NAMES for name in farms.NETWORK_NAMES)

Changes = dict[str, Document | None]


@dataclass(frozen=True)
class Site:
    """`placed` is by tenant and network; `granted` by tenant, without those who have no grant. `per_node` is
    in the open grant and in all others."""

    open: tuple[int, int] | None
    granted: dict[str, int]
    placed: dict[tuple[str, str], int]
    per_node: int | None = None

    @property
    def documents(self) -> dict[str, Document]:
        networks = tuple(self._network(number, key) for number, key in enumerate(KEYS) if key in self.placed)
        pairs = frozenset((FARM, tenant) for tenant in farms.TENANT_NAMES)
        fleet = farms.Fleet((farms.FarmSketch(FARM),), NODES, networks, ungranted=pairs)
        granted = {grant_path(FARM, name): self._grant(name) for name in self.granted}
        return {**fleet.documents, farm_path(FARM): self._farm(fleet), **granted}

    def _network(self, number: int, key: tuple[str, str]) -> farms.NetworkSketch:
        nodes = NODES[: self.placed[key]]
        resources = tuple(farms.ResourceSketch(node.ref, at + 1, number + 1) for at, node in enumerate(nodes))
        return farms.NetworkSketch(*key, farms.IPV4_RANGES[0], farms.IPV6_RANGES[0], resources)

    def _farm(self, fleet: farms.Fleet) -> Farm:
        farm = fleet.documents[farm_path(FARM)]
        assert isinstance(farm, Farm)
        shared = None if self.open is None else OpenGrant(*self.open, max_resources_per_node=self.per_node)
        return replace(farm, spec=replace(farm.spec, open_grant=shared))

    def _grant(self, tenant: str) -> Grant:
        spec = GrantSpec(self.granted[tenant], max_resources_per_node=self.per_node)
        return Grant(api_version=farms.API, metadata=Metadata(tenant), spec=spec)

    @property
    def model(self) -> Model:
        return Model.of(self.documents)

    def held_openly(self) -> Counter[str]:
        """By tenant without a grant, what it holds."""
        held: Counter[str] = Counter()
        for (tenant, _), count in self.placed.items():
            if tenant not in self.granted and count:
                held[tenant] += count
        return held


unbounded_sites = st.builds(
    Site,
    open=st.none() | st.tuples(st.integers(0, 6), st.integers(0, 12)),
    granted=st.dictionaries(st.sampled_from(farms.TENANT_NAMES), st.integers(0, 8), max_size=2),
    placed=st.dictionaries(st.sampled_from(KEYS), st.integers(0, len(NODES))),
)
sites = st.builds(
    lambda site, per_node: dataclasses.replace(site, per_node=per_node),
    unbounded_sites,
    st.none() | st.integers(1, 2),
)
histories = st.lists(sites, min_size=1, max_size=4)


def steps(history: list[Site]) -> Iterator[Changes]:
    """What leads from one site to the next, as transactions of one document each, tenants' files first."""
    before: dict[str, Document] = {}
    for site in history:
        after = site.documents
        for path in sorted(before.keys() | after.keys(), reverse=True):
            if before.get(path) != after.get(path):
                yield {path: after.get(path)}
        before = after


def running(model: Model, site: Site) -> Counter[str]:
    """By tenant without a grant, the NRs that run."""
    found: Counter[str] = Counter()
    for tenant, name in site.placed:
        if tenant not in site.granted:
            found[tenant] += site.placed[tenant, name] - len(suspensions(model, tenant, name))
    return +found


@given(histories)
def test_what_stands_on_an_open_grant_is_counted_right_after_any_history(history: list[Site]) -> None:
    model = EMPTY
    for changes in steps(history):
        model = model.with_changes(changes)
    assert model == history[-1].model
    assert model.open_resource_count(FARM) == history[-1].held_openly().total()


@given(sites)
def test_no_more_runs_on_a_node_than_a_tenant_may_have_there(site: Site) -> None:
    model = site.model
    running_on: Counter[tuple[str, str]] = Counter()
    for tenant, name in site.placed:
        nodes = {node.ref for node in NODES[: site.placed[tenant, name]]}
        running_on.update((tenant, node) for node in nodes - suspensions(model, tenant, name).keys())
    assert site.per_node is None or all(count <= site.per_node for count in running_on.values())


@given(unbounded_sites)
def test_no_more_runs_than_is_granted_and_nothing_is_left_unused(site: Site) -> None:
    ran, held = running(site.model, site), site.held_openly()
    each, together = site.open or (0, 0)
    assert ran.total() <= together
    assert all(count <= each for count in ran.values())
    assert ran.total() == min(together, sum(min(count, each) for count in held.values()))


@given(unbounded_sites)
def test_nobody_runs_much_while_another_is_kept_from_running_less(site: Site) -> None:
    ran, held = running(site.model, site), site.held_openly()
    each, _ = site.open or (0, 0)
    kept_back = [tenant for tenant in held if ran[tenant] < min(held[tenant], each)]
    assert all(ran[other] <= ran[tenant] + 1 for tenant in kept_back for other in ran)


@given(sites, st.sampled_from(KEYS))
def test_removing_a_network_stops_nobody_else(site: Site, key: tuple[str, str]) -> None:
    smaller = dataclasses.replace(site, placed={k: n for k, n in site.placed.items() if k != key})
    before, after = site.model, smaller.model
    for tenant, name in smaller.placed:
        stopped = suspensions(after, tenant, name).keys() - suspensions(before, tenant, name).keys()
        assert not stopped


@given(histories)
def test_tenants_never_get_beyond_an_open_grant_by_their_own_transactions(history: list[Site]) -> None:
    """Whoever accepts only what brings in no violation: only farmers ever make it too little."""
    model = EMPTY
    for changes in steps(history):
        after = model.with_changes(changes)
        if newly_owned(model, after, changes.keys()):
            continue
        (path,) = changes
        farm = after.farm(FARM)
        if path.startswith("tenants/") and farm is not None and farm.spec.open_grant is not None:
            grown = after.open_resource_count(FARM) > model.open_resource_count(FARM)
            assert not grown or after.open_resource_count(FARM) <= farm.spec.open_grant.max_resources
        model = after


@given(histories)
def test_farmers_are_never_refused_for_what_is_held(history: list[Site]) -> None:
    model = history[0].model
    for site in history[1:]:
        for path, document in site.documents.items():
            if path.startswith("farms/"):
                changes: Changes = {path: document}
                assert newly_owned(model, model.with_changes(changes), changes.keys()) == ()


@given(sites, sites)
def test_whoever_stops_or_starts_is_among_the_affected(one: Site, other: Site) -> None:
    old = one.model
    for changes in steps([one, other]):
        new = old.with_changes(changes)
        differ = {key for key in KEYS if suspensions(old, *key) != suspensions(new, *key)}
        assert differ <= affected(old, new, changes.keys())
        old = new


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 9)), st.integers(0, 40))
def test_shares_are_what_taking_turns_gives(held: dict[str, int], together: int) -> None:
    kept: Counter[str] = Counter()
    left = together
    for turn in range(1, 10):
        for name in sorted(held):
            if held[name] >= turn and left:
                kept[name] += 1
                left -= 1
    assert +Counter(shares(held, together)) == kept
