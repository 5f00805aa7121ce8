"""Named network namespaces as iproute2 keeps them: one file each under /run/netns, with the namespace bind
mounted on it (`ip netns` sees ours and we see its)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.kernel.linux.descriptors import moved_up
from reconciler.kernel.linux.syscalls import MS_BIND, MS_REC, MS_SHARED, mount, unmount
from reconciler.kernel.transport import NamespaceMissing, TransportError

DIRECTORY = Path("/run/netns")


class NetnsDirectory:
    """`device` is the number of the file system (nsfs) that every namespace is a file of; what has another
    is a file where somebody's namespace was going to be."""

    def __init__(self, device: int) -> None:
        self._device = device
        self._prepared = False

    def listed(self) -> Mapping[str, tuple[int, int]]:
        """Every namespace by name, with device and inode."""
        try:
            entries = list(os.scandir(DIRECTORY))
        except FileNotFoundError:
            return {}
        found = ((entry.name, _identity(entry.stat)) for entry in entries)
        return {name: seen for name, seen in found if seen is not None and seen[0] == self._device}

    def identity(self, name: str) -> tuple[int, int] | None:
        """None if there is no file of that name."""
        return _identity((DIRECTORY / name).stat)

    def open(self, name: str) -> int:
        """A descriptor of the namespace. Raises NamespaceMissing."""
        try:
            descriptor = os.open(DIRECTORY / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise missing(name) from error
        if os.fstat(descriptor).st_dev != self._device:
            os.close(descriptor)
            raise missing(name)
        return moved_up(descriptor)

    def reserve(self, name: str) -> None:
        """Make the file that the namespace will be mounted on; one that a death left behind will do.
        Raises TransportError with EEXIST if a namespace has the name."""
        self._prepare()
        path = DIRECTORY / name
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
        except FileExistsError as error:
            seen = _identity(path.stat)
            if seen is not None and seen[0] == self._device:
                raise TransportError(errno.EEXIST, f"there is a network namespace {name} already") from error

    def give_name(self, name: str, descriptor: int) -> None:
        """Give that namespace the reserved name."""
        mount(f"/proc/self/fd/{descriptor}", os.fspath(DIRECTORY / name), MS_BIND)

    def remove(self, name: str) -> None:
        """Take the name away; the namespace goes with the last that holds it. Raises NamespaceMissing."""
        path = DIRECTORY / name
        try:
            unmount(os.fspath(path))
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOENT):
                raise
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise missing(name) from error

    def _prepare(self) -> None:
        """A mount point with shared propagation, so that a name taken away here goes in every mount namespace
        that has a copy, and doesn't hold the namespace there."""
        if self._prepared:
            return
        DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
        place = os.fspath(DIRECTORY)
        try:
            mount("", place, MS_SHARED | MS_REC)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            mount(place, place, MS_BIND | MS_REC)
            mount("", place, MS_SHARED | MS_REC)
        self._prepared = True


def _identity(stat: Callable[[], os.stat_result]) -> tuple[int, int] | None:
    """(device, inode), which tells a namespace from its successor of the same name; None if gone."""
    try:
        seen = stat()
    except FileNotFoundError:
        return None
    return seen.st_dev, seen.st_ino


def missing(name: str) -> NamespaceMissing:
    return NamespaceMissing(errno.ENOENT, f"there is no network namespace {name}")
