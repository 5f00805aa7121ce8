"""Sealing a WireGuard private key to one node, for one place (docs/spec/sealed-keys.md).

HPKE (RFC 9180), base mode, one shot, with the hybrid of ML-KEM-768 and X25519: what is sealed lies in a
public repository for ever, so it has to outlast a computer that breaks either. The context is authenticated
along: a sealed key that is copied to another tenant, network, node or public key doesn't open.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from reconciler.errors import TnetError
from reconciler.model.base64_text import encode
from reconciler.model.sealed_format import PUBLIC_KEY_BYTES

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_SEED_BYTES = 64
"""FIPS 203 keeps an ML-KEM private key as the 64-byte seed it was made of."""

PRIVATE_KEY_BYTES = _SEED_BYTES + 32
WIREGUARD_KEY_BYTES = 32
_MLKEM_PUBLIC_BYTES = PUBLIC_KEY_BYTES - 32


class SealError(TnetError):
    """A key can't be sealed or opened. Never says anything of the key itself."""


@dataclass(frozen=True, slots=True)
class SealingContext:
    """Where a sealed key belongs: it opens there and nowhere else."""

    tenant: str
    network: str
    node_id: str
    sealing_key_id: str
    public_key: str

    def to_bytes(self) -> bytes:
        """Canonical: the format's name and each field, each behind its length (two bytes, big-endian)."""
        fields = (
            "tnet sealed key v1",
            self.tenant,
            self.network,
            self.node_id,
            self.sealing_key_id,
            self.public_key,
        )
        return b"".join(len(raw).to_bytes(2, "big") + raw for raw in map(str.encode, fields))


@dataclass(frozen=True, slots=True, repr=False)
class SealingKey:
    """A node's pair: `private` is the ML-KEM seed and the X25519 key, `public` what documents carry."""

    private: bytes
    public: bytes

    def __repr__(self) -> str:
        return "SealingKey(<private>)"


def make_sealing_key() -> SealingKey:
    """A fresh pair from the operating system's randomness."""
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return sealing_key_of(mlkem.private_bytes_raw() + x25519.private_bytes_raw())


def sealing_key_of(private: bytes) -> SealingKey:
    """The pair of a private half. Raises SealError if it isn't one."""
    mlkem, x25519 = _private_halves(private)
    public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    return SealingKey(private, public)


def seal(public: bytes, context: SealingContext, private_key: bytes) -> bytes:
    """`private_key` (32 bytes, WireGuard) sealed to the holder of `public`. Raises SealError."""
    if wireguard_public_key(private_key) != context.public_key:
        raise SealError("the private key does not belong to the public key it is sealed for")
    if len(public) != PUBLIC_KEY_BYTES:
        raise SealError(f"a sealing key has {PUBLIC_KEY_BYTES} bytes, this one {len(public)}")
    try:
        return _SUITE.encrypt(private_key, _public_key(public), context.to_bytes())
    except ValueError as error:
        raise SealError("the sealing key is damaged") from error


def open_sealed(private: bytes, context: SealingContext, ciphertext: bytes) -> bytes:
    """The WireGuard private key in `ciphertext`. Raises SealError unless all of `context` is right."""
    key = MLKEM768X25519PrivateKey(*_private_halves(private))
    try:
        opened = _SUITE.decrypt(ciphertext, key, context.to_bytes())
    except (InvalidTag, ValueError):
        raise SealError(
            f"the key of {context.tenant}/{context.network} does not open with the sealing key"
            f" {context.sealing_key_id}",
            "It was sealed to another node, or for another network: `tnet network reseal` makes a new one.",
        ) from None
    if len(opened) != WIREGUARD_KEY_BYTES or wireguard_public_key(opened) != context.public_key:
        raise SealError("what was sealed is not the private half of the public key beside it")
    return opened


def wireguard_public_key(private_key: bytes) -> str:
    """The public half, base64, as `wg pubkey` prints it. Raises SealError unless it is 32 bytes."""
    if len(private_key) != WIREGUARD_KEY_BYTES:
        raise SealError(f"a WireGuard key has {WIREGUARD_KEY_BYTES} bytes")
    return encode(X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw())


def _private_halves(private: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(private) != PRIVATE_KEY_BYTES:
        raise SealError(f"a private sealing key has {PRIVATE_KEY_BYTES} bytes")
    mlkem = MLKEM768PrivateKey.from_seed_bytes(private[:_SEED_BYTES])
    return mlkem, X25519PrivateKey.from_private_bytes(private[_SEED_BYTES:])


def _public_key(public: bytes) -> MLKEM768X25519PublicKey:
    mlkem = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES])
    return MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]))
