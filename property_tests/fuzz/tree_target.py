"""Trees: any bytes are damaged, or a list of names in git's order; two trees differ by what one has alone.

The data is two trees with a line of three dashes between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.ledger.repository.descent import DIRECTORY, Named, descend, entries
from reconciler.ledger.repository.objects import Change, ObjectId
from reconciler.ledger.trouble import Damaged

SEPARATOR = b"---\n"
_OLD, _NEW = ObjectId("0" * 39 + "1"), ObjectId("0" * 39 + "2")


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    old, _, new = data.partition(SEPARATOR)
    trees = {_OLD: old, _NEW: new}
    for name, raw in trees.items():
        _check_entries(raw)
        assert _difference(trees, name, name) in ((), None)
    there, back = _difference(trees, _OLD, _NEW), _difference(trees, _NEW, _OLD)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert tuple(Change(each.path, each.new, each.old) for each in back) == there


def _check_entries(raw: bytes) -> None:
    try:
        found = list(entries(raw))
    except Damaged:
        return
    assert [each.order for each in found] == sorted({each.order for each in found})
    assert sum(len(each.name) for each in found) + 22 * len(found) <= len(raw)
    assert [*entries(b"".join(map(_written, found)))] == found


def _written(named: Named) -> bytes:
    mode = "40000" if named.entry.mode == DIRECTORY else named.entry.mode
    return mode.encode() + b" " + named.name + b"\0" + bytes.fromhex(named.entry.id)


def _difference(trees: Mapping[ObjectId, bytes], old: ObjectId, new: ObjectId) -> tuple[Change, ...] | None:
    """None where a tree is damaged or has no end: the two may hold each other. All others are empty."""
    try:
        return descend(old, new, lambda name: trees.get(name, b""), at_most=1000)
    except Damaged:
        return None
