"""SSH public keys: from text or wire bytes to a value that can be compared, shown and verified with.

A key is known by its wire bytes (RFC 4253 section 6.6, RFC 5656, RFC 8709; OpenSSH, PROTOCOL.u2f), never
by its text: reading is so strict that no two byte strings give the same key. Accepted are ed25519, ecdsa over
the three NIST curves, rsa of 2048 to 16384 bits (OpenSSH's own upper bound, SSHBUF_MAX_BIGNUM), and security
keys (`sk-`) by ed25519 and ecdsa over P-256.

See docs/spec/ledger.md, section 3.
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
from reconciler.ledger.signatures.points import require_sound_ec_point, require_sound_ed25519_point
from reconciler.ledger.signatures.wire import Reader, WireError

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16384
MAX_RSA_EXPONENT_BITS = 64
"""OpenSSL verifies with no longer one where the modulus has more than 3072 bits
(OPENSSL_RSA_MAX_PUBEXP_BITS); here it holds for every modulus."""

MAX_APPLICATION_BYTES = 253
"""It is `ssh:` and perhaps more, or a web site's domain, and a domain has no more (RFC 1035)."""

SK_ED25519 = "sk-ssh-ed25519@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"

_REMEMBERED = 16384
"""Keys that are kept read: 5 to 20 µs each to read, up to 4 KB to keep, and strangers choose them."""

CryptographyKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class KeyRefused(TnetError):
    """A public key that is malformed or of a kind that is not accepted; says which and why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. Equal when the wire bytes are equal.

    `fingerprint` is as `ssh-keygen -l` prints it: `SHA256:` and 43 characters. `application` is what a
    security key signs for (mostly `ssh:`); None for all others.
    """

    blob: bytes
    algorithm: str = field(compare=False)
    fingerprint: str = field(compare=False)
    usable: CryptographyKey = field(compare=False, repr=False)
    application: str | None = field(compare=False, default=None)

    @property
    def text(self) -> str:
        """As in a `.pub` file, without the comment."""
        return f"{self.algorithm} {base64.b64encode(self.blob).decode('ascii')}"

    def __repr__(self) -> str:
        return f"PublicKey({self.algorithm} {self.fingerprint})"


def _read_ed25519(reader: Reader, algorithm: str) -> CryptographyKey:
    encoded = reader.string()
    require_sound_ed25519_point(encoded)
    return ed25519.Ed25519PublicKey.from_public_bytes(encoded)


_CURVES: dict[str, tuple[str, type[ec.EllipticCurve]]] = {
    "ecdsa-sha2-nistp256": ("nistp256", ec.SECP256R1),
    "ecdsa-sha2-nistp384": ("nistp384", ec.SECP384R1),
    "ecdsa-sha2-nistp521": ("nistp521", ec.SECP521R1),
    SK_ECDSA: ("nistp256", ec.SECP256R1),
}


def _read_ecdsa(reader: Reader, algorithm: str) -> CryptographyKey:
    name, curve = _CURVES[algorithm]
    if reader.text() != name:
        raise WireError(f"the curve is not {name}")
    point = reader.string()
    if point[:1] != b"\x04":
        raise WireError("the point is not in uncompressed form")
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve(), point)
    require_sound_ec_point(key.public_numbers())
    return key


def _read_rsa(reader: Reader, algorithm: str) -> CryptographyKey:
    exponent, modulus = reader.mpint(), reader.mpint()
    bits = modulus.bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise WireError(f"an rsa key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, this one {bits}")
    if modulus % 2 == 0:
        raise WireError("the rsa modulus is even")
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > MAX_RSA_EXPONENT_BITS:
        raise WireError(f"the rsa exponent is even, below 3, or longer than {MAX_RSA_EXPONENT_BITS} bits")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


_PLAIN: dict[str, Callable[[Reader, str], CryptographyKey]] = {
    "ssh-ed25519": _read_ed25519,
    "ssh-rsa": _read_rsa,
    "ecdsa-sha2-nistp256": _read_ecdsa,
    "ecdsa-sha2-nistp384": _read_ecdsa,
    "ecdsa-sha2-nistp521": _read_ecdsa,
}
_SECURITY_KEYS: dict[str, Callable[[Reader, str], CryptographyKey]] = {
    SK_ED25519: _read_ed25519,
    SK_ECDSA: _read_ecdsa,
}
_READERS = _PLAIN | _SECURITY_KEYS
ACCEPTED = tuple(_READERS)


@lru_cache(maxsize=_REMEMBERED)
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
        raise KeyRefused(*_refusal(algorithm))
    usable = read(reader, algorithm)
    application = _application(reader) if algorithm in _SECURITY_KEYS else None
    reader.end()
    return PublicKey(blob, algorithm, _fingerprint(blob), usable, application)


def _application(reader: Reader) -> str:
    application = reader.text()
    if not 1 <= len(application) <= MAX_APPLICATION_BYTES:
        raise WireError(f"a security key's application has 1 to {MAX_APPLICATION_BYTES} characters")
    return application


def _refusal(algorithm: str) -> tuple[str, str]:
    """What is wrong with a type of key, and what to do."""
    if "-cert-v" in algorithm:
        return (
            f"certificates are not accepted ({algorithm})",
            "name the key itself: the ledger is the authority here",
        )
    if algorithm == "ssh-dss":
        return "DSA keys are not accepted (ssh-dss): they hash by SHA-1", _MAKE_ONE
    return f"keys of type {algorithm} are not accepted", f"use one of: {', '.join(ACCEPTED)}"


_MAKE_ONE = "make one that is: tnet key new"


def _fingerprint(blob: bytes) -> str:
    digest = hashlib.sha256(blob).digest()
    return "SHA256:" + base64.b64encode(digest).rstrip(b"=").decode("ascii")


@lru_cache(maxsize=_REMEMBERED)
def from_text(text: str) -> PublicKey:
    """The key of a `.pub` line: type, base64, and perhaps a comment. Raises `KeyRefused`."""
    words = text.split()
    if len(words) < 2:
        raise KeyRefused("a public key is two words: its type and its base64")
    try:
        key = from_wire(base64.b64decode(words[1].encode("utf-8", "replace"), validate=True))
    except binascii.Error:
        raise KeyRefused("a public key's second word is not base64") from None
    if key.algorithm != words[0]:
        raise KeyRefused(f"a public key says {words[0]} outside and {key.algorithm} inside")
    return key
