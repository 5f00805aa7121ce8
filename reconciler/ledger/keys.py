"""SSH public keys: from text or wire bytes to a value that can be compared, shown and verified with.

A key is known by its wire bytes (RFC 4253 section 6.6, RFC 5656, RFC 8709), never by its text: reading is
so strict that no two byte strings give the same key. Accepted are ed25519, ecdsa over the three NIST curves,
and rsa of 2048 to 16384 bits (OpenSSH's own upper bound, SSHBUF_MAX_BIGNUM).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from reconciler.errors import TnetError
from reconciler.ledger.wire import Reader, WireError

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16384

CryptographyKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class KeyRefused(TnetError):
    """A public key that is malformed or of a kind that is not accepted; says which and why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. Equal when the wire bytes are equal.

    `fingerprint` is as `ssh-keygen -l` prints it: `SHA256:` and 43 characters.
    """

    blob: bytes
    algorithm: str = field(compare=False)
    fingerprint: str = field(compare=False)
    usable: CryptographyKey = field(compare=False, repr=False)

    @property
    def text(self) -> str:
        """As in a `.pub` file, without the comment."""
        return f"{self.algorithm} {base64.b64encode(self.blob).decode('ascii')}"

    def __repr__(self) -> str:
        return f"PublicKey({self.algorithm} {self.fingerprint})"


def _read_ed25519(reader: Reader, algorithm: str) -> CryptographyKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(reader.string())


_CURVES: dict[str, tuple[str, type[ec.EllipticCurve]]] = {
    "ecdsa-sha2-nistp256": ("nistp256", ec.SECP256R1),
    "ecdsa-sha2-nistp384": ("nistp384", ec.SECP384R1),
    "ecdsa-sha2-nistp521": ("nistp521", ec.SECP521R1),
}


def _read_ecdsa(reader: Reader, algorithm: str) -> CryptographyKey:
    name, curve = _CURVES[algorithm]
    if reader.text() != name:
        raise WireError(f"the curve is not {name}")
    point = reader.string()
    if point[:1] != b"\x04":
        raise WireError("the point is not in uncompressed form")
    return ec.EllipticCurvePublicKey.from_encoded_point(curve(), point)


def _read_rsa(reader: Reader, algorithm: str) -> CryptographyKey:
    exponent, modulus = reader.mpint(), reader.mpint()
    bits = modulus.bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise WireError(f"an rsa key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, this one {bits}")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


_READERS: dict[str, Callable[[Reader, str], CryptographyKey]] = {
    "ssh-ed25519": _read_ed25519,
    "ssh-rsa": _read_rsa,
    **dict.fromkeys(_CURVES, _read_ecdsa),
}
ACCEPTED = tuple(_READERS)


@lru_cache(maxsize=65536)
def from_wire(blob: bytes) -> PublicKey:
    """The key that these wire bytes encode. Raises `KeyRefused`."""
    try:
        return _from_wire(blob)
    except (WireError, ValueError) as refused:
        raise KeyRefused(f"a malformed public key: {refused}") from None


def _from_wire(blob: bytes) -> PublicKey:
    reader = Reader(blob)
    algorithm = reader.text()
    read = _READERS.get(algorithm)
    if read is None:
        raise KeyRefused(f"keys of type {algorithm} are not accepted", f"use one of: {', '.join(ACCEPTED)}")
    usable = read(reader, algorithm)
    reader.end()
    return PublicKey(blob, algorithm, _fingerprint(blob), usable)


def _fingerprint(blob: bytes) -> str:
    digest = hashlib.sha256(blob).digest()
    return "SHA256:" + base64.b64encode(digest).rstrip(b"=").decode("ascii")


@lru_cache(maxsize=65536)
def from_text(text: str) -> PublicKey:
    """The key of a `.pub` line: type, base64, and perhaps a comment. Raises `KeyRefused`."""
    words = text.split()
    if len(words) < 2:
        raise KeyRefused("a public key is two words: its type and its base64")
    try:
        key = from_wire(base64.b64decode(words[1], validate=True))
    except binascii.Error:
        raise KeyRefused("a public key's second word is not base64") from None
    if key.algorithm != words[0]:
        raise KeyRefused(f"a public key says {words[0]} outside and {key.algorithm} inside")
    return key
