"""One NR as the other NRs of its network see it: where it is, how it is reached, what it holds."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.compile.addresses import Slice, nr_slice, udp_port
from reconciler.kernel.objects import IPAddress
from reconciler.model.addresses import parse_ip
from reconciler.model.documents import Farm, Network, Node, Resource


@dataclass(frozen=True, slots=True)
class FastSegment:
    """A farm's fast network as one network uses it: members of equal segments reach each other by VXLAN."""

    farm: str
    vni: int
    mtu_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A NR that is not suspended.

    `endpoint` is where its WireGuard can be dialled, None for a hidden node. `fast` and `fast_address` are
    both None where VXLAN is not to be had: no fast network, no port in it, or no VNI for the farm.
    """

    node: str
    index: int
    slot: int
    public_key: str
    slice: Slice
    listen_port: int
    endpoint: tuple[IPAddress, int] | None
    fast: FastSegment | None = None
    fast_address: IPAddress | None = None

    @property
    def public(self) -> bool:
        return self.endpoint is not None


def member(
    network: Network, resource: Resource, farm: Farm, node: Node, fast_address: IPAddress | None
) -> Member:
    """`fast_address` is the node's place in the farm's fast network, None if it has none.

    Raises ValueError where index or slot doesn't fit the ranges it is taken from.
    """
    port = udp_port(farm.spec.udp_ports, resource.slot)
    fast = None if fast_address is None else _segment(network, farm)
    return Member(
        node=resource.node,
        index=resource.index,
        slot=resource.slot,
        public_key=resource.public_key,
        slice=nr_slice(network.spec.ipv4, network.spec.ipv6, resource.index),
        listen_port=port,
        endpoint=_endpoint(node, port),
        fast=fast,
        fast_address=None if fast is None else fast_address,
    )


def _endpoint(node: Node, port: int) -> tuple[IPAddress, int] | None:
    if node.spec.reachability == "hidden" or not node.spec.endpoints:
        return None
    return parse_ip(node.spec.endpoints[0]), port


def _segment(network: Network, farm: Farm) -> FastSegment | None:
    vni = network.spec.vnis.get(farm.metadata.name)
    if farm.spec.fast_network is None or vni is None:
        return None
    return FastSegment(farm.metadata.name, vni, farm.spec.fast_network.mtu_bytes)
