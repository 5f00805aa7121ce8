"""Signatures beside what they sign, by ssh-keygen: with a key file, or by the agent or token that has it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from reconciler.authoring.errors import SigningError
from reconciler.authoring.signing_key import SigningKey


def sign(message: bytes, namespace: str, key: SigningKey) -> bytes:
    """An armored SSHSIG; ssh-keygen asks for a passphrase, or the agent. Raises SigningError."""
    with tempfile.TemporaryDirectory(prefix="tnet-sign-") as scratch:
        file = Path(key.value)
        if key.literal:
            file = Path(scratch) / "key.pub"
            file.write_text(key.literal + "\n", encoding="utf-8")
        command = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(file)]
        done = subprocess.run(command, input=message, capture_output=True)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise SigningError(f"can't sign with {key}: {words}", "is it in the agent (ssh-add -l)?")
    return done.stdout
