"""Picking what must be unique and can't be derived: index, slot, VNI, address range.

The command line picks at commit time and writes down; every node checks, and the earlier transaction wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Set
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

from reconciler.authoring.errors import AuthoringError
from reconciler.model.documents import Farm, Network
from reconciler.model.model import Model

_FIRST_VNI, _VNIS = 4097, 1 << 24  # above the VLAN ids, so that nobody takes one for the other
_IPV6_SUBNETS = 1 << 16  # /64s in a /48
_FIRST_TEN, _TENS = 16, 224  # 10.16.0.0/16 to 10.239.0.0/16: homes and offices crowd at both ends of 10/8


def next_index(network: Network) -> int:
    """The number of a network's next NR: above all in use, so that an address isn't soon used again."""
    used = {resource.index for resource in network.spec.resources}
    limit = min(_ipv4_subnets(network), _IPV6_SUBNETS) - 1
    above = max(used, default=0) + 1
    if above <= limit:
        return above
    what = f"{network.metadata.name}: every one of the {limit} subnets of {network.spec.ipv4} is in use"
    return _lowest_free(used, limit, what, "take a node off the network, or make a second network")


def next_slot(model: Model, node: str) -> int:
    """The lowest slot that no NR has on `node` ("farm/node"); UDP port and transit addresses follow it."""
    farm = _farm(model, node.split("/")[0])
    used = {
        resource.slot
        for _, network in model.networks_on(node)
        for resource in network.spec.resources
        if resource.node == node
    }
    limit = farm.spec.udp_ports.count
    what = f"{node}: all {limit} UDP ports of the farm are in use on this node"
    return _lowest_free(used, limit, what, "choose another node, or ask the farmer for a larger port range")


def next_vni(model: Model, farm: str) -> int:
    """The lowest VXLAN network identifier that no network uses in `farm`."""
    for vni in range(_FIRST_VNI, _VNIS):
        if not model.vni_taken(farm, vni):
            return vni
    raise AuthoringError(f"{farm}: all VXLAN network identifiers are in use")


def ula_prefix(netid: str) -> IPv6Network:
    """A network's own /48: fd00::/8 and 40 bits that nobody chooses (RFC 4193, section 3.2.2: by hashing)."""
    global_id = hashlib.sha256(b"tnet/v1 ula " + netid.encode()).digest()[:5]
    return IPv6Network((IPv6Address(b"\xfd" + global_id + bytes(10)), 48))


def ipv4_range(model: Model, netid: str) -> IPv4Network:
    """A /16 of 10/8 that no farm reserves; where to begin looking depends on the network's name alone."""
    start = hashlib.sha256(b"tnet/v1 ipv4 " + netid.encode()).digest()[0]
    taken = [prefix for prefix in _reserved(model) if prefix.version == 4]
    for step in range(_TENS):
        candidate = IPv4Network(f"10.{_FIRST_TEN + (start + step) % _TENS}.0.0/16")
        if not any(candidate.overlaps(prefix) for prefix in taken):
            return candidate
    raise AuthoringError("every /16 of 10.0.0.0/8 overlaps a prefix that a farm reserves", "choose: --ipv4")


def _reserved(model: Model) -> Iterator[IPv4Network | IPv6Network]:
    for document in model.documents.values():
        if isinstance(document, Farm):
            yield from (ip_network(prefix) for prefix in document.spec.reserved)
            if document.spec.fast_network:
                yield ip_network(document.spec.fast_network.prefix)


def _farm(model: Model, name: str) -> Farm:
    farm = model.farm(name)
    if farm is None:
        raise AuthoringError(f"there is no farm {name}", "`tnet log` shows what root has added")
    return farm


def _ipv4_subnets(network: Network) -> int:
    return 1 << (24 - ip_network(network.spec.ipv4).prefixlen)


def _lowest_free(used: Set[int], limit: int, exhausted: str, advice: str) -> int:
    for number in range(1, limit + 1):
        if number not in used:
            return number
    raise AuthoringError(exhausted, advice)
