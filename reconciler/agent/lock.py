"""One agent a node: an flock on a file in the state directory, released by the kernel when we die."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import TnetError


class AlreadyRunning(TnetError):
    """Another process is changing this node's networks."""


class NotPermitted(TnetError):
    """Only root may do this."""


@contextmanager
def node_lock(state_directory: Path) -> Iterator[None]:
    """Hold the node's lock; raises AlreadyRunning, naming the holder's pid, if somebody else does, and
    NotPermitted to whom the state directory isn't open."""
    path = state_directory / "lock"
    descriptor = _opened(path)
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise NotPermitted(f"{path}: {error.strerror}", "a node's state is root's: run it as root") from None


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise AlreadyRunning(
            f"{path}: held by process {holder}, which is changing this node's networks",
            "`tnet status` shows what it does; let it do the work, or stop it: systemctl stop tnet-agent",
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
