"""The sizes and names of sealed keys, apart from the cryptography, which costs an import."""

from __future__ import annotations

import base64
import hashlib

PUBLIC_KEY_BYTES = 1184 + 32
"""An ML-KEM-768 encapsulation key (FIPS 203) and an X25519 public key (RFC 7748)."""

CIPHERTEXT_BYTES = 1088 + 32 + 32 + 16
"""ML-KEM ciphertext, X25519 share, the 32 bytes that are sealed, and the Poly1305 tag."""

UNIQUE_ID_LENGTH = 26


def sealing_key_id(public_key: bytes) -> str:
    """The id of a sealing key. It derives from the key, so that nobody can give a key another's id."""
    return _derived_id(b"tnet sealing key v1", public_key)


def node_id(first_public_key: bytes) -> str:
    """A node's unique id: derives from its first sealing key, and stays when that is replaced."""
    return _derived_id(b"tnet node v1", first_public_key)


def _derived_id(purpose: bytes, data: bytes) -> str:
    """130 bits of SHA-256 over the purpose, a zero byte and the data; lower-case base32 (RFC 4648)."""
    digest = hashlib.sha256(purpose + b"\0" + data).digest()
    return base64.b32encode(digest).decode().lower()[:UNIQUE_ID_LENGTH]
