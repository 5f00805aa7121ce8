"""A whole farm of fake kernels: what is compiled for each node of a `Fleet`, converged, and joined.

Every node's uplink is in one routed internet (hidden nodes behind NAT), its fast NIC in its farm's segment.
In every NR a container is plugged into the bridge, at .10 and ::10 of the NR's slice. `OUTSIDE` is a host on
the internet that has nothing to do with us.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv6Interface, ip_interface, ip_network

from property_tests.engine_node import FakeNode, Keys
from property_tests.fake_messages import ChangeAddress, ChangeRoute, Ends, NewLink, Request, SetLink
from property_tests.farms import FAST_NIC, UPLINK, Fleet, NetworkSketch, NodeSketch, ResourceSketch
from reconciler.compile.addresses import nr_slice
from reconciler.compile.names import bridge_name, namespace_name, netid
from reconciler.kernel.fake import FakeTransport, World, boot
from reconciler.kernel.fake.reachability import Underlay
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import HOST, IPAddress, IPInterface, WireGuardPeer

INTERNET, OUTSIDE = "internet", "outside"
OUTSIDE_ADDRESSES = (ip_interface("203.0.113.9/24"), ip_interface("2001:db8:ffff::9/64"))
FIRST_CONTAINER_INDEX = 1 << 24


@dataclass(frozen=True)
class Container:
    """A tenant's container beside one NR."""

    network: NetworkSketch
    resource: ResourceSketch
    ipv4: IPv4Interface
    ipv6: IPv6Interface

    @property
    def place(self) -> tuple[str, str]:
        return self.resource.node, f"c-{netid(*self.network.key)}"

    @property
    def router(self) -> tuple[str, str]:
        return self.resource.node, namespace_name(netid(*self.network.key))

    def address(self, version: int) -> IPAddress:
        return self.ipv4.ip if version == 4 else self.ipv6.ip


class _Node(FakeNode):
    """A fake node whose private keys the other nodes' peers fit to."""

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def _with_real_key(self, item: KernelObject) -> KernelObject:
        if isinstance(item, WireGuardPeer):
            return replace(item, public_key=self._keys.real(item.public_key))
        return super()._with_real_key(item)


class FakeFarm:
    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.underlay = Underlay()
        self.unlisted: set[IPAddress] = set()
        """Addresses of uplinks that are no endpoints."""
        self._nodes: dict[str, _Node] = {}
        keys = Keys()
        for node in fleet.present:
            self._nodes[node.ref] = self._built(node, keys)
        self._outside()
        self.containers = [self._container(*one) for one in _resources(fleet)]

    def world(self, node: str) -> World:
        return self._nodes[node].world

    def _built(self, sketch: NodeSketch, keys: Keys) -> _Node:
        node = _Node(keys)
        self.underlay.machine(sketch.ref, node.world)
        self.underlay.plug(sketch.ref, UPLINK, INTERNET, routed=True, behind_nat=not sketch.public)
        endpoints, spare = _uplink_addresses(self.fleet, sketch)
        self.unlisted |= {address.ip for address in spare}
        for address in (*endpoints, *spare):
            _address(node.world, UPLINK, address)
        _default_routes(node.world, HOST, _index(node.world, HOST, UPLINK))
        self._plug_fast(sketch, node.world)
        graphs = node.graphs(self.fleet, sketch.ref)
        results = node.process().converge(graphs)
        bad = [result for result in results.values() if not result.ok]
        assert not bad, bad
        return node

    def _plug_fast(self, sketch: NodeSketch, world: World) -> None:
        address = self.fleet.model.fast_address(sketch.ref)
        if address is not None:
            self.underlay.plug(sketch.ref, FAST_NIC, f"fast {sketch.farm}")
            _address(world, FAST_NIC, ip_interface(f"{address}/{24 if address.version == 4 else 64}"))

    def _outside(self) -> None:
        world = boot()
        _ask(world, NewLink(HOST, "bridge", Ends(UPLINK, up=True)))
        for address in OUTSIDE_ADDRESSES:
            _address(world, UPLINK, address)
        _default_routes(world, HOST, _index(world, HOST, UPLINK))
        self.underlay.machine(OUTSIDE, world)
        self.underlay.plug(OUTSIDE, UPLINK, INTERNET, routed=True)

    def _container(self, network: NetworkSketch, resource: ResourceSketch) -> Container:
        mine = nr_slice(ip_network(network.ipv4), ip_network(network.ipv6), resource.index)
        ipv4 = IPv4Interface((int(mine.ipv4.network_address) + 10, mine.ipv4.prefixlen))
        ipv6 = IPv6Interface((int(mine.ipv6.network_address) + 16, mine.ipv6.prefixlen))
        container = Container(network, resource, ipv4, ipv6)
        _plug_in(self.world(resource.node), container, mine.gateway_ipv4.ip, mine.gateway_ipv6.ip)
        return container


