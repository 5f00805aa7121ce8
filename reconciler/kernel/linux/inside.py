"""Running a few lines inside another network namespace.

A thread's network namespace decides which kernel its sockets belong to, so a thread that was left behind in
a tenant's namespace would serve the node from there. Whoever enters, goes back to where it came from, also
from a block within a block; and if going back fails, which it can't with a descriptor that is held open, the
process ends rather than go on in the wrong place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.kernel.linux.syscalls import setns, unshare

_OWN_NAMESPACE = "/proc/thread-self/ns/net"
"""Of the calling thread; /proc/self would be the main thread's."""


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """The calling thread is in that namespace (a descriptor) within the block."""
    origin = open_own_namespace()
    try:
        setns(namespace)
        try:
            yield
        finally:
            _go_back(origin)
    finally:
        os.close(origin)


@contextmanager
def inside_new() -> Iterator[None]:
    """The same in a new namespace, which goes with the block unless something holds it."""
    origin = open_own_namespace()
    try:
        unshare()
        try:
            yield
        finally:
            _go_back(origin)
    finally:
        os.close(origin)


def open_own_namespace() -> int:
    """A descriptor of the namespace that the calling thread is in."""
    return os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)


def _go_back(origin: int) -> None:
    try:
        setns(origin)
    except OSError:
        os.abort()
