"""Which of the user's SSH keys signs, and the form in which git wants to hear of it.

Git itself drives `ssh-keygen -Y sign`, so a key may be a file (with or without passphrase), live in an agent
or in a token, or be behind a program of the user's (`gpg.ssh.program`).
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from reconciler.authoring.errors import SigningError
from reconciler.ledger.signatures.keys import KeyRefused, from_text

ENVIRONMENT_VARIABLE = "TNET_SIGNING_KEY"

_LITERAL = re.compile(r"^(key::)?(?P<key>(ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+ [A-Za-z0-9+/]+={0,2})(\s.*)?$")
_BEGINNING_BYTES = 128
_HOW = (
    "once and for all: tnet key setup --key ~/.ssh/id_ed25519 (also a .pub file, or the public key itself,\n"
    "if the private one is in an ssh-agent); for once: --key FILE, or TNET_SIGNING_KEY\n"
    "which keys you have: tnet key list; if none: tnet key new"
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`value` is a path to a key file, or a public key in OpenSSH's form that an agent holds."""

    value: str

    @property
    def literal(self) -> str | None:
        """The public key itself, if that is how the key was named."""
        found = _LITERAL.match(self.value)
        return found["key"] if found else None

    @property
    def git_value(self) -> str:
        """What `user.signingkey` must say."""
        return f"key::{self.literal}" if self.literal else self.value

    def __str__(self) -> str:
        return self.literal or self.value


def choose_signing_key(option: str | None, configured: str | None) -> SigningKey:
    """The key by `--key`, else by environment, else by git's `user.signingkey`; raises SigningError."""
    return choose_with_source(option, configured)[1]


def choose_with_source(option: str | None, configured: str | None) -> tuple[str, SigningKey]:
    """The same, and what has named the key."""
    for source, value in named_keys(option, configured):
        return source, _checked(source, value)
    raise SigningError("there is no key to sign with", _HOW)


def named_keys(option: str | None, configured: str | None) -> list[tuple[str, str]]:
    """Where a key is named and how, the one that counts first."""
    sources = (
        ("--key", option),
        (f"${ENVIRONMENT_VARIABLE}", os.environ.get(ENVIRONMENT_VARIABLE)),
        ("git config user.signingkey", configured),
    )
    return [(source, value) for source, value in sources if value]


def key_is_named(configured: str | None) -> bool:
    """Whether environment or git's configuration name a key, of which one then is the one to sign with."""
    return bool(os.environ.get(ENVIRONMENT_VARIABLE) or configured)


def configured_key() -> str | None:
    """Git's `user.signingkey` as it is set for the user, outside of any repository of ours."""
    done = subprocess.run(["git", "config", "--get", "user.signingkey"], capture_output=True, text=True)
    return done.stdout.strip() or None


def _checked(source: str, value: str) -> SigningKey:
    if _LITERAL.match(value):
        return SigningKey(value)
    path = Path(value).expanduser()
    if not path.is_file():
        raise SigningError(f"{source} names {value}, which is neither a key file nor an SSH public key", _HOW)
    if not _looks_like_a_key(source, path):
        raise SigningError(f"{source} names {value}, and this file is no SSH key", _HOW)
    return SigningKey(str(path.absolute()))


def _looks_like_a_key(source: str, path: Path) -> bool:
    """Whether it begins as private keys do, or as a .pub file does. Raises SigningError where unreadable."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING_BYTES).decode("utf-8", "replace").lstrip()
    except OSError as error:
        raise SigningError(f"{source} names {path}, which can't be read: {error.strerror}", _HOW) from error
    return bool(re.match(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|(ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+ ", beginning))


def public_key(key: SigningKey) -> str:
    """The public half as `<type> <base64>`, without a comment; raises SigningError."""
    if key.literal:
        return parse_public_key(key.literal, "the key")
    for candidate in (Path(key.value), Path(f"{key.value}.pub")):
        if candidate.suffix == ".pub" and candidate.is_file():
            return parse_public_key(candidate.read_text(encoding="utf-8", errors="replace"), str(candidate))
    return _derived(key.value)


def parse_public_key(text: str, source: str) -> str:
    """The first two words of a .pub file; raises SigningError naming `source`."""
    found = _LITERAL.match(text.strip())
    if not found:
        raise SigningError(f"{source}: this is not an OpenSSH public key", "it looks like: ssh-ed25519 AAAA…")
    try:
        return from_text(found["key"]).text
    except KeyRefused as error:
        raise SigningError(f"{source}: {error}", "make one that is: ssh-keygen -t ed25519") from None


def _derived(path: str) -> str:
    """Ask ssh-keygen. Without a passphrase only: there may be no terminal to ask on."""
    done = subprocess.run(
        ["ssh-keygen", "-y", "-P", "", "-f", path], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise SigningError(
            f"{path}: can't read the public half of this key: {done.stderr.strip()}",
            f"put it beside the key: ssh-keygen -y -f {path} > {path}.pub",
        )
    return parse_public_key(done.stdout, path)
