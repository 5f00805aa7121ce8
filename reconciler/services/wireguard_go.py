"""Userspace WireGuard: one `wireguard-go` process a device, for kernels without WireGuard.

A daemon outlives the agent that started it: it has a session of its own, and nothing of the agent's is open
in it. What is known of it is a file in the run directory that says which process it is; a process id that
was given out again is never mistaken for a daemon, and never signalled.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from reconciler.kernel.linux import LinuxTransport, uapi_socket
from reconciler.kernel.transport import TransportError
from reconciler.services.process_id import ProcessId, ends

PROGRAM = "wireguard-go"
ADVICE = f"install the Debian package {PROGRAM}, or run a kernel with WireGuard"

_START_WITHIN_S = 10.0
_STOP_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.002


def linux_transport(run_directory: Path = Path("/run/tnet")) -> LinuxTransport:
    """The transport of this machine's kernel, with `wireguard-go` where that has no WireGuard."""
    return LinuxTransport(WireGuardGo(run_directory / "wireguard"))


class WireGuardGo:
    """The daemons whose files are in `directory`: `<device>.pid` and `<device>.log`.

    Implements `kernel.linux.wireguard_daemons.WireGuardDaemons`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, device: str) -> None:
        self.stop(device)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        child = self._spawn(device)
        self._children[device] = child
        started = ProcessId.of(child.pid)
        if started is not None:
            started.write(self._pid_file(device))
        self._await_answer(device, child)

    def stop(self, device: str) -> None:
        process = ProcessId.read(self._pid_file(device)) or self._unrecorded(device)
        if process is not None and not process.end(_STOP_WITHIN_S):
            raise TransportError(
                errno.EBUSY, f"{PROGRAM} of {device} (process {process.pid}) cannot be ended"
            )
        self._bury(device)
        self._pid_file(device).unlink(missing_ok=True)
        if uapi_socket.listener(device) is None:
            uapi_socket.socket_path(device).unlink(missing_ok=True)

    def running(self) -> frozenset[str]:
        for device in list(self._children):
            self._bury(device)
        found = ((path.stem, ProcessId.read(path)) for path in self._directory.glob("*.pid"))
        return frozenset(device for device, process in found if process is not None and process.alive)

    def _unrecorded(self, device: str) -> ProcessId | None:
        """One that we started and died before writing down: it listens for this device, and writes to our
        log file."""
        pid = uapi_socket.listener(device)
        if pid is None:
            return None
        with suppress(OSError):
            if Path(f"/proc/{pid}/fd/1").readlink() == self._log_file(device):
                return ProcessId.of(pid)
        return None

    def _spawn(self, device: str) -> subprocess.Popen[bytes]:
        """In the calling thread's network namespace: a child has that of the thread that makes it."""
        program = shutil.which(PROGRAM)
        if program is None:
            missing = TransportError(errno.ENOENT, f"this kernel has no WireGuard, and there is no {PROGRAM}")
            missing.advice = ADVICE
            raise missing
        with self._log_file(device).open("wb") as log:
            return subprocess.Popen(
                [program, "-f", device],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LOG_LEVEL": "error"},
                start_new_session=True,
            )

    def _await_answer(self, device: str, child: subprocess.Popen[bytes]) -> None:
        """Its link is made before its UAPI socket, so one who answers has a link."""
        deadline = time.monotonic() + _START_WITHIN_S
        descriptor = os.pidfd_open(child.pid)
        try:
            while uapi_socket.listener(device) != child.pid:
                if ends(descriptor, _LOOK_EVERY_S) or time.monotonic() > deadline:
                    raise self._failure(device)
        finally:
            os.close(descriptor)

    def _failure(self, device: str) -> TransportError:
        words = self._log_file(device).read_text(errors="replace").strip().splitlines()
        self.stop(device)
        return TransportError(errno.EIO, f"{PROGRAM} of {device} did not start: {words[-1] if words else ''}")

    def _bury(self, device: str) -> None:
        """Take note of the death of a child, or its corpse would stay in the process table."""
        child = self._children.get(device)
        if child is not None and child.poll() is not None:
            del self._children[device]

    def _pid_file(self, device: str) -> Path:
        return self._directory / f"{device}.pid"

    def _log_file(self, device: str) -> Path:
        return self._directory / f"{device}.log"
