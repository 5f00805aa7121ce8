"""The rules that one document must keep by itself, beyond its types: what two of its fields agree on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import Any, cast

from reconciler.model.addresses import (
    PRIVATE_IPV4,
    TRANSIT_IPV4,
    TRANSIT_IPV6,
    UNIQUE_LOCAL_IPV6,
    AddressError,
    IPAddress,
    IPNetwork,
    is_unusable,
    overlaps_transit,
    parse_ip,
    parse_prefix,
)
from reconciler.model.base64_text import decode
from reconciler.model.documents import (
    Document,
    Farm,
    FastNetwork,
    Grant,
    Network,
    Node,
    Policy,
    PortRange,
    Resource,
    SealingKey,
    Suspension,
    Tenant,
)
from reconciler.model.paths import Place
from reconciler.model.problems import Finding
from reconciler.model.repetition import repeated
from reconciler.model.sealed_format import CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES, sealing_key_id
from reconciler.model.signers import all_principals
from reconciler.model.within_signers import naming
from reconciler.model.yaml import Pointer

Findings = Iterator[Finding]

VXLAN_PORT = 4789
"""RFC 7348; the fast networks use it on every node."""

IPV4_LENGTHS = range(8, 24)
IPV6_LENGTH = 48
SUBNET_LENGTH = 24
"""Each NR holds one /24 of its network's IPv4 range."""


def findings(document: Document, place: Place) -> list[Finding]:
    """Everything in `document` that breaks a rule, in the order of its fields."""
    rules = _RULES[type(document)]
    return [*_name(document, place), *rules(document)]


def _name(document: Document, place: Place) -> Findings:
    if document.metadata.name != place.name:
        message = f"the name is `{document.metadata.name}`, and the file's path says `{place.name}`"
        yield Finding(("metadata", "name"), "name-mismatch", message, "Rename one of them.")


# --- Who signs ---------------------------------------------------------------------------------------


def _policy(policy: Policy) -> Findings:
    return naming(policy, ("spec", "root"))


def _suspension(suspension: Suspension) -> Findings:
    """A reason is all there is to it."""
    return iter(())


def _tenant(tenant: Tenant) -> Findings:
    yield from naming(tenant, ("spec", "signers"))
    keys = {key for principal in all_principals(tenant) for key in principal.keys}
    at = ("spec", "proofs")
    yield from repeated([proof.key for proof in tenant.spec.proofs], at, "proof-twice", "the proof of", "key")
    for number, proof in enumerate(tenant.spec.proofs):
        if proof.key not in keys:
            message = "this proves the possession of a key that no principal has"
            yield Finding(
                (*at, number, "key"), "proof-without-key", message, "Remove the proof, or add the key."
            )


# --- Sites -------------------------------------------------------------------------------------------


def _farm(farm: Farm) -> Findings:
    spec = farm.spec
    yield from naming(farm, ("spec", "farmers"))
    yield from _ports(spec.udp_ports, ("spec", "udpPorts"))
    if spec.fast_network is not None:
        yield from _fast_network(spec.fast_network, ("spec", "fastNetwork", "prefix"))
    for number, text in enumerate(spec.reserved):
        at = ("spec", "reserved", number)
        prefix = yield from _prefix(text, at)
        if prefix is not None:
            yield from _beside_transit(prefix, at)
    yield from repeated(spec.reserved, ("spec", "reserved"), "reserved-twice", "the prefix")
    if spec.ipv6_allocation is not None:
        yield from _allocation(spec.ipv6_allocation, ("spec", "ipv6Allocation"))
    if spec.open_grant is not None:
        yield from repeated(spec.open_grant.nodes, ("spec", "openGrant", "nodes"), "node-twice", "the node")


def _ports(ports: PortRange, at: Pointer) -> Findings:
    last = ports.first + ports.count - 1
    if last > 65535:
        message = f"{ports.count} ports from {ports.first} end at {last}, and the last port is 65535"
        yield Finding((*at, "count"), "ports-overflow", message, f"At most {65536 - ports.first} fit.")
    if ports.first <= VXLAN_PORT <= last:
        message = f"the range has port {VXLAN_PORT} in it, which the fast network uses"
        yield Finding(at, "ports-hold-vxlan", message, f"Start above {VXLAN_PORT}.")


