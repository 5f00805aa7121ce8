"""System calls that Python 3.11 has no name for, through the C library."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_SHARED = 0x1000, 0x4000, 0x100000
MNT_DETACH = 2

_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def setns(descriptor: int, kind: int = CLONE_NEWNET) -> None:
    """Put the calling thread, and only it, into that namespace. Raises OSError."""
    _checked(_LIBC.setns(descriptor, kind), "setns")


def unshare(kind: int = CLONE_NEWNET) -> None:
    """Put the calling thread, and only it, into a new namespace. Raises OSError."""
    _checked(_LIBC.unshare(kind), "unshare")


def mount(source: str, target: str, flags: int) -> None:
    """mount(2) without a file system type: bind mounts and changes of propagation. Raises OSError."""
    arguments = (source.encode(), target.encode(), b"none", ctypes.c_ulong(flags), None)
    _checked(_LIBC.mount(*arguments), f"mount {target}")


def unmount(target: str) -> None:
    """Take the topmost mount off `target`, lazily. Raises OSError."""
    _checked(_LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")
