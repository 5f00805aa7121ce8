"""The small part of nftables that tnet uses, as immutable values.

A table is loaded and replaced in one transaction and compared as a whole. The grammar is kept so small
that what the kernel lists back can be compared with what was asked for, value by value, and that the
fake can tell what would happen to a packet. Whoever adds a match here adds it to the JSON codec, to the
fake and to the comparison with a real kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import ClassVar, Literal

from reconciler.kernel.objects import HOST, IPNetwork, Key, namespace_key

Verdict = Literal["accept", "drop", "masquerade"]
Field = Literal[
    "iifname",
    "oifname",
    "ip saddr",
    "ip daddr",
    "ip6 saddr",
    "ip6 daddr",
    "ct state",
    "meta l4proto",
    "udp dport",
    "udp sport",
    "tcp dport",
    "icmp type",
    "icmpv6 type",
    "fib daddr type",
]
Value = str | int | IPNetwork
"""A name or state (`br0`, `established`, `echo-request`), a number, or a prefix (a host is a /32 or /128).
An interface name may end in `*`. `@name` stands for a named set of the same table. A protocol is one of the
names in /etc/protocols (`icmp`, `ipv6-icmp`, `tcp`, `udp`)."""


_NAMES_PROTOCOL = frozenset[Field]({"udp dport", "udp sport", "tcp dport", "icmp type", "icmpv6 type"})


def _collapsed(values: Iterable[Value]) -> frozenset[Value]:
    """Prefixes merged where they touch or overlap, as nft lists them back; all else as it is."""
    values = frozenset(values)
    if len(values) < 2:
        return values
    ipv4 = [value for value in values if isinstance(value, IPv4Network)]
    ipv6 = [value for value in values if isinstance(value, IPv6Network)]
    return values.difference(ipv4, ipv6).union(collapse_addresses(ipv4), collapse_addresses(ipv6))


@dataclass(frozen=True, slots=True)
class Match:
    """`field` is (or, if `negated`, is not) one of `values`. Prefixes among them are merged."""

    field: Field
    values: frozenset[Value]
    negated: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _collapsed(self.values))


@dataclass(frozen=True, slots=True)
class NftRule:
    """All matches must hold, then the verdict is taken. `comment` says why, for the person who lists it.

    A masquerade that matches on `meta l4proto` may have `ports`, the first and the last: a source port
    outside of them is replaced by one inside.

    Raises ValueError for `ports` anywhere else, and for `meta l4proto` beside a match that names the
    protocol itself: nft leaves the one that says no more out of its listing (seen with 1.0.6), and the rule
    would never be seen as it was made.
    """

    matches: tuple[Match, ...]
    verdict: Verdict
    comment: str = ""
    ports: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        fields = {match.field for match in self.matches}
        if self.ports is not None and (self.verdict != "masquerade" or "meta l4proto" not in fields):
            raise ValueError("only a masquerade of certain protocols has ports")
        if "meta l4proto" in fields and fields & _NAMES_PROTOCOL:
            raise ValueError(f"meta l4proto beside {', '.join(sorted(fields & _NAMES_PROTOCOL))}")


@dataclass(frozen=True, slots=True)
class Chain:
    """A base chain; `policy` decides on what no rule did."""

    name: str
    type: Literal["filter", "nat"]
    hook: Literal["input", "forward", "output", "prerouting", "postrouting"]
    priority: int
    policy: Literal["accept", "drop"]
    rules: tuple[NftRule, ...]


@dataclass(frozen=True, slots=True)
class PrefixSet:
    """A named set of prefixes of one family (`flags interval`), merged."""

    name: str
    family: Literal[4, 6]
    prefixes: frozenset[IPNetwork]

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefixes", _collapsed(self.prefixes))


@dataclass(frozen=True, slots=True)
class NftTable:
    """A table of family `inet`. `owner` is kept in the kernel as the name of an empty chain
    (`owner-<owner>`), because a name alone proves nothing and nft 1.0.6 lists no table comments."""

    namespace: str
    name: str
    owner: str
    chains: tuple[Chain, ...]
    sets: tuple[PrefixSet, ...] = ()

    in_place: ClassVar[frozenset[str]] = frozenset({"chains", "sets"})
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "nft-table", self.name)

    @property
    def container(self) -> Key | None:
        return None if self.namespace == HOST else namespace_key(self.namespace)

    @property
    def needs(self) -> tuple[Key, ...]:
        return () if self.namespace == HOST else (namespace_key(self.namespace),)
