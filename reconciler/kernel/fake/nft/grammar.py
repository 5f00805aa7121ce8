"""Expressions of a libnftables JSON document to `Expression` and back, in the form that a listing has."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from typing import Any

from reconciler.kernel.fake.nft.symbols import OF_FIELD, PROTOCOLS
from reconciler.kernel.fake.nft.tables import Expression, Ports, Range, Value
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.objects import IPAddress

_LEFT: dict[str, Any] = {
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

VERSION_OF = {"ip saddr": 4, "ip daddr": 4, "ip6 saddr": 6, "ip6 daddr": 6}
"""The fields that hold addresses, and of which IP version."""

TRANSPORT = {"udp dport", "udp sport", "tcp dport", "icmp type", "icmpv6 type"}
VERDICTS = ("accept", "drop", "masquerade")
OPERATORS = ("==", "!=", "in")


# --- reading -------------------------------------------------------------------------------------------


def read_rule(expressions: list[Any]) -> tuple[tuple[Expression, ...], str, Ports | None]:
    """The matches, the verdict and the verdict's ports of a rule. Raises Refused EINVAL, NotModelled."""
    *matches, verdict = expressions
    if len(verdict) != 1 or next(iter(verdict)) not in VERDICTS:
        raise NotModelled(f"the verdict {verdict}")
    read = tuple(_match(item) for item in matches)
    fields = [item.field for item in read]
    _check_together(fields)
    name, details = next(iter(verdict.items()))
    return read, name, _ports(name, details, fields)


def _ports(verdict: str, details: Any, fields: list[str]) -> Ports | None:
    if details is None:
        return None
    if verdict != "masquerade" or list(details) != ["port"] or list(details["port"]) != ["range"]:
        raise NotModelled(f"{verdict} with {details}")
    if "meta l4proto" not in fields:
        raise NotModelled("masquerade to ports beside another match than meta l4proto")
    first, last = details["port"]["range"]
    return first, last


def _check_together(fields: list[str]) -> None:
    versions = {VERSION_OF[field] for field in fields if field in VERSION_OF}
    if len(versions) > 1:
        raise Refused(errno.EINVAL, "conflicting protocols specified: ip vs. ip6")
    protocols = {field.split()[0] for field in fields if field in TRANSPORT}
    if len(protocols) > 1 or (protocols and "meta l4proto" in fields):
        raise NotModelled(f"matches on several transport protocols: {fields}")


def _match(item: dict[str, Any]) -> Expression:
    if list(item) != ["match"] or item["match"]["op"] not in OPERATORS:
        raise NotModelled(f"the expression {item}")
    left, right, operator = item["match"]["left"], item["match"]["right"], item["match"]["op"]
    field = _FIELDS.get(json.dumps(left, sort_keys=True))
    if field is None:
        raise NotModelled(f"a match on {left}")
    if operator == "in" and field != "ct state":
        raise NotModelled(f"the operator in on {field}")
    if isinstance(right, list):
        return _flags(field, operator, right)
    is_set = isinstance(right, dict) and "set" in right
    values = [_value(field, one) for one in (right["set"] if is_set else [right])]
    anonymous = is_set and len(values) > 1
    return Expression(field, operator, tuple(_listed(field, values) if anonymous else values), anonymous)


def _flags(field: str, operator: str, names: list[Any]) -> Expression:
    """`ct state established,related`: a mask, not a set."""
    if field != "ct state" or operator != "in" or len(names) < 2:
        raise NotModelled(f"a list of values for {field}")
    return Expression(field, operator, tuple(_listed(field, [_value(field, name) for name in names])))


def _value(field: str, value: Any) -> Value:
    if isinstance(value, str) and value.startswith("@"):
        if field not in VERSION_OF:
            raise NotModelled(f"a named set for {field}")
        return value
    if field in VERSION_OF:
        return addresses(value, VERSION_OF[field])
    if field == "meta l4proto":
        return _protocol(value)
    if field in OF_FIELD:
        return _symbol(field, value)
    return _plain(field, value)


def _protocol(value: Any) -> int:
    if isinstance(value, str) and value in PROTOCOLS:
        return PROTOCOLS[value]
    if isinstance(value, int):
        return value
    raise NotModelled(f"the protocol {value}")


