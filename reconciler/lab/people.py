"""The lab's people: each has an SSH key of their own, made fresh for this lab."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.lab.errors import CommandFailed
from reconciler.ledger.signatures import proof


@dataclass(frozen=True, slots=True)
class Person:
    """`public_key` is the first two words of the .pub file; `key` the private key's file."""

    name: str
    key: Path
    public_key: str

    def prove(self, tenant: str) -> str:
        """The base64 SSHSIG that shows this person holds the key (see ledger.proof)."""
        armored = _ssh_keygen(
            "-Y", "sign", "-n", proof.NAMESPACE, "-f", str(self.key), stdin=proof.message(tenant)
        )
        lines = armored.decode("ascii").splitlines()
        blob = base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
        return base64.b64encode(blob).decode("ascii")


def make_people(directory: Path, names: Iterable[str]) -> Mapping[str, Person]:
    return {name: _make(directory / name, name) for name in names}


def allowed_signers(people: Iterable[Person]) -> str:
    """The file by which git itself can verify everybody (ALLOWED SIGNERS in ssh-keygen(1))."""
    return "".join(f'{person.name} namespaces="git" {person.public_key}\n' for person in people)


def known_people(directory: Path) -> Mapping[str, Person]:
    """Those of a lab that is up."""
    return {path.name: _read(path) for path in sorted(directory.iterdir())}


def _make(home: Path, name: str) -> Person:
    home.mkdir(parents=True)
    _ssh_keygen("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / "id_ed25519"))
    return _read(home)


def _read(home: Path) -> Person:
    key = home / "id_ed25519"
    words = key.with_suffix(".pub").read_text(encoding="ascii").split()
    return Person(home.name, key, " ".join(words[:2]))


def _ssh_keygen(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["ssh-keygen", *arguments], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"ssh-keygen {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
