"""What a security key signs (OpenSSH, PROTOCOL.u2f), also through a browser (WebAuthn).

A token never signs the data itself, but

    SHA-256(application)  flags (1 byte)  counter (4 bytes)  extensions  SHA-256(message)

and hands out flags and counter beside the signature. Through a browser, the message is the *client data*, a
JSON text that holds the data in base64url as its challenge, and the extensions may be other than empty.

User presence (a touch) is required, as sshd does by default; `ssh-keygen -Y verify` doesn't look. That the
user was verified (a PIN) isn't asked for. The counter is not looked at: it would take a memory of earlier
ones.

See docs/spec/ledger.md, section 3.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from reconciler.ledger.signatures.refused import (
    DoesNotVerify,
    Malformed,
    NobodyPresent,
    UnsupportedClientData,
)
from reconciler.ledger.signatures.wire import Reader

WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"

# WebAuthn Level 2, section 6.1: flags of the authenticator data.
USER_PRESENT = 0x01
ATTESTED_DATA = 0x40
EXTENSIONS_FOLLOW = 0x80

_FRAMED = b',"crossOrigin":true'


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the token adds to its signature; `counter` as it stands on the wire."""

    flags: int
    counter: bytes

    def signed_bytes(self, application: str, extensions: bytes, message: bytes) -> bytes:
        """The bytes that the token has signed."""
        flags = bytes([self.flags])
        return b"".join(
            (_sha256(application.encode("ascii")), flags, self.counter, extensions, _sha256(message))
        )


def signed_bytes(application: str, algorithm: str, rest: Reader, data: bytes) -> bytes:
    """What the token has signed, by the fields that follow the signature's value.

    Raises a `SignatureRefused` if nobody was present, or if a browser was asked for something else.
    """
    assertion = Assertion(rest.take(1)[0], rest.take(4))
    if not assertion.flags & USER_PRESENT:
        raise NobodyPresent(
            "the security key was not touched when it signed",
            "use a key that asks for it: ssh-keygen -t ed25519-sk, without -O no-touch-required",
        )
    if algorithm != WEBAUTHN:
        return assertion.signed_bytes(application, b"", data)
    origin, client_data, extensions = rest.string(), rest.string(), rest.string()
    _require_plain_assertion(assertion.flags, extensions)
    _require_client_data(origin, client_data, data)
    return assertion.signed_bytes(application, extensions, client_data)


def _require_plain_assertion(flags: int, extensions: bytes) -> None:
    """Otherwise one string of bytes could be cut into extensions and hash in several ways."""
    if flags & ATTESTED_DATA:
        raise UnsupportedClientData("the signature is from a security key's registration")
    if bool(flags & EXTENSIONS_FOLLOW) != bool(extensions):
        raise Malformed("the signature's flags and extensions contradict each other")


def _require_client_data(origin: bytes, client_data: bytes, data: bytes) -> None:
    """Browsers write type, challenge, origin and crossOrigin first and in this order
    (WebAuthn Level 2, section 5.8.1.1), so that nobody needs a JSON parser to check them."""
    if b'"' in origin or b"\0" in origin:
        raise Malformed("the signature's origin holds a quote or a NUL")
    challenge = base64.urlsafe_b64encode(data).rstrip(b"=")
    expected = b'{"type":"webauthn.get","challenge":"' + challenge + b'","origin":"' + origin + b'"'
    if not client_data.startswith(expected):
        raise DoesNotVerify("the browser was asked for a signature of something else")
    if client_data.startswith(_FRAMED, len(expected)):
        raise UnsupportedClientData("the signature was asked for by a page within another site's page")


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
