"""A key has one form only, so that nobody stands twice in a threshold under two spellings of one key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from reconciler.ledger import keys
from reconciler.ledger.keys import KeyRefused, PublicKey
from reconciler.ledger.wire import Reader, mpint, string
from tests.unit.ledger.openssh import KeyPair


def words(key: PublicKey, blob: bytes) -> str:
    return f"{key.algorithm} {base64.b64encode(blob).decode()}"


def test_an_rsa_key_in_a_longer_spelling_is_refused(tmp_path: Path) -> None:
    key = keys.from_text(KeyPair.make(tmp_path, "rsa", 2048).public_text)
    reader = Reader(key.blob)
    name, exponent, modulus = reader.string(), reader.mpint(), reader.string()
    respelt = string(name) + mpint(exponent) + string(b"\0" + modulus)
    assert string(name) + mpint(exponent) + string(modulus) == key.blob
    with pytest.raises(KeyRefused):
        keys.from_text(words(key, respelt))


def test_a_compressed_point_is_refused(tmp_path: Path) -> None:
    key = keys.from_text(KeyPair.make(tmp_path, "ecdsa", 256).public_text)
    reader = Reader(key.blob)
    name, curve, point = reader.string(), reader.string(), reader.string()
    compressed = bytes([2 + point[-1] % 2]) + point[1:33]
    with pytest.raises(KeyRefused):
        keys.from_text(words(key, string(name) + string(curve) + string(compressed)))


def test_a_point_off_the_curve_is_refused(tmp_path: Path) -> None:
    key = keys.from_text(KeyPair.make(tmp_path, "ecdsa", 256).public_text)
    with pytest.raises(KeyRefused):
        keys.from_text(words(key, key.blob[:-1] + bytes([key.blob[-1] ^ 1])))


def test_two_base64_spellings_are_one_key(tmp_path: Path) -> None:
    text = KeyPair.make(tmp_path, "ed25519").public_text
    assert keys.from_text(text) == keys.from_text(" ".join(text.split()[:2]) + " another comment")


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "ssh-rsa AAAA"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused):
        keys.from_text(text)


def test_a_key_that_says_two_types_is_refused(tmp_path: Path) -> None:
    encoded = KeyPair.make(tmp_path, "ed25519").public_text.split()[1]
    with pytest.raises(KeyRefused, match="outside"):
        keys.from_text(f"ssh-rsa {encoded}")


def test_a_key_shows_itself_by_its_fingerprint_alone(tmp_path: Path) -> None:
    pair = KeyPair.make(tmp_path, "ed25519")
    assert repr(keys.from_text(pair.public_text)) == f"PublicKey(ssh-ed25519 {pair.fingerprint})"
