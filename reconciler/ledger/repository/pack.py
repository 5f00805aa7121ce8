"""Writes a git pack (gitformat-pack(5), version 2) of whole objects, to hand objects to git as they are."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

_TYPES = {"commit": 1, "tree": 2, "blob": 3}


def pack(objects: Sequence[tuple[str, bytes]]) -> bytes:
    """A pack of these objects (kind, content), none of which is a difference to another."""
    head = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")
    body = b"".join(_entry_head(kind, len(data)) + zlib.compress(data, 1) for kind, data in objects)
    return head + body + hashlib.sha1(head + body, usedforsecurity=False).digest()


def _entry_head(kind: str, size: int) -> bytes:
    """Type and size: four bits of the size beside the type, then seven a byte; the top bit says: more."""
    byte, rest = _TYPES[kind] << 4 | size & 0x0F, size >> 4
    head = bytearray()
    while rest:
        head.append(byte | 0x80)
        byte, rest = rest & 0x7F, rest >> 7
    head.append(byte)
    return bytes(head)
