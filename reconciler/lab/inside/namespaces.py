"""Entering network namespaces, for one-threaded programs. Python has `os.setns` only from 3.12 on."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMED = Path("/run/netns")
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)


def path_of(namespace: str) -> str:
    """The file of a named namespace; of the machine's own if the name is empty."""
    return str(NAMED / namespace) if namespace else "/proc/1/ns/net"


def named() -> list[str]:
    return sorted(path.name for path in NAMED.iterdir()) if NAMED.is_dir() else []


def is_namespace(namespace: str) -> bool:
    """Making a named namespace starts with an empty file, over which it is then mounted: a name may stand
    for no namespace yet, or for ever if its maker died in between."""
    own = Path(path_of("")).stat().st_dev
    return Path(path_of(namespace)).stat().st_dev == own


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets opened and processes started in the block belong to the namespace. Raises OSError."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(path_of(namespace), os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(home)
        os.close(there)
        os.close(home)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
