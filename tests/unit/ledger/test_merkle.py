"""The log's tree is that of RFC 9162; its known vectors, and the definition itself as the oracle."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ledger.judging.merkle import (
    Frontier,
    ProofRefused,
    inclusion_proof,
    leaf_hash,
    root_from_proof,
)

# The inputs that certificate transparency logs are tested with, and the roots of their first 1, 2, ... .
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
hashes = st.lists(st.binary(max_size=4).map(leaf_hash), min_size=1, max_size=70)


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    both = by_definition(leaves[:split]) + by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + both).digest()


@pytest.mark.parametrize("size", range(1, len(ROOTS) + 1))
def test_known_roots(size: int) -> None:
    assert grown([leaf_hash(data) for data in INPUTS[:size]]).root.hex() == ROOTS[size - 1]


def test_an_empty_log_has_the_hash_of_nothing() -> None:
    assert Frontier().root == hashlib.sha256(b"").digest()


@given(hashes)
def test_appending_gives_the_tree_of_the_definition(leaves: list[bytes]) -> None:
    frontier = grown(leaves)
    assert frontier.root == by_definition(leaves)
    assert frontier.size == len(leaves)
    assert len(frontier.peaks) == len(leaves).bit_count()


@given(hashes, st.data())
def test_a_proof_leads_every_leaf_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(leaves, index)
    assert len(proof) <= (len(leaves) - 1).bit_length()
    assert root_from_proof(leaves[index], index, len(leaves), proof) == grown(leaves).root


@given(st.integers(2, 70), st.data())
def test_a_proof_of_another_leaf_place_or_size_does_not_lead_there(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
    proof, root = inclusion_proof(leaves, index), grown(leaves).root
    assert root_from_proof(leaves[other], index, size, proof) != root
    at = data.draw(st.integers(0, len(proof) - 1))
    bent = (*proof[:at], leaf_hash(b"other"), *proof[at + 1 :])
    assert root_from_proof(leaves[index], index, size, bent) != root
    with contextlib.suppress(ProofRefused):
        assert root_from_proof(leaves[index], other, size, proof) != root


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_a_proof_that_is_too_short_or_too_long_is_refused(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    proof = inclusion_proof(leaves, 0)
    with pytest.raises(ProofRefused):
        root_from_proof(leaves[0], 0, size, (*proof, leaf_hash(b"")))
    if proof:
        with pytest.raises(ProofRefused):
            root_from_proof(leaves[0], 0, size, proof[:-1])
        with pytest.raises(ProofRefused):
            root_from_proof(leaves[0], 0, size, (proof[0][:31], *proof[1:]))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_proof_outside_the_log(index: int, size: int) -> None:
    with pytest.raises(ProofRefused):
        root_from_proof(leaf_hash(b""), index, size, ())
    with pytest.raises(IndexError):
        inclusion_proof([leaf_hash(b"")] * size, index)
