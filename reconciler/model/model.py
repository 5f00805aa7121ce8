"""All documents in effect as one immutable value, with the indexes that make asking it cheap.

A changed model shares everything that didn't change with the one it came from (hash array mapped tries), so
the ledger can judge transaction after transaction on a repository of any size.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from immutables import Map, MapMutation

from reconciler.model import claims
from reconciler.model.addresses import IPAddress, parse_ip, parse_prefix
from reconciler.model.claims import Claim, Mention
from reconciler.model.documents import Document, Farm, Grant, Network, Node, Policy, Suspension, Tenant
from reconciler.model.paths import (
    POLICY_PATH,
    Place,
    farm_path,
    grant_path,
    network_path,
    node_ref_path,
    place_of,
    suspension_path,
    tenant_path,
)
from reconciler.model.sharing import shares

_Kind = TypeVar("_Kind", bound=Document)
_Owners = tuple[str, ...]


class Model:
    """Documents by path. Lookups return None for what isn't there; iterators go in order of path."""

    __slots__ = ("_claims", "_mentions", "_open_shares", "_totals", "documents")

    def __init__(
        self,
        documents: Map[str, Document],
        claims: Map[Claim, _Owners],
        mentions: Map[Mention, Map[str, int]],
        totals: Map[Mention, int],
    ) -> None:
        self.documents = documents
        self._claims = claims
        self._mentions = mentions
        self._totals = totals
        self._open_shares: dict[str, dict[str, int]] = {}  # by farm, worked out when first asked for

    @classmethod
    def of(cls, documents: Mapping[str, Document]) -> Model:
        """The model of these documents, by governed path. Raises ValueError for any other path."""
        return EMPTY.with_changes(documents)

    def with_changes(self, changes: Mapping[str, Document | None]) -> Model:
        """This model with some documents put in place and others (None) gone."""
        change = _Change(self)
        for path, document in changes.items():
            change.put(path, document)
        return change.finish()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]  # documents hold mappings

    def __repr__(self) -> str:
        return f"Model({len(self.documents)} documents)"

    def _parts(self) -> tuple[object, ...]:
        return self.documents, self._claims, self._mentions, self._totals

    # --- Documents by name -----------------------------------------------------------------------

    @property
    def policy(self) -> Policy | None:
        return self._get(POLICY_PATH, Policy)

    def farm(self, name: str) -> Farm | None:
        return self._get(farm_path(name), Farm)

    def node(self, ref: str) -> Node | None:
        """The node `<farm>/<node>`."""
        return self._get(node_ref_path(ref), Node)

    def grant(self, farm: str, tenant: str) -> Grant | None:
        return self._get(grant_path(farm, tenant), Grant)

    def tenant(self, name: str) -> Tenant | None:
        return self._get(tenant_path(name), Tenant)

    def suspension(self, tenant: str) -> Suspension | None:
        """Root's word that the tenant is stopped."""
        return self._get(suspension_path(tenant), Suspension)

    def network(self, tenant: str, name: str) -> Network | None:
        return self._get(network_path(tenant, name), Network)

    def _get(self, path: str, kind: type[_Kind]) -> _Kind | None:
        document = self.documents.get(path)
        return document if isinstance(document, kind) else None

    # --- Many at once ----------------------------------------------------------------------------

    def networks(self) -> Iterator[tuple[str, Network]]:
        """Every network with its tenant's name. Costs a walk over all documents."""
        return self._networks_at(sorted(self.documents))

    def networks_of(self, tenant: str) -> Iterator[Network]:
        """The networks of one tenant."""
        return (network for _, network in self._networks_at(self._mentioning(claims.of_tenant(tenant))))

    def networks_on(self, node: str) -> Iterator[tuple[str, Network]]:
        """Every network with a NR on the node `<farm>/<node>`, with its tenant's name."""
        return self._networks_at(self._mentioning(claims.on_node(node)))

    def networks_in(self, farm: str) -> Iterator[tuple[str, Network]]:
        """Every network with a NR on some node of a farm, with its tenant's name."""
        return self._networks_at(self._mentioning(claims.on_farm(farm)))

    def networks_of_on(self, tenant: str, node: str) -> Iterator[Network]:
        """The networks of one tenant with a NR on the node `<farm>/<node>`."""
        paths = self._mentioning(claims.resources_on_node(node, tenant))
        return (network for _, network in self._networks_at(paths))

    def _networks_at(self, paths: Iterable[str]) -> Iterator[tuple[str, Network]]:
        for path in paths:
            document = self.documents[path]
            if isinstance(document, Network):
                yield _place(path).tenant, document

    def tenants_on(self, farm: str) -> Iterator[tuple[str, int]]:
        """Every tenant with NRs on a farm, with how many, in no order. Costs a walk over its networks."""
        tenants = dict.fromkeys(_place(path).tenant for path in self._mentions.get(claims.on_farm(farm), ()))
        return ((tenant, self.resource_count(farm, tenant)) for tenant in tenants)

    def farms(self) -> Iterator[tuple[str, Farm]]:
        """Every farm with its name."""
        for path in self._mentioning(claims.A_FARM):
            document = self.documents[path]
            if isinstance(document, Farm):
                yield document.metadata.name, document

    def nodes_in(self, farm: str) -> Iterator[tuple[str, Node]]:
        """The nodes of one farm, each with its name."""
        for path in self._mentioning(claims.in_farm(farm)):
            document = self.documents[path]
            if isinstance(document, Node):
                yield document.metadata.name, document

    def _mentioning(self, mention: Mention) -> list[str]:
        return sorted(self._mentions.get(mention, ()))

    # --- What is taken ---------------------------------------------------------------------------

    def claimants(self, claim: Claim) -> tuple[str, ...]:
        """The paths of the documents that make this claim, in order."""
        return self._claims.get(claim, ())

    def slot_taken(self, node: str, node_id: str, slot: int) -> bool:
        return bool(self.claimants(claims.slot_claim(node, node_id, slot)))

    def vni_taken(self, farm: str, vni: int) -> bool:
        return bool(self.claimants(claims.vni_claim(farm, vni)))

    def resource_count(self, farm: str, tenant: str) -> int:
        """How many NRs a tenant has on a farm, over all its networks."""
        return self._totals.get(claims.resources_in_farm(farm, tenant), 0)

    def resource_count_on(self, node: str, tenant: str) -> int:
        """How many NRs a tenant has on the node `<farm>/<node>`, over all its networks."""
        return self._totals.get(claims.resources_on_node(node, tenant), 0)

    def node_count(self, farm: str) -> int:
        return self._totals.get(claims.in_farm(farm), 0)

    def network_count(self, tenant: str) -> int:
        return self._totals.get(claims.of_tenant(tenant), 0)

    def open_resource_count(self, farm: str) -> int:
        """How many NRs on a farm are of tenants that it has given no grant of their own."""
        return self._totals.get(claims.open_in_farm(farm), 0)

    def open_shares(self, farm: str) -> Mapping[str, int]:
        """How many NRs each tenant may run on a farm's open grant, of those that it holds there.

        Costs a walk over the networks on the farm, once.
        """
        if farm not in self._open_shares:
            self._open_shares[farm] = self._shared_out(farm)
        return self._open_shares[farm]

    def _shared_out(self, farm: str) -> dict[str, int]:
        site = self.farm(farm)
        if site is None or site.spec.open_grant is None:
            return {}
        most = site.spec.open_grant.max_resources_per_tenant
        on_it = (holder for holder in self.tenants_on(farm) if self.grant(farm, holder[0]) is None)
        return shares({tenant: min(held, most) for tenant, held in on_it}, site.spec.open_grant.max_resources)

    def fast_address(self, ref: str) -> IPAddress | None:
        """The node's address in its farm's fast network; None if it has none or it lies outside."""
        node, farm = self.node(ref), self.farm(ref.partition("/")[0])
        if node is None or node.spec.fast is None or farm is None or farm.spec.fast_network is None:
            return None
        address = parse_ip(node.spec.fast.address)
        return address if address in parse_prefix(farm.spec.fast_network.prefix) else None


