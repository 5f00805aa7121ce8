"""A kernel as it is just after the machine has started."""

from __future__ import annotations

from reconciler.kernel.fake import devices
from reconciler.kernel.fake.world import World


def boot() -> World:
    """One namespace, HOST, with its loopback up and nothing else."""
    world = World()
    host = world.add_space()
    devices.set_up(world, host, host.links[1])
    return world
