"""Which process, beyond doubt: its id and when it started, written to a file that outlives us.

A bare process id is given out again; with the kernel's start time it names one process for ever.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessId:
    """`started` is in clock ticks since boot (proc_pid_stat(5), field 22)."""

    pid: int
    started: int

    @staticmethod
    def of(pid: int) -> ProcessId | None:
        """None if there is no such process, or only its corpse."""
        seen = _state_and_start(pid)
        return None if seen is None or seen[0] in "ZX" else ProcessId(pid, seen[1])

    @staticmethod
    def read(path: Path) -> ProcessId | None:
        """None if there is no such file, or no sense in it."""
        try:
            pid, started = path.read_text().split()
            return ProcessId(int(pid), int(started))
        except (FileNotFoundError, ValueError):
            return None

    def write(self, path: Path) -> None:
        part = path.with_suffix(".part")
        part.write_text(f"{self.pid} {self.started}\n")
        part.replace(path)

    @property
    def alive(self) -> bool:
        return ProcessId.of(self.pid) == self

    @property
    def _has_its_id(self) -> bool:
        seen = _state_and_start(self.pid)
        return seen is not None and seen[1] == self.started

    def end(self, within_s: float) -> bool:
        """SIGTERM, and SIGKILL if it doesn't heed that in time; False if it lives even then.

        Signals go through a descriptor of the process that was checked, so they can't hit another. A corpse
        is waited for too: while other threads of it still die, its sockets and links are still there.
        """
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            return not self._has_its_id or any(
                _signal_and_wait(descriptor, number, within_s) for number in (signal.SIGTERM, signal.SIGKILL)
            )
        finally:
            os.close(descriptor)


def _signal_and_wait(descriptor: int, number: signal.Signals, within_s: float) -> bool:
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return True
    return ends(descriptor, within_s)


def ends(descriptor: int, within_s: float) -> bool:
    """Whether the process of that pidfd ends within the time. By poll: select knows no descriptor above 1023,
    and there are thousands."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


def _state_and_start(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