EMPTY = Model(Map(), Map(), Map(), Map())


class _Change:
    """A model in the making: the same maps, open for writing."""

    def __init__(self, model: Model) -> None:
        self._documents = model.documents.mutate()
        self._claims = model._claims.mutate()
        self._mentions = model._mentions.mutate()
        self._totals = model._totals.mutate()

    def put(self, path: str, document: Document | None) -> None:
        place, old = _place(path), self._documents.get(path)
        old_claims, new_claims = _claims_of(old, place), _claims_of(document, place)
        for claim in old_claims - new_claims:
            _without_owner(self._claims, claim, path)
        for claim in new_claims - old_claims:
            _with_owner(self._claims, claim, path)
        old_mentions, new_mentions = _mentions_of(old, place), _mentions_of(document, place)
        self._put_open(place, old, document, old_mentions, new_mentions)
        self._put_mentions(path, old_mentions, new_mentions)
        if document is not None:
            self._documents[path] = document
        elif old is not None:
            del self._documents[path]

    def _put_mentions(self, path: str, old: Counter[Mention], new: Counter[Mention]) -> None:
        for mention in old.keys() | new.keys():
            if new[mention] != old[mention]:
                _recount(self._mentions, mention, path, new[mention])
                _add(self._totals, mention, new[mention] - old[mention])

    def _put_open(
        self,
        place: Place,
        old: Document | None,
        new: Document | None,
        old_mentions: Counter[Mention],
        new_mentions: Counter[Mention],
    ) -> None:
        """Keep count of what stands on a farm's open grant, whichever of network and grant comes first."""
        if place.kind is Grant and (old is None) != (new is None):
            held = self._totals.get(claims.resources_in_farm(place.farm, place.tenant), 0)
            self._add_open(place.farm, held if new is None else -held)
        for mention in old_mentions.keys() | new_mentions.keys() if place.kind is Network else ():
            farm = claims.farm_of(mention)
            if farm is not None and grant_path(farm, place.tenant) not in self._documents:
                self._add_open(farm, new_mentions[mention] - old_mentions[mention])

    def _add_open(self, farm: str, difference: int) -> None:
        if difference:
            _add(self._totals, claims.open_in_farm(farm), difference)

    def finish(self) -> Model:
        return Model(
            self._documents.finish(), self._claims.finish(), self._mentions.finish(), self._totals.finish()
        )


