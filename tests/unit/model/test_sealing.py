"""A sealed key opens at its place and nowhere else, and its format stays."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from reconciler.model import sealed_format
from reconciler.model.sealing import (
    SealError,
    SealingContext,
    SealingKey,
    make_sealing_key,
    open_sealed,
    seal,
    sealing_key_of,
    wireguard_public_key,
)


@pytest.fixture(scope="module")
def node() -> SealingKey:
    return make_sealing_key()


def context_of(private_key: bytes) -> SealingContext:
    return SealingContext("acme", "web", "a" * 26, "b" * 26, wireguard_public_key(private_key))


def test_what_is_sealed_opens(node: SealingKey) -> None:
    private_key = os.urandom(32)
    context = context_of(private_key)
    sealed = seal(node.public, context, private_key)
    assert len(sealed) == sealed_format.CIPHERTEXT_BYTES
    assert open_sealed(node.private, context, sealed) == private_key


def test_sealing_twice_gives_two_texts(node: SealingKey) -> None:
    private_key = os.urandom(32)
    context = context_of(private_key)
    assert seal(node.public, context, private_key) != seal(node.public, context, private_key)


@pytest.mark.parametrize("field", ["tenant", "network", "node_id", "sealing_key_id", "public_key"])
@pytest.mark.rule(24)
def test_it_opens_nowhere_else(node: SealingKey, field: str) -> None:
    private_key = os.urandom(32)
    context = context_of(private_key)
    sealed = seal(node.public, context, private_key)
    with pytest.raises(SealError):
        open_sealed(node.private, replace(context, **{field: "c" * 26}), sealed)


@pytest.mark.rule(24)
def test_it_opens_for_nobody_else(node: SealingKey) -> None:
    private_key = os.urandom(32)
    context = context_of(private_key)
    with pytest.raises(SealError):
        open_sealed(make_sealing_key().private, context, seal(node.public, context, private_key))


@pytest.mark.parametrize("at", [0, 1087, 1088, 1119, 1120, 1167])
def test_a_changed_byte_anywhere_is_noticed(node: SealingKey, at: int) -> None:
    private_key = os.urandom(32)
    context = context_of(private_key)
    sealed = bytearray(seal(node.public, context, private_key))
    sealed[at] ^= 1
    with pytest.raises(SealError):
        open_sealed(node.private, context, bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"x", b"\0" * 1168, b"\0" * 1169])
def test_rubbish_does_not_open(node: SealingKey, sealed: bytes) -> None:
    with pytest.raises(SealError):
        open_sealed(node.private, context_of(os.urandom(32)), sealed)


def test_a_key_is_sealed_only_beside_its_own_public_half(node: SealingKey) -> None:
    with pytest.raises(SealError, match="does not belong"):
        seal(node.public, context_of(os.urandom(32)), os.urandom(32))


@pytest.mark.parametrize("public", [b"", b"\0" * 1216, b"\xff" * 1216, b"\0" * 1217])
def test_a_damaged_sealing_key(public: bytes) -> None:
    private_key = os.urandom(32)
    with pytest.raises(SealError):
        seal(public, context_of(private_key), private_key)


@pytest.mark.parametrize("private", [b"", b"\1" * 95, b"\1" * 97])
def test_a_private_sealing_key_of_the_wrong_length(private: bytes) -> None:
    with pytest.raises(SealError, match="96 bytes"):
        sealing_key_of(private)


def test_the_pair_follows_from_its_private_half(node: SealingKey) -> None:
    assert sealing_key_of(node.private) == node
    assert len(node.public) == sealed_format.PUBLIC_KEY_BYTES


@pytest.mark.rule(24)
def test_contexts_that_read_alike_are_not_alike() -> None:
    one = SealingContext("ab", "c", "", "", "")
    other = SealingContext("a", "bc", "", "", "")
    assert one.to_bytes() != other.to_bytes()


@pytest.mark.rule(24)
def test_the_context_is_spelled_as_the_specification_says() -> None:
    context = SealingContext("acme", "web", "n", "s", "p")
    assert context.to_bytes() == (
        b"\x00\x12tnet sealed key v1\x00\x04acme\x00\x03web\x00\x01n\x00\x01s\x00\x01p"
    )


@pytest.mark.skipif(shutil.which("wg") is None, reason="needs wireguard-tools")
def test_public_keys_are_those_that_wg_prints() -> None:
    private_key = os.urandom(32)
    printed = subprocess.run(
        ["wg", "pubkey"], input=base64.b64encode(private_key), capture_output=True, check=True, timeout=10
    )
    assert printed.stdout.decode().strip() == wireguard_public_key(private_key)


def test_ids_are_stable() -> None:
    """As `printf '<purpose>\\0x' | sha256sum | xxd -r -p | base32` prints them."""
    assert sealed_format.sealing_key_id(b"x") == "g2q2zuzwbjfw66bng5c6aaipkp"
    assert sealed_format.node_id(b"x") == "tavb52aus5fdkac5tn3oi67ks5"


def test_nothing_shows_a_private_key(node: SealingKey) -> None:
    private_key = os.urandom(32)
    context = context_of(private_key)
    sealed = seal(node.public, context, private_key)
    with pytest.raises(SealError) as caught:
        open_sealed(node.private, replace(context, tenant="globex"), sealed)
    for shown in (repr(node), str(caught.value), repr(caught.value), str(caught.value.__context__)):
        assert node.private.hex() not in shown
        assert repr(node.private)[2:20] not in shown
        assert repr(private_key)[2:20] not in shown
