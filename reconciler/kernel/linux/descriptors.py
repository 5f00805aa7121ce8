"""Descriptor numbers: ours go above 1023, and the low ones stay free.

libnftables waits for its socket with select(2), which knows no descriptor above 1023; glibc ends the process
that tries (seen with 1.0.6: "bit out of range 0 - FD_SETSIZE on fd_set"). A thousand networks keep some
thousands of descriptors, so whatever is kept is moved up, out of libnftables' way.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource

from reconciler.kernel.transport import TransportError

_SELECTABLE = 1024


def allow_many() -> None:
    """The usual soft limit is 1024; the hard one is for those who know what they do with select."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def moved_up(descriptor: int) -> int:
    """The same open file under a high number, the given one closed; itself where the limit leaves no room."""
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _SELECTABLE)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EMFILE):
            raise
        return descriptor
    os.close(descriptor)
    return high


def expect_low() -> None:
    """Raises TransportError with EMFILE if the next descriptor would be one that select can't wait for."""
    lowest = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    os.close(lowest)
    if lowest >= _SELECTABLE - 8:
        raise TransportError(errno.EMFILE, "no descriptor below 1024 is left for libnftables")