def _place(path: str) -> Place:
    place = place_of(path)
    if place is None:
        raise ValueError(f"no document belongs at {path}")
    return place


def _claims_of(document: Document | None, place: Place) -> set[Claim]:
    return set() if document is None else {claim for claim, _ in claims.claims(document, place)}


def _mentions_of(document: Document | None, place: Place) -> Counter[Mention]:
    return Counter() if document is None else Counter(claims.mentions(document, place))


def _with_owner(owners: MapMutation[Claim, _Owners], claim: Claim, path: str) -> None:
    """Put in where it belongs: ten thousand documents that claim one thing shall not cost much."""
    known = owners.get(claim, ())
    at = bisect_left(known, path)
    owners[claim] = (*known[:at], path, *known[at:])


def _without_owner(owners: MapMutation[Claim, _Owners], claim: Claim, path: str) -> None:
    left = tuple(owner for owner in owners[claim] if owner != path)
    if left:
        owners[claim] = left
    else:
        del owners[claim]


def _recount(mentions: MapMutation[Mention, Map[str, int]], mention: Mention, path: str, count: int) -> None:
    counts: Map[str, int] = mentions.get(mention, Map())
    counts = counts.set(path, count) if count else counts.delete(path)
    if counts:
        mentions[mention] = counts
    else:
        del mentions[mention]


def _add(totals: MapMutation[Mention, int], mention: Mention, difference: int) -> None:
    total = totals.get(mention, 0) + difference
    if total:
        totals[mention] = total
    else:
        del totals[mention]