def _resources(fleet: Fleet) -> list[tuple[NetworkSketch, ResourceSketch]]:
    return [(network, resource) for network in fleet.networks for resource in network.resources]


def _uplink_addresses(fleet: Fleet, node: NodeSketch) -> tuple[list[IPInterface], list[IPInterface]]:
    """Its endpoints; and addresses of the families it has no endpoint of."""
    found = fleet.model.node(node.ref)
    assert found is not None
    endpoints = [ip_interface(endpoint) for endpoint in found.spec.endpoints]
    number = fleet.nodes.index(node.ref) + 1
    spare = [ip_interface(f"192.168.{100 + number}.2"), ip_interface(f"fd77::{number}")]
    versions = {one.version for one in endpoints}
    return endpoints, [one for one in spare if one.version not in versions]


def _plug_in(world: World, container: Container, *gateways: IPAddress) -> None:
    """A veth from the container's own namespace into the NR's bridge, with addresses and default routes."""
    name, router = container.place[1], container.router[1]
    transport = FakeTransport(world)
    transport.namespace_add(name)
    transport.sysctl_write(name, [("net/ipv6/conf/default/addr_gen_mode", "1")])
    bridge = _index(world, router, bridge_name(netid(*container.network.key)))
    index = FIRST_CONTAINER_INDEX
    _ask(world, NewLink(name, "veth", Ends("eth0", index), peer=Ends("c0", index + 1, moved_to=router)))
    _ask(world, SetLink(router, Ends(index=index + 1, master=bridge, up=True)))
    _ask(world, SetLink(name, Ends(index=index, up=True)))
    for address in (container.ipv4, container.ipv6, ip_interface("fe80::10/64")):
        _ask(world, ChangeAddress(name, address, index))
    for gateway in gateways:
        everywhere = ip_network("0.0.0.0/0" if gateway.version == 4 else "::/0")
        _ask(world, ChangeRoute(name, everywhere, index, via=gateway))


def _address(world: World, link: str, address: IPv4Interface | IPv6Interface) -> None:
    _ask(world, ChangeAddress(HOST, address, _index(world, HOST, link)))


def _default_routes(world: World, namespace: str, index: int) -> None:
    for everywhere in ("0.0.0.0/0", "::/0"):
        _ask(world, ChangeRoute(namespace, ip_network(everywhere), index, protocol=4))


def _index(world: World, namespace: str, link: str) -> int:
    space = world.space(namespace)
    found = None if space is None else space.named(link)
    assert found is not None, f"no {link} in {namespace or 'the host'}"
    return found.index


def _ask(world: World, request: Request) -> None:
    transport = FakeTransport(world)
    (ack,) = transport.route_request(request.space, [request.encode(transport.namespace_handle)])
    assert ack.code == 0, f"{request}: {ack}"


def linked(fleet: Fleet, left: NodeSketch, right: NodeSketch) -> bool:
    """Whether two NRs of one network have a link of their own, told from the rules and not from `compile`."""
    fast = fleet.model.fast_address
    in_one_fast_network = left.farm == right.farm and fast(left.ref) and fast(right.ref)
    return bool(in_one_fast_network) or left.public or right.public


def connected(fleet: Fleet, network: NetworkSketch, left: str, right: str) -> bool:
    """The same, or by the way of one of the network's relays."""
    one, other = fleet.node(left), fleet.node(right)
    if linked(fleet, one, other):
        return True
    relays = [fleet.node(relay) for relay in network.relays if network.on(relay) is not None]
    return any(
        relay.ref not in (left, right) and linked(fleet, one, relay) and linked(fleet, relay, other)
        for relay in relays
    )
