"""Whether links carry, and what follows when they begin to: veth ends and bridges depend on each other.

The real kernel learns of it a moment later (link_watch.c); here it has always settled already.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.kernel.fake import ipv6
from reconciler.kernel.fake.records import Link, VethDetails
from reconciler.kernel.fake.world import Netns, World


def refresh(world: World, device: int) -> None:
    """Work out the carrier of a device anew, and of those that depend on it."""
    found = world.find(device)
    if found is None:
        return
    space, link = found
    _set_carrier(world, space, link, _carries(world, link))
    if isinstance(link.details, VethDetails):
        _refresh_peer(world, link.details.peer)


def _refresh_peer(world: World, peer: int) -> None:
    found = world.find(peer)
    if found is not None:
        _set_carrier(world, *found, _carries(world, found[1]))


def _carries(world: World, link: Link) -> bool:
    if isinstance(link.details, VethDetails):
        peer = world.find(link.details.peer)
        return link.up and peer is not None and peer[1].up
    return link.carrier


def _set_carrier(world: World, space: Netns, link: Link, carries: bool) -> None:
    ready = link.ready or (link.up and carries)
    world.put(space, replace(link, carrier=carries, ready=ready))
    if ready and not link.ready:
        ipv6.link_ready(space, space.links[link.index])
    if link.master is not None:
        recount(world, link.master)


def recount(world: World, bridge: int) -> None:
    """br_port_state_selection: a bridge carries if one of its ports forwards."""
    found = world.find(bridge)
    if found is None:
        return
    space, link = found
    ports = [one for one in space.links.values() if one.master == bridge]
    _set_carrier(world, space, link, link.up and any(port.up and port.carrier for port in ports))