def _symbol(field: str, value: Any) -> str:
    names = OF_FIELD[field]
    if value in names:
        return str(value)
    by_number = next((name for name, number in names.items() if number == value), None)
    if by_number is None:
        raise NotModelled(f"the value {value} of {field}")
    return by_number


def _plain(field: str, value: Any) -> Value:
    """A port, or the name of an interface that may end in `*`."""
    wanted = str if field in ("iifname", "oifname") else int
    if not isinstance(value, wanted):
        raise NotModelled(f"the value {value} of {field}")
    return value


def addresses(value: Any, version: int) -> Range:
    """An address, a prefix or a range. Raises Refused EINVAL for another IP version's."""
    if isinstance(value, dict) and "range" in value:
        first, last = (ip_address(one) for one in value["range"])
    elif isinstance(value, dict) and "prefix" in value:
        net = ip_network((value["prefix"]["addr"], value["prefix"]["len"]), strict=False)
        first, last = net.network_address, net.broadcast_address
    elif isinstance(value, str):
        first = last = ip_address(value)
    else:
        raise NotModelled(f"the address {value}")
    if first.version != version:
        raise Refused(errno.EINVAL, "Could not resolve hostname: address family not supported")
    return first, last


# --- the order and form of a listing -------------------------------------------------------------------


def _listed(field: str, values: list[Value]) -> Iterable[Value]:
    """The values of an anonymous set as the kernel keeps them."""
    if field in OF_FIELD:
        return sorted(set(values), key=lambda value: OF_FIELD[field][str(value)])
    if field in VERSION_OF:
        return merged([value for value in values if isinstance(value, tuple)])
    if field in ("iifname", "oifname"):
        return _names([str(value) for value in values])
    return sorted(set(values), key=lambda value: int(str(value)))


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Overlapping and neighbouring ranges become one, as in an anonymous set."""
    found: list[Range] = []
    for first, last in sorted(ranges, key=lambda one: (int(one[0]), int(one[1]))):
        if found and int(first) <= int(found[-1][1]) + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last, key=int))
        else:
            found.append((first, last))
    return found


def _names(names: list[str]) -> list[str]:
    """Interface names in order. With a `*` among them they are ranges of text, and where those touch
    nft 1.0.6 lists nonsense (seen: an empty range)."""
    for pattern in (name for name in names if name.endswith("*")):
        stem = pattern[:-1]
        after = stem[:-1] + chr(ord(stem[-1]) + 1) if stem else ""
        touching = (after, after + "*")
        if any(other != pattern and (other.startswith(stem) or other in touching) for other in names):
            raise NotModelled(f"interface names that touch in one set: {names}")
    return sorted(set(names))


# --- writing -------------------------------------------------------------------------------------------


def write_rule(matches: tuple[Expression, ...], verdict: str, ports: Ports | None) -> list[Any]:
    details = None if ports is None else {"port": {"range": list(ports)}}
    return [*map(_written_match, matches), {verdict: details}]


def _written_match(item: Expression) -> dict[str, Any]:
    values = [written(value) for value in item.values]
    right: Any = values[0]
    if item.operator == "in":
        right = values if len(values) > 1 else values[0]
    elif item.anonymous:
        right = {"set": values}
    return {"match": {"op": item.operator, "left": _LEFT[item.field], "right": right}}


def written(value: Value) -> Any:
    """An address, a prefix or a range, in the shortest form that fits; others as they are."""
    if not isinstance(value, tuple):
        return value
    first, last = value
    if first == last:
        return str(first)
    prefixes = list(_prefixes(first, last))
    if len(prefixes) == 1:
        return {"prefix": {"addr": str(first), "len": prefixes[0]}}
    return {"range": [str(first), str(last)]}


def _prefixes(first: IPAddress, last: IPAddress) -> Iterator[int]:
    if isinstance(first, IPv4Address) and isinstance(last, IPv4Address):
        return (net.prefixlen for net in summarize_address_range(first, last))
    assert isinstance(first, IPv6Address)
    assert isinstance(last, IPv6Address)
    return (net.prefixlen for net in summarize_address_range(first, last))
