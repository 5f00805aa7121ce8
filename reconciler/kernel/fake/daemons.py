"""The userspace WireGuard (wireguard-go): a TUN device that lives and dies with a process."""

from __future__ import annotations

import errno

from reconciler.kernel.fake import devices
from reconciler.kernel.fake.records import Link, TunDetails, WireGuardState
from reconciler.kernel.fake.refusals import Refused
from reconciler.kernel.fake.world import Daemon, Netns, World

TUN_MTU = 1420


def start(world: World, space: Netns, name: str) -> None:
    """Its TUN appears in `space`, down, with the MTU WireGuard asks for. One that is running already is ended
    first, as `services.wireguard_go` does. Raises Refused EBUSY if there is another link of that name."""
    devices.check_name(name)
    stop(world, name)
    if space.named(name) is not None:
        raise Refused(errno.EBUSY, "there is a link of that name")
    index = devices.reserve_index(world, space, 0)
    link = Link(world.new_device(), index, name, "tun", "", TUN_MTU, TunDetails(space.id), noarp=True)
    devices.register(world, space, link)
    world.wireguards[link.device] = WireGuardState()
    world.daemons[name] = Daemon(name, link.device, space.id)


def stop(world: World, name: str) -> None:
    """No error if there is none."""
    daemon = world.daemons.get(name)
    if daemon is not None:
        devices.unregister(world, daemon.device)
