"""From what somebody sees in a kernel to the fields of documents from which it was made.

By the names and numbers alone that `compile` derives: interfaces and namespaces carry a network's id,
addresses lie in an NR's slice or belong to its slot, a port is a slot of the farm's range.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.compile import names
from reconciler.compile.addresses import nr_slice, transit
from reconciler.model.addresses import IPAddress, parse_ip
from reconciler.model.documents import Farm, Network, Node, Resource
from reconciler.model.model import Model
from reconciler.model.netid import netid
from reconciler.model.paths import farm_path, network_path, node_ref_path
from reconciler.model.suspension import suspensions
from reconciler.model.yaml import Pointer


@dataclass(frozen=True, slots=True)
class Source:
    """A field of a document."""

    path: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class KernelOrigin:
    """What it is and of whom, the fields it was made from, and why it isn't there, if it is suspended."""

    what: str
    sources: tuple[Source, ...]
    suspended: str = ""


@dataclass(frozen=True, slots=True)
class _Nr:
    """One NR with the documents around it."""

    model: Model
    tenant: str
    network: Network
    number: int

    @property
    def resource(self) -> Resource:
        return self.network.spec.resources[self.number]

    @property
    def farm(self) -> Farm | None:
        return self.model.farm(self.farm_name)

    @property
    def farm_name(self) -> str:
        return self.resource.node.partition("/")[0]

    def own(self, *field: str) -> Source:
        """A field of the NR."""
        return self.of_network("spec", "resources", self.number, *field)

    def of_network(self, *pointer: str | int) -> Source:
        return Source(network_path(self.tenant, self.network.metadata.name), pointer)

    def of_farm(self, *pointer: str) -> Source:
        return Source(farm_path(self.farm_name), pointer)

    def of_node(self, *pointer: str | int) -> Source:
        return Source(node_ref_path(self.resource.node), pointer)

    def origin(self, what: str, *sources: Source) -> KernelOrigin:
        name = self.network.metadata.name
        idle = suspensions(self.model, self.tenant, name).get(self.resource.node)
        told = f"{what} of {self.tenant}/{name} on {self.resource.node}"
        return KernelOrigin(told, (self.of_network("metadata", "name"), *sources), str(idle or ""))


_Made = Callable[[_Nr], KernelOrigin]


def _bridge(nr: _Nr) -> KernelOrigin:
    return nr.origin("the bridge", nr.own("node"), nr.own("index"))


def _wireguard(nr: _Nr) -> KernelOrigin:
    fields = (nr.own("publicKey"), nr.own("sealed"), nr.own("slot"), nr.of_farm("spec", "udpPorts"))
    return nr.origin("the WireGuard interface", *fields)


def _vxlan(nr: _Nr) -> KernelOrigin:
    vni = nr.of_network("spec", "vnis", nr.farm_name)
    return nr.origin(
        "the VXLAN interface", vni, nr.of_farm("spec", "fastNetwork"), nr.of_node("spec", "fast")
    )


def _uplink(nr: _Nr) -> KernelOrigin:
    return nr.origin("the uplink", nr.own("node"), nr.own("slot"))


def _transit(nr: _Nr) -> KernelOrigin:
    return nr.origin("the node's end of the uplink", nr.own("node"), nr.own("slot"))


def _namespace(nr: _Nr) -> KernelOrigin:
    return nr.origin("the namespace", nr.own())


def _table(nr: _Nr) -> KernelOrigin:
    ranges = (nr.of_network("spec", "ipv4"), nr.of_network("spec", "ipv6"), nr.own("index"))
    relays, kept = nr.of_network("spec", "relays"), nr.of_farm("spec", "reserved")
    return nr.origin("the nftables table", *ranges, relays, kept, nr.of_farm("spec", "fastNetwork"))


_PREFIXES: tuple[tuple[Callable[[str], str], _Made], ...] = (
    (names.bridge_name, _bridge),
    (names.wireguard_name, _wireguard),
    (names.vxlan_name, _vxlan),
    (names.uplink_name, _uplink),
    (names.transit_name, _transit),
    (names.namespace_name, _namespace),
    (lambda found: f"nft:{names.namespace_name(found)}", _table),
)
_PORT = re.compile(r"(?:udp[/:]|:)?([0-9]{1,5})")


