"""Keys and signatures made by OpenSSH and git themselves, to hold our readers against."""

from __future__ import annotations

import base64
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

KINDS = (("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048), ("rsa", 3072))


def run(*command: str | Path, data: bytes = b"", **environment: str) -> bytes:
    return subprocess.run(
        [str(word) for word in command],
        input=data,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **environment},
    ).stdout


@dataclass(frozen=True)
class KeyPair:
    """A key of ssh-keygen's making, in a file."""

    path: Path

    @classmethod
    def make(cls, directory: Path, kind: str, bits: int = 0) -> KeyPair:
        path = directory / f"{kind}{bits or ''}"
        size = ("-b", str(bits)) if bits else ()
        run("ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "somebody", "-f", path)
        return cls(path)

    @property
    def public_text(self) -> str:
        return self.path.with_suffix(".pub").read_text()

    @property
    def fingerprint(self) -> str:
        return run("ssh-keygen", "-l", "-f", self.path).decode().split()[1]

    def sign(self, message: bytes, namespace: str = "git", *options: str) -> bytes:
        """The armored signature."""
        return run("ssh-keygen", "-q", "-Y", "sign", *options, "-n", namespace, "-f", self.path, data=message)

    def accepts(self, armored: bytes, message: bytes, namespace: str = "git") -> bool:
        """What `ssh-keygen -Y check-novalidate` says."""
        file = self.path.with_suffix(".sig")
        file.write_bytes(armored)
        command = ["ssh-keygen", "-Y", "check-novalidate", "-n", namespace, "-s", str(file)]
        return subprocess.run(command, input=message, capture_output=True, check=False).returncode == 0


def armor(blob: bytes) -> bytes:
    encoded = base64.b64encode(blob)
    lines = [encoded[at : at + 70] for at in range(0, len(encoded), 70)]
    return b"\n".join((b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----\n"))
