"""A kernel in memory that speaks the same bytes as Linux: for tests of all that talks to a kernel.

`FakeTransport` is what code under test is given; `.world` is what it did. Nothing here is used at run time.
"""

from reconciler.kernel.fake.boot import boot
from reconciler.kernel.fake.faults import Death
from reconciler.kernel.fake.refusals import NotModelled
from reconciler.kernel.fake.render import render
from reconciler.kernel.fake.transport import FakeTransport
from reconciler.kernel.fake.world import World

__all__ = ["Death", "FakeTransport", "NotModelled", "World", "boot", "render"]