def origins(model: Model, what: str, node: str = "") -> tuple[KernelOrigin, ...]:
    """Everything that `what` may be, on one node (`<farm>/<node>`) or on all."""
    found = (*_of_nrs(model, what, node), *_of_node(model, what, node))
    return tuple(dict.fromkeys(found))


def _of_nrs(model: Model, what: str, node: str) -> Iterator[KernelOrigin]:
    address, port = _address(what), _PORT.fullmatch(what)
    for nr in _nrs(model, node):
        name = netid(nr.tenant, nr.network.metadata.name)
        yield from (made(nr) for called, made in _PREFIXES if called(name) == what)
        if address is not None:
            yield from _by_address(nr, address)
        if port is not None:
            yield from _by_port(nr, int(port[1]))
        if nr.resource.public_key == what:
            yield nr.origin("the WireGuard key", nr.own("publicKey"))


def _nrs(model: Model, node: str) -> Iterator[_Nr]:
    for tenant, network in model.networks_on(node) if node else model.networks():
        for number, resource in enumerate(network.spec.resources):
            if not node or resource.node == node:
                yield _Nr(model, tenant, network, number)


def _address(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_interface(text).ip
    except ValueError:
        return None


def _by_address(nr: _Nr, address: IPAddress) -> Iterator[KernelOrigin]:
    try:
        own = nr_slice(nr.network.spec.ipv4, nr.network.spec.ipv6, nr.resource.index)
    except ValueError:
        return
    for field, part in (("ipv4", own.ipv4), ("ipv6", own.ipv6)):
        if address in part:
            yield nr.origin(f"an address in {part}", nr.of_network("spec", field), nr.own("index"))
    pair = transit(nr.resource.slot)
    ends = (pair.lower_ipv4, pair.upper_ipv4, pair.lower_ipv6, pair.upper_ipv6)
    if address in {end.ip for end in ends}:
        yield nr.origin("a transit address", nr.own("slot"))


def _by_port(nr: _Nr, port: int) -> Iterator[KernelOrigin]:
    farm = nr.farm
    if farm is not None and farm.spec.udp_ports.first + nr.resource.slot - 1 == port:
        yield nr.origin(f"the UDP port {port}", nr.own("slot"), nr.of_farm("spec", "udpPorts"))


# --- what serves a node as a whole ---------------------------------------------------------------------


def _of_node(model: Model, what: str, node: str) -> Iterator[KernelOrigin]:
    address = _address(what)
    for ref, document in _nodes(model, node):
        path, farm = node_ref_path(ref), farm_path(ref.partition("/")[0])
        if what in _NODE_OBJECTS and (node or what != names.NAT_LINK):
            sources = (Source(path, ("metadata", "name")), Source(path, ("spec", "uplink")))
            kept = (Source(farm, ("spec", "udpPorts")), Source(farm, ("spec", "reserved")))
            yield KernelOrigin(f"{_NODE_OBJECTS[what]} of the node {ref}", (*sources, *kept))
        yield from _node_address(ref, document, address)


_NODE_OBJECTS = {
    names.NAT_NAMESPACE: "the namespace between all NRs and the uplink",
    names.NODE_LINK: "the node's end of the link to it",
    names.NAT_LINK: "its end of the link to the node",
    f"nft:{names.NAT_NAMESPACE}": "the nftables table of that namespace",
    f"nft:{names.TABLE}": "the nftables table in the node's own namespace",
}


def _nodes(model: Model, node: str) -> Iterator[tuple[str, Node]]:
    for farm, _ in model.farms():
        for name, document in model.nodes_in(farm):
            if node in ("", f"{farm}/{name}"):
                yield f"{farm}/{name}", document


def _node_address(ref: str, node: Node, address: IPAddress | None) -> Iterator[KernelOrigin]:
    path = node_ref_path(ref)
    for number, endpoint in enumerate(node.spec.endpoints):
        if parse_ip(endpoint) == address:
            yield KernelOrigin(
                f"an endpoint of the node {ref}", (Source(path, ("spec", "endpoints", number)),)
            )
    if node.spec.fast is not None and parse_ip(node.spec.fast.address) == address:
        yield KernelOrigin(
            f"the fast address of the node {ref}", (Source(path, ("spec", "fast", "address")),)
        )
