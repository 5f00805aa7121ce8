"""Writes a git pack object by object (gitformat-pack(5)), trees as differences to what they were before.

For histories too long to be made by git. A tree of hundreds of names of which one changes a thousand times
would else take gigabytes.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

from reconciler.ledger.repository.objects import ObjectId, object_id

_TYPES = {"commit": 1, "tree": 2, "blob": 3}
_REF_DELTA = 7
MAX_CHAIN = 40
"""Differences on differences before an object is written whole again; git itself makes up to 50."""


class Stored(NamedTuple):
    """An object in a pack: its id, its content, and on how many others it depends."""

    id: ObjectId
    content: bytes
    chain: int


class PackFile:
    """A pack in the making. After `finished` the next one begins, and may depend on those before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._body = bytearray()
        self._count = 0
        self._known: set[ObjectId] = set()

    def add(self, kind: str, content: bytes, before: Stored | None = None) -> Stored:
        """Puts an object in, unless it is there; as a difference to `before` if that is given."""
        name = object_id(kind, content)
        chained = before is not None and before.chain < MAX_CHAIN
        stored = Stored(name, content, before.chain + 1 if before and chained else 0)
        if name in self._known:
            return stored
        self._known.add(name)
        self._count += 1
        if before is not None and chained:
            delta = difference(before.content, content)
            self._body += _head(_REF_DELTA, len(delta)) + bytes.fromhex(before.id) + zlib.compress(delta, 1)
        else:
            self._body += _head(_TYPES[kind], len(content)) + zlib.compress(content, 1)
        return stored

    def finished(self) -> Path:
        """The file, complete."""
        head = b"PACK" + (2).to_bytes(4, "big") + self._count.to_bytes(4, "big")
        digest = hashlib.sha1(head, usedforsecurity=False)
        digest.update(self._body)
        self._path.write_bytes(head + bytes(self._body) + digest.digest())
        self._body, self._count = bytearray(), 0
        return self._path


def difference(old: bytes, new: bytes) -> bytes:
    """How to make `new` of `old`: its beginning, something else, its end (gitformat-pack(5), "Deltified")."""
    begin = _common(old, new)
    end = _common(old[begin:][::-1], new[begin:][::-1])
    middle = new[begin : len(new) - end]
    parts = [_number(len(old)), _number(len(new)), _copy(0, begin)]
    parts += [bytes([len(part)]) + part for part in _pieces(middle, 127)]
    parts.append(_copy(len(old) - end, end))
    return b"".join(parts)


def _common(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _copy(start: int, size: int) -> bytes:
    """Instructions to copy so much from there: 1, then bits for which bytes of offset and size follow."""
    found = b""
    while size:
        part = min(size, 0xFFFF)
        offsets = [start >> shift & 0xFF for shift in (0, 8, 16, 24)]
        sizes = [part >> shift & 0xFF for shift in (0, 8)]
        bits = sum(1 << at for at, byte in enumerate([*offsets, *sizes]) if byte)
        found += bytes([0x80 | bits, *(byte for byte in (*offsets, *sizes) if byte)])
        start, size = start + part, size - part
    return found


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says: more."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _head(kind: int, size: int) -> bytes:
    """Type and size: four bits of the size beside the type, then seven a byte."""
    first, rest = kind << 4 | size & 0x0F, size >> 4
    return bytes([first]) if not rest else bytes([first | 0x80]) + _number(rest)
