"""SSH signatures over arbitrary data, verified in this process (OpenSSH, PROTOCOL.sshsig).

`verify` goes through the format from front to back and refuses by name what it doesn't accept. Where it is
stricter than `ssh-keygen -Y verify`, docs/spec/ledger.md, section 3, has a table, and tests hold both to it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.ledger.signatures import keys, schemes
from reconciler.ledger.signatures.keys import KeyRefused, PublicKey
from reconciler.ledger.signatures.refused import (
    DoesNotVerify,
    Malformed,
    NobodyPresent,
    SignatureRefused,
    UnsupportedAlgorithm,
    UnsupportedClientData,
    UnsupportedHash,
    UnsupportedKey,
    UnsupportedVersion,
    WrongNamespace,
)
from reconciler.ledger.signatures.wire import Reader, WireError, string

__all__ = [
    "GIT_NAMESPACE",
    "MAX_ARMOR_BYTES",
    "DoesNotVerify",
    "Malformed",
    "NobodyPresent",
    "Signature",
    "SignatureRefused",
    "UnsupportedAlgorithm",
    "UnsupportedClientData",
    "UnsupportedHash",
    "UnsupportedKey",
    "UnsupportedVersion",
    "WrongNamespace",
    "dearmor",
    "parse",
    "verify",
    "verify_blob",
]

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


@dataclass(frozen=True, slots=True)
class Signature:
    """The fields of a signature, not yet verified. `details` is what security keys put after the value."""

    key: PublicKey
    namespace: str
    hash_name: str
    algorithm: str
    value: bytes
    details: bytes

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
    data = signature.signed_data(message)
    schemes.check(signature.key, signature.algorithm, signature.value, signature.details, data)
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
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Malformed("the signature is not base64") from None
    if base64.b64encode(blob) != encoded:
        raise Malformed("the signature's last character of base64 holds superfluous bits")
    return blob


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
    return Signature(key, namespace, hash_name, inner.text(), inner.string(), inner.rest())


def _key(blob: bytes) -> PublicKey:
    try:
        return keys.from_wire(blob)
    except KeyRefused as refused:
        raise UnsupportedKey(f"the signature's key is refused: {refused}", refused.advice) from None
