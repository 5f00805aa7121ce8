"""The Merkle tree over a log (RFC 9162, section 2.1, with SHA-256): one short hash that stands for every
entry, and short proofs that an entry is among them.

    leaf   SHA-256( 00  data )
    node   SHA-256( 01  left  right )

The left subtree of a node over n leaves is the largest full one with less than n. Whoever only appends keeps
no tree but its *frontier*: the roots of the full subtrees side by side, one for each bit of the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from reconciler.errors import TnetError

HASH_BYTES = 32


class ProofRefused(TnetError):
    """A proof that has another length than its place in the log asks for."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(b"\0" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A log of `size` entries: the roots of its full subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """The log with this leaf's hash (`leaf_hash`) at its end."""
        peaks, full = self.peaks, self.size
        while full & 1:
            leaf = _node(peaks[-1], leaf)
            peaks, full = peaks[:-1], full >> 1
        return Frontier(self.size + 1, (*peaks, leaf))

    @property
    def root(self) -> bytes:
        """The hash that stands for the whole log."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        return reduce(lambda right, left: _node(left, right), reversed(self.peaks))


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from the leaf at `index` to the root of this log, the nearest first."""
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(f"there is no leaf {index} of {len(leaf_hashes)}")
    level, proof = list(leaf_hashes), []
    while len(level) > 1:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        level = [_joined(level[at : at + 2]) for at in range(0, len(level), 2)]
        index >>= 1
    return tuple(proof)


def _joined(pair: Sequence[bytes]) -> bytes:
    """A node; one that has no neighbour moves up as it is."""
    return _node(*pair) if len(pair) == 2 else pair[0]


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root of a log of `size` entries that has this leaf's hash at `index`, by this proof.

    Compare it with the log's known root. Raises `ProofRefused`.
    """
    if not 0 <= index < size:
        raise ProofRefused(f"a log of {size} entries has none at {index}")
    at, last, left_over = index, size - 1, list(proof)
    while last:
        if at & 1:
            leaf = _node(_next(left_over), leaf)
        elif at < last:
            leaf = _node(leaf, _next(left_over))
        at, last = at >> 1, last >> 1
    if left_over:
        raise ProofRefused(f"the proof has {len(left_over)} hashes too many")
    return leaf


def _next(proof: list[bytes]) -> bytes:
    if not proof or len(proof[0]) != HASH_BYTES:
        raise ProofRefused("the proof is too short, or holds what is no hash")
    return proof.pop(0)
