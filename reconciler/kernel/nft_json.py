"""An `NftTable` as a libnftables JSON document and back (libnftables-json(5)).

One document is one transaction, so a table appears, is replaced, or goes as a whole. Replacing is "add,
delete, add": nft before 1.0.7 has no `destroy`, deleting alone fails where there is no table, and adding
alone keeps the old rules. Established flows live on, since connection tracking belongs to no table.

What comes back from a listing differs from what was sent, in known ways, which `decode_tables` undoes: a
set of one element is printed as the element, a /32 or /128 as an address, neighbouring prefixes of an
anonymous set as one prefix or a range, a protocol number as its name in /etc/protocols. Protocols
are sent as numbers, so that no such file is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network, summarize_address_range
from typing import Any, cast

from reconciler.kernel.nftables import Chain, Field, Match, NftRule, NftTable, PrefixSet, Value, Verdict
from reconciler.kernel.objects import IPNetwork

FAMILY = "inet"
OWNER_CHAIN = "owner-"
"""Name of the empty chain that says whose a table is; the owner follows."""

LIST_TABLES = json.dumps({"nftables": [{"list": {"ruleset": {"family": FAMILY}}}]})

_Json = dict[str, Any]

_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}
_PROTOCOL_NAMES = {number: name for name, number in _PROTOCOLS.items()}

_LEFT: dict[Field, _Json] = {
    "iifname": {"meta": {"key": "iifname"}},
    "oifname": {"meta": {"key": "oifname"}},
    "ip saddr": {"payload": {"protocol": "ip", "field": "saddr"}},
    "ip daddr": {"payload": {"protocol": "ip", "field": "daddr"}},
    "ip6 saddr": {"payload": {"protocol": "ip6", "field": "saddr"}},
    "ip6 daddr": {"payload": {"protocol": "ip6", "field": "daddr"}},
    "ct state": {"ct": {"key": "state"}},
    "meta l4proto": {"meta": {"key": "l4proto"}},
    "udp dport": {"payload": {"protocol": "udp", "field": "dport"}},
    "udp sport": {"payload": {"protocol": "udp", "field": "sport"}},
    "tcp dport": {"payload": {"protocol": "tcp", "field": "dport"}},
    "icmp type": {"payload": {"protocol": "icmp", "field": "type"}},
    "icmpv6 type": {"payload": {"protocol": "icmpv6", "field": "type"}},
    "fib daddr type": {"fib": {"result": "type", "flags": ["daddr"]}},
}
_FIELDS = {json.dumps(left, sort_keys=True): field for field, left in _LEFT.items()}

_PREFIX_FIELDS = frozenset[Field]({"ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr"})


def add_table(table: NftTable) -> str:
    """Makes the table; fails with EEXIST if there is one of that name."""
    return _document([{"create": _table(table.name)}, *_content(table)])


def replace_table(table: NftTable) -> str:
    """Makes the table be exactly this, whatever it was."""
    name = _table(table.name)
    return _document([{"add": name}, {"delete": name}, {"add": name}, *_content(table)])


def delete_table(name: str) -> str:
    """No error if there is none."""
    return _document([{"add": _table(name)}, {"delete": _table(name)}])


class Unreadable:
    """Stands for a table of our family that no `NftTable` can describe: `reason` says why."""

    __slots__ = ("owner", "reason")

    def __init__(self, owner: str | None, reason: str) -> None:
        self.owner = owner
        self.reason = reason


def decode_tables(namespace: str, listing: str) -> dict[str, NftTable | Unreadable]:
    """The tables of our family in what LIST_TABLES printed, by name.

    A table without an owner chain isn't ours, and is an `Unreadable` with owner None without a closer look.
    One of ours that was changed by hand into what we have no words for is an `Unreadable` with its owner.
    """
    items = [item for item in json.loads(listing or '{"nftables": []}')["nftables"] if "metainfo" not in item]
    names = [item["table"]["name"] for item in items if _is(item, "table")]
    return {name: _decode_table(namespace, name, items) for name in names}


def _document(commands: Iterable[_Json]) -> str:
    return json.dumps({"nftables": list(commands)})


def _table(name: str) -> _Json:
    return {"table": {"family": FAMILY, "name": name}}


def _content(table: NftTable) -> Iterator[_Json]:
    home = {"family": FAMILY, "table": table.name}
    yield {"add": {"chain": home | {"name": OWNER_CHAIN + table.owner}}}
    for prefixes in table.sets:
        yield {"add": {"set": home | _prefix_set(prefixes)}}
    for chain in table.chains:
        yield {"add": {"chain": home | _base_chain(chain)}}
        for rule in chain.rules:
            yield {"add": {"rule": home | {"chain": chain.name} | _rule(rule)}}


def _prefix_set(item: PrefixSet) -> _Json:
    kind = {"name": item.name, "type": f"ipv{item.family}_addr", "flags": ["interval"]}
    return kind | ({"elem": _sorted_prefixes(item.prefixes)} if item.prefixes else {})


def _base_chain(chain: Chain) -> _Json:
    return {
        "name": chain.name,
        "type": chain.type,
        "hook": chain.hook,
        "prio": chain.priority,
        "policy": chain.policy,
    }


def _rule(rule: NftRule) -> _Json:
    expressions = [*map(_match, rule.matches), {rule.verdict: _ports(rule.ports)}]
    return {"expr": expressions} | ({"comment": rule.comment} if rule.comment else {})


def _ports(ports: tuple[int, int] | None) -> _Json | None:
    return None if ports is None else {"port": {"range": list(ports)}}


def _match(match: Match) -> _Json:
    operator = "!=" if match.negated else "=="
    return {"match": {"op": operator, "left": _LEFT[match.field], "right": _right(match)}}


def _right(match: Match) -> Any:
    encoded = [_value(match.field, value) for value in sorted(match.values, key=_value_order)]
    if len(encoded) == 1:
        return encoded[0]
    return {"set": encoded}


def _value(field: Field, value: Value) -> Any:
    if isinstance(value, str):
        return _PROTOCOLS.get(value, value) if field == "meta l4proto" else value
    if isinstance(value, int):
        return value
    return _prefix(value)


def _prefix(prefix: IPNetwork) -> _Json:
    return {"prefix": {"addr": str(prefix.network_address), "len": prefix.prefixlen}}


def _sorted_prefixes(prefixes: Iterable[IPNetwork]) -> list[_Json]:
    return [_prefix(prefix) for prefix in sorted(prefixes, key=_value_order)]


def _value_order(value: Value) -> tuple[int, int, int, str]:
    if isinstance(value, str):
        return (0, 0, 0, value)
    if isinstance(value, int):
        return (1, value, 0, "")
    return (2, int(value.network_address), value.prefixlen, "")


def _is(item: _Json, kind: str) -> bool:
    return kind in item and item[kind]["family"] == FAMILY


def _decode_table(namespace: str, name: str, items: list[_Json]) -> NftTable | Unreadable:
    chains = [item["chain"] for item in items if _is(item, "chain") and item["chain"]["table"] == name]
    owner = _owner(chains)
    if owner is None:
        return Unreadable(None, "no owner chain")
    rules = [item["rule"] for item in items if _is(item, "rule") and item["rule"]["table"] == name]
    sets = [item["set"] for item in items if _is(item, "set") and item["set"]["table"] == name]
    try:
        base = tuple(_decode_chain(chain, rules) for chain in chains if chain["name"] != OWNER_CHAIN + owner)
        return NftTable(namespace, name, owner, base, tuple(map(_decode_set, sets)))
    except (KeyError, ValueError, TypeError) as error:
        return Unreadable(owner, f"changed into something that is never ours: {error!r}")


def _owner(chains: list[_Json]) -> str | None:
    owners = [chain["name"].removeprefix(OWNER_CHAIN) for chain in chains if _names_owner(chain)]
    return owners[0] if len(owners) == 1 else None


def _names_owner(chain: _Json) -> bool:
    return bool(chain["name"].startswith(OWNER_CHAIN)) and "hook" not in chain


def _decode_chain(chain: _Json, rules: list[_Json]) -> Chain:
    own = tuple(_decode_rule(rule) for rule in rules if rule["chain"] == chain["name"])
    return Chain(chain["name"], chain["type"], chain["hook"], chain["prio"], chain["policy"], own)


def _decode_rule(rule: _Json) -> NftRule:
    *matches, verdict = rule["expr"]
    if len(verdict) != 1 or next(iter(verdict)) not in ("accept", "drop", "masquerade"):
        raise ValueError(f"verdict {verdict}")
    name, details = cast("tuple[Verdict, Any]", next(iter(verdict.items())))
    decoded = tuple(_decode_match(item["match"]) for item in matches)
    return NftRule(decoded, name, rule.get("comment", ""), _decode_ports(details))


def _decode_ports(details: Any) -> tuple[int, int] | None:
    if details is None:
        return None
    if list(details) != ["port"]:
        raise ValueError(f"masquerade {details}")
    ports = details["port"]
    if isinstance(ports, int):  # how nft 1.1 lists a range of one
        return ports, ports
    first, last = ports["range"]
    return first, last


def _decode_match(match: _Json) -> Match:
    field = _FIELDS[json.dumps(match["left"], sort_keys=True)]
    if match["op"] not in ("==", "!=", "in"):
        raise ValueError(f"operator {match['op']}")
    return Match(field, frozenset(_decode_right(field, match["right"])), match["op"] == "!=")


def _decode_right(field: Field, right: Any) -> Iterator[Value]:
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    for item in right if isinstance(right, list) else [right]:
        yield from _decode_value(field, item)


def _decode_value(field: Field, item: Any) -> Iterable[Value]:
    if field in _PREFIX_FIELDS and not (isinstance(item, str) and item.startswith("@")):
        return _decode_prefix(item)
    if field == "meta l4proto" and isinstance(item, int):
        return (_PROTOCOL_NAMES.get(item, item),)
    if not isinstance(item, str | int):
        raise ValueError(f"value {item} of {field}")
    return (item,)


def _decode_prefix(item: Any) -> Iterable[IPNetwork]:
    if isinstance(item, str):
        return (ip_network(item),)
    if "prefix" in item:
        return (ip_network((item["prefix"]["addr"], item["prefix"]["len"])),)
    first, last = item["range"]
    return summarize_address_range(ip_address(first), ip_address(last))


def _decode_set(item: _Json) -> PrefixSet:
    family = {"ipv4_addr": 4, "ipv6_addr": 6}[item["type"]]
    prefixes = (prefix for element in item.get("elem", ()) for prefix in _decode_prefix(element))
    return PrefixSet(item["name"], cast(Any, family), frozenset(prefixes))
