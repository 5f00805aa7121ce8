"""One namespace as its link dump shows it: whose it is, and which of its links are ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reconciler.kernel.codec import dump
from reconciler.kernel.codec.link import LOOPBACK_INDEX, LinkSeen, decode_link
from reconciler.kernel.marks import owner_of_link, owner_of_namespace
from reconciler.kernel.objects import HOST, NODE_OWNER
from reconciler.kernel.transport import Transport


@dataclass(frozen=True)
class NamespaceView:
    """`owner` is None for a namespace that isn't ours; the node's own counts as the node's."""

    name: str
    owner: str | None
    links: dict[int, LinkSeen]

    @cached_property
    def owners(self) -> dict[int, str]:
        """Whose each link of ours is, by index."""
        found = ((index, owner_of_link(link)) for index, link in self.links.items())
        return {index: owner for index, owner in found if owner is not None}

    @property
    def holder(self) -> str:
        """Owner of what belongs to the namespace rather than to a link in it."""
        return NODE_OWNER if self.owner is None else self.owner

    def owner_at(self, index: int) -> str:
        """Owner of what hangs on that link: the link's, or the namespace's for a link of somebody else's."""
        return self.owners.get(index, self.holder)

    def name_of(self, index: int) -> str:
        """ "" for an index that isn't there (any more)."""
        link = self.links.get(index)
        return "" if link is None else link.name


def view(transport: Transport, namespace: str) -> NamespaceView:
    """Raises TransportError."""
    links = {link.ifindex: link for link in map(decode_link, transport.route_dump(namespace, dump.links()))}
    return NamespaceView(namespace, _owner(namespace, links), links)


def _owner(namespace: str, links: dict[int, LinkSeen]) -> str | None:
    if namespace == HOST:
        return NODE_OWNER
    loopback = links.get(LOOPBACK_INDEX)
    return None if loopback is None else owner_of_namespace(loopback.alias)
