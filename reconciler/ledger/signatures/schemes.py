"""Each signature algorithm: whether a value is a signature of these bytes by this key.

One rule for all: what the algorithm's name says must be the key's, and a value has one form only (but for
rsa, where OpenSSH puts cut-off zeros back).

See docs/spec/ledger.md, section 3.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from reconciler.ledger.signatures import fido
from reconciler.ledger.signatures.keys import SK_ECDSA, SK_ED25519, PublicKey
from reconciler.ledger.signatures.refused import DoesNotVerify, Malformed, UnsupportedAlgorithm
from reconciler.ledger.signatures.wire import Reader, WireError

_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}
_ECDSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
    SK_ECDSA: hashes.SHA256(),
}
_OWN_NAME = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
ALGORITHMS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in _OWN_NAME},
    "ssh-rsa": tuple(_RSA_HASHES),
    SK_ED25519: (SK_ED25519,),
    SK_ECDSA: (SK_ECDSA, fido.WEBAUTHN),
}
"""By which algorithms a key of each type may sign."""


def check(key: PublicKey, algorithm: str, value: bytes, details: bytes, data: bytes) -> None:
    """Raises a `SignatureRefused` unless `value` signs `data`, by this key and in the way of `details`."""
    _expect(algorithm, ALGORITHMS[key.algorithm])
    rest = Reader(details)
    try:
        signed = _signed_bytes(key, algorithm, rest, data)
        rest.end()
        _verify(key, algorithm, value, signed)
    except WireError as broken:
        raise Malformed(f"the {algorithm} signature {broken}") from None
    except InvalidSignature:
        raise DoesNotVerify("the signature is not of this content by this key") from None


def _signed_bytes(key: PublicKey, algorithm: str, rest: Reader, data: bytes) -> bytes:
    """What the key itself has signed; a security key wraps the data, and adds fields that say how."""
    if key.application is None:
        return data
    return fido.signed_bytes(key.application, algorithm, rest, data)


def _verify(key: PublicKey, algorithm: str, value: bytes, signed: bytes) -> None:
    usable = key.usable
    if isinstance(usable, ed25519.Ed25519PublicKey):
        usable.verify(value, signed)
    elif isinstance(usable, rsa.RSAPublicKey):
        _verify_rsa(usable, value, signed, _RSA_HASHES[algorithm])
    else:
        _verify_ecdsa(usable, value, signed, _ECDSA_HASHES[key.algorithm])


def _verify_rsa(key: rsa.RSAPublicKey, value: bytes, signed: bytes, digest: hashes.HashAlgorithm) -> None:
    length = (key.key_size + 7) // 8
    if len(value) > length:
        raise WireError("is longer than its key")
    # Some agents cut leading zeros off; OpenSSH's verifier puts them back (ssh-rsa.c).
    key.verify(value.rjust(length, b"\0"), signed, padding.PKCS1v15(), digest)


def _verify_ecdsa(
    key: ec.EllipticCurvePublicKey, value: bytes, signed: bytes, digest: hashes.HashAlgorithm
) -> None:
    reader = Reader(value)
    r, s = reader.mpint(), reader.mpint()
    reader.end()
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))


def _expect(algorithm: str, accepted: tuple[str, ...]) -> None:
    if algorithm == "ssh-rsa":
        raise UnsupportedAlgorithm(
            f"the signature is an rsa signature by SHA-1 (ssh-rsa), not one of: {', '.join(accepted)}"
        )
    if algorithm not in accepted:
        raise UnsupportedAlgorithm(
            f"the signature's algorithm {algorithm!r} is not one of: {', '.join(accepted)}"
        )
