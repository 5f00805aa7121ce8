"""Whole valid farms for hypothesis: sites with nodes, tenants, networks; and how one becomes another.

A `Fleet` is a short description whose repr a person can read; `fleet.documents` and `fleet.model` are made
from it. Keys, ids, VNIs and addresses derive from names, so that a failing example shrinks to a few names
and flags. Nothing is sealed: ciphertexts are zeros of the right length.

    @given(farms.fleets())
    def test_something(fleet): compile_node(fleet.model, fleet.nodes[0]) ...

    @given(farms.changed_fleets())
    def test_transition(change): change.before, change.after, change.what
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from reconciler.model.documents import (
    Document,
    Farm,
    FarmSpec,
    FastNetwork,
    FastPort,
    Grant,
    GrantSpec,
    Metadata,
    Network,
    NetworkSpec,
    Node,
    NodeSpec,
    Policy,
    PolicySpec,
    PortRange,
    Principal,
    Resource,
    SealedKey,
    SealingKey,
    Signers,
    Suspension,
    SuspensionSpec,
    Tenant,
    TenantSpec,
)
from reconciler.model.model import Model
from reconciler.model.paths import (
    POLICY_PATH,
    farm_path,
    grant_path,
    network_path,
    node_path,
    suspension_path,
    tenant_path,
)
from reconciler.model.sealed_format import CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES, node_id, sealing_key_id

FARM_NAMES = ("paris", "lyon", "oslo")
NODE_NAMES = ("p1", "p2", "p3", "p4")
TENANT_NAMES = ("acme", "globex", "initech")
NETWORK_NAMES = ("web", "lab")
IPV4_RANGES = ("10.1.0.0/16", "10.2.0.0/20", "172.16.0.0/12")
IPV6_RANGES = ("fd01:1:1::/48", "fd02:2:2::/48")
"""So few that tenants have equal ranges more often than not."""

API: Literal["tnet/v1"] = "tnet/v1"
UPLINK, FAST_NIC = "eth0", "fast0"
FIRST_PORT, PORTS = 51820, 200


# --- descriptions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NodeSketch:
    """`fast` asks for a port in the farm's fast network, if the farm has one."""

    farm: str
    name: str
    public: bool
    fast: bool = False
    ipv6_endpoint: bool = False

    @property
    def ref(self) -> str:
        return f"{self.farm}/{self.name}"


@dataclass(frozen=True)
class FarmSketch:
    """`fast_mtu` is None for a farm without a fast network."""

    name: str
    fast_mtu: int | None = None
    fast_ipv6: bool = False


@dataclass(frozen=True)
class ResourceSketch:
    node: str
    index: int
    slot: int


@dataclass(frozen=True)
class NetworkSketch:
    tenant: str
    name: str
    ipv4: str
    ipv6: str
    resources: tuple[ResourceSketch, ...] = ()
    relays: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.tenant, self.name

    def on(self, node: str) -> ResourceSketch | None:
        return next((resource for resource in self.resources if resource.node == node), None)


