"""WireGuard keys for tests: every one made afresh, looked up by its public half."""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


class Keys:
    """A `port.SecretStore`."""

    def __init__(self) -> None:
        self._private: dict[str, bytes] = {}

    def new(self) -> str:
        private = X25519PrivateKey.generate()
        public = b64encode(private.public_key().public_bytes_raw()).decode()
        self._private[public] = private.private_bytes_raw()
        return public

    def private_key(self, public_key: str) -> bytes:
        return self._private[public_key]