def _fast_network(fast: FastNetwork, at: Pointer) -> Findings:
    prefix = yield from _prefix(fast.prefix, at)
    if prefix is None:
        return
    yield from _beside_transit(prefix, at)
    if is_unusable(prefix.network_address) or is_unusable(prefix.broadcast_address):
        yield Finding(at, "bad-prefix", f"no node can have an address in `{prefix}`")
    elif prefix.num_addresses < 4:
        yield Finding(at, "bad-prefix", f"`{prefix}` is too small for a network of nodes")


def _allocation(text: str, at: Pointer) -> Findings:
    prefix = yield from _prefix(text, at)
    if prefix is not None and (prefix.version != 6 or prefix.prefixlen != IPV6_LENGTH):
        yield Finding(at, "bad-allocation", f"a farm's allocation is an IPv6 /{IPV6_LENGTH}, not `{prefix}`")


def _node(node: Node) -> Findings:
    spec = node.spec
    yield from repeated(
        [key.id for key in spec.sealing_keys], ("spec", "sealingKeys"), "sealing-key-twice", "the key", "id"
    )
    for number, key in enumerate(spec.sealing_keys):
        yield from _sealing_key(key, ("spec", "sealingKeys", number))
    yield from repeated(spec.endpoints, ("spec", "endpoints"), "endpoint-twice", "the endpoint")
    for number, text in enumerate(spec.endpoints):
        yield from _host_address(text, ("spec", "endpoints", number))
    if spec.reachability == "public" and not spec.endpoints:
        message = "a public node needs an endpoint at which others reach it"
        yield Finding(
            ("spec", "reachability"), "no-endpoint", message, "Add `endpoints`, or make the node hidden."
        )
    if spec.reachability == "hidden" and spec.endpoints:
        message = "a hidden node has no endpoints: nobody reaches it from outside"
        yield Finding(
            ("spec", "endpoints"), "hidden-endpoint", message, "Remove them, or make the node public."
        )
    if spec.fast is not None:
        yield from _host_address(spec.fast.address, ("spec", "fast", "address"))


def _sealing_key(key: SealingKey, at: Pointer) -> Findings:
    public = decode(key.key)
    if public is None or len(public) != PUBLIC_KEY_BYTES:
        message = f"this is not a sealing key: base64 of {PUBLIC_KEY_BYTES} bytes"
        yield Finding(
            (*at, "key"), "bad-sealing-key", message, "Copy it from the node's own description again."
        )
    elif key.id != sealing_key_id(public):
        message = "this id belongs to another key"
        yield Finding(
            (*at, "id"), "sealing-key-id", message, f"The key below has the id {sealing_key_id(public)}."
        )


def _grant(grant: Grant) -> Findings:
    return repeated(grant.spec.nodes, ("spec", "nodes"), "node-twice", "the node")


# --- Networks ----------------------------------------------------------------------------------------


def _network(network: Network) -> Findings:
    spec = network.spec
    ipv4 = yield from _ipv4_range(spec.ipv4, ("spec", "ipv4"))
    yield from _ipv6_range(spec.ipv6, ("spec", "ipv6"))
    at = ("spec", "resources")
    yield from repeated([nr.node for nr in spec.resources], at, "node-twice", "a NR on", "node")
    yield from repeated([nr.index for nr in spec.resources], at, "index-twice", "the index", "index")
    yield from repeated(
        [nr.public_key for nr in spec.resources], at, "public-key-twice", "the key", "publicKey"
    )
    for number, resource in enumerate(spec.resources):
        yield from _resource(resource, ipv4, (*at, number))
    yield from _relays(network)
    yield from _vnis(network)


def _ipv4_range(text: str, at: Pointer) -> Generator[Finding, None, IPv4Network | None]:
    prefix = yield from _prefix(text, at)
    if prefix is None:
        return None
    if not isinstance(prefix, IPv4Network) or prefix.prefixlen not in IPV4_LENGTHS:
        message = f"a network's IPv4 range is a /8 to /23, not `{prefix}`"
        yield Finding(at, "bad-ipv4-range", message, "Each NR takes one /24 of it.")
        return None
    if not any(prefix.subnet_of(private) for private in PRIVATE_IPV4):
        message = f"`{prefix}` is not private"
        yield Finding(
            at, "bad-ipv4-range", message, "Choose from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
        )
    return prefix


