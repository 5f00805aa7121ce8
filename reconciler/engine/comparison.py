"""What tells a desired object from the one that was seen."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import WireGuardPeer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def field_names(item: DataclassInstance) -> tuple[str, ...]:
    """The fields of a value of the kernel's vocabulary, in the order they are declared."""
    names: tuple[str, ...] = type(item).__match_args__  # type: ignore[attr-defined]
    return names


def as_wanted(seen: KernelObject, wanted: KernelObject) -> KernelObject:
    """`seen` without what is no difference: where a peer dials us, its learned endpoint is the kernel's."""
    if isinstance(wanted, WireGuardPeer) and isinstance(seen, WireGuardPeer) and wanted.endpoint is None:
        return dataclasses.replace(seen, endpoint=None)
    return seen


def same(seen: KernelObject, wanted: KernelObject) -> bool:
    """Whether nothing has to be done to `seen` for it to be `wanted`."""
    return seen == wanted or as_wanted(seen, wanted) == wanted


def changed_fields(before: KernelObject, after: KernelObject) -> tuple[str, ...]:
    """The fields in which two objects of one class differ, in the order they are declared."""
    seen = as_wanted(before, after)
    return tuple(name for name in field_names(after) if getattr(seen, name) != getattr(after, name))


def changes_in_place(before: KernelObject, after: KernelObject) -> bool:
    """Whether `before` can become `after` as a living object."""
    if type(before) is not type(after):
        return False
    return type(after).in_place.issuperset(changed_fields(before, after))
