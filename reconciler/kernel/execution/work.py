"""What the functions of the kinds work with."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from reconciler.errors import TnetError
from reconciler.kernel.codec.link import LinkSeen
from reconciler.kernel.execution.pipeline import Pipeline
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.known_links import KnownLinks
from reconciler.kernel.marks import alias
from reconciler.kernel.observation.namespace_view import view
from reconciler.kernel.port import SecretStore
from reconciler.kernel.transport import Ack, Transport


class Refused(TnetError):
    """This operation ends here, with this answer."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.ack = Ack(code, text)


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the batch: where it stands in it, and whose it is."""

    position: int
    owner: str

    @property
    def alias(self) -> str:
        return alias(self.owner)


@dataclass(frozen=True, slots=True)
class Work:
    transport: Transport
    secrets: SecretStore
    known: KnownLinks
    pipeline: Pipeline

    def index(self, namespace: str, name: str) -> int:
        """Raises Refused with ENODEV if there is no such link, also after a fresh look."""
        index = self.known_index(namespace, name)
        if index is not None:
            return index
        if name not in (links := self.links(namespace)):
            raise Refused(errno.ENODEV, f"there is no link {name}")
        return links[name].ifindex

    def known_index(self, namespace: str, name: str) -> int | None:
        if namespace not in self.known:
            self.links(namespace)
        return self.known.index(namespace, name)

    def links(self, namespace: str) -> dict[str, LinkSeen]:
        """The links there are now, by name; what is waiting is sent first."""
        self.pipeline.flush()
        seen = view(self.transport, namespace)
        self.known.see(namespace, seen.owner, seen.links.values())
        return {link.name: link for link in seen.links.values()}

    def settle(self, step: Step) -> None:
        """Await all that was sent for this operation; raises Refused if any of it failed."""
        self.pipeline.flush()
        if step.position in self.pipeline.errors:
            ack = self.pipeline.errors[step.position]
            raise Refused(ack.code, ack.text)

    def handle(self, namespace: str, home: str) -> int | None:
        """What stands for `namespace` in a message sent in `home`; None if it is the same."""
        return None if namespace == home else self.transport.namespace_handle(namespace)

    def private_key(self, public_key: str) -> bytes:
        try:
            return self.secrets.private_key(public_key)
        except KeyError:
            missing = f"this node has no private key for {public_key}: it is sealed to another identity"
            advice = 'see "A node\'s identity is lost" in docs/operations.md'
            raise Refused(errno.ENOKEY, f"{missing}; {advice}") from None


def unexpected(item: KernelObject) -> Refused:
    return Refused(errno.EINVAL, f"{item.key} can't be changed in place")
