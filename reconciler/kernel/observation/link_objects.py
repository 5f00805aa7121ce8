"""Links out of a dump into the vocabulary.

What one namespace's dump can't tell: where the other end of a veth is (found by its index, which is unique
on the node) and what a VXLAN device's underlay is called (its index, looked up in the node's own namespace).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from reconciler.kernel.codec.link import LinkSeen, decode_vxlan
from reconciler.kernel.graph import Link
from reconciler.kernel.known_links import KnownLinks
from reconciler.kernel.objects import HOST, Bridge, Veth, VethPeer, Vxlan
from reconciler.kernel.observation.namespace_view import NamespaceView

_UNSPECIFIED = IPv4Address(0)


class LinkReader:
    """`host` is the view of the node's own namespace; `known` has the links of all namespaces."""

    def __init__(self, known: KnownLinks, host: NamespaceView) -> None:
        self._known = known
        self._host = host
        self._readers = {"bridge": self._bridge, "veth": self._veth, "vxlan": self._vxlan}

    def objects(self, seen: NamespaceView) -> Iterator[tuple[str, Link]]:
        """(owner, object) of every link of ours but WireGuard devices."""
        for index, owner in seen.owners.items():
            link = seen.links[index]
            reader = self._readers.get(link.kind)
            found = reader(seen, link) if reader is not None else None
            if found is not None:
                yield owner, found

    def _bridge(self, seen: NamespaceView, link: LinkSeen) -> Link:
        return Bridge(seen.name, link.name, link.mtu, link.mac, link.up)

    def _veth(self, seen: NamespaceView, link: LinkSeen) -> Link | None:
        """The end with the lower index is the one that made the pair. An end whose other end is nowhere is
        on its way out, since its other end's namespace is, and counts as gone."""
        other = self._known.place(link.lower)
        if other is None:
            return None
        kind = Veth if link.ifindex < link.lower else VethPeer
        return kind(seen.name, link.name, link.mtu, *other, link.up)

    def _vxlan(self, seen: NamespaceView, link: LinkSeen) -> Link:
        """Its underlay is in its own namespace unless the kernel says elsewhere, which is the node's own."""
        device = decode_vxlan(link.data)
        underlay = self._host if link.lower_elsewhere else seen
        return Vxlan(
            seen.name,
            link.name,
            link.mtu,
            link.mac,
            device.vni,
            device.local or _UNSPECIFIED,
            device.port,
            HOST if link.lower_elsewhere else seen.name,
            underlay.name_of(device.underlay_index),
            link.up,
        )
