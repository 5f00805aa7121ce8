"""Graphs as the commands that a person would type: `ip`, `nft`, `sysctl` and `wg`.

An independent way from a graph to a kernel, for trying what compile makes without our own kernel code.
Several nodes can share the machine: `place` gives each namespace of a node a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable, Value
from reconciler.kernel.objects import (
    Address,
    Bridge,
    FdbEntry,
    IPNetwork,
    Namespace,
    Neighbour,
    Route,
    Sysctl,
    Veth,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """`place` leads from a namespace in a graph to its name on this machine. A userspace WireGuard runs
    there already, under the name `born`; its private key is in `key_file`."""

    place: Callable[[str], str]
    born: str = ""
    key_file: str = ""


_ORDER = (
    *(Namespace, Sysctl, NftTable, Bridge, Veth, Vxlan, WireGuard, WireGuardPeer),
    *(Address, Neighbour, FdbEntry, Route),
)


def nft_text(table: NftTable) -> str:
    """The table in nft's own language."""
    lines = [f"table inet {table.name} {{"]
    for named in table.sets:
        kind = "ipv4_addr" if named.family == 4 else "ipv6_addr"
        elements = ", ".join(sorted(map(_prefix, named.prefixes)))
        lines += [f"    set {named.name} {{", f"        type {kind}; flags interval"]
        lines += [f"        elements = {{ {elements} }}"] if elements else []
        lines.append("    }")
    for chain in table.chains:
        lines += _chain(chain)
    return "\n".join([*lines, "}"])


def _prefix(prefix: IPNetwork) -> str:
    """Of the IPv4-mapped addresses Python 3.13 writes otherwise than 3.11."""
    return str(prefix).replace("::ffff:0.0.0.0/", "::ffff:0:0/")


def _chain(chain: Chain) -> Iterator[str]:
    head = f"type {chain.type} hook {chain.hook} priority {chain.priority}; policy {chain.policy};"
    yield f"    chain {chain.name} {{"
    yield f"        {head}"
    yield from (f"        {_rule(rule)}" for rule in chain.rules)
    yield "    }"


def _rule(rule: NftRule) -> str:
    matches = " ".join(_match(match) for match in rule.matches)
    ports = "" if rule.ports is None else f" to :{rule.ports[0]}-{rule.ports[1]}"
    return f'{matches} {rule.verdict}{ports} comment "{rule.comment}"'.lstrip()


def _match(match: Match) -> str:
    values = [_value(match.field, value) for value in sorted(match.values, key=str)]
    right = values[0] if len(values) == 1 else "{ " + ", ".join(values) + " }"
    return f"{match.field} {'!= ' if match.negated else ''}{right}"


def _value(field: str, value: Value) -> str:
    return f'"{value}"' if field.endswith("name") else str(value)


def commands(graph: Graph, setting: Setting) -> list[str]:
    """Shell commands that make everything of the graph."""
    made = []
    for kind in _ORDER:
        for item in graph.objects:
            if isinstance(item, kind) and not _waits(item):
                made += list(_command(item, setting))
    late = (item for item in graph.objects if _waits(item))
    return made + [line for item in late for line in _command(item, setting)]


def _waits(item: KernelObject) -> bool:
    return isinstance(item, Sysctl) and (item.link is not None or item.namespace == "")


def _command(item: KernelObject, setting: Setting) -> Iterator[str]:
    at = setting.place(item.key.namespace)
    match item:
        case Namespace():
            yield f"ip netns add {at}"
            yield f"ip -n {at} link set lo up"
        case Sysctl():
            yield f"ip netns exec {at} sh -c 'echo {item.value} > /proc/sys/{item.path}'"
        case NftTable():
            yield f"ip netns exec {at} nft -f - <<'END'\n{nft_text(item)}\nEND"
        case Bridge():
            # Only an MTU that was changed after creation survives the coming and going of ports.
            yield f"ip -n {at} link add {item.name} address {item.mac} mtu {item.mtu + 1} type bridge"
            yield f"ip -n {at} link set {item.name} mtu {item.mtu} up"
        case Veth():
            there = setting.place(item.peer_namespace)
            peer = f"peer name {item.peer_name} mtu {item.mtu} netns {there}"
            yield f"ip -n {at} link add {item.name} mtu {item.mtu} type veth {peer}"
            yield f"ip -n {at} link set {item.name} up"
            yield f"ip -n {there} link set {item.peer_name} up"
        case Vxlan():
            yield from _vxlan(item, setting)
        case WireGuard():
            yield from _wireguard(item, setting)
        case WireGuardPeer():
            yield from _peer(item, setting)
        case Address():
            nodad = "nodad" if item.address.version == 6 else ""
            yield f"ip -n {at} address add {item.address} dev {item.link} {nodad}"
        case Neighbour():
            yield f"ip -n {at} neigh add {item.address} lladdr {item.mac} dev {item.link} nud permanent"
        case FdbEntry():
            yield f"bridge -n {at} fdb add {item.mac} dev {item.link} dst {item.remote} static"
        case Route():
            yield _route(item, at)


def _vxlan(item: Vxlan, setting: Setting) -> Iterator[str]:
    there, at = setting.place(item.underlay_namespace), setting.place(item.namespace)
    what = f"vxlan id {item.vni} local {item.local} dstport {item.port} nolearning dev {item.underlay_device}"
    yield f"ip -n {there} link add {item.name} address {item.mac} mtu {item.mtu} netns {at} type {what}"
    yield f"ip -n {at} link set {item.name} up"


def _route(item: Route, at: str) -> str:
    words = [f"ip -n {at} route add {item.destination}"]
    if item.via is not None:
        words.append(f"via {item.via}")
    words.append(f"dev {item.link}")
    if item.onlink:
        words.append("onlink")
    if item.source is not None:
        words.append(f"src {item.source}")
    return " ".join(words)


def _wireguard(item: WireGuard, setting: Setting) -> Iterator[str]:
    there, at = setting.place(item.underlay_namespace), setting.place(item.namespace)
    yield f"wg set {setting.born} listen-port {item.listen_port} private-key {setting.key_file}"
    yield f"ip -n {there} link set {setting.born} mtu {item.mtu} netns {at} name {item.name}"
    yield f"ip -n {at} link set {item.name} up"


def _peer(peer: WireGuardPeer, setting: Setting) -> Iterator[str]:
    words = [f"wg set {setting.born} peer {peer.public_key}"]
    if peer.endpoint is not None:
        address, port = peer.endpoint
        words.append(f"endpoint {f'[{address}]' if address.version == 6 else address}:{port}")
    words.append(f"allowed-ips {','.join(map(str, peer.allowed_ips))}")
    yield " ".join([*words, f"persistent-keepalive {peer.keepalive_s}"])