def _ipv6_range(text: str, at: Pointer) -> Findings:
    prefix = yield from _prefix(text, at)
    if prefix is None:
        return
    is_range = isinstance(prefix, IPv6Network) and prefix.prefixlen == IPV6_LENGTH
    if not (is_range and cast(IPv6Network, prefix).subnet_of(UNIQUE_LOCAL_IPV6)):
        message = f"a network's IPv6 range is a unique local /{IPV6_LENGTH} (RFC 4193), not `{prefix}`"
        yield Finding(at, "bad-ipv6-range", message, "Choose forty random bits: fdxx:xxxx:xxxx::/48.")
        return
    yield from _beside_transit(prefix, at)


def _resource(resource: Resource, ipv4: IPv4Network | None, at: Pointer) -> Findings:
    if ipv4 is not None and resource.index >= 1 << (SUBNET_LENGTH - ipv4.prefixlen):
        highest = (1 << (SUBNET_LENGTH - ipv4.prefixlen)) - 1
        message = f"`{ipv4}` has no /24 number {resource.index}: the highest is {highest}"
        yield Finding((*at, "index"), "index-out-of-range", message, "Take a free index, or a wider range.")
    key = decode(resource.public_key)
    if key is None or not any(key):
        yield Finding((*at, "publicKey"), "bad-public-key", "this is no WireGuard public key")
    ciphertext = decode(resource.sealed.ciphertext)
    if ciphertext is None or len(ciphertext) != CIPHERTEXT_BYTES:
        message = f"this is no sealed key: base64 of {CIPHERTEXT_BYTES} bytes"
        yield Finding((*at, "sealed", "ciphertext"), "bad-ciphertext", message, "Run `tnet network reseal`.")


def _relays(network: Network) -> Findings:
    at, nodes = ("spec", "relays"), {resource.node for resource in network.spec.resources}
    yield from repeated(network.spec.relays, at, "relay-twice", "the relay")
    for number, relay in enumerate(network.spec.relays):
        if relay not in nodes:
            message = f"`{relay}` can't relay: this network has no NR there"
            yield Finding(
                (*at, number), "relay-without-resource", message, "Add the node, or remove the relay."
            )


def _vnis(network: Network) -> Findings:
    farms = {resource.node.partition("/")[0] for resource in network.spec.resources}
    for farm in network.spec.vnis:
        if farm not in farms:
            message = f"this network has no NR in the farm `{farm}` and needs no VNI there"
            yield Finding(("spec", "vnis", farm), "vni-without-resource", message, "Remove it.", at_key=True)


# --- Common ground -----------------------------------------------------------------------------------


def _prefix(text: str, at: Pointer) -> Generator[Finding, None, IPNetwork | None]:
    """Yields what is wrong with a prefix and returns it parsed, or None."""
    try:
        return parse_prefix(text)
    except AddressError as error:
        yield Finding(at, "bad-prefix", str(error), error.advice)
        return None


def _host_address(text: str, at: Pointer) -> Findings:
    try:
        address = parse_ip(text)
    except AddressError as error:
        yield Finding(at, "bad-address", str(error), error.advice)
        return
    if is_unusable(address) or _in_transit(address):
        yield Finding(at, "bad-address", f"nobody can reach a node at `{address}`")


def _in_transit(address: IPAddress) -> bool:
    return address in TRANSIT_IPV4 or address in TRANSIT_IPV6


def _beside_transit(prefix: IPNetwork, at: Pointer) -> Findings:
    if overlaps_transit(prefix):
        transit = TRANSIT_IPV4 if prefix.version == 4 else TRANSIT_IPV6
        message = f"`{prefix}` overlaps {transit}, which tnet uses inside every node"
        yield Finding(at, "overlaps-transit", message, "Leave that part out: tenants never reach it anyway.")


_RULES: dict[type[Document], Callable[[Any], Findings]] = {
    Policy: _policy,
    Suspension: _suspension,
    Farm: _farm,
    Node: _node,
    Grant: _grant,
    Tenant: _tenant,
    Network: _network,
}
