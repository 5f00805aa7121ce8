"""What stands in the way of a link that could not be made, and whether it can go.

The name of a link may still be held by one of ours that is no more than a remnant: the far end of a veth
whose namespace was deleted a moment ago and is being torn down in the background, or a link that was made
and never marked. The VNI of a VXLAN device is held likewise, by a device in a namespace that can't be seen.
"""

from __future__ import annotations

import time

from reconciler.kernel.codec.link import LinkSeen, decode_vxlan, delete_link
from reconciler.kernel.execution.work import Work
from reconciler.kernel.graph import Link
from reconciler.kernel.known_links import Place
from reconciler.kernel.marks import half_made, owner_of_link
from reconciler.kernel.objects import Veth, Vxlan

_PATIENCE_S = 10.0
_PAUSE_S = 0.02


def make_room(work: Work, item: Link, deadline: float) -> bool:
    """True if it is worth trying again; `deadline` is by time.monotonic."""
    holders = [(place, link) for place in _places(item) if (link := _link_at(work, place)) is not None]
    if not holders:
        return not isinstance(item, Vxlan) or _await_vni(work, item, deadline)
    if not all(half_made(link) or _is_orphan(work, link) for _, link in holders):
        return False
    for place, link in holders:
        _clear(work, place, link, deadline)
    return True


def deadline() -> float:
    return time.monotonic() + _PATIENCE_S


def _places(item: Link) -> list[Place]:
    places = [(item.namespace, item.name)]
    if isinstance(item, Veth):
        places.append((item.peer_namespace, item.peer_name))
    return places


def _link_at(work: Work, place: Place) -> LinkSeen | None:
    return work.links(place[0]).get(place[1])


def _is_orphan(work: Work, link: LinkSeen) -> bool:
    """One of ours, whose other end is in no namespace that we know."""
    return owner_of_link(link) is not None and link.kind == "veth" and work.known.place(link.lower) is None


def _clear(work: Work, place: Place, link: LinkSeen, deadline: float) -> None:
    """An orphan is given the time to go by itself. Deleting it meanwhile would do no harm, but wait as long
    for the kernel."""
    left = max(0.0, deadline - time.monotonic())
    if half_made(link) or not work.transport.route_await_gone(*place, left):
        work.transport.route_request(place[0], [delete_link(link.ifindex)])
    work.known.gone(*place)


def _await_vni(work: Work, item: Vxlan, deadline: float) -> bool:
    """No event tells when a namespace without a name is gone, so try again until the deadline; unless the
    holder can be seen, and so isn't going."""
    for namespace in work.known.namespaces:
        links = work.links(namespace).values()
        if any(link.kind == "vxlan" and decode_vxlan(link.data).vni == item.vni for link in links):
            return False
    time.sleep(_PAUSE_S)
    return time.monotonic() < deadline
