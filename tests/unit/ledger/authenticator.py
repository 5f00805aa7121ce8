"""Security keys in software: keys and signatures as tokens and browsers make them (OpenSSH, PROTOCOL.u2f)."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.ledger.signatures.wire import mpint, string
from tests.unit.ledger.openssh import armor

ED25519 = b"sk-ssh-ed25519@openssh.com"
ECDSA = b"sk-ecdsa-sha2-nistp256@openssh.com"
WEBAUTHN = b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
TOUCHED = 0x01


def signed_data(message: bytes, namespace: bytes = b"git") -> bytes:
    """What an SSHSIG of the message covers."""
    head = b"SSHSIG" + string(namespace) + string(b"") + string(b"sha512")
    return head + string(hashlib.sha512(message).digest())


def sshsig_of(key: bytes, inner: bytes, namespace: bytes = b"git") -> bytes:
    """The armored signature, around `inner` (algorithm, value, and what follows)."""
    head = b"SSHSIG" + (1).to_bytes(4, "big") + string(key) + string(namespace)
    return armor(head + string(b"") + string(b"sha512") + string(inner))


def client_data(challenge: bytes, origin: bytes = b"https://sign.example", **more: object) -> bytes:
    """As browsers write it: no spaces, type, challenge and origin first."""
    text = {
        "type": "webauthn.get",
        "challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "origin": origin.decode(),
        **({"crossOrigin": False} | more),
    }
    return json.dumps(text, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Token:
    """A security key for one application."""

    private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    application: bytes = b"ssh:"

    @classmethod
    def ed25519(cls, application: bytes = b"ssh:") -> Token:
        return cls(Ed25519PrivateKey.generate(), application)

    @classmethod
    def ecdsa(cls, application: bytes = b"ssh:") -> Token:
        return cls(ec.generate_private_key(ec.SECP256R1()), application)

    @property
    def algorithm(self) -> bytes:
        return ED25519 if isinstance(self.private, Ed25519PrivateKey) else ECDSA

    @property
    def blob(self) -> bytes:
        """The public key on the wire."""
        public = self.private.public_key()
        if isinstance(self.private, Ed25519PrivateKey):
            point = string(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        else:
            encoded = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            point = string(b"nistp256") + string(encoded)
        return string(self.algorithm) + point + string(self.application)

    @property
    def public_text(self) -> str:
        return f"{self.algorithm.decode()} {base64.b64encode(self.blob).decode()} token\n"

    def raw_sign(self, data: bytes) -> bytes:
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(data)
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return mpint(r) + mpint(s)

    def assertion(
        self, message: bytes, flags: int = TOUCHED, counter: int = 7, extensions: bytes = b""
    ) -> bytes:
        """value, flags and counter: what the token answers when asked to sign the message."""
        tail = bytes([flags]) + counter.to_bytes(4, "big")
        application = hashlib.sha256(self.application).digest()
        signed = application + tail + extensions + hashlib.sha256(message).digest()
        return string(self.raw_sign(signed)) + tail

    def sign(
        self, message: bytes, flags: int = TOUCHED, counter: int = 7, namespace: bytes = b"git"
    ) -> bytes:
        """An armored SSHSIG."""
        inner = string(self.algorithm) + self.assertion(signed_data(message, namespace), flags, counter)
        return sshsig_of(self.blob, inner, namespace)

    def sign_in_browser(
        self,
        message: bytes,
        *,
        flags: int = TOUCHED,
        extensions: bytes = b"",
        origin: bytes = b"https://sign.example",
        text: bytes | None = None,
    ) -> bytes:
        """The same through WebAuthn; `text` stands for the client data."""
        text = client_data(signed_data(message), origin) if text is None else text
        inner = string(WEBAUTHN) + self.assertion(text, flags, extensions=extensions)
        return sshsig_of(self.blob, inner + string(origin) + string(text) + string(extensions))


def ssh_keygen_accepts(directory: Path, public_text: str, armored: bytes, message: bytes) -> bool:
    """What `ssh-keygen -Y verify` says."""
    (directory / "allowed").write_text("somebody " + public_text)
    (directory / "signature").write_bytes(armored)
    command = ["ssh-keygen", "-Y", "verify", "-n", "git", "-I", "somebody"]
    files = ["-f", str(directory / "allowed"), "-s", str(directory / "signature")]
    done = subprocess.run([*command, *files], input=message, capture_output=True, check=False)
    return done.returncode == 0