@dataclass(frozen=True)
class Fleet:
    """Farms, nodes and networks.

    `ungranted` are (farm, tenant) pairs without a grant, `absent` nodes whose document was removed, `stopped`
    tenants whom root has suspended: NRs there, or theirs, are suspended. Only what stood before can be so;
    `fleets` makes none, `changes` does.
    """

    farms: tuple[FarmSketch, ...]
    nodes_: tuple[NodeSketch, ...]
    networks: tuple[NetworkSketch, ...]
    ungranted: frozenset[tuple[str, str]] = frozenset()
    absent: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node, absent ones too, as `<farm>/<node>`."""
        return tuple(node.ref for node in self.nodes_)

    @property
    def present(self) -> tuple[NodeSketch, ...]:
        return tuple(node for node in self.nodes_ if node.ref not in self.absent)

    @property
    def tenants(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(network.tenant for network in self.networks))

    def farm(self, name: str) -> FarmSketch:
        return next(farm for farm in self.farms if farm.name == name)

    def node(self, ref: str) -> NodeSketch:
        return next(node for node in self.nodes_ if node.ref == ref)

    def network(self, tenant: str, name: str) -> NetworkSketch | None:
        return next((network for network in self.networks if network.key == (tenant, name)), None)

    @cached_property
    def documents(self) -> dict[str, Document]:
        return dict(_documents(self))

    @cached_property
    def model(self) -> Model:
        return Model.of(self.documents)


@dataclass(frozen=True)
class Change:
    """`what` says in words how `before` became `after`."""

    what: str
    before: Fleet
    after: Fleet


# --- from descriptions to documents --------------------------------------------------------------------


def _digest(*words: object) -> bytes:
    return hashlib.sha256(" ".join(map(str, words)).encode()).digest()


def wireguard_key(tenant: str, network: str, node: str) -> str:
    """The public key of that NR."""
    return base64.b64encode(_digest("wireguard", tenant, network, node)).decode()


def _ssh_key(name: str) -> str:
    words = (b"ssh-ed25519", _digest("ssh", name))
    blob = b"".join(struct.pack(">I", len(word)) + word for word in words)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def _sealing_key(ref: str) -> bytes:
    return (_digest("sealing", ref) * (PUBLIC_KEY_BYTES // 32 + 1))[:PUBLIC_KEY_BYTES]


def _signers(name: str) -> Signers:
    return Signers(principals=(Principal(name=name, keys=(_ssh_key(name),)),))


def _farm_number(name: str) -> int:
    return FARM_NAMES.index(name) + 1


def _vni(tenant: str, network: str) -> int:
    return 1 + len(NETWORK_NAMES) * TENANT_NAMES.index(tenant) + NETWORK_NAMES.index(network)


def _fast_prefix(farm: FarmSketch) -> str:
    number = _farm_number(farm.name)
    return f"fd99:{number}::/64" if farm.fast_ipv6 else f"10.99.{number}.0/24"


def _fast_address(farm: FarmSketch, node: str) -> str:
    number, host = _farm_number(farm.name), NODE_NAMES.index(node) + 1
    return f"fd99:{number}::{host}" if farm.fast_ipv6 else f"10.99.{number}.{host}"


def _endpoints(node: NodeSketch) -> tuple[str, ...]:
    number, host = _farm_number(node.farm), NODE_NAMES.index(node.name) + 1
    if not node.public:
        return ()
    return (f"2001:db8:{number}::{host}",) if node.ipv6_endpoint else (f"192.0.2.{10 * number + host}",)


def _farm_document(farm: FarmSketch) -> Farm:
    fast = None if farm.fast_mtu is None else FastNetwork(prefix=_fast_prefix(farm), mtu_bytes=farm.fast_mtu)
    spec = FarmSpec(
        farmers=_signers(f"{farm.name}-farmer"),
        udp_ports=PortRange(first=FIRST_PORT, count=PORTS),
        fast_network=fast,
        reserved=(f"192.168.{_farm_number(farm.name)}.0/24",),
    )
    return Farm(api_version=API, metadata=Metadata(name=farm.name), spec=spec)


def _node_document(farm: FarmSketch, node: NodeSketch) -> Node:
    sealing = _sealing_key(node.ref)
    in_fast = node.fast and farm.fast_mtu is not None
    spec = NodeSpec(
        id=node_id(sealing),
        reachability="public" if node.public else "hidden",
        uplink=UPLINK,
        sealing_keys=(SealingKey(id=sealing_key_id(sealing), key=base64.b64encode(sealing).decode()),),
        endpoints=_endpoints(node),
        fast=FastPort(nic=FAST_NIC, address=_fast_address(farm, node.name)) if in_fast else None,
    )
    return Node(api_version=API, metadata=Metadata(name=node.name), spec=spec)


def _resource(network: NetworkSketch, resource: ResourceSketch) -> Resource:
    sealing = _sealing_key(resource.node)
    return Resource(
        node=resource.node,
        node_id=node_id(sealing),
        index=resource.index,
        slot=resource.slot,
        public_key=wireguard_key(network.tenant, network.name, resource.node),
        sealed=SealedKey(
            key=sealing_key_id(sealing), ciphertext=base64.b64encode(bytes(CIPHERTEXT_BYTES)).decode()
        ),
    )


def _network_document(fleet: Fleet, network: NetworkSketch) -> Network:
    farms = dict.fromkeys(resource.node.partition("/")[0] for resource in network.resources)
    vni = _vni(network.tenant, network.name)
    spec = NetworkSpec(
        ipv4=network.ipv4,
        ipv6=network.ipv6,
        resources=tuple(_resource(network, resource) for resource in network.resources),
        relays=network.relays,
        vnis={farm: vni for farm in farms if fleet.farm(farm).fast_mtu is not None},
    )
    return Network(api_version=API, metadata=Metadata(name=network.name), spec=spec)


def _documents(fleet: Fleet) -> Iterator[tuple[str, Document]]:
    policy = PolicySpec(protocol=1, version=1, root=_signers("root"))
    yield POLICY_PATH, Policy(api_version=API, metadata=Metadata(name="policy"), spec=policy)
    for farm in fleet.farms:
        yield farm_path(farm.name), _farm_document(farm)
        for tenant in fleet.tenants:
            if (farm.name, tenant) not in fleet.ungranted:
                grant = Grant(
                    api_version=API, metadata=Metadata(name=tenant), spec=GrantSpec(max_resources=64)
                )
                yield grant_path(farm.name, tenant), grant
    for node in fleet.present:
        yield node_path(node.farm, node.name), _node_document(fleet.farm(node.farm), node)
    for tenant in fleet.tenants:
        spec = TenantSpec(signers=_signers(f"{tenant}-owner"))
        yield tenant_path(tenant), Tenant(api_version=API, metadata=Metadata(name=tenant), spec=spec)
    for tenant in sorted(fleet.stopped):
        reason = SuspensionSpec(reason=f"{tenant} owes us")
        yield suspension_path(tenant), Suspension(API, Metadata(name=tenant), reason)
    for network in fleet.networks:
        yield network_path(network.tenant, network.name), _network_document(fleet, network)


# --- fleets -----------------------------------------------------------------------------------------


@st.composite
def _farms(draw: DrawFn, most: int) -> tuple[FarmSketch, ...]:
    count = draw(st.integers(1, most))
    mtu = st.sampled_from((None, 1500, 9000, 1400))
    return tuple(FarmSketch(name, draw(mtu), draw(st.booleans())) for name in FARM_NAMES[:count])


@st.composite
def _nodes(draw: DrawFn, farm: FarmSketch, most: int) -> tuple[NodeSketch, ...]:
    flags = st.tuples(st.booleans(), st.booleans(), st.booleans())
    chosen = draw(st.lists(flags, min_size=1, max_size=most))
    return tuple(
        NodeSketch(farm.name, name, public, fast, ipv6)
        for name, (public, fast, ipv6) in zip(NODE_NAMES, chosen, strict=False)
    )


def _free(taken: set[int], wish: int) -> int:
    while wish in taken:
        wish += 1
    return wish


def _slots_on(networks: tuple[NetworkSketch, ...], node: str) -> set[int]:
    placed = (network.on(node) for network in networks)
    return {resource.slot for resource in placed if resource is not None}


@st.composite
def _network(
    draw: DrawFn, nodes: tuple[NodeSketch, ...], others: tuple[NetworkSketch, ...], tenant: str, name: str
) -> NetworkSketch:
    where = draw(st.lists(st.sampled_from([node.ref for node in nodes]), min_size=1, unique=True))
    network = NetworkSketch(
        tenant, name, draw(st.sampled_from(IPV4_RANGES)), draw(st.sampled_from(IPV6_RANGES))
    )
    for ref in where:
        network = draw(_with_resource(network, others, ref))
    public = [node.ref for node in nodes if node.public and node.ref in where]
    relays = draw(st.lists(st.sampled_from(public), max_size=2, unique=True)) if public else []
    return replace(network, relays=tuple(relays))


@st.composite
def _with_resource(
    draw: DrawFn, network: NetworkSketch, others: tuple[NetworkSketch, ...], ref: str
) -> NetworkSketch:
    """The network with one NR more; `others` may hold slots on its node."""
    index = _free({resource.index for resource in network.resources}, draw(st.integers(1, 12)))
    slot = _free(_slots_on(others, ref), draw(st.integers(1, 3)))
    return replace(network, resources=(*network.resources, ResourceSketch(ref, index, slot)))


_NETWORK_KEYS = tuple((tenant, name) for tenant in TENANT_NAMES for name in NETWORK_NAMES)


@st.composite
def fleets(draw: DrawFn, farms: int = 3, nodes: int = 3, networks: int = 4, min_networks: int = 0) -> Fleet:
    """At most so many farms, nodes in each, and networks. All rules between documents hold."""
    sites = draw(_farms(farms))
    hosts = tuple(node for farm in sites for node in draw(_nodes(farm, nodes)))
    keys = draw(
        st.lists(st.sampled_from(_NETWORK_KEYS), min_size=min_networks, max_size=networks, unique=True)
    )
    made: tuple[NetworkSketch, ...] = ()
    for tenant, name in keys:
        made = (*made, draw(_network(hosts, made, tenant, name)))
    return Fleet(sites, hosts, made)


# --- changes ----------------------------------------------------------------------------------------


def _with_network(fleet: Fleet, network: NetworkSketch) -> Fleet:
    networks = tuple(network if old.key == network.key else old for old in fleet.networks)
    return replace(fleet, networks=networks)


def _others(fleet: Fleet, network: NetworkSketch) -> tuple[NetworkSketch, ...]:
    return tuple(other for other in fleet.networks if other.key != network.key)


def _free_keys(fleet: Fleet) -> list[tuple[str, str]]:
    return [key for key in _NETWORK_KEYS if fleet.network(*key) is None]


@st.composite
def _add_network(draw: DrawFn, fleet: Fleet) -> Change:
    free = _free_keys(fleet)
    tenant, name = draw(st.sampled_from(free))
    network = draw(_network(fleet.present, fleet.networks, tenant, name))
    after = replace(fleet, networks=(*fleet.networks, network))
    return Change(f"add network {tenant}/{name}", fleet, after)


@st.composite
def _remove_network(draw: DrawFn, fleet: Fleet) -> Change:
    gone = draw(st.sampled_from(fleet.networks))
    return Change(f"remove network {gone.key}", fleet, replace(fleet, networks=_others(fleet, gone)))


@st.composite
def adding_a_resource(draw: DrawFn, fleet: Fleet) -> Change:
    """One network has a NR more. There must be a network with a node to spare."""
    network = draw(st.sampled_from([network for network in fleet.networks if _spare(fleet, network)]))
    ref = draw(st.sampled_from(_spare(fleet, network)))
    grown = draw(_with_resource(network, _others(fleet, network), ref))
    return Change(f"add {ref} to {network.key}", fleet, _with_network(fleet, grown))


def _spare(fleet: Fleet, network: NetworkSketch) -> list[str]:
    return [node.ref for node in fleet.present if network.on(node.ref) is None]


@st.composite
def _remove_resource(draw: DrawFn, fleet: Fleet) -> Change:
    network = draw(st.sampled_from([network for network in fleet.networks if network.resources]))
    gone = draw(st.sampled_from(network.resources))
    left = tuple(resource for resource in network.resources if resource != gone)
    relays = tuple(relay for relay in network.relays if relay != gone.node)
    shrunk = replace(network, resources=left, relays=relays)
    return Change(f"remove {gone.node} from {network.key}", fleet, _with_network(fleet, shrunk))


@st.composite
def _set_relays(draw: DrawFn, fleet: Fleet) -> Change:
    network = draw(st.sampled_from(fleet.networks))
    public = [resource.node for resource in network.resources if fleet.node(resource.node).public]
    relays = draw(st.lists(st.sampled_from(public), max_size=2, unique=True)) if public else []
    changed = replace(network, relays=tuple(relays))
    return Change(f"relays of {network.key} are {relays}", fleet, _with_network(fleet, changed))


@st.composite
def _toggle_grant(draw: DrawFn, fleet: Fleet) -> Change:
    pairs = [(farm.name, tenant) for farm in fleet.farms for tenant in fleet.tenants]
    pair = draw(st.sampled_from(pairs))
    word = "grant" if pair in fleet.ungranted else "withdraw the grant of"
    return Change(f"{word} {pair}", fleet, replace(fleet, ungranted=fleet.ungranted ^ {pair}))


@st.composite
def _toggle_suspension(draw: DrawFn, fleet: Fleet) -> Change:
    tenant = draw(st.sampled_from(fleet.tenants))
    word = "let go on" if tenant in fleet.stopped else "suspend"
    return Change(f"{word} {tenant}", fleet, replace(fleet, stopped=fleet.stopped ^ {tenant}))


def _spare_nodes(fleet: Fleet) -> list[tuple[str, str]]:
    names = ((farm.name, name) for farm in fleet.farms for name in NODE_NAMES)
    return [(farm, name) for farm, name in names if f"{farm}/{name}" not in fleet.nodes]


@st.composite
def _add_node(draw: DrawFn, fleet: Fleet) -> Change:
    farm, name = draw(st.sampled_from(_spare_nodes(fleet)))
    node = NodeSketch(farm, name, draw(st.booleans()), draw(st.booleans()))
    return Change(f"add node {node.ref}", fleet, replace(fleet, nodes_=(*fleet.nodes_, node)))


@st.composite
def _toggle_node(draw: DrawFn, fleet: Fleet) -> Change:
    ref = draw(st.sampled_from(fleet.nodes))
    word = "bring back" if ref in fleet.absent else "remove"
    return Change(f"{word} node {ref}", fleet, replace(fleet, absent=fleet.absent ^ {ref}))


@st.composite
def _flip_node(draw: DrawFn, fleet: Fleet) -> Change:
    old = draw(st.sampled_from(fleet.nodes_))
    flipped = replace(old, public=not old.public)
    nodes = tuple(flipped if node == old else node for node in fleet.nodes_)
    return Change(
        f"{old.ref} is {'hidden' if old.public else 'public'} now", fleet, replace(fleet, nodes_=nodes)
    )


@st.composite
def changes(draw: DrawFn, fleet: Fleet) -> Change:
    """Something that a tenant or a farmer might do to this fleet in one transaction."""
    kinds: list[SearchStrategy[Change]] = [_toggle_node(fleet), _flip_node(fleet)]
    if _free_keys(fleet) and fleet.present:
        kinds.append(_add_network(fleet))
    if any(_spare(fleet, network) for network in fleet.networks):
        kinds.append(adding_a_resource(fleet))
    if fleet.networks:
        kinds += [_remove_network(fleet), _set_relays(fleet), _toggle_grant(fleet), _toggle_suspension(fleet)]
    if any(network.resources for network in fleet.networks):
        kinds.append(_remove_resource(fleet))
    if _spare_nodes(fleet):
        kinds.append(_add_node(fleet))
    return draw(st.one_of(kinds))


@st.composite
def changed_fleets(draw: DrawFn, farms: int = 3, nodes: int = 3, networks: int = 4) -> Change:
    """A fleet, and what one transaction makes of it."""
    return draw(changes(draw(fleets(farms, nodes, networks))))


@st.composite
def histories(draw: DrawFn, most: int = 5) -> tuple[Fleet, ...]:
    """A fleet, and what it becomes step by step."""
    steps = [draw(fleets())]
    for _ in range(draw(st.integers(1, most))):
        steps.append(draw(changes(steps[-1])).after)
    return tuple(steps)


@st.composite
def grown_fleets(draw: DrawFn) -> Change:
    """A fleet with at least one network, and the same with one NR more in one of them."""
    fleet = draw(fleets(min_networks=1).filter(_has_room))
    return draw(adding_a_resource(fleet))


def _has_room(fleet: Fleet) -> bool:
    return any(_spare(fleet, network) for network in fleet.networks)
