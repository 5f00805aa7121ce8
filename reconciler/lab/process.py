"""Processes by identity: a pid that was written down may have been given to another process since."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

from msgspec import Struct


class ProcessId(Struct, frozen=True):
    """A process that can't be confused with a later one: its pid, and when it started.

    `start_ticks` is field 22 of /proc/PID/stat (proc(5)); `boot` is /proc/sys/kernel/random/boot_id.
    """

    pid: int
    start_ticks: int
    boot: str

    @staticmethod
    def of(pid: int) -> ProcessId:
        """Raises ProcessLookupError if there is none."""
        ticks = _start_ticks(pid)
        if ticks is None:
            raise ProcessLookupError(pid)
        return ProcessId(pid, ticks, boot_id())

    @property
    def alive(self) -> bool:
        """It runs; a process that has ended and only waits for its parent does not."""
        return self.boot == boot_id() and _start_ticks(self.pid) == self.start_ticks


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _start_ticks(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def kill(process: ProcessId, timeout_s: float = 10.0) -> bool:
    """Kill it and wait until it has ended; True if it has. Nothing happens to any other process."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        if process.alive:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _await_end(descriptor, timeout_s)
    finally:
        os.close(descriptor)
    _reap(process.pid)
    return not process.alive


def _await_end(descriptor: int, timeout_s: float) -> None:
    """A pidfd becomes readable when its process has ended (pidfd_open(2))."""
    deadline = time.monotonic() + timeout_s
    while not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        if time.monotonic() >= deadline:
            return


def _reap(pid: int) -> None:
    """Take its exit status if it is our child, so that it doesn't stay a zombie until we end."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
