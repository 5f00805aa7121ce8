"""Kernel objects as JSON types and back, exactly: what the journal writes.

A value with a type of its own becomes `{"kind": name, ...}`; strings, numbers, booleans and None stay
what they are; tuples become lists.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from reconciler.engine.comparison import field_names
from reconciler.kernel import nftables, objects
from reconciler.kernel.graph import KernelObject

_VALUES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        ipaddress.IPv4Address,
        ipaddress.IPv6Address,
        ipaddress.IPv4Interface,
        ipaddress.IPv6Interface,
        ipaddress.IPv4Network,
        ipaddress.IPv6Network,
    )
}
_STRUCTURES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        objects.Namespace,
        objects.Sysctl,
        objects.Bridge,
        objects.Veth,
        objects.VethPeer,
        objects.Vxlan,
        objects.WireGuard,
        objects.WireGuardPeer,
        objects.Address,
        objects.Route,
        objects.Rule,
        objects.Neighbour,
        objects.FdbEntry,
        nftables.NftTable,
        nftables.Chain,
        nftables.NftRule,
        nftables.Match,
        nftables.PrefixSet,
    )
}


def to_record(value: Any) -> Any:
    """Raises TypeError for what the vocabulary doesn't have."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return [to_record(item) for item in value]
    if isinstance(value, frozenset):
        return {"kind": "set", "items": sorted((to_record(item) for item in value), key=repr)}
    name = type(value).__name__
    if name in _VALUES:
        return {"kind": name, "value": str(value)}
    if name in _STRUCTURES:
        return {"kind": name} | {field: to_record(getattr(value, field)) for field in field_names(value)}
    raise TypeError(f"{name} is not part of the kernel's vocabulary")


def from_record(record: Any) -> Any:
    """The inverse of `to_record`; raises ValueError, TypeError or KeyError for what it never writes."""
    if isinstance(record, list):
        return tuple(from_record(item) for item in record)
    if not isinstance(record, dict):
        return record
    name = record["kind"]
    if name == "set":
        return frozenset(from_record(item) for item in record["items"])
    if name in _VALUES:
        return _VALUES[name](record["value"])
    return _STRUCTURES[name](
        **{field: from_record(item) for field, item in record.items() if field != "kind"}
    )


def object_from_record(record: Any) -> KernelObject:
    """Like `from_record`, for a whole kernel object."""
    item = from_record(record)
    if not isinstance(item, KernelObject):
        raise ValueError(f"{type(item).__name__} is no kernel object")
    return item
