"""What the engine asks of a kernel: look, and carry out operations. It knows nothing of bytes."""

from __future__ import annotations

import errno
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from reconciler.errors import TnetError
from reconciler.kernel.graph import KernelObject, Observed
from reconciler.kernel.objects import Key

Verb = Literal["add", "change", "delete"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a plan, as data.

    add:    `after` is what to make, `before` is None
    change: `before` becomes `after` in place; they have the same key and class
    delete: `before` goes, `after` is None
    """

    verb: Verb
    owner: str
    before: KernelObject | None
    after: KernelObject | None

    @property
    def key(self) -> Key:
        item = self.after if self.after is not None else self.before
        assert item is not None
        return item.key

    @property
    def inverse(self) -> Operation:
        """The operation that undoes this one; its own inverse is this one again."""
        verbs: dict[Verb, Verb] = {"add": "delete", "change": "change", "delete": "add"}
        return Operation(verbs[self.verb], self.owner, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the kernel said to one operation: `code` is 0 or an errno, `detail` its own words if any.

    `detail` never holds a secret. An operation that was not tried, because one that it needs failed
    within the same batch, has ECANCELED.
    """

    operation: Operation
    code: int = 0
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    def __str__(self) -> str:
        if self.ok:
            return f"{self.operation.verb} {self.operation.key}: done"
        name = errno.errorcode.get(self.code, str(self.code))
        return f"{self.operation.verb} {self.operation.key}: {name} {self.detail}".rstrip()


class SecretStore(Protocol):
    """Where private keys are looked up at the moment they are handed to the kernel."""

    def private_key(self, public_key: str) -> bytes:
        """The 32 bytes behind a base64 WireGuard public key. Raises KeyError if there is none."""
        ...


class Kernel(Protocol):
    """A node's kernel. `NetlinkKernel` implements it over a transport, which is real or the fake."""

    def observe(self, sysctls: Collection[Key] = (), namespaces: Collection[str] | None = None) -> Observed:
        """Look at all our namespaces and the node's own, or only at `namespaces`.

        Sysctls carry no mark and are far too many to list: those of `sysctls` are read, and appear
        under the owner of their namespace (or of their link). Raises KernelUnavailable.
        """
        ...

    def execute(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out one batch, in order and pipelined; returns an outcome for each, in order.

        Within a batch no operation may need another of the same batch, except where the needed one
        comes first and both are in one namespace that is wholly ours. Never raises for what the kernel
        refuses: that is an outcome.
        """
        ...


class KernelUnavailable(TnetError):
    """The kernel can't be asked at all (no permission, no netlink, a dump that stays torn)."""
