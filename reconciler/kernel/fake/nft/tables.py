"""Tables, chains, sets and rules as the kernel holds them: immutable, so a transaction is a new value."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kernel.objects import IPAddress

Range = tuple[IPAddress, IPAddress]
"""First and last address; a prefix or a single address is one too."""

Ports = tuple[int, int]
"""First and last port that a masquerade may choose from."""

Value = str | int | Range
"""A name (`lo`, `wg*`, `established`, `@set`), a number, or addresses."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One match: what is looked at (`ip saddr`, `ct state`), the operator as listed, and the values in
    the order they are listed in. `anonymous` tells whether they are kept as an anonymous set."""

    field: str
    operator: str
    values: tuple[Value, ...]
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    handle: int
    matches: tuple[Expression, ...]
    verdict: str
    comment: str = ""
    ports: Ports | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """What makes a chain a base chain."""

    type: str
    hook: str
    priority: int
    policy: str


@dataclass(frozen=True, slots=True)
class Chain:
    handle: int
    name: str
    hook: Hook | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Set:
    handle: int
    name: str
    type: str
    interval: bool
    elements: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """`last_handle` is the handle given out last to something in the table."""

    family: str
    name: str
    handle: int
    chains: tuple[Chain, ...] = ()
    sets: tuple[Set, ...] = ()
    last_handle: int = 0

    def chain(self, name: str) -> Chain | None:
        return next((chain for chain in self.chains if chain.name == name), None)

    def set(self, name: str) -> Set | None:
        return next((one for one in self.sets if one.name == name), None)
