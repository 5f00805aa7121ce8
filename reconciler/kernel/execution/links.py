"""Bridges, veth pairs and VXLAN devices."""

from __future__ import annotations

import errno

from reconciler.kernel.codec import link as codec
from reconciler.kernel.codec.link import LinkSeen
from reconciler.kernel.execution.work import Refused, Step, Work
from reconciler.kernel.graph import Link
from reconciler.kernel.marks import half_made, owner_of_link
from reconciler.kernel.objects import HOST, Bridge, Veth, VethPeer, Vxlan

_GONE = frozenset({errno.ENODEV})


def add_bridge(work: Work, step: Step, item: Bridge) -> None:
    index = work.known.choose(1)
    work.pipeline.route(step.position, item.namespace, codec.create_bridge(item, index))
    _await_in_host(work, step, item.namespace)
    work.pipeline.route(step.position, item.namespace, codec.mark(index, step.alias, item.mtu))
    work.known.made(item.namespace, item.name, index)


def add_veth(work: Work, step: Step, item: Veth) -> None:
    """Both ends; the far one is marked by its own operation (`add_veth_peer`), which has its own owner."""
    index = work.known.choose(2)
    far = work.handle(item.peer_namespace, item.namespace)
    work.pipeline.route(step.position, item.namespace, codec.create_veth(item, index, index + 1, far))
    _await_in_host(work, step, item.namespace)
    work.pipeline.route(step.position, item.namespace, codec.mark(index, step.alias))
    work.known.made(item.namespace, item.name, index)
    work.known.made(item.peer_namespace, item.peer_name, index + 1)


def add_veth_peer(work: Work, step: Step, item: VethPeer) -> None:
    """Marks the end that the Veth's operation has made. In the node's own namespace it is looked at first:
    what has the name there might be somebody else's."""
    if item.namespace == HOST:
        _expect_ours(work.links(HOST).get(item.name), item, step)
    index = work.index(item.namespace, item.name)
    work.pipeline.route(step.position, item.namespace, codec.mark(index, step.alias, item.mtu))


def add_vxlan(work: Work, step: Step, item: Vxlan) -> None:
    """Asked for where its underlay is, born where it shall live."""
    index = work.known.choose(1)
    underlay = work.index(item.underlay_namespace, item.underlay_device)
    home = work.handle(item.namespace, item.underlay_namespace)
    create = codec.create_vxlan(item, index, underlay, home)
    work.pipeline.route(step.position, item.underlay_namespace, create)
    _await_in_host(work, step, item.namespace)
    work.pipeline.route(step.position, item.namespace, codec.mark(index, step.alias))
    work.known.made(item.namespace, item.name, index)


def change_link(work: Work, step: Step, before: Link, after: Link) -> None:
    """MTU and MAC where they differ, and up. Never down first: that would clear routes and sessions."""
    index = work.index(after.namespace, after.name)
    message = codec.set_link(index, mtu=_new_mtu(before, after), mac_address=_new_mac(before, after))
    work.pipeline.route(step.position, after.namespace, message)


def delete_link(work: Work, step: Step, item: Link) -> None:
    """One end of a veth takes the other along; then the other's deletion finds nothing, which is fine."""
    if item.namespace == HOST and not _still_ours(work, step, item):
        return
    index = work.known_index(item.namespace, item.name)
    if index is not None and work.known.place(index) == (item.namespace, item.name):
        work.pipeline.route(step.position, item.namespace, codec.delete_link(index), _GONE)
        work.known.gone(item.namespace, item.name)


def _await_in_host(work: Work, step: Step, namespace: str) -> None:
    """Had the creation failed, a link that already has the index would be marked as ours."""
    if namespace == HOST:
        work.settle(step)


def _expect_ours(seen: LinkSeen | None, item: VethPeer, step: Step) -> None:
    if seen is None:
        raise Refused(errno.ENODEV, f"there is no link {item.name}")
    if not half_made(seen) and owner_of_link(seen) != step.owner:
        raise Refused(errno.EEXIST, f"the link {item.name} is somebody else's")


def _still_ours(work: Work, step: Step, item: Link) -> bool:
    seen = work.links(item.namespace).get(item.name)
    if seen is None:
        return False
    if owner_of_link(seen) != step.owner:
        raise Refused(errno.EPERM, f"the link {item.name} is not ours any more")
    return True


def _new_mtu(before: Link, after: Link) -> int | None:
    return None if before.mtu == after.mtu else after.mtu


def _new_mac(before: Link, after: Link) -> str | None:
    if isinstance(before, Bridge | Vxlan) and isinstance(after, Bridge | Vxlan) and before.mac != after.mac:
        return after.mac
    return None
