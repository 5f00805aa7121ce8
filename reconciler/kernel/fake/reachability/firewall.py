"""What the nftables tables of a namespace say to one packet at one hook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.kernel.fake import fib4, fib6
from reconciler.kernel.fake.nft.grammar import VERSION_OF
from reconciler.kernel.fake.nft.tables import Chain, Expression, Ports, Range, Rule, Table, Value
from reconciler.kernel.fake.reachability.trace import PROTOCOL_NUMBERS, Packet
from reconciler.kernel.fake.refusals import NotModelled
from reconciler.kernel.fake.world import LOCAL_TABLE, Netns
from reconciler.kernel.objects import IPAddress


@dataclass(frozen=True, slots=True)
class Passage:
    """A packet at a hook: which links it came by and leaves by, "" for none."""

    packet: Packet
    iif: str = ""
    oif: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`masquerade` is the rule that says so, in a nat chain."""

    accepted: bool
    why: str = ""
    masquerade: Rule | None = None


def judge(space: Netns, hook: str, passage: Passage, kind: str = "filter") -> Judgement:
    """Every base chain at the hook, by priority: one that drops is enough."""
    for table, chain in _base_chains(space, hook, kind):
        found = _run(space, table, chain, passage)
        if not found.accepted or found.masquerade is not None:
            return found
    return Judgement(True)


def _base_chains(space: Netns, hook: str, kind: str) -> list[tuple[Table, Chain]]:
    found = [
        (chain.hook.priority, table, chain)
        for table in space.nft.values()
        for chain in table.chains
        if chain.hook is not None and chain.hook.hook == hook and chain.hook.type == kind
    ]
    return [(table, chain) for _, table, chain in sorted(found, key=lambda one: one[0])]


def _run(space: Netns, table: Table, chain: Chain, passage: Passage) -> Judgement:
    for rule in chain.rules:
        if all(_matches(space, table, match, passage) for match in rule.matches):
            if rule.verdict == "masquerade":
                return Judgement(True, masquerade=rule)
            why = f"table {table.name}, chain {chain.name}: {rule.comment or rule.verdict}"
            return Judgement(rule.verdict == "accept", why)
    assert chain.hook is not None
    return Judgement(chain.hook.policy == "accept", f"table {table.name}, chain {chain.name}: policy drop")


def _matches(space: Netns, table: Table, match: Expression, passage: Passage) -> bool:
    packet = passage.packet
    if match.field in VERSION_OF:
        return _address_matches(table, match, packet)
    if match.field == "fib daddr type":
        return _route_type(space, packet.destination) in match.values
    actual = _FIELDS[match.field](passage)
    if actual is None:
        return False
    held = any(_equal(value, actual) for value in match.values)
    return held != (match.operator == "!=")


def _equal(value: Value, actual: str | int) -> bool:
    if isinstance(value, str) and value.endswith("*"):
        return str(actual).startswith(value[:-1])
    return value == actual


def _address_matches(table: Table, match: Expression, packet: Packet) -> bool:
    """A match on an address names its IP version too: the other version never matches, negated or not."""
    address = packet.source if match.field.endswith("saddr") else packet.destination
    if address.version != VERSION_OF[match.field]:
        return False
    held = any(_inside(table, value, address) for value in match.values)
    return held != (match.operator == "!=")


def _inside(table: Table, value: Value, address: IPAddress) -> bool:
    if isinstance(value, str):
        named = table.set(value.removeprefix("@"))
        assert named is not None
        return any(_in_range(element, address) for element in named.elements)
    assert isinstance(value, tuple)
    return _in_range(value, address)


def _in_range(element: Range, address: IPAddress) -> bool:
    return int(element[0]) <= int(address) <= int(element[1])


def _port(protocol: str, name: str) -> Callable[[Passage], int | None]:
    def read(passage: Passage) -> int | None:
        packet = passage.packet
        return int(getattr(packet, name)) if packet.protocol == protocol else None

    return read


def _icmp(protocol: str) -> Callable[[Passage], str | None]:
    def read(passage: Passage) -> str | None:
        return passage.packet.icmp_type if passage.packet.protocol == protocol else None

    return read


_FIELDS: dict[str, Callable[[Passage], str | int | None]] = {
    "iifname": lambda passage: passage.iif,
    "oifname": lambda passage: passage.oif,
    "ct state": lambda passage: passage.packet.state,
    "meta l4proto": lambda passage: PROTOCOL_NUMBERS[passage.packet.protocol],
    "udp dport": _port("udp", "port"),
    "udp sport": _port("udp", "source_port"),
    "tcp dport": _port("tcp", "port"),
    "icmp type": _icmp("icmp"),
    "icmpv6 type": _icmp("icmpv6"),
}


def _route_type(space: Netns, address: IPAddress) -> str:
    if address.version == 4:
        return fib4.address_type(space, address).name.lower()
    route = next(fib6.candidates(space, LOCAL_TABLE, address), None)
    if route is None and address.is_multicast:
        raise NotModelled("the type of an IPv6 multicast address")
    return "unicast" if route is None else route.type.name.lower()


def chosen_port(ports: Ports | None, source_port: int) -> int:
    """A masquerade with a range of ports keeps a source port inside of it and replaces any other."""
    if ports is None or ports[0] <= source_port <= ports[1]:
        return source_port
    return ports[0]
