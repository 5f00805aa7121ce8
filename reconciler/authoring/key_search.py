"""Which SSH keys a person has: in ~/.ssh, in the agent, and those that git or the environment names."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.authoring.errors import SigningError
from reconciler.authoring.signing_key import SigningKey, choose_with_source, public_key
from reconciler.errors import TnetError
from reconciler.ledger.signatures.keys import KeyRefused, PublicKey, from_text

AGENT = "ssh-agent"
AGENT_TIMEOUT_S = 10
MAX_PUBLIC_FILE_BYTES = 64 << 10
_NO_AGENT = 2  # `ssh-add -L` ends with 1 where the agent holds nothing


@dataclass(frozen=True, slots=True)
class Found:
    """A public key in one place. `key` is None if no node would accept it: `problem` says why.

    `value` is what `--key` takes to sign with it; None where the private half is not to be found.
    """

    text: str
    comment: str
    source: str
    value: str | None
    key: PublicKey | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One key and all the places where it was found, the best to sign from first."""

    places: tuple[Found, ...]

    @property
    def key(self) -> PublicKey | None:
        return self.places[0].key

    @property
    def text(self) -> str:
        return self.places[0].text

    @property
    def problem(self) -> str:
        return self.places[0].problem

    @property
    def comment(self) -> str:
        return next((place.comment for place in self.places if place.comment), "")

    @property
    def value(self) -> str | None:
        """What `--key` takes to sign with it; None if no private half was found."""
        return next((place.value for place in self.places if place.value), None)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(place.source for place in self.places)


def candidates(configured: str | None) -> tuple[Candidate, ...]:
    """Every SSH key at hand; those first that git or the environment names, which is how one is chosen."""
    agent = tuple(in_agent())
    held = {found.text for found in agent}
    places: dict[str, list[Found]] = {}
    for found in (*_named(configured), *in_directory(Path("~/.ssh").expanduser(), held), *agent):
        places.setdefault(found.text, []).append(found)
    return tuple(Candidate(tuple(found)) for found in places.values())


def in_directory(directory: Path, held: frozenset[str] | set[str] = frozenset()) -> Iterator[Found]:
    """The keys whose .pub files lie there. `held` are those in the agent, by their texts."""
    for file in sorted(directory.glob("*.pub")):
        if not file.name.endswith("-cert.pub") and file.is_file():
            yield from _in_file(file, held)


def in_agent() -> Iterator[Found]:
    """The keys that the agent holds; none if there is no agent."""
    for text, comment in _agent_lines():
        yield _found(text, comment, AGENT, f"key::{text}")


def is_in_agent(public_text: str) -> bool:
    return any(text == public_text for text, _ in _agent_lines())


def _agent_lines() -> list[tuple[str, str]]:
    try:
        done = subprocess.run(
            ["ssh-add", "-L"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=AGENT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SigningError(
            f"the ssh-agent has not answered in {AGENT_TIMEOUT_S} s", "is it locked? try: ssh-add -L"
        ) from None
    except FileNotFoundError:
        return []
    if done.returncode == _NO_AGENT:
        return []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [split for line in lines if (split := _split(line)) and "-cert-v" not in line.split()[0]]


def _in_file(file: Path, held: frozenset[str] | set[str]) -> Iterator[Found]:
    with file.open("rb") as opened:
        split = _split(opened.read(MAX_PUBLIC_FILE_BYTES).decode("utf-8", "replace"))
    if split is None:
        return
    text, comment = split
    private = file.with_suffix("")
    value = str(private) if private.is_file() else str(file) if text in held else None
    yield _found(text, comment, str(file), value)


def _split(line: str) -> tuple[str, str] | None:
    """Type and base64, and the comment, of an OpenSSH public key; None for anything else."""
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        return None
    return " ".join(words[:2]), words[2].strip() if len(words) > 2 else ""


def _found(text: str, comment: str, source: str, value: str | None) -> Found:
    try:
        return Found(text, comment, source, value, from_text(text))
    except KeyRefused as refused:
        return Found(text, comment, source, value, None, str(refused))


def _named(configured: str | None) -> Iterator[Found]:
    """The key that would sign now, wherever it lies."""
    try:
        source, key = choose_with_source(None, configured)
        text = public_key(key)
    except TnetError:
        return  # there is none, or none that can be read: whoever wants to sign is told why
    yield _found(text, "", source, usable_value(key, text))


def usable_value(key: SigningKey, text: str) -> str | None:
    """What names the key so that it can sign; None if its private half is nowhere."""
    if key.literal is None and has_private_file(Path(key.value)):
        return key.value
    return key.git_value if is_in_agent(text) else None


def has_private_file(file: Path) -> bool:
    """Whether ssh-keygen will find a private half: the file itself, or beside a .pub file."""
    return file.suffix != ".pub" or file.with_suffix("").is_file()
