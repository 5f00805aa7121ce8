"""SSH public keys are whole, and one key has one text."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from reconciler.model.ssh_key import ssh_key_fault

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def text_of(key: Key) -> str:
    encoding, shape = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(encoding, shape).decode()


def field(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def joined(algorithm: str, *fields: bytes) -> str:
    blob = field(algorithm.encode()) + b"".join(map(field, fields))
    return f"{algorithm} {base64.b64encode(blob).decode()}"


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=lambda key: type(key).__name__,
)
def test_keys_as_openssh_writes_them(key: Key) -> None:
    assert ssh_key_fault(text_of(key)) == ""


def test_a_weak_rsa_key() -> None:
    assert "1024 bits" in ssh_key_fault(text_of(rsa.generate_private_key(65537, 1024)))


N = b"\0" + b"\xc5" * 256
POINT = b"\x04" + b"\1" * 64


@pytest.mark.parametrize(
    "text",
    [
        "ssh-ed25519 ",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 not+base64",
        joined("ssh-ed25519"),
        joined("ssh-ed25519", b"\1" * 31),
        joined("ssh-ed25519", b"\1" * 32, b""),
        joined("ssh-ed25519", b"\1" * 32) + "AAAA",
        joined("ssh-ed25519", b"\1" * 32).replace("ssh-ed25519 ", "ssh-rsa "),
        joined("ecdsa-sha2-nistp256", b"nistp384", POINT),
        joined("ecdsa-sha2-nistp256", b"nistp256", POINT[:-1]),
        joined("ecdsa-sha2-nistp256", b"nistp256", b"\x02" + b"\1" * 64),
        joined("ssh-rsa", b"\1\0\1"),
        joined("ssh-rsa", b"\1\0\1", N, b""),
        joined("ssh-rsa", b"\1\0\1", b"\0" + N),
        joined("ssh-rsa", b"\0\1\0\1", N),
        joined("ssh-rsa", b"\1\0\1", N[1:]),
        joined("ssh-rsa", b"", N),
    ],
)
def test_damaged_keys_and_second_spellings(text: str) -> None:
    assert ssh_key_fault(text)


def test_the_same_base64_in_a_second_spelling() -> None:
    text = joined("ssh-ed25519", b"\1" * 32)
    assert ssh_key_fault(text) == ""
    blob = joined("ecdsa-sha2-nistp384", b"nistp384", b"\x04" + b"\1" * 96)
    assert blob.endswith("=")
    assert ssh_key_fault(blob) == ""
    second = blob[:-2] + chr(ord(blob[-2]) + 1) + "="
    assert ssh_key_fault(second)
