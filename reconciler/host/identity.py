"""Who a node is: its unique id and the private keys to which tenants seal what only it may read.

A directory that only root can enter holds one file for each private sealing key and one for the unique id.
It is made whole or not at all, and never overwritten.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import TnetError
from reconciler.model import base64_text, documents, sealed_format
from reconciler.model.documents import Resource
from reconciler.model.model import Model
from reconciler.model.sealing import (
    SealError,
    SealingContext,
    SealingKey,
    make_sealing_key,
    open_sealed,
    sealing_key_of,
)

_ID_FILE = "node-id"
_KEY_PREFIX = "sealing-"
_KEY_SUFFIX = ".key"


class IdentityError(TnetError):
    """The node's identity is missing, damaged, or open to other users. Holds no part of a key."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A node's unique id and its sealing keys, the current one first."""

    node_id: str
    sealing_keys: tuple[SealingKey, ...]

    @classmethod
    def create(cls, directory: Path) -> Identity:
        """Make a new identity at `directory`, which must not exist. Raises IdentityError."""
        key = make_sealing_key()
        identity = cls(sealed_format.node_id(key.public), (key,))
        directory.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))  # mode 0700
        try:
            identity._write(fresh)
            _publish(fresh, directory)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return identity

    @classmethod
    def load(cls, directory: Path) -> Identity:
        """The identity at `directory`. Raises IdentityError."""
        try:
            _check_private(directory)
            node_id = (directory / _ID_FILE).read_text().strip()
            keys = [_read_key(path) for path in directory.glob(f"{_KEY_PREFIX}*{_KEY_SUFFIX}")]
        except OSError as error:
            advice = "Make one with `tnet node init`." if isinstance(error, FileNotFoundError) else ""
            raise IdentityError(f"can't read the node's identity: {error}", advice) from None
        if not keys:
            raise IdentityError(f"{directory} holds no sealing key", "Restore it from its backup.")
        return cls(node_id, tuple(key for _, key in sorted(keys, key=lambda entry: entry[0], reverse=True)))

    def rotated(self, directory: Path) -> Identity:
        """This identity with a new current sealing key, written to `directory`; the old ones still open."""
        key = make_sealing_key()
        _write_private(_key_path(directory, key, len(self.sealing_keys)), base64_text.encode(key.private))
        return Identity(self.node_id, (key, *self.sealing_keys))

    def public_keys(self) -> tuple[documents.SealingKey, ...]:
        """What the node's document lists under `sealingKeys`."""
        return tuple(
            documents.SealingKey(
                id=sealed_format.sealing_key_id(key.public), key=base64_text.encode(key.public)
            )
            for key in self.sealing_keys
        )

    def private_sealing_key(self, key_id: str) -> bytes | None:
        """The private half of the sealing key with that id; None if it isn't this node's."""
        for key in self.sealing_keys:
            if sealed_format.sealing_key_id(key.public) == key_id:
                return key.private
        return None

    def _write(self, directory: Path) -> None:
        for number, key in enumerate(reversed(self.sealing_keys)):
            _write_private(_key_path(directory, key, number), base64_text.encode(key.private))
        _write_private(directory / _ID_FILE, self.node_id)

    def __repr__(self) -> str:
        return f"Identity({self.node_id}, {len(self.sealing_keys)} sealing keys)"


@dataclass(slots=True, repr=False)
class KeyRing:
    """The private keys of the NRs on one node, opened when they are asked for and then remembered.

    It is the kernel's SecretStore: a private key is found by its public half in the model. One is
    only opened for the NR that has it, so a copied public key or ciphertext gives nothing away.
    """

    identity: Identity
    model: Model
    node: str
    _opened: dict[tuple[SealingContext, str], bytes] = field(default_factory=dict)
    _resources: dict[str, tuple[SealingContext, Resource]] | None = None

    def with_model(self, model: Model) -> KeyRing:
        """The ring for another state of the repository; what it still needs stays open."""
        ring = KeyRing(self.identity, model, self.node)
        wanted = {(context, nr.sealed.ciphertext) for context, nr in ring._by_public_key().values()}
        ring._opened = {entry: key for entry, key in self._opened.items() if entry in wanted}
        return ring

    def private_key(self, public_key: str) -> bytes:
        """The 32 bytes behind a base64 WireGuard public key. Raises KeyError if there is none that opens."""
        try:
            return self.open(public_key)
        except SealError as error:
            raise KeyError(public_key) from error

    def open(self, public_key: str) -> bytes:
        """As `private_key`, and says why not: raises SealError."""
        found = self._by_public_key().get(public_key)
        if found is None:
            raise SealError(f"no NR on {self.node} has the public key {public_key}")
        context, resource = found
        entry = (context, resource.sealed.ciphertext)
        if entry not in self._opened:
            self._opened[entry] = self._open(context, resource)
        return self._opened[entry]

    def _open(self, context: SealingContext, resource: Resource) -> bytes:
        private = self.identity.private_sealing_key(context.sealing_key_id)
        if private is None:
            message = f"the key of {context.tenant}/{context.network} is sealed to {context.sealing_key_id},"
            raise SealError(f"{message} which this node does not have", "Run `tnet network reseal`.")
        return open_sealed(private, context, base64_text.decode(resource.sealed.ciphertext) or b"")

    def _by_public_key(self) -> dict[str, tuple[SealingContext, Resource]]:
        if self._resources is None:
            self._resources = dict(self._find_resources())
        return self._resources

    def _find_resources(self) -> list[tuple[str, tuple[SealingContext, Resource]]]:
        return [
            (nr.public_key, (sealing_context(tenant, network.metadata.name, nr), nr))
            for tenant, network in self.model.networks_on(self.node)
            for nr in network.spec.resources
            if nr.node == self.node and nr.node_id == self.identity.node_id
        ]

    def __repr__(self) -> str:
        return f"KeyRing({self.node})"


def sealing_context(tenant: str, network: str, resource: Resource) -> SealingContext:
    """Where an NR's sealed key belongs."""
    return SealingContext(tenant, network, resource.node_id, resource.sealed.key, resource.public_key)


def _publish(fresh: Path, directory: Path) -> None:
    """Give the finished directory its name, and make that last."""
    if directory.exists():
        raise IdentityError(
            f"{directory} exists already", "A node keeps its identity; remove it by hand if it must go."
        )
    fresh.rename(directory)
    _sync(directory)
    _sync(directory.parent)


def _key_path(directory: Path, key: SealingKey, number: int) -> Path:
    """Files sort by age: the number goes up by one with each new key."""
    return directory / f"{_KEY_PREFIX}{number:04d}-{sealed_format.sealing_key_id(key.public)}{_KEY_SUFFIX}"


def _write_private(path: Path, text: str) -> None:
    """A new file for its owner's eyes, durable; raises IdentityError if there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise IdentityError(f"{path} exists already") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_key(path: Path) -> tuple[str, SealingKey]:
    _check_private(path)
    private = base64_text.decode(path.read_text().strip())
    try:
        key = sealing_key_of(private or b"")
    except SealError:
        raise IdentityError(f"{path} is damaged", "Restore it from its backup.") from None
    return path.name, key


def _check_private(path: Path) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        advice = "Run it as root." if status.st_uid == 0 else f"Check why, then: chown root {path}"
        raise IdentityError(f"{path} belongs to another user", advice)
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = 0o700 if path.is_dir() else 0o600
        raise IdentityError(f"others can read {path}", f"Check why, then: chmod {mode:o} {path}")
