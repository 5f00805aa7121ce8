"""SSH signatures over arbitrary data, verified in this process (OpenSSH, PROTOCOL.sshsig).

`verify` goes through the format from front to back and refuses by name what it doesn't accept. It agrees with
`ssh-keygen -Y verify` (seen with OpenSSH 9.2) but for these points, where it is stricter: the version must be
1 (there 0 passes, too), names hold no NUL (there what follows one is not compared), the reserved field must
be empty, the armor holds nothing but base64, and integers have one encoding only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from reconciler.errors import TnetError
from reconciler.ledger import keys
from reconciler.ledger.keys import KeyRefused, PublicKey
from reconciler.ledger.wire import Reader, WireError, string

GIT_NAMESPACE = "git"
MAGIC = b"SSHSIG"
VERSION = 1
MAX_ARMOR_BYTES = 16384

_BEGIN = b"-----BEGIN SSH SIGNATURE-----\n"
_END = b"-----END SSH SIGNATURE-----"
_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
}
_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}
_ECDSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
}


class SignatureRefused(TnetError):
    """A signature that doesn't count; the subclasses say why."""


class Malformed(SignatureRefused):
    """Not the format: broken armor, short, bytes too many."""


class UnsupportedVersion(SignatureRefused):
    """A version of the format other than 1."""


class UnsupportedKey(SignatureRefused):
    """Made by a kind of key that is not accepted."""


class WrongNamespace(SignatureRefused):
    """Made for another purpose."""


class UnsupportedHash(SignatureRefused):
    """The message was hashed by other than sha256 or sha512."""


class UnsupportedAlgorithm(SignatureRefused):
    """The signature's algorithm isn't the key's, or is one no longer safe (`ssh-rsa`: SHA-1)."""


class DoesNotVerify(SignatureRefused):
    """Well formed, and not a signature of this message by this key."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The fields of a signature, not yet verified."""

    key: PublicKey
    namespace: str
    hash_name: str
    algorithm: str
    value: bytes

    def signed_data(self, message: bytes) -> bytes:
        """The bytes that the key has signed (PROTOCOL.sshsig, "Signed Data")."""
        return b"".join(
            (
                MAGIC,
                string(self.namespace.encode("ascii")),
                string(b""),
                string(self.hash_name.encode("ascii")),
                string(_DIGESTS[self.hash_name](message)),
            )
        )


def verify(armored: bytes, message: bytes, namespace: str = GIT_NAMESPACE) -> PublicKey:
    """The key whose signature of `message` this is. Raises a `SignatureRefused`."""
    return verify_blob(dearmor(armored), message, namespace)


def verify_blob(blob: bytes, message: bytes, namespace: str) -> PublicKey:
    """`verify` for a signature without its armor."""
    signature = parse(blob)
    if signature.namespace != namespace:
        raise WrongNamespace(
            f"the signature was made for the purpose {signature.namespace!r}, not {namespace!r}"
        )
    _check(signature, signature.signed_data(message))
    return signature.key


def dearmor(armored: bytes) -> bytes:
    """The binary signature inside the PEM-like armor."""
    if len(armored) > MAX_ARMOR_BYTES:
        raise Malformed(f"the signature is longer than {MAX_ARMOR_BYTES} bytes")
    body = armored.removesuffix(b"\n")
    if not (body.startswith(_BEGIN) and body.endswith(b"\n" + _END)):
        raise Malformed("the signature doesn't stand between its BEGIN and END lines")
    encoded = body[len(_BEGIN) : -len(_END)].replace(b"\n", b"")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Malformed("the signature is not base64") from None


def parse(blob: bytes) -> Signature:
    """The fields of a binary signature. Raises a `SignatureRefused`."""
    try:
        return _parse(Reader(blob))
    except WireError as broken:
        raise Malformed(f"the signature {broken}") from None


def _parse(reader: Reader) -> Signature:
    if reader.take(len(MAGIC)) != MAGIC:
        raise Malformed("the signature doesn't begin with SSHSIG")
    version = reader.uint32()
    if version != VERSION:
        raise UnsupportedVersion(f"the signature has version {version}, only {VERSION} is known")
    key = _key(reader.string())
    namespace = reader.text()
    if reader.string():
        raise Malformed("the signature's reserved field is not empty")
    hash_name = reader.text()
    if hash_name not in _DIGESTS:
        raise UnsupportedHash(f"the signature hashes by {hash_name!r}, not by sha256 or sha512")
    inner = Reader(reader.string())
    reader.end()
    algorithm, value = inner.text(), inner.string()
    inner.end()
    return Signature(key, namespace, hash_name, algorithm, value)


def _key(blob: bytes) -> PublicKey:
    try:
        return keys.from_wire(blob)
    except KeyRefused as refused:
        raise UnsupportedKey(f"the signature's key is refused: {refused}", refused.advice) from None


def _check(signature: Signature, data: bytes) -> None:
    key = signature.key.usable
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            _check_ed25519(key, signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            _check_rsa(key, signature, data)
        else:
            _check_ecdsa(key, signature, data)
    except InvalidSignature:
        raise DoesNotVerify("the signature is not of this content by this key") from None


def _check_ed25519(key: ed25519.Ed25519PublicKey, signature: Signature, data: bytes) -> None:
    _expect_algorithm(signature, (signature.key.algorithm,))
    key.verify(signature.value, data)


def _check_rsa(key: rsa.RSAPublicKey, signature: Signature, data: bytes) -> None:
    _expect_algorithm(signature, tuple(_RSA_HASHES))
    length = (key.key_size + 7) // 8
    if len(signature.value) > length:
        raise Malformed("the rsa signature is longer than its key")
    # Some agents cut leading zeros off; OpenSSH's verifier puts them back (ssh-rsa.c).
    padded = signature.value.rjust(length, b"\0")
    key.verify(padded, data, padding.PKCS1v15(), _RSA_HASHES[signature.algorithm])


def _check_ecdsa(key: ec.EllipticCurvePublicKey, signature: Signature, data: bytes) -> None:
    _expect_algorithm(signature, (signature.key.algorithm,))
    try:
        reader = Reader(signature.value)
        r, s = reader.mpint(), reader.mpint()
        reader.end()
    except WireError as broken:
        raise Malformed(f"the ecdsa signature {broken}") from None
    key.verify(encode_dss_signature(r, s), data, ec.ECDSA(_ECDSA_HASHES[signature.algorithm]))


def _expect_algorithm(signature: Signature, accepted: tuple[str, ...]) -> None:
    if signature.algorithm not in accepted:
        raise UnsupportedAlgorithm(
            f"the signature's algorithm {signature.algorithm!r} is not one of: {', '.join(accepted)}"
        )
