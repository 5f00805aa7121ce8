"""What tells that a link or a namespace is ours, and whose of us (objects.py has the constants)."""

from __future__ import annotations

from reconciler.kernel.codec.link import LinkSeen
from reconciler.kernel.objects import ALIAS_PREFIX, FIRST_INDEX, LINK_GROUP

NAMESPACE_PREFIX = "tnet-"


def alias(owner: str) -> str:
    return ALIAS_PREFIX + owner


def owner_of_link(link: LinkSeen) -> str | None:
    """None for a link that isn't ours: both the group and the alias must say so."""
    return _owner(link.alias) if link.group == LINK_GROUP else None


def owner_of_namespace(loopback_alias: str) -> str | None:
    """None for a namespace that isn't ours: a name alone proves nothing."""
    return _owner(loopback_alias)


def half_made(link: LinkSeen) -> bool:
    """A link that we made and died before marking: our group and an index that only we choose, no alias.

    The messages that make and mark a link go in one send wherever they can; this is for a veth's far end
    and for links whose socket and home are in different namespaces.
    """
    return link.group == LINK_GROUP and link.ifindex >= FIRST_INDEX and not link.alias


def _owner(text: str) -> str | None:
    return text.removeprefix(ALIAS_PREFIX) if text.startswith(ALIAS_PREFIX) else None
