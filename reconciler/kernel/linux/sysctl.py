"""Values under /proc/sys, of the network namespace that the calling thread is in (fs/proc/proc_sysctl.c asks
at each opening whose values the opener sees)."""

from __future__ import annotations

import errno
import os
from pathlib import PurePosixPath

from reconciler.kernel.transport import Ack

_ROOT = "/proc/sys/"
_LONGEST = 4096


def read(path: str) -> str | None:
    """None if there is no such value, or it can't be read."""
    try:
        descriptor = os.open(_checked(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, _LONGEST).decode().strip()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def write(path: str, value: str) -> Ack:
    try:
        descriptor = os.open(_checked(path), os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        return _refusal(path, error)
    try:
        os.write(descriptor, value.encode())
    except OSError as error:
        return _refusal(path, error)
    finally:
        os.close(descriptor)
    return Ack(0)


def _checked(path: str) -> str:
    """Nothing outside /proc/sys/net is a namespace's own; nothing else is ever read or written here."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] != "net" or ".." in parts:
        raise PermissionError(errno.EPERM, f"{path} is not a sysctl of the network")
    return _ROOT + path


def _refusal(path: str, error: OSError) -> Ack:
    code = error.errno or errno.EIO
    return Ack(code, f"{path}: {os.strerror(code)}")
