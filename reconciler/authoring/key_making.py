"""A new SSH key, made by ssh-keygen: the private half never passes through this program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reconciler.authoring.errors import SigningError
from reconciler.authoring.signing_key import parse_public_key

KINDS = {
    "ed25519": "id_ed25519",
    "ecdsa": "id_ecdsa",
    "rsa": "id_rsa",
    "ed25519-sk": "id_ed25519_sk",
    "ecdsa-sk": "id_ecdsa_sk",
}
"""ssh-keygen's types, and where it puts such a key under ~/.ssh."""
_STDERR = 2
_BITS = {"ecdsa": "256", "rsa": "3072"}


def default_file(kind: str) -> Path:
    return Path("~/.ssh").expanduser() / KINDS[kind]


def make_key(file: Path, kind: str, comment: str, *, passphrase: bool) -> str:
    """Make a pair at `file` and `file`.pub; the public half as text. Raises SigningError.

    ssh-keygen itself asks for the passphrase, and for the touch of a security key.
    """
    _require_free(file)
    if passphrase and not sys.stdin.isatty():
        raise SigningError(
            "there is no terminal on which to ask for a passphrase",
            "run it in one, or make a key without: --no-passphrase",
        )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", kind, "-C", comment, "-f", str(file)]
    command += ["-b", _BITS[kind]] if kind in _BITS else []
    command += [] if passphrase else ["-N", ""]
    _run(command, kind)
    public = file.with_name(f"{file.name}.pub")
    return parse_public_key(public.read_text(encoding="utf-8", errors="replace"), str(public))


def _require_free(file: Path) -> None:
    for path in (file, file.with_name(f"{file.name}.pub")):
        if path.exists():
            raise SigningError(
                f"{path}: is there already, and would be lost",
                f"use it: tnet key setup --key {file}, or name another file: tnet key new FILE",
            )


def _run(command: list[str], kind: str) -> None:
    """On the person's terminal, if there is one: what ssh-keygen asks is between the two."""
    try:
        done = subprocess.run(command, stdout=_STDERR, check=False)
    except FileNotFoundError:
        raise SigningError("there is no ssh-keygen here", "install it: apt install openssh-client") from None
    if done.returncode:
        advice = "is the security key plugged in?" if kind.endswith("-sk") else "its own words are above"
        raise SigningError(f"ssh-keygen has made no key (exit code {done.returncode})", advice)
